"""Choose days of the calendar: every second week, the last friday, december 25.

Each class answers `on_or_after(day)` without looking at days one by one: a month is a bit mask
(bit 0 is the 1st), so a weekday, its n-th occurrence or the last day are a shift away.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, timedelta

from scheduler.wording import (
    ALL_DAYS,
    ALL_MONTHS,
    LAST,
    MONTHS,
    WORKDAYS,
    join_words,
    say_count,
    say_months,
    say_ordinals,
    say_weekdays,
)

HORIZON_YEARS = 45
"""How far ahead a day is looked for. The rarest (February 29 on a given weekday) is 40 years away at most."""

WHOLE_WEEK = " on monday to sunday"
"""How every day is said where the days cannot be left out."""

_LENGTHS = (0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_WEEKLY = sum(1 << 7 * week for week in range(6))
_QUARTER_STARTS = (1, 4, 7, 10)


def month_length(year: int, month: int) -> int:
    """Return the number of days of a month."""
    if month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0):
        return 29
    return _LENGTHS[month]


def weekdays_of_month(year: int, month: int, weekdays: int) -> int:
    """Return the days of a month that fall on `weekdays` (a mask, bit 0 is Monday) as a mask."""
    first = date(year, month, 1).weekday()
    return weekdays * _WEEKLY >> first & (1 << month_length(year, month)) - 1


def nth_of_month(year: int, month: int, nth: int, weekdays: int) -> int:
    """Return the `nth` (or LAST) occurrence of each of `weekdays` in a month as a mask."""
    first = month_length(year, month) - 7 if nth == LAST else 7 * (nth - 1)
    return weekdays_of_month(year, month, weekdays) & 0b1111111 << first


def nth_workday_of_month(year: int, month: int, nth: int) -> int:
    """Return the `nth` (or LAST) Monday to Friday of a month as a mask of one day, or of none."""
    days = weekdays_of_month(year, month, WORKDAYS)
    if nth == LAST:
        return 1 << days.bit_length() - 1
    for _ in range(nth - 1):
        days &= days - 1
    return days & -days


class Dates(ABC):
    """A set of days of the calendar."""

    @abstractmethod
    def on_or_after(self, day: date) -> date | None:
        """Return the first day of the set that is not before `day`; None: not within HORIZON_YEARS."""

    @abstractmethod
    def describe(self) -> str:
        """Return the words of the canonical phrase that choose these days, as in "every monday"."""


@dataclass(frozen=True, slots=True)
class MonthlyDates(Dates):
    """Days that are decided month by month, in some months of the year."""

    months: tuple[int, ...]

    @abstractmethod
    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask; bit 0 is the 1st."""

    def on_or_after(self, day: date) -> date | None:
        """Return the first day of the set that is not before `day`; None: not within HORIZON_YEARS."""
        if day.month in self.months:
            rest = self.mask(day.year, day.month) >> day.day - 1
            if rest & 1:
                return day
            if rest:
                return day + timedelta((rest & -rest).bit_length() - 1)
        for year in range(day.year, day.year + HORIZON_YEARS + 1):
            for month in self.months:
                if year > day.year or month > day.month:
                    mask = self.mask(year, month)
                    if mask:
                        return date(year, month, (mask & -mask).bit_length())
        return None

    def _of_month(self) -> str:
        return "of the month" if self.months == ALL_MONTHS else f"of {say_months(self.months)}"

    def _in_months(self) -> str:
        return "" if self.months == ALL_MONTHS else f" in {say_months(self.months)}"


