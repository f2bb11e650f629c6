"""Match wall-clock labels against the fields of a cron rule, by bit masks.

A rule is a pure value here: it knows labels (naive times), nothing of zones or changes of the clocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from scheduler.dates import (
    MonthDays,
    MonthlyDates,
    WeekdayDates,
    month_length,
    nth_of_month,
    nth_workday_of_month,
    weekdays_of_month,
)
from scheduler.wording import ALL_DAYS, LAST, join_words, say_months, say_ordinal, say_runs, say_times, say_weekdays

ALL_MINUTES = (1 << 60) - 1
ALL_HOURS = (1 << 24) - 1
ALL_MONTH_DAYS = (1 << 31) - 1
_FEW = 6


def bits(mask: int) -> list[int]:
    """Return the numbers whose bits are set, smallest first."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


@dataclass(frozen=True, slots=True)
class CronDates(MonthlyDates):
    """The days of a cron rule.

    `days` is a mask (bit 0 is the 1st), `weekdays` another (bit 0 is Monday); `nths` are (weekday mask, n-th)
    pairs, n-th maybe LAST. `either`: a match of the day or of the weekday is enough; otherwise both must match.
    `years` and `weeks` (of ISO 8601) narrow the choice further; empty means all.
    """

    days: int = ALL_MONTH_DAYS
    last_day: bool = False
    last_workday: bool = False
    day_nths: tuple[tuple[int, int], ...] = ()
    weekdays: int = ALL_DAYS
    nths: tuple[tuple[int, int], ...] = ()
    either: bool = False
    years: frozenset[int] = frozenset()
    weeks: frozenset[int] = frozenset()

    def mask(self, year: int, month: int) -> int:
        """Return the chosen days of a month as a mask; bit 0 is the 1st."""
        if self.years and year not in self.years:
            return 0
        days, weekdays = self._days_mask(year, month), self._weekdays_mask(year, month)
        found = days | weekdays if self.either else days & weekdays
        if self.weeks:
            keep = [day for day in bits(found) if date(year, month, day + 1).isocalendar().week in self.weeks]
            found = sum(1 << day for day in keep)
        return found

    def _days_mask(self, year: int, month: int) -> int:
        length = month_length(year, month)
        found = self.days & (1 << length) - 1
        if self.last_day:
            found |= 1 << length - 1
        if self.last_workday:
            found |= nth_workday_of_month(year, month, LAST)
        for weekdays, nth in self.day_nths:
            found |= nth_of_month(year, month, nth, weekdays)
        return found

    def _weekdays_mask(self, year: int, month: int) -> int:
        found = weekdays_of_month(year, month, self.weekdays) if self.weekdays else 0
        for weekdays, nth in self.nths:
            found |= nth_of_month(year, month, nth, weekdays)
        return found

    @property
    def plain(self) -> MonthlyDates | None:
        """The same days as a set that has a phrase of its own, if it has one."""
        if self.years or self.weeks:
            return None
        if self._every_day:
            return WeekdayDates(self.months, ALL_DAYS)
        if self.nths or self.day_nths or self.last_workday or self.either:
            return None
        if self.days == ALL_MONTH_DAYS:
            return WeekdayDates(self.months, self.weekdays)
        if self.weekdays == ALL_DAYS:
            return MonthDays(self.months, self._numbered())
        return None

    @property
    def _every_day(self) -> bool:
        return self.either and (self.days == ALL_MONTH_DAYS or self.weekdays == ALL_DAYS)

    def _numbered(self) -> tuple[int, ...]:
        days = [day + 1 for day in bits(self.days)]
        return (*days, LAST) if self.last_day else tuple(days)

    def describe(self) -> str:
        """Say which days these are: a phrase where there is one, else plain English."""
        if self.plain is not None:
            return self.plain.describe()
        words = [self._describe_days()]
        words += [f"in week {say_runs(sorted(self.weeks))} of the year"] if self.weeks else []
        words += [f"in {say_months(self.months)}"] if len(self.months) < 12 else []
        words += [f"in {say_runs(sorted(self.years))}"] if self.years else []
        return " ".join(words)

    def _describe_days(self) -> str:
        days, weekdays = self._say_days(), self._say_weekdays()
        if self._every_day:
            return "every day"
        if self.either:
            return f"each {days} and, besides, each {weekdays}"
        if not weekdays:
            return f"each {days}" if days else "every day"
        return f"each {days} that is a {weekdays}" if days else f"each {weekdays}"

    def _say_days(self) -> str:
        if self.days == ALL_MONTH_DAYS:
            return ""
        numbers = [day + 1 for day in bits(self.days)]
        words = [f"day {say_runs(numbers)} of the month"] if numbers else []
        words += ["last day of the month"] if self.last_day else []
        words += ["last weekday (monday to friday) of the month"] if self.last_workday else []
        words += [_say_nth(weekdays, nth) for weekdays, nth in self.day_nths]
        return " or ".join(words)

    def _say_weekdays(self) -> str:
        if self.weekdays == ALL_DAYS:
            return ""
        words = [say_weekdays(self.weekdays).replace(" and ", " or ")] if self.weekdays else []
        words += [_say_nth(weekdays, nth) for weekdays, nth in self.nths]
        return " or ".join(words)


