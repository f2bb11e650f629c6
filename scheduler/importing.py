"""Keep the definitions of a document, all or none, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from scheduler.definitions import Following, columns, next_columns, paused_columns, same
from scheduler.errors import Conflict, InvalidRequest, LimitReached, NotFound, Problem
from scheduler.fire_times import free_after
from scheduler.portable import Entry
from scheduler.store import Connection, jobs
from scheduler.store.jobs import JobFilter
from scheduler.stored_job import StoredJob
from scheduler.triggers import Trigger

_NAMED = 20
"""Ids at most that one message names; `details` hold all of them."""


class Change(NamedTuple):
    """A field's value before and after."""

    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or would do: ids of tasks, in the order of the document."""

    created: list[str]
    replaced: list[str]
    unchanged: list[str]
    changes: dict[str, dict[str, Change]]
    """What becomes other than it was of each task that is replaced, by the names of its fields."""


def read_jobs(connection: Connection, task_ids: Sequence[str] | None) -> list[StoredJob]:
    """Return the jobs of these ids, or all there are; raise `NotFound` naming every id that none has."""
    if task_ids is None:
        return jobs.list_jobs(connection, JobFilter(), 0, jobs.count_jobs(connection))
    found = {task_id: jobs.find_job(connection, task_id) for task_id in task_ids}
    if missing := [task_id for task_id, stored in found.items() if stored is None]:
        raise NotFound(f"No task {_listed(missing)} exists.", "task_not_found", "list", task_ids=missing)
    return [stored for stored in found.values() if stored is not None]


def compare(
    connection: Connection, entries: Sequence[Entry], replace: bool, override: bool
) -> tuple[Imported, list[tuple[Entry, StoredJob | None]]]:
    """Say what an import would do, and which entries it would write over which jobs; raise what it would raise."""
    done = Imported([], [], [], {})
    writes: list[tuple[Entry, StoredJob | None]] = []
    overdue: list[Problem] = []
    for entry in entries:
        existing = jobs.find_job(connection, entry.job.task_id)
        if existing is not None and existing.paused == entry.paused and same(existing, entry.job):
            done.unchanged.append(entry.job.task_id)
            continue
        overdue += entry.overdue
        (done.created if existing is None else done.replaced).append(entry.job.task_id)
        writes.append((entry, existing))
        if existing is not None:
            done.changes[entry.job.task_id] = _changes(existing, entry)
    if overdue:
        raise InvalidRequest(overdue)
    if not override:
        _check_files([existing for _, existing in writes if existing is not None])
    if done.replaced and not replace:
        raise Conflict(
            f"Task {_listed(done.replaced)} exists with another definition; nothing was imported. "
            'Send "replace": true to replace what differs, or leave it out of the document.',
            task_ids=done.replaced,
        )
    return done, writes


def _changes(existing: StoredJob, entry: Entry) -> dict[str, Change]:
    """Compare a job with the entry that takes its place, both as they are with zone and policies filled in."""
    before = {**existing.job.model_dump(mode="json"), "paused": existing.paused}
    after = {**entry.job.model_dump(mode="json"), "paused": entry.paused}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: Change(before.get(name), after.get(name)) for name in names}


def _check_files(replaced: Sequence[StoredJob]) -> None:
    """Refuse to change jobs that files define."""
    files = {stored.task_id: stored.file for stored in replaced if stored.file is not None}
    if not files:
        return
    named = [f"'{task_id}' (in {file})" for task_id, file in files.items()]
    raise Conflict(
        f"Files define these tasks otherwise: {_shortened(named)}; nothing was imported. Change their entries there. "
        'To change them here all the same, until those entries change, send "override": true and "replace": true.',
        code="managed_by_file",
        task_ids=list(files),
        files=files,
    )


def write(
    connection: Connection,
    writes: Sequence[tuple[Entry, StoredJob | None]],
    now: datetime,
    created_by: str,
    most: int,
    settle: Callable[[StoredJob], None],
) -> None:
    """Write entries over the jobs that they replace, or as new ones; raise `LimitReached` over `most` jobs.

    `settle` gives the fire times of a job that are due already their rows: after the change nobody notices them.
    """
    for entry, existing in writes:
        values = _columns(entry, now, Trigger.utc_after if existing is None else free_after(connection, existing))
        if existing is not None:
            settle(existing)
            jobs.change_job(connection, existing, {**values, **paused_columns(existing, entry.paused)}, created_by)
        else:
            jobs.insert_job(connection, entry.job.task_id, {**values, "created_at": now, "created_by": created_by})
    if any(existing is None for _, existing in writes) and (count := jobs.count_jobs(connection)) > most:
        raise LimitReached(
            f"With these there would be {count} tasks, and {most} is the limit (SCHEDULER_MAX_TASKS): "
            "nothing was imported",
            code="too_many_tasks",
            retry_after=60,
        )


def _columns(entry: Entry, now: datetime, following: Following) -> Mapping[str, Any]:
    assert entry.schedule is not None
    values = columns(entry.job, entry.schedule, entry.anchor, now, entry.fired)
    planned = entry.job.enabled and not entry.paused
    due = next_columns(entry.job, entry.schedule, now, entry.fired, planned, following=following)
    return values | due | {"paused": entry.paused}


def _listed(task_ids: Sequence[str]) -> str:
    return _shortened([f"'{task_id}'" for task_id in task_ids])


def _shortened(named: Sequence[str]) -> str:
    text = ", ".join(named[:_NAMED])
    return text if len(named) <= _NAMED else f"{text} and {len(named) - _NAMED} more"
