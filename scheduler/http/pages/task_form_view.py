"""Work out what the form of a task shows and means: what was changed, by one or by two, and what is wrong. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scheduler.errors import Problem
from scheduler.http.pages.task_fields import AREAS, FIELDS, NOTHING, Defaults, Field, read_value, write_text
from tasks import TASK_TYPES

_TASK_FIELDS = {name for task in TASK_TYPES.values() for name in task.model_fields} - {"type"}


def texts_of(definition: Mapping[str, Any], shown_when: str, defaults: Defaults) -> dict[str, str]:
    """Return the fields of a definition as they stand in the form, those at their defaults empty or as they are.

    One that the form cannot hold as it is, such as an argument with a line break, is left out: it stays as it is.
    """
    texts: dict[str, str] = {}
    for name, each in FIELDS.items():
        value = shown_when if name == "interval" else definition.get(name)
        if value is None or (value == defaults.of(name) and each.kind in ("number", "text")):
            texts[name] = defaults.text(name) if each.kind in ("flag", "choice") else ""
            continue
        text = write_text(each, value)
        if _holds(each, value, text):
            texts[name] = text
    return texts


def _holds(field: Field, value: Any, text: str) -> bool:
    """Whether a field of a page gives a value back as it was: a browser changes the ends of lines, and drops NUL."""
    if set(text) & set("\0\r" if field.kind in AREAS else "\0\r\n"):
        return False
    return field.kind in ("raw", "text", "flag") or bool(read_value(field, text) == (value or None))


def beyond_the_form(definition: Mapping[str, Any], texts: Mapping[str, str]) -> list[str]:
    """Return the fields that a definition has and the form does not show; an edit leaves them as they are."""
    shown = {"type", "task_id", *texts}
    return sorted(name for name, value in definition.items() if name not in shown and value not in ([], {}, None))


def sent_texts(form: Mapping[str, str], shown: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that a form brings, for the fields that it showed; a box that is not ticked is not sent."""
    return {name: form.get(name, "") for name in FIELDS if name in shown}


def changes_of(kind: str, before: str | None, sent: Mapping[str, str], shown: Mapping[str, str],
               defaults: Defaults) -> dict[str, Any]:  # fmt: skip
    """Return the fields that were changed, None for one whose value was taken away; `before` is the type that was."""
    takes = set(TASK_TYPES[kind].model_fields) if kind in TASK_TYPES else set()
    changes: dict[str, Any] = {} if kind == before else {"type": kind}
    for name, text in sent.items():
        belongs = name not in _TASK_FIELDS or name in takes
        is_moved = kind != before and name in _TASK_FIELDS and bool(text.strip())
        if belongs and (is_moved or text != shown.get(name, "")):
            value = read_value(FIELDS[name], text)
            cleared = defaults.cleared(name)
            changes[name] = cleared if value is None and cleared is not NOTHING else value
    return changes


@dataclass(frozen=True, slots=True)
class Merged:
    """Two people's changes of one task: the texts of both together, and who changed what."""

    texts: dict[str, str]
    taken: list[str] = field(default_factory=list)
    """Fields that only the other one changed: theirs are taken over."""
    contested: dict[str, str] = field(default_factory=dict)
    """Fields that both changed, with what the other one says: the visitor's own stay."""

    @property
    def is_to_be_seen(self) -> bool:
        """Whether the other one changed anything that the form shows."""
        return bool(self.taken or self.contested)


def merge(base: Mapping[str, str], mine: Mapping[str, str], theirs: Mapping[str, str]) -> Merged:
    """Bring together what two made of the same texts."""
    merged = Merged(dict(mine))
    for name in mine.keys() & theirs.keys():
        if theirs[name] == base.get(name, ""):
            continue
        if mine[name] == base.get(name, ""):
            merged.texts[name] = theirs[name]
            merged.taken.append(FIELDS[name].label)
        elif mine[name] != theirs[name]:
            merged.contested[FIELDS[name].label] = theirs[name]
    merged.taken.sort()
    return merged


def read_base(text: str) -> dict[str, str]:
    """Return the texts that a form began with, which it carries along; of another form's, none."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return {str(name): str(value) for name, value in found.items() if name in FIELDS} if isinstance(found, dict) else {}


def by_field(problems: Sequence[Problem]) -> tuple[dict[str, list[Problem]], list[Problem]]:
    """Return the problems of each field that the form has, and those of others."""
    mine: dict[str, list[Problem]] = {}
    others: list[Problem] = []
    for problem in problems:
        name = problem.field.split(".")[0]
        name = "interval" if name in ("schedule", "trigger", "schedule_type", "schedule_config") else name
        if name in FIELDS or name in ("task_id", "type"):
            mine.setdefault(name, []).append(problem)
        else:
            others.append(problem)
    return mine, others


def suggested_text(problem: Problem) -> str | None:
    """Return the correction of a problem as it would stand in the form, None where there is no whole one."""
    name = problem.field.split(".")[0]
    if problem.suggestion is None or problem.field != name or name not in FIELDS:
        return str(problem.suggestion) if name == "task_id" and problem.suggestion else None
    field = FIELDS[name]
    return problem.suggestion if isinstance(problem.suggestion, str) else write_text(field, problem.suggestion)


def free_id(task_id: str, taken: Sequence[str]) -> str:
    """Return an id for a copy of a task that nobody has."""
    names, number, name = set(taken), 2, f"{task_id[:110]}-copy"
    while name in names:
        name, number = f"{task_id[:110]}-copy-{number}", number + 1
    return name
