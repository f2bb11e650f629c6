"""Say numbers, days, months and times the way the schedule language reads them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
LAST = -1
"""The ordinal "last": the last day, or the last such weekday, of a month."""

ALL_DAYS = 0b1111111
"""Sets of weekdays are bit masks; bit 0 is Monday."""
WORKDAYS = 0b0011111
WEEKEND = 0b1100000
ALL_MONTHS = tuple(range(1, 13))


def join_words(words: Sequence[str]) -> str:
    """Join words as in "a", "a and b", "a, b and c"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def say_ordinal(number: int) -> str:
    """Say 1 as "1st", 22 as "22nd" and LAST as "last"."""
    if number == LAST:
        return "last"
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def say_ordinals(numbers: Iterable[int]) -> str:
    """Say several ordinals, "last" at the end."""
    return join_words([say_ordinal(n) for n in sorted(numbers, key=lambda n: 99 if n == LAST else n)])


def say_time(moment: time) -> str:
    """Say a time of day as HH:MM, with seconds where there are any."""
    return moment.isoformat("minutes" if not (moment.second or moment.microsecond) else "auto")


def say_times(times: Iterable[time]) -> str:
    """Say times of day as in "10:30 and 18:00"."""
    return join_words([say_time(moment) for moment in times])


def say_moment(local: datetime) -> str:
    """Say a naive date and time as "2026-12-31 18:00", midnight as the date alone."""
    if local.time() == time(0):
        return local.date().isoformat()
    return f"{local.date().isoformat()} {say_time(local.time())}"


def say_months(months: Iterable[int]) -> str:
    """Say months by name, as in "june and july"."""
    return join_words([MONTHS[month - 1] for month in sorted(months)])


def say_weekdays(mask: int) -> str:
    """Say a mask of weekdays by name, as in "monday and friday"."""
    return join_words([name for bit, name in enumerate(WEEKDAYS) if mask >> bit & 1])


def write_weekdays(mask: int) -> str:
    """Write a mask of weekdays as fields take it: short names and ranges, none of which goes beyond sunday, or `*`."""
    if mask == ALL_DAYS:
        return "*"
    spans: list[list[str]] = []
    for bit, name in enumerate(WEEKDAYS):
        if mask >> bit & 1 and bit and mask >> (bit - 1) & 1:
            spans[-1].append(name[:3])
        elif mask >> bit & 1:
            spans.append([name[:3]])
    return ",".join("-".join(dict.fromkeys((span[0], span[-1]))) for span in spans)


def say_step(seconds: int) -> str:
    """Say a number of seconds in the largest unit up to hours that divides it, as in "90 minutes"."""
    for size, unit in ((3600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return say_count(seconds // size, unit)
    return say_count(seconds, "second")


def say_count(number: int, unit: str) -> str:
    """Say a number with its unit, as in "1 hour" and "5 minutes"."""
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def say_runs(numbers: Sequence[int]) -> str:
    """Say sorted numbers, runs of three and more shortened, as in "0, 9 to 17 and 20"."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and number == groups[-1][-1] + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    words: list[str] = []
    for group in groups:
        words += [f"{group[0]} to {group[-1]}"] if len(group) > 2 else [str(number) for number in group]
    return join_words(words)
