"""Put runs in and get them out: the ledger."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Integer,
    and_,
    bindparam,
    func,
    insert,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError

from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import events, planning
from scheduler.store.ended import note_ended
from scheduler.store.fence import may_fire
from scheduler.store.prepared import Prepared
from scheduler.store.tables import IS_ACTIVE, bare, moment_of, runs


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs to list; a field that is None, or empty, does not narrow."""

    task_id: str | None = None
    status: RunStatus | None = None
    since: datetime | None = None
    before: datetime | None = None
    trigger: Origin | None = None
    statuses: tuple[RunStatus, ...] = ()

    def clause(self) -> ColumnElement[bool]:
        """Return the condition."""
        parts: list[ColumnElement[bool]] = [true()]
        if self.task_id is not None:
            parts.append(runs.c.task_id == self.task_id)
        if self.status is not None:
            parts.append(runs.c.status == self.status.value)
        if self.since is not None:
            parts.append(runs.c.scheduled_for >= self.since)
        if self.before is not None:
            parts.append(runs.c.scheduled_for < self.before)
        if self.statuses:
            parts.append(runs.c.status.in_([status.value for status in self.statuses]))
        if self.trigger is not None:
            parts.append(runs.c.trigger == self.trigger.value)
        return and_(*parts)


ALL_COLUMNS = tuple(map(bare, runs.c))
"""What `stored_run` reads."""
_FIND = Prepared(select(*ALL_COLUMNS).where(runs.c.run_id == bindparam("id")))
_ADD = Prepared(insert(runs))
_START = Prepared(
    update(runs)
    .where(runs.c.run_id == bindparam("run"), runs.c.status == RunStatus.QUEUED.value)
    .values(status=RunStatus.RUNNING.value, started_at=bindparam("moment"))
)
_FINISH = Prepared(
    update(runs)
    .where(runs.c.run_id == bindparam("run"), IS_ACTIVE)
    .values(
        status=bindparam("new_status"),
        started_at=bindparam("start"),
        finished_at=bindparam("finish"),
        details=bindparam("new_details"),
    )
)


_TAKEN = Prepared(
    select(runs.c.run_id).where(
        runs.c.job_key == bindparam("job"),
        runs.c.scheduled_for == bindparam("moment"),
        runs.c.attempt == bindparam("n"),
    )
)


class FireTimeTaken(Exception):
    """A fire time that was to be added to the ledger has its row already."""


def add_runs(connection: Connection, new: Sequence[Run]) -> None:
    """Add rows to the ledger; raise `FireTimeTaken` where a fire time has its row already."""
    if not new:
        return
    try:
        _ADD.change_each(connection, [_row(run) for run in new])
    except IntegrityError as error:
        raise FireTimeTaken(str(error.orig)) from error
    note_ended(connection, new)
    events.note_runs(connection, new)


def _is_taken(connection: Connection, run: Run) -> bool:
    values = {"job": run.job_key, "moment": run.scheduled_for, "n": run.attempt}
    return _TAKEN.value(connection, values) is not None


def add_manual_run(connection: Connection, run: Run) -> Run:
    """Add a run somebody asked for; its moment gives way where another run of the job has that very one."""
    while _is_taken(connection, run):
        run = replace(run, scheduled_for=run.scheduled_for + timedelta(microseconds=1))
    add_runs(connection, [run])
    return run


def find_run(connection: Connection, run_id: str) -> Run | None:
    """Return the run of that id, or None."""
    found = _FIND.rows(connection, {"id": run_id})
    return stored_run(found[0]) if found else None


def find_runs(connection: Connection, run_ids: Iterable[str]) -> list[Run]:
    """Return the runs of those ids."""
    return [stored_run(row) for row in connection.execute(select(*ALL_COLUMNS).where(runs.c.run_id.in_(list(run_ids))))]


def list_runs(connection: Connection, which: RunFilter, before: str | None, limit: int) -> list[Run]:
    """Return up to `limit` matching runs, newest first, older than the run `before`."""
    query = select(*ALL_COLUMNS).where(which.clause()).order_by(runs.c.run_id.desc()).limit(limit)
    if before is not None:
        query = query.where(runs.c.run_id < before)
    return [stored_run(row) for row in connection.execute(query)]


def has_runs(connection: Connection, task_id: str) -> bool:
    """Say whether the ledger knows a task of that id, though it may be removed."""
    return connection.execute(select(runs.c.run_id).where(runs.c.task_id == task_id).limit(1)).first() is not None


