"""Tell where the clocks of a zone jump or repeat, and what becomes of times of day that lie there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from scheduler.cron_fields import ALL_HOURS
from scheduler.triggers import Calendar, Cron, Trigger, Window
from scheduler.wallclock import next_change, offset_at

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
MOST_LABELS = 12
"""How many times of day of one task are told for one change."""


class Fate(StrEnum):
    """What becomes of a time of day that the clocks show never, or twice."""

    MOVED = "moved"
    """It does not exist, and stands for the first instant after the gap."""
    LEFT_OUT = "left_out"
    """It does not exist, and nothing happens."""
    FIRST = "first"
    """It comes twice, and counts the first time."""
    TWICE = "twice"
    """It comes twice, and counts both times."""


@dataclass(frozen=True, slots=True)
class ClockChange:
    """A moment (UTC) from which the clocks of a zone are ahead of UTC by `after`, until then by `before`."""

    zone: ZoneInfo
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def day(self) -> date:
        """The day that the clocks show after it."""
        return self.at.astimezone(self.zone).date()

    @property
    def is_gap(self) -> bool:
        """Whether the clocks leave times out; else they show some twice."""
        return self.after > self.before

    @property
    def labels(self) -> tuple[datetime, datetime]:
        """The first of the times left out or shown twice, and the one that follows them, as the clocks show them."""
        naive = self.at.replace(tzinfo=None)
        return naive + min(self.before, self.after), naive + max(self.before, self.after)


@dataclass(frozen=True, slots=True)
class Touched:
    """Times of day of one task that a change leaves out or repeats, and what becomes of them."""

    task_id: str
    change: ClockChange
    labels: tuple[datetime, ...]
    fate: Fate


def changes_between(zone: ZoneInfo, since: datetime, until: datetime) -> list[ClockChange]:
    """Return the changes in (since, until]."""
    found: list[ClockChange] = []
    while since < until:
        by = min(since + _DAY, until)
        at = next_change(since, by, zone)
        if at is not None:
            found.append(ClockChange(zone, at, offset_at(since, zone), offset_at(at, zone)))
        since = by
    return found


def touched(task_id: str, trigger: Trigger, change: ClockChange) -> Touched | None:
    """Return what a change does to a task of the same zone whose rule names times of day, if it does anything.

    Rules of elapsed time pass over changes, and a rule of cron for every hour of the day means elapsed time, too.
    """
    bounds = trigger.bounds
    if (bounds.start is not None and change.at < bounds.start) or (
        bounds.until is not None and change.at > bounds.until
    ):
        return None
    found = tuple(_labels(trigger, *change.labels)[:MOST_LABELS])
    if not found:
        return None
    if isinstance(trigger, Cron) and trigger.fields.real:
        return Touched(task_id, change, found, Fate.LEFT_OUT if change.is_gap else Fate.TWICE)
    return Touched(task_id, change, found, Fate.MOVED if change.is_gap else Fate.FIRST)


def _labels(trigger: Trigger, low: datetime, high: datetime) -> list[datetime]:
    """Return the times of day in [low, high) that a rule names."""
    match trigger:
        case Calendar():
            days = [day for day in _days(low, high) if trigger.dates.on_or_after(day) == day]
            times = [datetime.combine(day, at) for day in days for at in trigger.times]
        case Window():
            times = _ends(trigger, low, high)
        case Cron() if not trigger.fields.real or trigger.fields.hours != ALL_HOURS:
            times = _of_cron(trigger, low, high)
        case _:
            times = []
    return [label for label in times if low <= label < high]


def _ends(trigger: Window, low: datetime, high: datetime) -> list[datetime]:
    """Return when windows open and close on the days around."""
    if trigger.end is None and trigger.start == time(0):
        return []  # the whole day, however long it is
    found = []
    for day in _days(low - _DAY, high):
        if trigger.dates.on_or_after(day) == day:
            found.append(datetime.combine(day, trigger.start))
            if trigger.end is not None:
                found.append(datetime.combine(day if trigger.end > trigger.start else day + _DAY, trigger.end))
    return sorted(set(found))


def _of_cron(trigger: Cron, low: datetime, high: datetime) -> list[datetime]:
    found: list[datetime] = []
    label = trigger.fields.next_label(low - timedelta(seconds=1))
    while label is not None and label < high and len(found) < MOST_LABELS:
        found.append(label)
        label = trigger.fields.next_label(label)
    return found


def _days(low: datetime, high: datetime) -> list[date]:
    return [low.date() + number * _DAY for number in range(((high - _TICK).date() - low.date()).days + 1)]