@dataclass(frozen=True, slots=True)
class WeekdayDates(MonthlyDates):
    """Each of some days of the week."""

    weekdays: int

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask."""
        return weekdays_of_month(year, month, self.weekdays)

    def describe(self) -> str:
        """Say "every monday and friday", "every weekday", "every day"."""
        known = {ALL_DAYS: "day", WORKDAYS: "weekday"}
        return f"every {known.get(self.weekdays) or say_weekdays(self.weekdays)}{self._in_months()}"

    def describe_on(self, every_day: str = "") -> str:
        """Say the same as an addition: " on weekdays in december"; `every_day` for every day."""
        known = {ALL_DAYS: every_day, WORKDAYS: " on weekdays"}
        days = known.get(self.weekdays, f" on {say_weekdays(self.weekdays)}")
        return days + self._in_months()


@dataclass(frozen=True, slots=True)
class NthWeekdays(MonthlyDates):
    """The n-th of some weekdays of a month; months without it are skipped."""

    nths: tuple[int, ...]
    weekdays: int

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask."""
        found = 0
        for nth in self.nths:
            found |= nth_of_month(year, month, nth, self.weekdays)
        return found

    def describe(self) -> str:
        """Say "2nd tuesday of the month"."""
        return f"{say_ordinals(self.nths)} {say_weekdays(self.weekdays)} {self._of_month()}"


@dataclass(frozen=True, slots=True)
class NthWorkdays(MonthlyDates):
    """The n-th Monday to Friday of a month."""

    nths: tuple[int, ...]

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask."""
        found = 0
        for nth in self.nths:
            found |= nth_workday_of_month(year, month, nth)
        return found

    def describe(self) -> str:
        """Say "last weekday of the month"."""
        return f"{say_ordinals(self.nths)} weekday {self._of_month()}"


@dataclass(frozen=True, slots=True)
class MonthDays(MonthlyDates):
    """Some days of a month by number, or its LAST one; months without that day are skipped."""

    days: tuple[int, ...]

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask."""
        length = month_length(year, month)
        found = 0
        for day in self.days:
            found |= 1 << (length if day == LAST else day) - 1
        return found & (1 << length) - 1

    def describe(self) -> str:
        """Say "1st and 15th of the month", "last day of march", "every december 25"."""
        if self.days == (1,) and self.months == _QUARTER_STARTS:
            return "first day of the quarter"
        if len(self.months) == len(self.days) == 1 and self.days != (LAST,):
            return f"every {MONTHS[self.months[0] - 1]} {self.days[0]}"
        noun = " day" if LAST in self.days else ""
        return f"{say_ordinals(self.days)}{noun} {self._of_month()}"


@dataclass(frozen=True, slots=True)
class YearDates(MonthlyDates):
    """Some dates of the year, as (month, day); february 29 in leap years only."""

    dates: tuple[tuple[int, int], ...]

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask."""
        found = sum(1 << day - 1 for at, day in self.dates if at == month)
        return found & (1 << month_length(year, month)) - 1

    def describe(self) -> str:
        """Say "every january 1 and july 4"."""
        return f"every {join_words([f'{MONTHS[month - 1]} {day}' for month, day in self.dates])}"


@dataclass(frozen=True, slots=True)
class EveryNDays(Dates):
    """The day `first` and every `days`-th calendar day after it."""

    first: date
    days: int

    def on_or_after(self, day: date) -> date | None:
        """Return the first day of the set that is not before `day`."""
        if day <= self.first:
            return self.first
        return day + timedelta(-(day - self.first).days % self.days)

    def describe(self) -> str:
        """Say "every 3 days"."""
        return f"every {say_count(self.days, 'day')}"

    def describe_interval(self) -> str:
        """Say the same in weeks if they are whole ones."""
        return self.describe() if self.days % 7 else f"every {say_count(self.days // 7, 'week')}"


@dataclass(frozen=True, slots=True)
class EveryNWeeks(Dates):
    """Some weekdays of the week that begins on the Monday `monday`, and of every `weeks`-th week after it."""

    monday: date
    weeks: int
    days: WeekdayDates

    def on_or_after(self, day: date) -> date | None:
        """Return the first day of the set that is not before `day`; None: not within HORIZON_YEARS."""
        limit = day.year + HORIZON_YEARS
        found = self.days.on_or_after(max(day, self.monday))
        while found is not None and found.year <= limit:
            behind = (found - self.monday).days // 7 % self.weeks
            if behind == 0:
                return found
            ahead = timedelta(7 * (self.weeks - behind) - found.weekday())
            found = self.days.on_or_after(found + ahead)
        return None

    def describe(self) -> str:
        """Say "every 2 weeks on friday"."""
        return f"every {say_count(self.weeks, 'week')}{self.days.describe_on(WHOLE_WEEK)}"
