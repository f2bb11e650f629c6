"""Count ended runs, and tell how long they took. The index `runs_ended` holds all that is asked here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median_low
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from scheduler.ids import first_run_id
from scheduler.run import RunStatus
from scheduler.store.tables import IS_ENDED, runs

TYPICAL_OF = 21
"""Of how many of its newest runs a task's typical duration is the median."""
MOST_SORTED = 20_000
"""How many of the newest runs the overall durations are those of, and those of all tasks that are shown together:
sorting more takes too long."""
Counts = Counter[str]
"""How many runs ended with each status."""
FAILED = (RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED)
_TOOK: ColumnElement[int] = literal_column("finished_at - started_at", BigInteger)
_RAN = and_(runs.c.started_at.is_not(None), runs.c.status.in_(["completed", "failed", "timeout"]))


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
    by_day, by_task = _counted(connection, days, and_(*mine))
    names = sorted(by_task, key=lambda name: _badness(name, by_task[name]))[:limit]
    which = and_(*mine, runs.c.run_id >= first_run_id(days[0]))
    newest = select(literal("").label("name"), _TOOK.label("took")).where(which, _RAN)
    return Stats(
        by_day=by_day,
        took=_spreads(connection, newest.order_by(runs.c.run_id.desc()).limit(MOST_SORTED))[""],
        tasks={name: by_task[name] for name in names},
        tasks_took=_spreads_of(connection, names, days[0]),
        task_count=len(by_task),
    )


_NEWEST_OF_TASK = (
    select(_TOOK.label("took"))
    .where(IS_ENDED, _RAN, runs.c.task_id == bindparam("id"))
    .order_by(runs.c.run_id.desc())
    .limit(TYPICAL_OF)
)


def typical_durations(connection: Connection, task_ids: Iterable[str]) -> dict[str, timedelta]:
    """Return how long the runs of tasks typically take: the median of the newest; without those that never ran."""
    found: dict[str, timedelta] = {}
    for task_id in task_ids:
        took = connection.execute(_NEWEST_OF_TASK, {"id": task_id}).scalars().all()
        if took:
            found[task_id] = timedelta(microseconds=median_low(took))
    return found


def count_by_day(connection: Connection, days: Sequence[datetime]) -> list[Counts]:
    """Return the runs of each day by how they ended, each day given by its first moment: half the price of `read`."""
    query = select(runs.c.status, func.count()).where(IS_ENDED).group_by(runs.c.status)
    return [
        Counter({status: count for status, count in connection.execute(query.where(span))})  # noqa: C416
        for span in _spans(days)
    ]


def _counted(
    connection: Connection, days: Sequence[datetime], which: ColumnElement[bool]
) -> tuple[list[Counts], dict[str, Counts]]:
    """Count the runs of each day, and of each task, by status: the ledger is read once, a day at a time.

    What one day has is sorted in memory; all days together would not be.
    """
    # An expression, so that the ledger is not read in the order of another index, row by row.
    name = runs.c.task_id.concat("")
    query = select(name, runs.c.status, func.count()).where(which).group_by(name, runs.c.status)
    by_day: list[Counts] = []
    by_task: defaultdict[str, Counts] = defaultdict(Counter)
    for span in _spans(days):
        counts: Counts = Counter()
        for task_id, status, count in connection.execute(query.where(span)):
            counts[status] += count
            by_task[task_id][status] += count
        by_day.append(counts)
    return by_day, dict(by_task)


def _spans(days: Sequence[datetime]) -> list[ColumnElement[bool]]:
    """Return the condition of each day's runs."""
    ends = [*(first_run_id(day) for day in days[1:]), "~"]  # above every id
    return [and_(runs.c.run_id >= first_run_id(day), runs.c.run_id < end) for day, end in zip(days, ends, strict=True)]


def _badness(name: str, counts: Counts) -> tuple[int, int, str]:
    """Return what sorts the tasks that failed most often before the others."""
    return -sum(counts[status.value] for status in FAILED), -counts.total(), name


def _spreads_of(connection: Connection, names: Sequence[str], since: datetime) -> defaultdict[str, Spread]:
    """Return the spread of each task, of its share of MOST_SORTED: so many of its newest runs."""
    spreads: defaultdict[str, Spread] = defaultdict(Spread)
    for name in names:
        mine = and_(IS_ENDED, _RAN, runs.c.task_id == name, runs.c.run_id >= first_run_id(since))
        newest = select(runs.c.task_id.label("name"), _TOOK.label("took")).where(mine)
        share = MOST_SORTED // len(names)
        spreads |= _spreads(connection, newest.order_by(runs.c.run_id.desc()).limit(share))
    return spreads


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
