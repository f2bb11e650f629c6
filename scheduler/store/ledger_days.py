"""Count the fire times of one job by the days of its zone, and tell how far back its rows of the ledger go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, case, exists, func, not_, select, type_coerce

from scheduler.store.tables import runs

_EPOCH = date(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in which the clocks of a zone are ahead of UTC by `offset` throughout."""

    start: datetime
    end: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True)
class DayRow:
    """How many fire times of a day ended with a status; `took` microseconds in all, of `timed` runs, `longest` one."""

    day: date
    status: str
    count: int
    timed: int
    took: int
    longest: int


@dataclass(frozen=True, slots=True)
class Reach:
    """How many rows a job has, and the fire time of the oldest."""

    rows: int
    oldest: datetime | None


def read_days(connection: Connection, job_key: int, stretches: Sequence[Stretch]) -> list[DayRow]:
    """Count fire times by day and status of their last attempt; a row that stands for many counts as many."""
    moment: ColumnElement[int] = type_coerce(runs.c.scheduled_for, BigInteger)
    shifts = [(runs.c.scheduled_for < one.end, moment + one.offset // _MICROSECOND) for one in stretches]
    day = (case(*shifts) // _DAY).label("day")
    took = type_coerce(runs.c.finished_at, BigInteger) - type_coerce(runs.c.started_at, BigInteger)
    counts = (func.sum(func.coalesce(runs.c.count, 1)), func.count(took), func.sum(took), func.max(took))
    query = (
        select(day, runs.c.status, *counts)
        .where(
            runs.c.job_key == job_key,
            runs.c.scheduled_for >= stretches[0].start,
            runs.c.scheduled_for < stretches[-1].end,
            not_(_is_followed()),
        )
        .group_by(day, runs.c.status)
        .order_by(day)
    )
    return [
        DayRow(_EPOCH + timedelta(days=int(number)), status, int(count), timed, int(total or 0), int(longest or 0))
        for number, status, count, timed, total, longest in connection.execute(query)
    ]


def read_reach(connection: Connection, job_key: int) -> Reach:
    """Return how far back the rows of a job go."""
    query = select(func.count(), func.min(runs.c.scheduled_for)).where(runs.c.job_key == job_key)
    return Reach(*connection.execute(query).one())


def _is_followed() -> Any:
    """Return the condition of rows whose fire time had a further attempt."""
    other = runs.alias("other")
    same = and_(other.c.job_key == runs.c.job_key, other.c.scheduled_for == runs.c.scheduled_for)
    return exists().where(same, other.c.attempt > runs.c.attempt)
