"""Tell which fire times have their rows already, though they are still ahead: where the wall clock was set back."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, and_, bindparam, or_, select

from scheduler.store.prepared import Prepared
from scheduler.store.tables import bare, moment_of, runs


class Stretch(NamedTuple):
    """Fire times that one row stands for, from `first` to `last`: mostly one."""

    first: datetime
    last: datetime


_STRETCHES = Prepared(
    select(bare(runs.c.scheduled_for), bare(runs.c.scheduled_until))
    .where(runs.c.job_key == bindparam("job"), runs.c.attempt == 1)
    .where(
        or_(
            and_(runs.c.scheduled_for >= bindparam("first"), runs.c.scheduled_for <= bindparam("last")),
            and_(runs.c.scheduled_for < bindparam("first"), runs.c.scheduled_until >= bindparam("first")),
        )
    )
    .order_by(runs.c.scheduled_for)
)


def taken_stretches(connection: Connection, job_key: int, first: datetime, last: datetime) -> list[Stretch]:
    """Return which fire times of a job from `first` to `last` have rows, the earliest first."""
    rows = _STRETCHES.rows(connection, {"job": job_key, "first": first, "last": last})
    return [Stretch(moment_of(begin), moment_of(begin if end is None else end)) for begin, end in rows]


def taken_times(connection: Connection, job_key: int, moments: Sequence[datetime]) -> set[datetime]:
    """Return those of a job's fire times, given oldest first, that have their row already."""
    if not moments:
        return set()
    found, taken = iter(taken_stretches(connection, job_key, moments[0], moments[-1])), set()
    stretch = next(found, None)
    for moment in moments:
        while stretch is not None and stretch.last < moment:
            stretch = next(found, None)
        if stretch is not None and stretch.first <= moment:
            taken.add(moment)
    return taken
