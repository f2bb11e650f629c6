"""Work out what editing many tasks at once means: what was chosen, what becomes of each, and what undoes it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from scheduler.errors import InvalidRequest, Problem, SchedulerError
from scheduler.http.pages.task_fields import FIELDS, read_value, write_text
from scheduler.moments import iso
from scheduler.stored_job import StoredJob

VALUES = ("priority", "timeout_seconds", "max_retries", "timezone")
"""Fields that take one value for all; beside them tags are added and taken away."""
ADDED, REMOVED = "add_tags", "remove_tags"
INPUTS = (*VALUES, ADDED, REMOVED)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What all of the tasks shall have, the words that become tags of them, and those that are none any more."""

    values: Mapping[str, Any]
    added: Sequence[str]
    removed: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.values or self.added or self.removed)

    def changes_of(self, stored: StoredJob) -> dict[str, Any]:
        """Return what is to be changed of a task: of its tags nothing where it has these already."""
        before = list(stored.job.tags)
        kept = [tag for tag in before if tag not in self.removed]
        after = [*kept, *(tag for tag in self.added if tag not in kept)]
        return dict(self.values) if after == before else {**self.values, "tags": after}


def read_chosen(form: Mapping[str, str]) -> Chosen:
    """Return what a form asks for; an empty field asks for nothing."""
    read = {name: read_value(FIELDS[name], form.get(name, "")) for name in VALUES}
    added, removed = (read_value(FIELDS["tags"], form.get(name, "")) or [] for name in (ADDED, REMOVED))
    values = {name: value for name, value in read.items() if value is not None}
    return Chosen(values, list(dict.fromkeys(added)), removed)


@dataclass(frozen=True, slots=True)
class Edit:
    """A task that is changed: the revision that was looked at, and of each field what it says before and after."""

    task_id: str
    revision: int
    told: Sequence[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed, which tasks were so already, why which refuse, and what is wrong with which input."""

    edits: list[Edit] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    refused: dict[str, list[str]] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, task_id: str, error: SchedulerError) -> None:
        """Keep that a task refuses."""
        self.refused.setdefault(why(error), []).append(task_id)
        for problem in error.problems if isinstance(error, InvalidRequest) else ():
            said = self.problems.setdefault(input_of(problem), [])
            if problem.message not in said:
                said.append(problem.message)


def input_of(problem: Problem) -> str:
    """Return which input of the form a problem is told at."""
    name = problem.field.partition(".")[0]
    return ADDED if name == "tags" else name


def why(error: SchedulerError) -> str:
    """Say why a task refuses, to somebody who sees a page."""
    if error.code == "managed_by_file":
        return f"It is defined in {error.details['file']}: change its entry there."
    if error.code == "precondition_failed":
        return "It was changed meanwhile: look at it again."
    return error.message


def told(before: StoredJob, after: StoredJob) -> list[tuple[str, str, str]]:
    """Return each field that a change is about, as it is called, and what it says before and after."""
    names = [name for name in (*VALUES, "tags") if before.definition.get(name) != after.definition.get(name)]
    return [(FIELDS[name].full_label, _text(name, before), _text(name, after)) for name in names]


def _text(name: str, stored: StoredJob) -> str:
    value = stored.definition.get(name)
    return "" if value is None else write_text(FIELDS[name], value)


@dataclass(frozen=True, slots=True)
class Undo:
    """What makes a task what it was, unless it was changed since: its values, and what its intervals count from."""

    task_id: str
    revision: int
    values: Mapping[str, Any]
    given_at: datetime


def undo_of(before: StoredJob, after: StoredJob, names: Sequence[str]) -> dict[str, Any]:
    """Return what undoes a change of some fields, as plain JSON: a page carries it along."""
    values = {name: before.definition[name] for name in names}
    return {"id": after.task_id, "revision": after.revision, "values": values, "anchor": iso(before.anchor, UTC)}


def read_undo(text: str) -> list[Undo]:
    """Read what a page carried along; raise `InvalidRequest` where that was not written by `undo_of`."""
    try:
        return [_undo(each) for each in json.loads(text)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise InvalidRequest([Problem("undo", "what is to be undone cannot be read")]) from error


def _undo(each: Any) -> Undo:
    values, given_at = dict(each["values"]), datetime.fromisoformat(each["anchor"])
    if not set(values) <= {*VALUES, "tags"} or given_at.tzinfo is None:
        raise ValueError("not of a page")
    return Undo(str(each["id"]), int(each["revision"]), values, given_at)


def read_seen(text: str) -> dict[str, int]:
    """Read which tasks a page has shown, and the revision of each."""
    try:
        return {str(task_id): int(revision) for task_id, revision in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidRequest([Problem("seen", "what was shown cannot be read")]) from error
