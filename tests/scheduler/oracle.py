"""Find the runs of a rule the slow way: minute by minute, sharing no code with the scheduler.

A `Stretch` is a piece of the time line of one zone with the label (wall clock) of each of its minutes.
Everything else is a look through it.
"""

from __future__ import annotations

import calendar
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@dataclass(frozen=True)
class Stretch:
    """The minutes of a zone from `start` (UTC) on: `labels[i]` is what the clocks show at start + i minutes."""

    zone: ZoneInfo
    start: datetime
    labels: tuple[datetime, ...]
    first: dict[datetime, int]

    def instant(self, index: int) -> datetime:
        """Return the instant of a minute, in UTC: within one zone Python compares wall clocks, not instants."""
        return self.start + index * MINUTE


@lru_cache(maxsize=64)
def stretch(zone_name: str, start: datetime, days: int) -> Stretch:
    """Return the stretch of `days` days from `start` (UTC, a whole minute)."""
    zone = ZoneInfo(zone_name)
    labels: list[datetime] = []
    first: dict[datetime, int] = {}
    for index in range(days * 1440):
        label = (start + index * MINUTE).astimezone(zone).replace(tzinfo=None, fold=0)
        labels.append(label)
        first.setdefault(label, index)
    return Stretch(zone, start, tuple(labels), first)


def place_label(line: Stretch, label: datetime) -> int | None:
    """Return the index of the first minute with that label, or of the first minute after the gap it lies in."""
    if label in line.first:
        return line.first[label]
    for index in range(1, len(line.labels)):
        if line.labels[index - 1] < label < line.labels[index] and line.labels[index] - line.labels[index - 1] > MINUTE:
            return index
    return None


def numbers(text: str, low: int, high: int, names: list[str]) -> set[int]:
    """Read one cron field the plain way."""
    found: set[int] = set()
    for item in text.lower().split(","):
        body, _, step = item.partition("/")
        if body == "*":
            first, last = low, high
        else:
            left, dash, right = body.partition("-")
            first = number(left, names)
            last = (7 if right == "sun" else number(right, names)) if dash else (high if step else first)
        found.update(range(first, last + 1, int(step or 1)))
    return found


def number(word: str, names: list[str]) -> int:
    if word.isdigit():
        return int(word)
    return names.index(word) + (1 if names is MONTHS else 0)


class CronScan:
    """The rules of cron, tried on every minute."""

    def __init__(self, expression: str) -> None:
        minute, hour, day, month, weekday = expression.split()
        self.minutes = numbers(minute, 0, 59, [])
        self.hours = numbers(hour, 0, 23, [])
        self.days = numbers(day, 1, 31, [])
        self.months = numbers(month, 1, 12, MONTHS)
        self.weekdays = {n % 7 for n in numbers(weekday, 0, 7, DAYS)}
        self.both = day.startswith("*") or weekday.startswith("*")
        self.times_of_day = not (minute.startswith("*") or hour.startswith("*"))
        self._days: dict[date, bool] = {}

    def matches_day(self, day: date) -> bool:
        if day not in self._days:
            in_days, in_weekdays = day.day in self.days, day.isoweekday() % 7 in self.weekdays
            matched = (in_days and in_weekdays) if self.both else (in_days or in_weekdays)
            self._days[day] = matched and day.month in self.months
        return self._days[day]

    def matches(self, label: datetime) -> bool:
        return label.minute in self.minutes and label.hour in self.hours and self.matches_day(label.date())

    def runs(self, line: Stretch) -> list[datetime]:
        """Return every run in the stretch, its first minute and the ends of gaps at its very start left out."""
        if not self.times_of_day:
            return [line.instant(index) for index, label in enumerate(line.labels) if index and self.matches(label)]
        found = {index for label, index in line.first.items() if self.matches(label)}
        for index in range(1, len(line.labels)):
            missing = line.labels[index - 1] + MINUTE
            while missing < line.labels[index]:
                if self.matches(missing):
                    found.add(index)
                missing += MINUTE
        return [line.instant(index) for index in sorted(found) if index]


def random_expression(rng: random.Random, day: date) -> str:
    """Make a cron expression that is likely to run on and around `day`, at night most often."""
    minute = rng.choice(
        ["*", "*/5", "*/7", "*/15", "0", "30", "15,45", "0-59/20", "5/15", "10-20", str(rng.randrange(60)), "59"]
    )
    hour = rng.choice(
        ["*", "*/2", "*/3", "0", "1", "2", "3", "0-3", "1,2", "2-23/7", "0/2", "23", "22-23", str(rng.randrange(24))]
    )
    near = [str((day + timedelta(days=shift)).day) for shift in (-1, 0, 1)]
    month_day = rng.choice(["*", "*", "*", "*/2", "1-31", ",".join(near), near[1], f"{near[1]}/3", "1,15"])
    month = rng.choice(["*", "*", "*", str(day.month), MONTHS[day.month - 1], "*/2", "1-12", "jan-dec"])
    weekday = rng.choice(
        ["*", "*", "*", "0", "7", "sun", "sat-sun", "mon-sun", "0-6", "5-7", "*/2", "1-5", "SAT,Mon", "1/2"]
    )
    return f"{minute} {hour} {month_day} {month} {weekday}"


def scan_days(matches: object, times: list[time], after: datetime, count: int) -> list[datetime]:
    """Return the first `count` runs in UTC of a rule that is given as a test of the day, and its times."""
    assert callable(matches)
    day = after.date()
    found: list[datetime] = []
    while len(found) < count:
        for moment in times:
            run = datetime.combine(day, moment, UTC)
            if run > after and matches(day):
                found.append(run)
        day += timedelta(days=1)
    return found[:count]


def last_day(day: date) -> int:
    """Return the number of the last day of that month."""
    return calendar.monthrange(day.year, day.month)[1]


def nth(day: date) -> int:
    """Return which of its weekday a day is in its month, from 1."""
    return (day.day - 1) // 7 + 1


def is_last(day: date) -> bool:
    """Say whether a day is the last of its weekday in its month."""
    return day.day + 7 > last_day(day)
