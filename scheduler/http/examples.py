"""Give whole requests that work, near to the one that did not."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from typing import Any

from scheduler.errors import Problem
from scheduler.http.field_names import ENTRY, inside
from scheduler.spellings import SPELLING_FIELDS
from tasks import TASK_TYPES

EXAMPLES: dict[str, dict[str, Any]] = {
    "start": {"action": "start"},
    "stop": {"action": "stop"},
    "create": {
        "action": "create",
        "task_id": "nightly",
        "type": "command",
        "interval": "daily at 02:00",
        "command": "make test",
    },
    "list": {"action": "list"},
    "remove": {"action": "remove", "task_id": "nightly"},
    "get": {"action": "get", "task_id": "nightly"},
    "update": {"action": "update", "task_id": "nightly", "interval": "daily at 03:00"},
    "pause": {"action": "pause", "task_id": "nightly"},
    "resume": {"action": "resume", "task_id": "nightly"},
    "run_now": {"action": "run_now", "task_id": "nightly", "wait": True},
    "cancel": {"action": "cancel", "task_id": "nightly"},
    "runs": {"action": "runs", "task_id": "nightly", "limit": 10},
    "output": {"action": "output", "run_id": "01j9zq3k6e8r4m2v7x5t0c1b9d", "stream": "stdout", "tail": 50},
    "preview": {"action": "preview", "interval": "daily at 02:00", "count": 3},
    "validate": {
        "action": "validate",
        "task_id": "nightly",
        "type": "command",
        "interval": "daily at 02:00",
        "command": "make test",
    },
    "export": {"action": "export"},
    "import": {
        "action": "import",
        "tasks": [{"task_id": "nightly", "type": "command", "interval": "daily at 02:00", "command": "make test"}],
        "replace": True,
    },
    "explain": {"action": "explain", "task_id": "nightly"},
    "deliveries": {"action": "deliveries", "state": "failed", "limit": 10},
    "test_notification": {"action": "test_notification", "target": "ops"},
    "status": {"action": "status"},
    "help": {"action": "help"},
}

OF_TYPE: dict[str, dict[str, Any]] = {
    "command": {"command": "make test"},
    "test": {"file_path": "tests"},
    "script": {"file_path": "report.py"},
    "custom": {"custom_script": "print('hello')"},
    "function": {"func": "package.module.name"},
}

MEANING_FIELDS = (*SPELLING_FIELDS, *(name for fields in OF_TYPE.values() for name in fields))
"""The fields that say when a task runs and what it does."""
_TASK_FIELDS = {name for task in TASK_TYPES.values() for name in task.model_fields} - {"type"}


def mended_examples(
    plain: Mapping[str, Any], sent: Mapping[str, Any], problems: Sequence[Problem]
) -> Iterator[dict[str, Any]]:
    """Give whole requests, the one nearest to what was sent first, and `plain` last.

    Faults are replaced by what was suggested, left out, or taken from `plain`; whoever asks tries which works.
    """
    faulty = {problem.field.split(".")[0] for problem in problems}
    mended, renamed_nothing = (_mended(sent, problems, rename) for rename in (True, False))
    left = {name: value for name, value in sent.items() if name not in faulty}
    # Of a task that exists nothing is replaced by what nobody asked for.
    usual = {} if plain.get("action") == "update" else {**OF_TYPE.get(str(sent.get("type")), {}), **plain}
    for kept in (mended, renamed_nothing, left):
        yield _filled(kept, {name: value for name, value in usual.items() if name in faulty}, plain)
    yield _filled(left, {}, plain)
    for kept in (mended, renamed_nothing, left):
        yield _filled(kept, plain, plain)
    yield dict(plain)


def _filled(kept: Mapping[str, Any], defaults: Mapping[str, Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Return the kept fields and what they lack, in the order of `plain`, without those of another type of task."""
    filled = {**defaults, **kept}
    if any(name in kept for name in SPELLING_FIELDS):
        filled = {name: value for name, value in filled.items() if name not in SPELLING_FIELDS or name in kept}
    if "type" in plain:
        kind = next((name for name in TASK_TYPES if name == kept.get("type")), _kind_of(kept))
        takes = TASK_TYPES[kind].model_fields
        filled = {name: value for name, value in filled.items() if name not in _TASK_FIELDS - set(takes)}
        filled = {**OF_TYPE[kind], **filled, "type": kind}
    order = [name for name in plain if name in filled]
    return {name: filled[name] for name in (*order, *(name for name in filled if name not in order))}


