"""Work out what the form of a task shows and means: what was changed, by one or by two, and what is wrong. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from scheduler.errors import Problem
from scheduler.http.pages.task_fields import (
    AREAS,
    FIELDS,
    LISTS,
    NOTHING,
    WHOLE,
    Defaults,
    Field,
    lines_of,
    read_value,
    write_item,
    write_text,
)
from tasks import TASK_TYPES

_MARK_LENGTH = 16
_TASK_FIELDS = {name for task in TASK_TYPES.values() for name in task.model_fields} - {"type"}


def texts_of(definition: Mapping[str, Any], shown_when: str, defaults: Defaults) -> dict[str, str]:
    """Return the fields of a definition as they stand in the form, those at their defaults empty or as they are.

    One that the form cannot hold as it is, such as an argument with a line break, is left out: it stays as it is.
    """
    texts: dict[str, str] = {}
    values = _flat(definition) | {"interval": shown_when}
    for name, each in FIELDS.items():
        value = values.get(name)
        if value is None or (value == defaults.of(name) and each.kind in ("number", "text")):
            texts[name] = defaults.text(name) if each.kind in ("flag", "choice", "ticks") else ""
            continue
        text = write_text(each, value)
        if _holds(each, value, text):
            texts[name] = text
    return texts


def _flat(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a definition by the names that the form has for them."""
    flat: dict[str, Any] = {}
    for name, value in definition.items():
        flat |= {f"{name}.{part}": inner for part, inner in value.items()} if name in WHOLE else {name: value}
    return flat


def _holds(field: Field, value: Any, text: str) -> bool:
    """Whether a field of a page gives a value back as it was: a browser changes the ends of lines, and drops NUL."""
    if set(text) & set("\0\r" if field.kind in AREAS else "\0\r\n"):
        return False
    if field.kind == "choice":
        return text in field.choices
    if field.kind in ("raw", "text", "flag", "ticks"):
        return True
    # Of a part, what is empty is another thing than what is not given.
    return bool(read_value(field, text) == (value if "." in field.name else value or None))


