"""Match minutes as Vixie cron does, apart from our own rules: what those are compared with.

Written after what cron's own source does, not after ours, and slow: it reads each field into a set,
looks at each day, and where the clocks change at each minute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_MOST_DAYS = 146_097
"""The days of 400 years, after which the calendar repeats."""

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


class CronRefuses(ValueError):
    """Cron itself takes no such line, or reads it in a way that nobody means."""


@dataclass(frozen=True, slots=True)
class VixieRule:
    """The sets of five fields, and which of them begin with a star."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    day_star: bool
    weekday_star: bool
    wild: bool

    def has_day(self, day: date) -> bool:
        """Whether a day matches: by both fields where one of them is a star, else by either."""
        in_days, in_weekdays = day.day in self.days, (day.isoweekday() % 7) in self.weekdays
        both = self.day_star or self.weekday_star
        return day.month in self.months and ((in_days and in_weekdays) if both else (in_days or in_weekdays))

    def matches(self, label: datetime) -> bool:
        """Whether a minute of the clock matches."""
        return label.minute in self.minutes and label.hour in self.hours and self.has_day(label.date())


def read_rule(fields: str) -> VixieRule:
    """Read five fields; raise `CronRefuses`."""
    texts = fields.lower().split()
    if len(texts) != 5:
        raise CronRefuses(f"five fields are needed, not {len(texts)}")
    sets = [
        _read_field(text, *limits, names)
        for text, limits, names in zip(texts, _RANGES, ((), (), (), _MONTHS, _DAYS), strict=True)
    ]
    minutes, hours, days, months, weekdays = sets
    return VixieRule(
        minutes,
        hours,
        days,
        months,
        frozenset(number % 7 for number in weekdays),
        day_star=texts[2].startswith("*"),
        weekday_star=texts[4].startswith("*"),
        wild=texts[0].startswith("*") or texts[1].startswith("*"),
    )


def _read_field(text: str, low: int, high: int, names: tuple[str, ...]) -> frozenset[int]:
    found: set[int] = set()
    for item in text.split(","):
        span, slash, step = item.partition("/")
        if slash and (not step.isdecimal() or int(step) == 0):
            raise CronRefuses(f"'{item}' has no step that cron takes")
        first, dash, last = span.partition("-")
        if span == "*":
            bounds = low, high
        elif dash:
            bounds = _number(first, low, high, names), _number(last, low, high, names)
        elif slash:
            raise CronRefuses(f"'{item}' means {span} alone to some crons, and {span}-{high}/{step} to others")
        else:
            bounds = (_number(first, low, high, names),) * 2
        if bounds[0] > bounds[1]:
            raise CronRefuses(f"'{span}' runs backwards: cron matches nothing by it")
        found.update(range(bounds[0], bounds[1] + 1, int(step or 1)))
    return frozenset(found)


def _number(word: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if word in names:
        return names.index(word) + low
    if not word.isdecimal() or not low <= int(word) <= high:
        raise CronRefuses(f"'{word}' is not between {low} and {high}")
    return int(word)


def fire_times(rule: VixieRule, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the moments (UTC) that cron starts a job at, later than `after`, for 400 years at most.

    Where a time comes twice because several labels of a gap are made up for at its end, it is one.
    """
    last = after
    first = after.astimezone(zone).date() - _DAY
    before = True
    for number in range(_MOST_DAYS):
        day = first + number * _DAY
        matches = rule.has_day(day)
        # A time that the clocks leap over at midnight is made up for on the day after its own.
        for moment in _on_day(rule, day, zone) if matches or before else ():
            if moment > last:
                yield moment
                last = moment
        before = matches


def _on_day(rule: VixieRule, day: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Yield the moments of one day of the calendar; a change of the clocks may reach over its ends."""
    begin, end = (datetime.combine(day + delta, time(0), zone) for delta in (timedelta(0), _DAY))
    if begin.utcoffset() != end.utcoffset() or (begin - _DAY).utcoffset() != begin.utcoffset():
        yield from _by_minutes(rule, begin.astimezone(UTC), end.astimezone(UTC), zone)
        return
    if rule.has_day(day):
        offset = begin.utcoffset()
        assert offset is not None
        for hour in sorted(rule.hours):
            for minute in sorted(rule.minutes):
                yield (datetime.combine(day, time(hour, minute)) - offset).replace(tzinfo=UTC)


def _by_minutes(rule: VixieRule, begin: datetime, end: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Look at each minute as the daemon does.

    Rules with a star go by the clock on the wall. The others go by a clock that never turns back: it
    stands while the wall's clock repeats an hour, and makes up at once for an hour that the wall's leaps over.
    """
    moment = begin
    virtual = (begin - _MINUTE).astimezone(zone).replace(tzinfo=None)
    while moment < end:
        label = moment.astimezone(zone).replace(tzinfo=None)
        if rule.wild:
            due = rule.matches(label)
        else:
            due = False
            while virtual < label:
                virtual += _MINUTE
                due = due or rule.matches(virtual)
        if due:
            yield moment
        moment += _MINUTE
