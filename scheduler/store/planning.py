"""Tell which jobs are due when, and remember how far they have come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, bindparam, func, select, true, type_coerce, update

from scheduler.store import state
from scheduler.store.fence import may_fire
from scheduler.store.jobs import ALL_COLUMNS, IDS_A_QUERY, IS_PLANNED, IS_PRESENT, change_job, stored_job
from scheduler.store.prepared import Prepared
from scheduler.store.tables import IS_ACTIVE, bare, jobs, moment_of, runs
from scheduler.stored_job import StoredJob

Key = int | str
"""What the clock knows an entry by: the key of a job, or the id of a run that waits for its moment."""


CLOCKS_DIFFER = timedelta(seconds=5)


class Plan(NamedTuple):
    """What the clock needs of a job or waiting run: when it is due next, or None to forget it."""

    key: Key
    due_at: datetime | None


class Advance(NamedTuple):
    """How far a job has come: what it fires for next and when that is due, and how often it has fired."""

    key: int
    next_fire_time: datetime | None
    due_at: datetime | None
    fired: int


class DueJob(NamedTuple):
    """What is asked of a job that is due, before its definition is looked at.

    `fired` counts the runs its schedule has made, `active` its runs that wait or go on, `since` is
    when the scheduler was started.
    """

    key: int
    task_id: str
    revision: int
    next_fire_time: datetime
    due_at: datetime
    fired: int
    active: int
    since: datetime


def is_ahead(since: datetime, now: datetime) -> bool:
    """Whether a start lies further ahead than the clocks of two machines may differ: it was made by a wrong clock."""
    return since - now > CLOCKS_DIFFER


def mind_start(connection: Connection, now: datetime) -> datetime | None:
    """Return since when fire times are planned; None where the scheduler is stopped.

    Times before a start leave no row. So one that lies ahead, since the clock stood ahead then, is moved back: all that
    is planned by now counts.
    """
    since = state.planned_since(connection)
    if since is None or not is_ahead(since, now):
        return since
    first = connection.execute(select(func.min(bare(jobs.c.next_fire_time))).where(IS_PLANNED)).scalar()
    since = now if first is None else min(now, moment_of(first))
    state.move_start(connection, since)
    return since


def planned(connection: Connection) -> Iterator[Plan]:
    """Yield the plan of every job that the clock should know."""
    query = select(jobs.c.key, bare(jobs.c.due_at)).where(IS_PLANNED, jobs.c.due_at.is_not(None))
    for key, due in connection.execution_options(yield_per=5000).execute(query):
        yield Plan(key, moment_of(due))


def next_planned(connection: Connection, after: datetime, limit: int) -> list[StoredJob]:
    """Return the jobs that are due next after a moment, the first of them first."""
    query = select(*ALL_COLUMNS).where(IS_PLANNED, jobs.c.due_at > after)
    query = query.order_by(jobs.c.due_at, jobs.c.key).limit(limit)
    return [stored_job(row) for row in connection.execute(query)]


def overdue(connection: Connection, now: datetime) -> list[StoredJob]:
    """Return the jobs whose next fire time is due and has no row yet."""
    query = select(*ALL_COLUMNS).where(IS_PLANNED, jobs.c.due_at <= now)
    return [stored_job(row) for row in connection.execute(query)]


def planned_ahead(connection: Connection, now: datetime) -> list[StoredJob]:
    """Return the planned jobs whose next fire time is ahead."""
    query = select(*ALL_COLUMNS).where(IS_PLANNED, jobs.c.next_fire_time > now)
    return [stored_job(row) for row in connection.execute(query)]


_CHANGED = Prepared(select(jobs.c.key, bare(jobs.c.due_at), IS_PLANNED).where(jobs.c.revision > bindparam("before")))


def changed_since(connection: Connection, revision: int) -> tuple[int, list[Plan]]:
    """Return the present revision and a plan for each job changed after `revision`; one without a time is to be
    forgotten."""
    now = state.revision(connection)
    if now == revision:
        return now, []
    rows = _CHANGED.rows(connection, {"before": revision})
    return now, [Plan(key, moment_of(due) if is_planned and due is not None else None) for key, due, is_planned in rows]


def expecting_since(connection: Connection, revision: int) -> tuple[int, dict[int, bool]]:
    """Return the present revision and, for each job changed after `revision`, whether something is expected of it."""
    now = state.revision(connection)
    if now == revision:
        return now, {}
    says_so = and_(IS_PRESENT, type_coerce(jobs.c.definition, Text).contains('"expect":{'))
    query = select(jobs.c.key, says_so.label("expecting")).where(jobs.c.revision > revision)
    if revision < 0:
        query = query.where(says_so)
    return now, {row.key: bool(row.expecting) for row in connection.execute(query)}


_DUE = (
    select(
        jobs.c.key,
        jobs.c.task_id,
        jobs.c.revision,
        bare(jobs.c.next_fire_time),
        bare(jobs.c.due_at),
        jobs.c.fired,
        select(func.count()).where(runs.c.job_key == jobs.c.key, IS_ACTIVE).scalar_subquery(),
        state.number("planned_since"),
    )
    .where(IS_PLANNED)
    .where(state.number("running") == 1)
)
_DUE_MANY = _DUE.where(jobs.c.key.in_(bindparam("keys", expanding=True)))
_DUE_ONE = Prepared(_DUE.where(jobs.c.key == bindparam("job")))
_ADVANCE = Prepared(
    update(jobs)
    .where(jobs.c.key == bindparam("job"))
    .values(
        next_fire_time=bindparam("next"), due_at=bindparam("due"), fired=bindparam("count"), ended=bindparam("over")
    )
)
_REVISE = Prepared(update(jobs).where(jobs.c.key == bindparam("job")).values(revision=bindparam("number")))


def due_jobs(connection: Connection, keys: Sequence[int], now: datetime) -> list[DueJob]:
    """Return those of the jobs that are still to fire; none while the scheduler is stopped or another process fires."""
    if not may_fire(connection):
        return []
    alone = len(keys) == 1  # a job that is due by itself is late by whatever this takes
    found: Iterable[Any] = (
        _DUE_ONE.rows(connection, {"job": keys[0]}) if alone else connection.execute(_DUE_MANY, {"keys": keys})
    )
    due = [_due_job(*row) for row in found]
    if due and is_ahead(due[0].since, now):
        since = mind_start(connection, now) or now
        due = [row._replace(since=since) for row in due]
    return due


def _due_job(
    key: int, task_id: str, number: int, following: int, due: int, fired: int, active: int, since: int
) -> DueJob:
    return DueJob(key, task_id, number, moment_of(following), moment_of(due), fired, active, moment_of(since))


def advance(connection: Connection, advances: Iterable[Advance]) -> None:
    """Remember how far jobs have come; one without a next fire time has ended."""
    rows = [
        {"job": key, "next": following, "due": due_at, "count": fired, "over": following is None}
        for key, following, due_at, fired in advances
    ]
    if rows:
        _ADVANCE.change_each(connection, rows)
    if over := [row["job"] for row in rows if row["over"]]:
        revision = state.bump_revision(connection)  # so that whoever counts jobs by state sees that they ended
        _REVISE.change_each(connection, [{"job": key, "number": revision} for key in over])


_ENDED = select(*ALL_COLUMNS).where(
    jobs.c.key.in_(bindparam("keys", expanding=True)), IS_PRESENT, jobs.c.ended == true(),
    type_coerce(jobs.c.definition, Text).contains('"remove_when_done":true', autoescape=True),
    ~select(runs.c.run_id).where(runs.c.job_key == jobs.c.key, IS_ACTIVE).exists(),
)  # fmt: skip


def remove_done(connection: Connection, keys: Sequence[int], now: datetime) -> None:
    """Remove those of the jobs that have ended, have no run waiting or going on, and are to be removed then."""
    for start in range(0, len(keys), IDS_A_QUERY):
        some = connection.execute(_ENDED, {"keys": keys[start : start + IDS_A_QUERY]}).all()
        for job in map(stored_job, some):
            if job.definition.get("remove_when_done"):  # and not what lies within another field
                change_job(connection, job, {"removed_at": now, "updated_at": now})