def beyond_the_form(definition: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """Return the fields that a definition has and the form does not show; an edit leaves them as they are."""
    shown = {"type", "task_id", *texts}
    values = _flat(definition)
    return sorted(name for name, value in values.items() if name not in shown and value not in ([], {}, None))


def sent_texts(form: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that a form brings, for the fields that it showed; a box that is not ticked is not sent."""
    return {name: _sent_text(form, field) for name, field in FIELDS.items() if name in shown}


def _sent_text(form: Mapping[str, str], field: Field) -> str:
    if field.kind == "ticks":
        return write_text(field, [choice for choice in field.choices if f"{field.name}.{choice}" in form])
    return form.get(field.name, "")


def changes_of(kind: str, before: Mapping[str, Any], sent: Mapping[str, str], shown: Mapping[str, str],
               defaults: Defaults) -> dict[str, Any]:  # fmt: skip
    """Return the fields that were changed, None for one whose value was taken away; `before` is the definition.

    A field that the form shows in parts is returned whole, with the parts that were not changed as they were.
    """
    takes = set(TASK_TYPES[kind].model_fields) if kind in TASK_TYPES else set()
    changes: dict[str, Any] = {} if kind == before.get("type") else {"type": kind}
    wholes: dict[str, dict[str, Any]] = {}
    for name, text in sent.items():
        belongs = name not in _TASK_FIELDS or name in takes
        is_moved = "type" in changes and name in _TASK_FIELDS and bool(text.strip())
        if not belongs or not (is_moved or text != shown.get(name, "")):
            continue
        value = _meaning(FIELDS[name], text, defaults)
        whole, _, part = name.partition(".")
        if part:
            wholes.setdefault(whole, dict(before.get(whole, {})))[part] = value
        else:
            cleared = defaults.cleared(name)
            changes[name] = cleared if value is None and cleared is not NOTHING else value
    return changes | {name: value for name, value in map(_whole, wholes.items()) if value or name in before}


def _meaning(field: Field, text: str, defaults: Defaults) -> Any:
    """Return what a text means; boxes that are ticked as by default say nothing."""
    return None if field.kind == "ticks" and text == defaults.text(field.name) else read_value(field, text)


def _whole(parts: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any] | None]:
    """Return a field with the parts that it has, None where nothing is left of it."""
    name, given = parts
    return name, {part: value for part, value in given.items() if value is not None} or None


@dataclass(frozen=True, slots=True)
class Merged:
    """Two people's changes of one task: the texts of both together, and who changed what."""

    texts: dict[str, str]
    taken: list[str] = field(default_factory=list)
    """Fields that only the other one changed: theirs are taken over."""
    contested: dict[str, str] = field(default_factory=dict)
    """Fields that both changed, with what the other one says: the visitor's own stay."""
    aside: dict[str, str] = field(default_factory=dict)
    """Fields that the form shows no more, since it cannot hold what the other one says, with the visitor's own."""

    @property
    def is_to_be_seen(self) -> bool:
        """Whether the other one changed anything that the form shows."""
        return bool(self.taken or self.contested or self.aside)


def merge(base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merged:
    """Bring together what two made of the same texts, of which `base` has the marks.

    `theirs` are the texts that the form still shows.
    """
    is_as_before = partial(_is_as_before, base)
    merged = Merged({name: text for name, text in mine.items() if name in theirs})
    for name in mine.keys() - theirs.keys():
        if not is_as_before(name, mine[name]):
            merged.aside[FIELDS[name].label] = mine[name] or FIELDS[name].empty
    for name in mine.keys() & theirs.keys():
        if is_as_before(name, theirs[name]):
            continue
        if is_as_before(name, mine[name]):
            merged.texts[name] = theirs[name]
            merged.taken.append(FIELDS[name].label)
        elif mine[name] != theirs[name]:
            merged.contested[FIELDS[name].label] = theirs[name] or FIELDS[name].empty
    merged.taken.sort()
    return merged


def _is_as_before(base: Mapping[str, str], name: str, text: str) -> bool:
    return _mark(text) == base.get(name, _mark(""))


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_MARK_LENGTH]


def marks_of(texts: Mapping[str, str]) -> dict[str, str]:
    """Return marks by which texts are known again, since the texts themselves may be too long to be sent twice."""
    return {name: _mark(text) for name, text in texts.items()}


def read_marks(text: str) -> dict[str, str]:
    """Return the marks of the texts that a form began with, which it carries along; of another form's, none."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items() if name in FIELDS} if isinstance(found, dict) else {}


def by_field(problems: Sequence[Problem], shown: Collection[str]) -> tuple[dict[str, list[Problem]], list[Problem]]:
    """Return the problems of each field that the form shows, and those of others."""
    mine: dict[str, list[Problem]] = {}
    others: list[Problem] = []
    for problem in problems:
        name = _place(problem.field, shown)
        if name in shown or name in ("task_id", "type"):
            mine.setdefault(name, []).append(problem)
        else:
            others.append(problem)
    return mine, others


def _place(path: str, shown: Collection[str] = tuple(FIELDS)) -> str:
    """Return the field that the path of a problem leads to; for one that is shown in parts the first of them."""
    first, *more = path.split(".")
    if first in ("schedule", "trigger", "schedule_type", "schedule_config"):
        return "interval"
    if first not in WHOLE:
        return first
    part = f"{first}.{more[0]}" if more else ""
    return part if part in FIELDS else next((name for name in shown if name.startswith(f"{first}.")), first)


@dataclass(frozen=True, slots=True)
class Correction:
    """What would put a field right: all that would stand there, and what of it is new."""

    text: str
    said: str


def correction(problem: Problem, texts: Mapping[str, str]) -> Correction | None:
    """Return what would put a problem right, None where nothing is known that is whole."""
    if problem.suggestion is None:
        return None
    if problem.field == "task_id":
        return Correction(str(problem.suggestion), str(problem.suggestion))
    name = _place(problem.field)
    if name not in FIELDS or FIELDS[name].kind == "ticks":
        return None
    if problem.field != name:
        return _corrected_item(FIELDS[name], problem, texts.get(name, ""))
    text = problem.suggestion if isinstance(problem.suggestion, str) else write_text(FIELDS[name], problem.suggestion)
    return Correction(text, text)


def _corrected_item(field: Field, problem: Problem, text: str) -> Correction | None:
    """Return a list with one item put right: `notify.to.0` is the first."""
    number = re.fullmatch(r"\.([0-9]+)", problem.field.removeprefix(field.name))
    lines = lines_of(text)
    if field.kind not in LISTS or number is None or int(number[1]) >= len(lines):
        return None
    item = write_item(problem.suggestion)
    lines[int(number[1])] = item
    return Correction("\n".join(lines), item)


def free_id(task_id: str, taken: Sequence[str]) -> str:
    """Return an id for a copy of a task that nobody has."""
    names, number, name = set(taken), 2, f"{task_id[:110]}-copy"
    while name in names:
        name, number = f"{task_id[:110]}-copy-{number}", number + 1
    return name