def last_run(connection: Connection, job_key: int) -> Run | None:
    """Return the newest run of a job that has started, or failing that the newest row."""
    mine = select(*ALL_COLUMNS).where(runs.c.job_key == job_key).order_by(runs.c.scheduled_for.desc()).limit(1)
    row = connection.execute(mine.where(runs.c.started_at.is_not(None))).one_or_none()
    row = row or connection.execute(mine).one_or_none()
    return None if row is None else stored_run(row)


_FAILED = (RunStatus.FAILED.value, RunStatus.TIMEOUT.value, RunStatus.INTERRUPTED.value)


def failed_last(connection: Connection, job_keys: Sequence[int]) -> set[int]:
    """Return those of the jobs whose newest run that has started did not succeed."""
    if not job_keys:
        return set()
    newest = func.row_number().over(
        partition_by=runs.c.job_key, order_by=(runs.c.scheduled_for.desc(), runs.c.attempt.desc())
    )
    mine = runs.c.job_key.in_(job_keys), runs.c.started_at.is_not(None)
    ranked = select(runs.c.job_key, runs.c.status, newest.label("rank")).where(*mine).subquery()
    query = select(ranked.c.job_key).where(ranked.c.rank == 1, ranked.c.status.in_(_FAILED))
    return set(connection.execute(query).scalars())


def nth_success(connection: Connection, job_key: int, n: int, until: datetime | None = None) -> datetime | None:
    """Return when the `n`-th run of a job that completed ended, counted from the newest; None where there are fewer.

    With `until` those that ended later do not count.
    """
    query = select(runs.c.finished_at).where(runs.c.job_key == job_key, runs.c.status == RunStatus.COMPLETED.value)
    if until is not None:
        query = query.where(runs.c.finished_at <= until)
    return connection.execute(query.order_by(runs.c.finished_at.desc()).offset(n - 1).limit(1)).scalar()


def newest(connection: Connection, job_key: int, limit: int) -> list[Run]:
    """Return the rows of a job's newest fire times, newest first."""
    query = select(*ALL_COLUMNS).where(runs.c.job_key == job_key)
    return [
        stored_run(row)
        for row in connection.execute(query.order_by(runs.c.scheduled_for.desc(), runs.c.attempt.desc()).limit(limit))
    ]


def run_for(connection: Connection, job_key: int, moment: datetime) -> Run | None:
    """Return the last attempt for a fire time, or the one row that stands for many of which it is one."""
    exact = select(*ALL_COLUMNS).where(runs.c.job_key == job_key, runs.c.scheduled_for == moment)
    within = select(*ALL_COLUMNS).where(
        runs.c.job_key == job_key, runs.c.scheduled_for < moment, runs.c.scheduled_until >= moment
    )
    row = connection.execute(exact.order_by(runs.c.attempt.desc()).limit(1)).one_or_none()
    row = row or connection.execute(within.limit(1)).one_or_none()
    return None if row is None else stored_run(row)


def was_asked_for(connection: Connection, run: Run) -> bool:
    """Whether the first attempt for the fire time of a run was asked for by somebody, not due."""
    query = select(runs.c.trigger).where(runs.c.job_key == run.job_key, runs.c.scheduled_for == run.scheduled_for)
    return connection.execute(query.where(runs.c.attempt == 1)).scalar() == Origin.MANUAL.value


def last_attempt(connection: Connection, run: Run) -> Run:
    """Return the newest attempt for the same fire time."""
    query = select(*ALL_COLUMNS).where(runs.c.job_key == run.job_key, runs.c.scheduled_for == run.scheduled_for)
    return stored_run(connection.execute(query.order_by(runs.c.attempt.desc()).limit(1)).one())


def attempts(connection: Connection, run: Run) -> list[Run]:
    """Return all attempts for the fire time of a run, the first one first."""
    query = select(*ALL_COLUMNS).where(runs.c.job_key == run.job_key, runs.c.scheduled_for == run.scheduled_for)
    return [stored_run(row) for row in connection.execute(query.order_by(runs.c.attempt))]


def request_cancel(connection: Connection, run_ids: Sequence[str], reason: str, now: datetime) -> None:
    """End the runs of those ids that wait, and ask for the end of those that go on."""
    if not run_ids:
        return
    mine = and_(runs.c.run_id.in_(run_ids), IS_ACTIVE)
    end_queued(connection, mine, RunStatus.CANCELLED, reason, now)
    connection.execute(update(runs).where(mine, runs.c.cancel_reason.is_(None)).values(cancel_reason=reason))


def skip_queued(connection: Connection, reason: str, now: datetime) -> None:
    """End all runs that wait because they were due; those that people asked for stay."""
    mine = and_(runs.c.trigger != Origin.MANUAL.value, IS_ACTIVE)
    end_queued(connection, mine, RunStatus.SKIPPED, reason, now)