def _kind_of(fields: Mapping[str, Any]) -> str:
    if "custom_script" in fields:
        return "custom"
    if "func" in fields:
        return "function"
    return "script" if "file_path" in fields and "command" not in fields else "command"


def _mended(sent: Mapping[str, Any], problems: Sequence[Problem], rename: bool) -> dict[str, Any]:
    """Return what was sent with each fault put right; unknown fields get the names that were meant, or are left out."""
    mended: dict[str, Any] = copy.deepcopy(dict(sent))
    placed: set[str] = set()
    # What came by another name first: then nothing has to stand in for it.
    for problem in sorted(problems, key=lambda problem: problem.code != "unknown_field"):
        if problem.field in placed:
            continue
        if _says_otherwise(problem, sent):
            placed |= _replace(mended, problem)
        else:
            _mend_at(mended, problem, rename)
    return mended


def _says_otherwise(problem: Problem, sent: Mapping[str, Any]) -> bool:
    """Whether other fields stand for the one with the problem.

    A limit that was not sent is one that the task has already: what is instead of it was in the phrase.
    """
    _, path = _entry_and_path(problem.field)
    return bool(problem.instead) and (
        path[0] in SPELLING_FIELDS or problem.code == "unknown_field" or problem.field not in sent
    )


def _replace(mended: dict[str, Any], problem: Problem) -> set[str]:
    """Put other fields in the place of one; return the paths at which nothing is wrong any more."""
    entry, path = _entry_and_path(problem.field)
    holder: Any = reduce(inside, entry, mended)
    if not isinstance(holder, dict):
        return set()
    holder.pop(path[0], None)
    holder |= problem.instead
    says_when = not problem.instead.keys().isdisjoint(SPELLING_FIELDS)
    placed = {*problem.instead, *(SPELLING_FIELDS if says_when else ())}
    return {".".join((*entry, name)) for name in placed}


def _entry_and_path(field: str) -> tuple[list[str], list[str]]:
    """Return the steps to the entry of a document in which a field stands, none for a request, and those in there."""
    entry = ENTRY.match(field)
    place = 0 if entry is None else entry.end()
    return field[:place].split(".")[:-1], field[place:].split(".")


def _mend_at(mended: dict[str, Any], problem: Problem, rename: bool) -> None:
    """Put the field with the problem right, wherever it stands."""
    *path, leaf = problem.field.split(".")
    if len(path) == 1 and problem.code == "missing_field" and problem.suggestion is not None:
        mended.setdefault(path[0], {})
    holder: Any = reduce(inside, path, mended)
    if isinstance(holder, dict):
        _mend(holder, leaf, problem, rename)
    elif isinstance(holder, list) and leaf.isdigit() and problem.suggestion is not None:
        holder[int(leaf)] = problem.suggestion
    else:
        mended.pop((*path, leaf)[0], None)


def _mend(holder: dict[str, Any], leaf: str, problem: Problem, rename: bool) -> None:
    if problem.code == "missing_field" and leaf in holder:
        return  # it had been sent by another name
    came = holder.pop(leaf, None)
    if problem.code == "unknown_field":
        if rename and isinstance(problem.suggestion, str):
            holder.setdefault(problem.suggestion, came)
    elif problem.suggestion is not None and not (problem.field.startswith("env.") and isinstance(came, str)):
        holder[leaf] = problem.suggestion
