"""Read runs as bars on a line of time: those of a task that lie close together become one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, func, literal, or_, select, type_coerce

from scheduler.ids import first_run_id
from scheduler.run import Run, RunStatus
from scheduler.store.runs import find_runs
from scheduler.store.stats import FAILED
from scheduler.store.tables import IS_ENDED, jobs, micros, runs

LOOK_BACK = timedelta(days=2)
"""How long before a span a run may have begun that goes on in it."""
TROUBLE = (*FAILED, RunStatus.MISSED)
"""The statuses that somebody should look at."""
_BY_WEIGHT = (
    RunStatus.COMPLETED,
    RunStatus.SKIPPED,
    RunStatus.CANCELLED,
    RunStatus.QUEUED,
    RunStatus.RUNNING,
    RunStatus.MISSED,
    RunStatus.INTERRUPTED,
    RunStatus.TIMEOUT,
    RunStatus.FAILED,
)
"""Of several runs in one bar the one with the last of these gives it its status."""
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Lane:
    """A task as far as a line of time tells of it: where it stands, and how its runs of a span went."""

    key: int
    task_id: str
    tags: tuple[str, ...]
    enabled: bool
    paused: bool
    ended: bool
    runs: int
    troubled: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One run, or `count` that lie close together, with the id and status of the worst; without `end` it goes on."""

    task_id: str
    start: datetime
    end: datetime | None
    status: RunStatus
    run_id: str
    count: int


def lanes(connection: Connection, since: datetime, until: datetime) -> list[Lane]:
    """Return all tasks, in the order they were made, with the number of their runs that began in a span and ended."""
    # An expression, so that the ledger is not read in the order of another index, row by row.
    name = runs.c.task_id.concat("")
    troubled = func.count().filter(runs.c.status.in_([status.value for status in TROUBLE]))
    span = and_(IS_ENDED, runs.c.run_id >= first_run_id(since), runs.c.run_id < first_run_id(until))
    counted = connection.execute(select(name, func.count(), troubled).where(span).group_by(name))
    counts = {task_id: (number, bad) for task_id, number, bad in counted}
    columns = (jobs.c.key, jobs.c.task_id, jobs.c.tags, jobs.c.enabled, jobs.c.paused, jobs.c.ended)
    query = select(*columns).where(jobs.c.removed_at.is_(None)).order_by(jobs.c.key)
    return [
        Lane(key, task_id, tuple(tags.split("\n")[1:-1]), enabled, paused, ended, *counts.get(task_id, (0, 0)))
        for key, task_id, tags, enabled, paused, ended in connection.execute(query)
    ]


def bars(
    connection: Connection, task_ids: Sequence[str], since: datetime, until: datetime, slot: timedelta
) -> list[Bar]:
    """Return what the runs of tasks look like in a span that is cut in slots, one bar at most for each of these."""
    start = func.coalesce(runs.c.started_at, runs.c.due_at, runs.c.scheduled_for)
    moment: ColumnElement[int] = type_coerce(start, BigInteger)
    width = literal(slot // _MICROSECOND, BigInteger)
    place = ((moment - literal(micros(since), BigInteger)) // width).label("place")
    weight = case(*((runs.c.status == status.value, str(n)) for n, status in enumerate(_BY_WEIGHT)))
    going = func.count().filter(runs.c.finished_at.is_(None))
    found = (
        select(
            runs.c.task_id,
            func.min(start),
            func.max(runs.c.finished_at),
            going,
            func.max(weight.concat(runs.c.run_id)),
            func.count(),
        )
        .where(
            runs.c.task_id.in_(task_ids),
            runs.c.run_id >= first_run_id(since - LOOK_BACK),
            start < until,
            or_(runs.c.finished_at.is_(None), runs.c.finished_at >= since),
        )
        .group_by(runs.c.task_id, place)
        .order_by(runs.c.task_id, place)
    )
    return [
        Bar(task_id, first, None if open_ else last, _BY_WEIGHT[int(worst[0])], worst[1:], count)
        for task_id, first, last, open_, worst, count in connection.execute(found)
    ]


@dataclass(frozen=True, slots=True)
class Trouble:
    """The newest run of a task that somebody should look at, and how many of them the task has had."""

    run: Run
    count: int


def trouble(connection: Connection, since: datetime, limit: int) -> tuple[list[Trouble], int]:
    """Return the tasks that had trouble since a moment, the newest first, and how many such runs there are in all."""
    which = and_(
        IS_ENDED, runs.c.run_id >= first_run_id(since), runs.c.status.in_([status.value for status in TROUBLE])
    )
    name, last = runs.c.task_id.concat(""), func.max(runs.c.run_id)
    query = select(last, func.count(), func.sum(func.count()).over()).where(which).group_by(name)
    rows = connection.execute(query.order_by(last.desc()).limit(limit)).all()
    found = {run.run_id: run for run in find_runs(connection, [row[0] for row in rows])}
    return [Trouble(found[row[0]], row[1]) for row in rows], int(rows[0][2]) if rows else 0
