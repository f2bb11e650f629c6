"""Count ended runs, and tell how long they took. The index `runs_ended` holds all that is asked here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, func, literal, literal_column, or_, select

from scheduler.ids import first_run_id
from scheduler.models import RunStatus
from scheduler.store.tables import IS_ENDED, runs

MOST_SORTED = 20_000
"""How many of the newest runs the overall durations are those of: sorting more takes too long."""
Counts = dict[str, int]
"""How many runs ended with each status."""
FAILED = (RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED)
_TOOK: ColumnElement[int] = literal_column("finished_at - started_at", BigInteger)
_RAN = and_(runs.c.started_at.is_not(None), runs.c.status.in_(["completed", "failed", "timeout"]))
_FAILURES = func.count().filter(runs.c.status.in_([status.value for status in FAILED]))


@dataclass(frozen=True, slots=True)
class Spread:
    """How long runs took, in microseconds; None where none ran to its end."""

    p50: int | None = None
    p95: int | None = None
    longest: int | None = None


@dataclass(frozen=True, slots=True)
class Stats:
    """The figures of a stretch of time. `tasks` are those that failed most often, of `task_count` that had runs."""

    by_day: list[Counts]
    took: Spread
    tasks: dict[str, Counts] = field(default_factory=dict)
    tasks_took: defaultdict[str, Spread] = field(default_factory=lambda: defaultdict(Spread))
    task_count: int = 0


def read(connection: Connection, days: Sequence[datetime], task_id: str | None, limit: int) -> Stats:
    """Return the figures of all days that begin at the moments given, the last one up to now."""
    mine = [IS_ENDED] if task_id is None else [IS_ENDED, runs.c.task_id == task_id]
    which = and_(*mine, runs.c.run_id >= first_run_id(days[0]))
    names, task_count = _worst(connection, which, limit)
    theirs = and_(which, runs.c.task_id.in_(names))
    newest = select(literal("").label("name"), _TOOK.label("took")).where(which, _RAN)
    each = select(runs.c.task_id.label("name"), _TOOK.label("took")).where(theirs, _RAN)
    return Stats(
        by_day=_by_day(connection, days, and_(*mine)),
        took=_spreads(connection, newest.order_by(runs.c.run_id.desc()).limit(MOST_SORTED))[""],
        tasks=_by_task(connection, theirs, names),
        tasks_took=_spreads(connection, each),
        task_count=task_count,
    )


def _by_day(connection: Connection, days: Sequence[datetime], which: ColumnElement[bool]) -> list[Counts]:
    ends = [*(first_run_id(day) for day in days[1:]), "~"]  # above every id
    query = select(runs.c.status, func.count()).group_by(runs.c.status)
    return [
        {status: count for status, count in connection.execute(query.where(which, span))}  # noqa: C416
        for span in (
            and_(runs.c.run_id >= first_run_id(day), runs.c.run_id < end) for day, end in zip(days, ends, strict=True)
        )
    ]


def _worst(connection: Connection, which: ColumnElement[bool], limit: int) -> tuple[list[str], int]:
    # An expression, so that the ledger is not read in the order of another index, row by row.
    name = runs.c.task_id.concat("")
    query = select(name, func.count().over()).where(which).group_by(name)
    rows = connection.execute(query.order_by(_FAILURES.desc(), func.count().desc(), name).limit(limit)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def _by_task(connection: Connection, which: ColumnElement[bool], names: Sequence[str]) -> dict[str, Counts]:
    found: dict[str, Counts] = {name: {} for name in names}
    query = select(runs.c.task_id, runs.c.status, func.count()).where(which).group_by(runs.c.task_id, runs.c.status)
    for name, status, count in connection.execute(query):
        found[name][status] = count
    return found


def _spreads(connection: Connection, runs_taken: Select[str, int]) -> defaultdict[str, Spread]:
    """Return the spread of each name: nearest-rank percentiles, so each is a time that some run took."""
    each = runs_taken.subquery()
    ranked = select(
        each.c.name,
        each.c.took,
        func.row_number().over(order_by=each.c.took, partition_by=each.c.name).label("place"),
        func.count().over(partition_by=each.c.name).label("number"),
    ).subquery()
    place, number = ranked.c.place, ranked.c.number
    shown = or_(place == _rank(50, number), place == _rank(95, number), place == number)
    found: defaultdict[tuple[str, int], dict[int, int]] = defaultdict(dict)
    for name, took, rank, size in connection.execute(select(ranked).where(shown)):
        found[name, size][rank] = took
    spreads = defaultdict(Spread)
    for (name, size), took_at in found.items():
        spreads[name] = Spread(*(took_at[rank] for rank in (_rank(50, size), _rank(95, size), size)))
    return spreads


def _rank(percent: int, number: Any) -> Any:
    return (number * percent + 99) // 100
