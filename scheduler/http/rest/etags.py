"""Tag tasks, so that a caller changes only what it has seen, and is not sent what it has.

A tag is `"REVISION"`, or `"REVISION.SUM"` where a whole representation goes with it: the revision is
another one after every change that somebody makes to the task, the sum after anything that is shown
of it has moved on, such as its next run. Edits ask for the revision alone: a run that has ended
meanwhile is no reason to refuse them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Request

from scheduler.errors import Conflict, NotFound
from scheduler.store import Connection
from scheduler.stored_job import StoredJob
from scheduler.task_ids import read_task_id
from scheduler.task_scheduler import TaskScheduler


def tag_of(stored: StoredJob, shown: object = None) -> str:
    """Return the tag of a task, and of what is shown of it."""
    if shown is None:
        return f'"{stored.revision}"'
    return f'"{stored.revision}.{hashlib.sha256(orjson.dumps(shown)).hexdigest()[:16]}"'


def is_known(request: Request, tag: str) -> bool:
    """Whether the caller of a GET has what carries that tag."""
    return request.if_none_match.contains_weak(tag.strip('"'))


@dataclass(frozen=True, slots=True)
class Condition:
    """What a task must be for a change of it: one of some revisions, any, or none at all."""

    revisions: frozenset[str]
    any: bool
    absent: bool

    def check(self, scheduler: TaskScheduler, task_id: str) -> None:
        """Raise `Conflict` where the task is another one than the caller thinks."""
        try:
            stored = scheduler.get_job(read_task_id(task_id)).stored
        except NotFound as error:
            if self.absent:
                return
            raise _failed(f"Task '{task_id}' does not exist (any more), and If-Match asks for it.", None) from error
        if self.absent:
            raise _failed(f"Task '{task_id}' exists, and If-None-Match asks for none.", tag_of(stored))
        if not self.any and str(stored.revision) not in self.revisions:
            text = f"Task '{task_id}' was changed since you read it: read it again, and send its new ETag in If-Match."
            raise _failed(text, tag_of(stored))


def at_revision(scheduler: TaskScheduler, task_id: str, revision: int) -> TaskScheduler:
    """Return the scheduler, each change of which raises `Conflict` where the task is no more of that revision."""
    condition = Condition(frozenset({str(revision)}), any=False, absent=False)

    def around(connection: Connection, unit: Callable[[Connection], Any]) -> Any:
        condition.check(scheduler.on(connection), task_id)
        return unit(connection)

    return scheduler.within(around)


def read_condition(request: Request) -> Condition | None:
    """Return the condition of a change, or None where it has none."""
    if request.headers.get("If-Match") is not None:
        tags = request.if_match
        # An empty tag is one, but it is read as None: no task has it.
        revisions = frozenset(tag.partition(".")[0] for tag in tags.as_set(include_weak=False) if tag)
        return Condition(revisions, tags.star_tag, absent=False)
    if request.if_none_match.star_tag:
        return Condition(frozenset(), any=False, absent=True)
    return None


def _failed(message: str, tag: str | None) -> Conflict:
    return Conflict(message, code="precondition_failed", etag=tag)
