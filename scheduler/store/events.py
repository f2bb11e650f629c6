"""Keep what happened to jobs and runs, for those who follow it: the ledger of events.

A row is written in the transaction of the change that it tells of, so there is none without the other. Its id is
the place in the order of the commits, the same for every process and after every restart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from scheduler.moments import iso, iso_or_none
from scheduler.run import Run, RunStatus
from scheduler.store import state
from scheduler.store.prepared import Prepared
from scheduler.store.tables import events


class EventKind(StrEnum):
    """What may happen."""

    TASK_CREATED = "task.created"
    TASK_UPDATED = "task.updated"
    TASK_PAUSED = "task.paused"
    TASK_RESUMED = "task.resumed"
    TASK_REMOVED = "task.removed"
    RUN_QUEUED = "run.queued"
    RUN_STARTED = "run.started"
    RUN_OUTPUT = "run.output"
    RUN_FINISHED = "run.finished"
    SCHEDULER_STARTED = "scheduler.started"
    SCHEDULER_STOPPED = "scheduler.stopped"


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One row: what happened when, to which job and run."""

    id: int
    kind: EventKind
    at: datetime
    task_id: str | None
    run_id: str | None
    data: Mapping[str, Any]


_ADD = Prepared(insert(events).values({name: bindparam(name) for name in ("kind", "at", "task_id", "run_id", "data")}))
_AFTER = select(events).where(events.c.id > bindparam("last")).order_by(events.c.id).limit(bindparam("most"))
_NEWEST = select(func.max(events.c.id))
_OLDEST = select(events.c.id, events.c.at).order_by(events.c.id).limit(bindparam("most"))


def note_runs(connection: Connection, found: Iterable[Run]) -> None:
    """Tell that runs have come to the status that they have now."""
    _add(connection, [_of_run(run) for run in found])


def note_job(connection: Connection, kind: EventKind, task_id: str, at: datetime, data: Mapping[str, Any]) -> None:
    """Tell that something happened to a job."""
    _add(connection, [_row(kind, at, task_id, None, data)])


def note_scheduler(connection: Connection, running: bool, at: datetime) -> None:
    """Tell that the scheduler was started or stopped."""
    kind = EventKind.SCHEDULER_STARTED if running else EventKind.SCHEDULER_STOPPED
    _add(connection, [_row(kind, at, None, None, {})])


def after(connection: Connection, last: int, limit: int) -> list[LedgerEvent]:
    """Return up to `limit` events with an id above `last`, in their order."""
    rows = connection.execute(_AFTER, {"last": last, "most": limit})
    return [LedgerEvent(row.id, EventKind(row.kind), row.at, row.task_id, row.run_id, row.data) for row in rows]


def newest(connection: Connection) -> int:
    """Return the id of the newest event, 0 where there was none."""
    return connection.execute(_NEWEST).scalar() or 0


def trim(connection: Connection, keep: int, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the oldest events that are not of the newest `keep`, or older than `before`.

    The newest stays in any case.
    """
    last = newest(connection)
    oldest = connection.execute(_OLDEST, {"most": limit}).all()
    gone = list(takewhile(lambda row: row.id <= last - keep or (row.at < before and row.id < last), oldest))
    if gone:
        connection.execute(delete(events).where(events.c.id <= gone[-1].id))
        state.note_events_trimmed(connection, gone[-1].id)
    return len(gone)


def _row(
    kind: EventKind, at: datetime, task_id: str | None, run_id: str | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    return {"kind": kind.value, "at": at, "task_id": task_id, "run_id": run_id, "data": data}


def _add(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        _ADD.change_each(connection, rows)


def _of_run(run: Run) -> dict[str, Any]:
    if run.status is RunStatus.QUEUED:
        kind, at = EventKind.RUN_QUEUED, run.created_at
    elif run.status is RunStatus.RUNNING:
        kind, at = EventKind.RUN_STARTED, run.started_at or run.created_at
    else:
        kind, at = EventKind.RUN_FINISHED, run.finished_at or run.created_at
    return _row(kind, at, run.task_id, run.run_id, _told(run))


def _told(run: Run) -> dict[str, Any]:
    """Return what an event says of its run, as it was at that moment: what whoever follows runs decides by."""
    told = {
        "status": run.status.value,
        "trigger": run.trigger.value,
        "attempt": run.attempt,
        "scheduled_for": iso(run.scheduled_for, UTC),
        "started_at": iso_or_none(run.started_at, UTC),
        "lateness_ms": run.lateness_ms,
        "finished_at": iso_or_none(run.finished_at, UTC),
        "duration_ms": run.duration_ms,
        "count": run.count,
        **{name: run.details.get(name) for name in ("exit_code", "signal", "reason")},
    }
    return {name: value for name, value in told.items() if value is not None}