def end_queued(
    connection: Connection, which: ColumnElement[bool], status: RunStatus, reason: str, now: datetime
) -> None:
    """Give waiting runs their final row; where that was the last of a job that is to be removed then, it is."""
    ended = connection.execute(
        update(runs)
        .where(which, runs.c.status == RunStatus.QUEUED.value)
        .values(status=status.value, finished_at=now, details={"reason": reason})
        .returning(*ALL_COLUMNS)
    )
    final = [stored_run(row) for row in ended]
    note_ended(connection, final)
    events.note_runs(connection, final)
    planning.remove_done(connection, list({run.job_key for run in final}), now)


def is_run(run_id: str) -> ColumnElement[bool]:
    """Return the condition that picks one run."""
    return runs.c.run_id == run_id


def start_run(connection: Connection, waiting: Run, now: datetime) -> bool:
    """Turn a waiting run into a running one, so that nothing starts twice.

    False where it waits no more, or waits for another process that fires now.
    """
    if not may_fire(connection):
        return False
    if _START.change(connection, {"run": waiting.run_id, "moment": now}) != 1:
        return False
    events.note_runs(connection, [replace(waiting, status=RunStatus.RUNNING, started_at=now)])
    return True


def finish_run(connection: Connection, run: Run) -> bool:
    """Write how a run ended; False where its row was ended by somebody else.

    One that never began is left to the process that fires now, if this one does no more.
    """
    if run.started_at is None and not may_fire(connection):
        return False
    values = {
        "run": run.run_id,
        "new_status": run.status.value,
        "start": run.started_at,
        "finish": run.finished_at,
        "new_details": run.details,
    }
    if _FINISH.change(connection, values) != 1:
        return False
    note_ended(connection, [run])
    events.note_runs(connection, [run])
    return True


def interrupt_running(
    connection: Connection, reason: str, now: datetime, is_ours: Callable[[str], bool] = lambda _: False
) -> list[Run]:
    """End every row that says `running`, because the process that ran it is gone; return the runs.

    A run that `is_ours` says goes on in this process is let alone.
    """
    query = select(*ALL_COLUMNS).where(IS_ACTIVE, runs.c.status == RunStatus.RUNNING.value).order_by(runs.c.created_at)
    going = map(stored_run, connection.execute(query))
    gone = [
        replace(run, status=RunStatus.INTERRUPTED, finished_at=now, details={"reason": reason})
        for run in going
        if not is_ours(run.run_id)
    ]
    connection.execute(
        update(runs)
        .where(IS_ACTIVE, runs.c.run_id.in_([run.run_id for run in gone]))
        .values(status=RunStatus.INTERRUPTED.value, finished_at=now, details={"reason": reason})
    )
    note_ended(connection, gone)
    events.note_runs(connection, gone)
    return gone


_RECENT = (
    select(runs.c.run_id)
    .where(runs.c.trigger == Origin.SCHEDULE.value, runs.c.started_at.is_not(None))
    .order_by(runs.c.run_id.desc())
    .limit(bindparam("limit", type_=Integer))
)
_LATE: ColumnElement[int] = literal_column("started_at - due_at", BigInteger)
_RECENT_LATENESS = select(_LATE).select_from(runs).where(runs.c.run_id.in_(_RECENT)).order_by(runs.c.run_id.desc())


def recent_lateness(connection: Connection, limit: int = 500) -> list[int]:
    """Return by how many microseconds the last scheduled runs started late, newest first."""
    return list(connection.execute(_RECENT_LATENESS, {"limit": limit}).scalars())


def _row(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "job_key": run.job_key,
        "task_id": run.task_id,
        "scheduled_for": run.scheduled_for,
        "attempt": run.attempt,
        "trigger": run.trigger.value,
        "status": run.status.value,
        "priority": run.priority.value,
        "created_at": run.created_at,
        "due_at": run.due_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "cancel_reason": run.cancel_reason,
        "scheduled_until": run.scheduled_until,
        "count": run.count,
        "details": run.details,
    }


def stored_run(row: Sequence[Any]) -> Run:
    (run_id, job_key, task_id, scheduled_for, attempt, trigger, status, priority, created_at, due_at, started_at,
     finished_at, cancel_reason, scheduled_until, count, details) = row  # fmt: skip
    return Run(
        run_id,
        job_key,
        task_id,
        moment_of(scheduled_for),
        attempt,
        Origin(trigger),
        RunStatus(status),
        Priority(priority),
        moment_of(created_at),
        _moment_or_none(due_at),
        _moment_or_none(started_at),
        _moment_or_none(finished_at),
        cancel_reason,
        _moment_or_none(scheduled_until),
        count,
        orjson.loads(details),
    )


def _moment_or_none(value: int | None) -> datetime | None:
    return None if value is None else moment_of(value)
