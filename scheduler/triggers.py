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
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import ClassVar
from zoneinfo import ZoneInfo

from scheduler.cron_fields import CronFields
from scheduler.dates import HORIZON_YEARS, WHOLE_WEEK, Dates, EveryNDays, WeekdayDates
from scheduler.wallclock import first_instant, next_change, offset_at
from scheduler.wording import say_step, say_time, say_times

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_FIRST_MOMENT = datetime(1, 2, 1, tzinfo=UTC)
_LAST_YEAR = 9900
"""Arithmetic on dates ends in the year 9999; rules end a while before."""
_FIRST_LOOKED_BACK_TO = datetime(1900, 1, 1, tzinfo=UTC)
_LONGEST_STEP_BACK = timedelta(days=HORIZON_YEARS * 365)
"""A rule looks so far ahead, so no look back may pass over more time at once."""

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
        return next(self.runs_after(moment), None)

    def runs_after(self, moment: datetime) -> Iterator[datetime]:
        """Return the runs strictly later than the aware `moment` one by one, in the rule's zone.

        The same as `next_after` asked again with each of its answers, in a fraction of the time.

        ValueError: `moment` is naive.
        """
        if moment.tzinfo is None:
            raise ValueError("runs are looked for after a moment with a time zone")
        if moment.year > _LAST_YEAR:
            return iter(())
        instant = moment.astimezone(UTC) if moment.year > 1 else _FIRST_MOMENT
        start = self.bounds.start
        return self._bounded(instant if start is None or instant >= start else start - _TICK)

    def _bounded(self, instant: datetime) -> Iterator[datetime]:
        zone, until = self.zone, self.bounds.until
        for found in self._after(instant):
            if until is not None and found > until:
                return
            yield found.astimezone(zone)
            if found.year > _LAST_YEAR:
                return

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
    def _after(self, instant: datetime) -> Iterator[datetime]:
        """Return the runs later than `instant` one by one; all UTC."""

    @abstractmethod
    def _phrase(self) -> str:
        """Return the phrase without limits and zone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval(Trigger):
    """Run at anchor + k * step (seconds), k = 1, 2, ...; from k = 0 if the anchor is the start of the rule."""

    kind = "interval"
    anchor: datetime
    step: int

    def _after(self, instant: datetime) -> Iterator[datetime]:
        step = timedelta(seconds=self.step)
        first = 0 if self.bounds.start is not None else 1
        found = self.anchor + max(first, (instant - self.anchor) // step + 1) * step
        while True:
            yield found
            found += step

    def _phrase(self) -> str:
        return f"every {say_step(self.step)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar(Trigger):
    """Run at each of `times` (sorted) on each of `dates`."""

    kind = "calendar"
    dates: Dates
    times: tuple[time, ...]

    def _after(self, instant: datetime) -> Iterator[datetime]:
        return (found for _day, found in self._with_days(instant))

    def first_day(self, instant: datetime) -> date | None:
        """Return the day to which the first run later than `instant` belongs."""
        return next((day for day, _found in self._with_days(instant.astimezone(UTC))), None)

    def _with_days(self, instant: datetime) -> Iterator[tuple[date, datetime]]:
        local = instant.astimezone(self.zone).replace(tzinfo=None)
        day = self.dates.on_or_after(local.date())
        while day is not None:
            for moment in self.times:
                label = datetime.combine(day, moment)
                if label > local:
                    found = first_instant(label, self.zone)
                    if found > instant:
                        yield day, found
                        instant = found
            day = self.dates.on_or_after(day + _DAY)

    def _phrase(self) -> str:
        return f"{self.dates.describe()} at {say_times(self.times)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnchoredDays(Calendar):
    """Run every so many days at the time of day that the clocks showed at the anchor."""

    kind = "interval"
    dates: EveryNDays

    def _phrase(self) -> str:
        return self.dates.describe_interval()


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

    def _after(self, instant: datetime) -> Iterator[datetime]:
        step = timedelta(seconds=self.step)
        today = instant.astimezone(self.zone).date()
        overnight = self.end is not None and self.end <= self.start
        day = self.dates.on_or_after(today - _DAY if overnight else today)
        while day is not None:
            found, close = self.begin(day), self.close(day)
            if found <= instant:
                found += ((instant - found) // step + 1) * step
            while found <= close:
                yield found
                instant = found
                found += step
            day = self.dates.on_or_after(day + _DAY)

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
        step = f"every {say_step(self.step)}"
        if self.end is None:
            return step + (self.dates.describe_on() or WHOLE_WEEK)
        return f"{step} between {say_time(self.start)} and {say_time(self.end)}{self.dates.describe_on()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron(Trigger):
    """Run at the labels that match `fields`.

    Where neither minute nor hour starts with `*`, labels are times of day, placed as in wallclock.py.
    Otherwise each real minute (second) whose label matches is a run: none is made up for a gap, and
    both passes of an overlap count.
    """

    kind = "cron"
    fields: CronFields

    def _after(self, instant: datetime) -> Iterator[datetime]:
        return self._real_labels(instant) if self.fields.real else self._times_of_day(instant)

    def _times_of_day(self, instant: datetime) -> Iterator[datetime]:
        label = self.fields.next_label(instant.astimezone(self.zone).replace(tzinfo=None))
        while label is not None:
            found = first_instant(label, self.zone)
            if found > instant:
                yield found
                instant = found
            label = self.fields.next_label(label)

    def _real_labels(self, instant: datetime) -> Iterator[datetime]:
        offset = offset_at(instant, self.zone)
        label = self.fields.next_label(instant.replace(tzinfo=None) + offset)
        steady = instant  # up to here the clocks are known to keep `offset`
        while label is not None:
            found = (label - offset).replace(tzinfo=UTC)
            if found <= steady:
                yield found
                instant = found
                label = self.fields.next_label(label)
                continue
            ahead = instant + _LOOK_AHEAD
            change = next_change(instant, ahead, self.zone)
            if change is None and found <= ahead:
                steady = ahead
                continue
            if change is not None and found < change:
                steady = found
                continue
            # Look again with the new offset: from the change, or from a day before a label that lies far ahead.
            # Labels grow from here to there whatever the clocks do in between, so none is passed over.
            instant = steady = found - _STEP_BACK if change is None else change
            offset = offset_at(instant, self.zone)
            before = instant if change is None else instant - _TICK
            label = self.fields.next_label(before.replace(tzinfo=None) + offset)

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

    def _after(self, instant: datetime) -> Iterator[datetime]:
        if self.moment > instant:
            yield self.moment

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

    def _after(self, instant: datetime) -> Iterator[datetime]:
        return iter(())

    def _phrase(self) -> str:
        return "only when triggered"


def upcoming(trigger: Trigger, after: datetime, count: int) -> list[datetime]:
    """Return the next runs later than `after`, at most `count`."""
    return list(islice(trigger.runs_after(after), count))


def last_before(trigger: Trigger, moment: datetime) -> datetime | None:
    """Return the last run earlier than the aware `moment`, in UTC; None: there is none since the year 1900.

    A rule only looks forward: it is asked from ever further back until it names a run before the moment, and then by
    halves whether there is a later one.
    """
    quiet, span = moment.astimezone(UTC) - _TICK, _TICK  # none lies behind `quiet`
    while (found := trigger.utc_after(quiet - span)) is None or found >= moment:
        quiet -= span
        if quiet < _FIRST_LOOKED_BACK_TO:
            return None
        span = min(2 * span, _LONGEST_STEP_BACK)
    while found < quiet:
        middle = found + (quiet - found) // 2
        later = trigger.utc_after(middle)
        if later is None or later >= moment:
            quiet = middle
        else:
            found = later
    return found


def _exact(moment: datetime) -> str:
    """Return a moment with no more digits than it needs: none behind the second, three, or six."""
    if moment.microsecond % 1000:
        return moment.isoformat()
    return moment.isoformat(timespec="milliseconds" if moment.microsecond else "seconds")