def _say_nth(weekdays: int, nth: int) -> str:
    return f"{say_ordinal(nth)} {say_weekdays(weekdays)} of the month"


@dataclass(frozen=True, slots=True)
class CronFields:
    """The fields of a cron rule; masks of seconds, minutes and hours, bit 0 is 0.

    `real`: the minute or the hour field starts with `*`, so each real minute whose label matches counts.
    """

    dates: CronDates
    hours: int = ALL_HOURS
    minutes: int = ALL_MINUTES
    seconds: int = 1
    real: bool = False

    def next_label(self, after: datetime) -> datetime | None:
        """Return the first matching naive time later than `after`; None: not within the horizon of dates."""
        start = after.replace(microsecond=0) + timedelta(seconds=1)
        day = self.dates.on_or_after(start.date())
        if day == start.date():
            found = self._time_from(start.hour, start.minute, start.second)
            if found is not None:
                return datetime.combine(day, found)
            day = self.dates.on_or_after(day + timedelta(1))
        if day is None:
            return None
        first = self._time_from(0, 0, 0)
        assert first is not None
        return datetime.combine(day, first)

    def _time_from(self, hour: int, minute: int, second: int) -> time | None:
        if self.hours >> hour & 1:
            found = _bit_from(self.seconds, second) if self.minutes >> minute & 1 else -1
            if found >= 0:
                return time(hour, minute, found)
            found = _bit_from(self.minutes, minute + 1)
            if found >= 0:
                return time(hour, found, _bit_from(self.seconds, 0))
        found = _bit_from(self.hours, hour + 1)
        if found < 0:
            return None
        return time(found, _bit_from(self.minutes, 0), _bit_from(self.seconds, 0))

    def describe(self) -> str:
        """Say the rule in English, as a phrase where it is one."""
        hours, minutes, seconds = bits(self.hours), bits(self.minutes), bits(self.seconds)
        if not self.real and len(hours) * len(minutes) * len(seconds) <= _FEW:
            times = [time(hour, minute, second) for hour in hours for minute in minutes for second in seconds]
            return self._describe_at(say_times(times))
        on = self._describe_on()
        if self.seconds == 1 and self.hours == ALL_HOURS and self.real and len(minutes) <= _FEW:
            return f"hourly at {join_words([f':{minute:02}' for minute in minutes])}{on}"
        return f"{self._say_minutes(minutes, seconds)}{self._say_hours(hours)}{on}"

    def _describe_at(self, times: str) -> str:
        days = self.dates.describe()
        return f"{days} at {times}" if self.dates.plain is not None else f"at {times}, {days}"

    def _describe_on(self) -> str:
        plain = self.dates.plain
        if isinstance(plain, WeekdayDates):
            return plain.describe_on()
        return f", {self.dates.describe()}"

    def _say_hours(self, hours: list[int]) -> str:
        if self.hours == ALL_HOURS:
            return ""
        step = hours[1] - hours[0] if len(hours) > 1 else 0
        if step > 1 and len(hours) > 2 and hours == list(range(hours[0], 24, step)):
            return f" of every {say_ordinal(step)} hour from {hours[0]:02}:00"
        return f" in {'hour' if len(hours) == 1 else 'hours'} {say_runs(hours)}"

    def _say_minutes(self, minutes: list[int], seconds: list[int]) -> str:
        within = [] if self.seconds == 1 else [_say_row(seconds, "second")]
        if self.minutes == ALL_MINUTES and within and within[0].startswith("every"):
            return within[0]
        return " of ".join([*within, _say_row(minutes, "minute")])


def _say_row(numbers: list[int], unit: str) -> str:
    """Say numbers below 60, an even row up to the end as "every 5 minutes from :00 of each hour"."""
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 0
    if step > 1 and len(numbers) > 2 and numbers == list(range(numbers[0], 60, step)):
        whole = "hour" if unit == "minute" else "minute"
        return f"every {step} {unit}s from :{numbers[0]:02} of each {whole}"
    if step == 1 and len(numbers) == 60:
        return f"every {unit}"
    return f"at {unit if len(numbers) == 1 else unit + 's'} {say_runs(numbers)}"


def _bit_from(mask: int, low: int) -> int:
    rest = mask >> low
    return low + (rest & -rest).bit_length() - 1 if rest else -1
