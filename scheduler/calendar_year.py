"""Lay a year of one job out by the days of its zone: what ran, what is planned, and where the clocks change.

Pure, but for what is counted in the ledger, which is handed in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from scheduler.clock_changes import ClockChange, changes_between
from scheduler.config import SchedulerConfig
from scheduler.policy import ended_by_runs
from scheduler.standing import JobInfo
from scheduler.store.ledger_days import DayRow, Reach, Stretch
from scheduler.triggers import Trigger
from scheduler.wallclock import first_instant, offset_at

MOST_A_DAY = 24
"""Planned fire times counted of a day; one that is due more often is told to have at least so many."""
_MOST_COUNTED = 400
"""So many fire times are counted out for a year: what follows is told by the day, and the page waits for this."""
_MOST_LEFT = 5000
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class YearDay:
    """One day: fire times by the status of their last attempt, and what is planned, at least that where `more`."""

    day: date
    counts: dict[str, int] = field(default_factory=dict)
    timed: int = 0
    took: int = 0
    longest: int = 0
    planned: int = 0
    more: bool = False


@dataclass(frozen=True, slots=True)
class CalendarYear:
    """A year of a job. Days without runs and plans are left out; before `kept_since` rows are no longer kept."""

    year: int
    zone: ZoneInfo
    today: date
    created_at: datetime
    kept_since: datetime
    days: Sequence[YearDay]
    changes: Sequence[ClockChange]


def first_of(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day."""
    return first_instant(datetime.combine(day, time(0)), zone)


def clock_changes(year: int, zone: ZoneInfo) -> list[ClockChange]:
    """Return when the clocks of a zone are set in a year; at a midnight they belong to the day that begins."""
    start, end = first_of(date(year, 1, 1), zone), first_of(date(year + 1, 1, 1), zone)
    return changes_between(zone, start - _TICK, end - _TICK)


def stretches(year: int, zone: ZoneInfo, changes: Sequence[ClockChange]) -> list[Stretch]:
    """Cut a year where the clocks of its zone are set."""
    start, end = first_of(date(year, 1, 1), zone), first_of(date(year + 1, 1, 1), zone)
    inside = [change.at for change in changes if start < change.at < end]
    edges = [start, *inside, end]
    return [Stretch(one, two, offset_at(one, zone)) for one, two in pairwise(edges)]


def lay_out(rows: Sequence[DayRow], planned: Iterator[tuple[date, int, bool]]) -> list[YearDay]:
    """Put what ran and what is planned together, in the order of the days."""
    days: defaultdict[date, YearDay] = defaultdict(lambda: YearDay(date.min))
    for row in rows:
        day = days[row.day]
        day.counts[row.status] = row.count
        day.timed, day.took = day.timed + row.timed, day.took + row.took
        day.longest = max(day.longest, row.longest)
    for moment, count, more in planned:
        days[moment].planned, days[moment].more = count, more
    for moment, day in days.items():
        day.day = moment
    return [days[moment] for moment in sorted(days)]


def planned_days(
    trigger: Trigger, first: datetime | None, year: int, zone: ZoneInfo, left: int | None = None
) -> Iterator[tuple[date, int, bool]]:
    """Yield each day of a year on which a rule fires from `first` on, how often, and whether it is more than that.

    Of a rule that fires often only the first days are counted out, of the others it is told that they have some.
    `left` is how often it may fire at all; more than a few thousand times count as without end.
    """
    start, end = first_of(date(year, 1, 1), zone), first_of(date(year + 1, 1, 1), zone)
    left = left if left is not None and left <= _MOST_LEFT else None
    moment, counted = first, 0
    if moment is not None and moment < start and left is None:
        moment = trigger.utc_after(start - _TICK)
    while moment is not None and moment < end and left != 0:
        day = moment.astimezone(zone).date()
        following, count = first_of(day + _DAY, zone), 0
        most = left if left is not None else 1 if counted > _MOST_COUNTED else MOST_A_DAY
        while moment is not None and moment < following and count < most:
            moment, count = trigger.utc_after(moment), count + 1
        counted += count
        more = left is None and moment is not None and moment < following
        if day.year == year:
            yield day, count, more
        if more:
            moment = trigger.utc_after(following - _TICK)
        left = None if left is None else left - count


def year_of(
    info: JobInfo,
    year: int,
    rows: Sequence[DayRow],
    reach: Reach,
    changes: Sequence[ClockChange],
    config: SchedulerConfig,
    now: datetime,
) -> CalendarYear:
    """Return a year of a job, of which the ledger has told `rows` and how far back it goes."""
    stored = info.stored
    kept_since = now - timedelta(days=config.keep_days)
    if reach.oldest is not None and reach.rows >= config.keep_runs:
        kept_since = max(kept_since, reach.oldest)
    trigger, left = ended_by_runs(info.trigger, info.next_fire_time, stored.runs_left)
    planned = planned_days(trigger, info.next_fire_time, year, stored.zone, left)
    return CalendarYear(
        year=year,
        zone=stored.zone,
        today=now.astimezone(stored.zone).date(),
        created_at=stored.created_at,
        kept_since=kept_since,
        days=lay_out(rows, planned),
        changes=changes,
    )
