"""Answer when a job runs next: one class for each kind of rule, each a pure `next_after(moment)`.

Interval     elapsed time on a fixed grid: anchor + k * step; changes of the clocks do not matter
Calendar     times of day on chosen days; gaps and overlaps as in wallclock.py
AnchoredDays the anchor's own time of day, every so many days
Window       elapsed steps from a time of day to another, anew on each chosen day
Cron         five fields, or more where they come from an object; HourlyAt is the same, written as a phrase
Once         one moment
Manual       never

A rule never looks at a clock, so a late or long run moves no later one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from scheduler.cron_fields import CronFields
from scheduler.dates import Dates, WeekdayDates
from scheduler.wallclock import first_instant, next_change, offset_at
from scheduler.wording import say_step, say_time, say_times

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_FIRST_MOMENT = datetime(1, 2, 1, tzinfo=UTC)
_LAST_YEAR = 9900
"""Arithmetic on dates ends in the year 9999; rules end a while before."""

_LOOK_AHEAD = timedelta(hours=30)
_STEP_BACK = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits of a rule: no run before `start`, none after `until` (both UTC, both allowed as runs)."""

    start: datetime | None = None
    until: datetime | None = None
    text: str = ""
    """The same as the end of a phrase: " starting 2026-10-01 09:00"."""


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger(ABC):
    """A rule that says when something happens: immutable, pure, safe to share between threads."""

    kind: ClassVar[str]

    zone: ZoneInfo
    zone_named: bool = False
    bounds: Bounds = UNBOUNDED

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first run strictly later than the aware `moment`, in the rule's zone; None: no more.

        ValueError: `moment` is naive.
        """
        if moment.tzinfo is None:
            raise ValueError("next_after() needs a moment with a time zone")
        if moment.year > _LAST_YEAR:
            return None
        instant = moment.astimezone(UTC) if moment.year > 1 else _FIRST_MOMENT
        bounds = self.bounds
        if bounds.start is not None and instant < bounds.start:
            instant = bounds.start - _TICK
        found = self._next(instant)
        if found is None or (bounds.until is not None and found > bounds.until):
            return None
        return found.astimezone(self.zone)

    def utc_after(self, moment: datetime) -> datetime | None:
        """Return what `next_after` does, in UTC: for reckoning with it.

        Python compares and subtracts two moments of one zone by what its clocks show, which is
        wrong where they change.
        """
        found = self.next_after(moment)
        return None if found is None else found.astimezone(UTC)

    def describe(self) -> str:
        """Return the canonical phrase: it parses back to the same runs (of cron: clear English)."""
        zone = f" {self.zone.key}" if self.zone_named else ""
        return f"{self._phrase()}{self.bounds.text}{zone}"

    @abstractmethod
    def _next(self, instant: datetime) -> datetime | None:
        """Return the first run later than `instant`; both UTC."""

    @abstractmethod
    def _phrase(self) -> str:
        """Return the phrase without limits and zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Trigger):
    """Run at anchor + k * step (seconds), k = 1, 2, ...; from k = 0 if the anchor is the start of the rule."""

    kind = "interval"
    anchor: datetime
    step: int

    def _next(self, instant: datetime) -> datetime:
        step = timedelta(seconds=self.step)
        first = 0 if self.bounds.start is not None else 1
        return self.anchor + max(first, (instant - self.anchor) // step + 1) * step

    def _phrase(self) -> str:
        return f"every {say_step(self.step)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Trigger):
    """Run at each of `times` (sorted) on each of `dates`."""

    kind = "calendar"
    dates: Dates
    times: tuple[time, ...]

    def _next(self, instant: datetime) -> datetime | None:
        found = self._first(instant)
        return None if found is None else found[1]

    def first_day(self, instant: datetime) -> date | None:
        """Return the day to which the first run later than `instant` belongs."""
        found = self._first(instant.astimezone(UTC))
        return None if found is None else found[0]

    def _first(self, instant: datetime) -> tuple[date, datetime] | None:
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        day = self.dates.on_or_after(local.date())
        while day is not None:
            for moment in self.times:
                label = datetime.combine(day, moment)
                if label > local:
                    found = first_instant(label, self.zone)
                    if found > instant:
                        return day, found
            day = self.dates.on_or_after(day + _DAY)
        return None

    def _phrase(self) -> str:
        return f"{self.dates.describe()} at {say_times(self.times)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredDays(Calendar):
    """Run every so many days at the time of day that the clocks showed at the anchor."""

    kind = "interval"

    def _phrase(self) -> str:
        return self.dates.describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Trigger):
    """Run every `step` seconds from `start` to `end`, both included, anew on each of `dates`.

    An end that is not later than the start lies on the following day; without `end` the window is
    the whole day, up to the next midnight.
    """

    kind = "calendar"
    dates: WeekdayDates
    step: int
    start: time
    end: time | None

    def _next(self, instant: datetime) -> datetime | None:
        step = timedelta(seconds=self.step)
        local = instant.astimezone(self.zone)
        day = self.dates.on_or_after(local.date() - _DAY)
        while day is not None:
            begin = self.begin(day)
            if instant < begin:
                return begin
            found = begin + ((instant - begin) // step + 1) * step
            if found <= self.close(day):
                return found
            day = self.dates.on_or_after(day + _DAY)
        return None

    def begin(self, day: date) -> datetime:
        """Return the first instant of the window that starts on `day`."""
        return first_instant(datetime.combine(day, self.start), self.zone)

    def close(self, day: date) -> datetime:
        """Return the last instant of the window that starts on `day`."""
        if self.end is None:
            return first_instant(datetime.combine(day + _DAY, time(0)), self.zone) - _TICK
        last = day if self.end > self.start else day + _DAY
        return first_instant(datetime.combine(last, self.end), self.zone)

    def _phrase(self) -> str:
        between = "" if self.end is None else f" between {say_time(self.start)} and {say_time(self.end)}"
        return f"every {say_step(self.step)}{between}{self.dates.describe_on()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron(Trigger):
    """Run at the labels that match `fields`.

    Where neither minute nor hour starts with `*`, labels are times of day, placed as in wallclock.py.
    Otherwise each real minute (second) whose label matches is a run: none is made up for a gap, and
    both passes of an overlap count.
    """

    kind = "cron"
    fields: CronFields

    def _next(self, instant: datetime) -> datetime | None:
        return self._next_real(instant) if self.fields.real else self._next_time_of_day(instant)

    def _next_time_of_day(self, instant: datetime) -> datetime | None:
        label = self.fields.next_label(instant.astimezone(self.zone).replace(tzinfo=None))
        while label is not None:
            found = first_instant(label, self.zone)
            if found > instant:
                return found
            label = self.fields.next_label(label)
        return None

    def _next_real(self, instant: datetime) -> datetime | None:
        offset = offset_at(instant, self.zone)
        label = self.fields.next_label(instant.replace(tzinfo=None) + offset)
        while label is not None:
            found = (label - offset).replace(tzinfo=UTC)
            near = min(found, instant + _LOOK_AHEAD)
            change = next_change(instant, near, self.zone)
            if change is not None:
                # The clocks change on the way: look again from there, with the new offset.
                instant, offset = change, offset_at(change, self.zone)
                label = self.fields.next_label(change.replace(tzinfo=None) + offset - _TICK)
            elif near is found:
                return found
            else:
                # Labels grow from here to there whatever the clocks do in between, so none is passed over.
                instant = found - _STEP_BACK
                offset = offset_at(instant, self.zone)
                label = self.fields.next_label(instant.replace(tzinfo=None) + offset)
        return None

    def _phrase(self) -> str:
        return self.fields.describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class HourlyAt(Cron):
    """Run at some minutes of the hour: cron's rule, written as a phrase."""

    kind = "calendar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Once(Trigger):
    """Run once, at `moment` (UTC); `local` says the time of day without an offset, as it was asked for."""

    kind = "once"
    moment: datetime
    local: bool = False

    def _next(self, instant: datetime) -> datetime | None:
        return self.moment if self.moment > instant else None

    def describe(self) -> str:
        """Return "once at" and the moment, with its zone if it was given without an offset, else its offset."""
        moment = self.moment.astimezone(self.zone)
        if not self.local:
            zone = f" {self.zone.key}" if self.zone_named else ""
            return f"once at {_exact(moment)}{zone}"
        return f"once at {_exact(moment.replace(tzinfo=None))} {self.zone.key}"

    def _phrase(self) -> str:
        return self.describe()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual(Trigger):
    """Never run by itself."""

    kind = "manual"

    def _next(self, instant: datetime) -> datetime | None:
        return None

    def _phrase(self) -> str:
        return "only when triggered"


def upcoming(trigger: Trigger, after: datetime, count: int) -> list[datetime]:
    """Return the next runs later than `after`, at most `count`."""
    found: list[datetime] = []
    moment: datetime | None = after
    while len(found) < count and moment is not None:
        moment = trigger.next_after(moment)
        if moment is not None:
            found.append(moment)
    return found


def _exact(moment: datetime) -> str:
    """Return a moment with no more digits than it needs: none behind the second, three, or six."""
    if moment.microsecond % 1000:
        return moment.isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
