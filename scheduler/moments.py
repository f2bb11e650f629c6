"""Write moments for people, and exactly; read back what is written exactly."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import orjson

from scheduler.wallclock import first_instant

EARLIEST, LATEST = 1900, 9000
"""The years of which a moment may be."""
_LEAST_EPOCH = 10**9
"""The least number that is taken for seconds since 1970, in 2001; ten times as much is in 2286."""
_EPOCH = re.compile("[0-9]{10}(?:[0-9]{3})?")
_TICK = timedelta(microseconds=1)
_WHOLE_MINUTES_SINCE = 1973
"""From this year on all zones are whole minutes away from UTC; Liberia was the last to become so (the tz database)."""


def local(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a moment for people: local, to the second."""
    return None if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def iso(moment: datetime, zone: tzinfo) -> str:
    """Return a moment exactly: ISO 8601 with offset, and milliseconds where there are any."""
    shown = moment.astimezone(zone)
    if shown.year < _WHOLE_MINUTES_SINCE:
        return shown.isoformat(timespec="milliseconds" if moment.microsecond >= 1000 else "seconds")
    text = orjson.dumps(shown).decode()  # in a quarter of the time, but no offset with seconds
    if moment.microsecond == 0:
        return text[1:-1]
    return (text[1:24] if moment.microsecond >= 1000 else text[1:20]) + text[27:-1]


def iso_or_none(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a moment exactly, or None where there is none."""
    return None if moment is None else iso(moment, zone)


def both(moment: datetime | None, zone: tzinfo) -> tuple[str | None, str | None]:
    """Return a moment as `local` and as `iso` write it, for half the price of both."""
    if moment is None:
        return None, None
    exact = iso(moment, zone)
    return exact[:19].replace("T", " "), exact


def parse_moment(text: object, zone: ZoneInfo, end: bool = False) -> datetime:
    """Return the UTC moment that an ISO 8601 text means, in `zone` where it has no offset.

    A date alone is its first instant, or with `end` its last. Raise ValueError where it is none, or
    of a year before 1900 or after 9000.
    """
    if not isinstance(text, str):
        raise ValueError(f"a moment is written as a text, not as a {type(text).__name__}")
    text = text.strip()
    if len(text) <= len("2026-12-24"):
        day = date.fromisoformat(text)
        _check_year(day.year)
        if end:
            return first_instant(datetime.combine(day + timedelta(days=1), time(0)), zone) - _TICK
        return first_instant(datetime.combine(day, time(0)), zone)
    moment = datetime.fromisoformat(text)
    _check_year(moment.year)
    return first_instant(moment, zone) if moment.tzinfo is None else moment.astimezone(UTC)


def moment_of_epoch(value: object) -> datetime | None:
    """Return the moment that a number means as seconds, or milliseconds, since 1970; None where it hardly means one."""
    if isinstance(value, str):
        value = int(value) if _EPOCH.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    seconds = value / 1000 if value >= _LEAST_EPOCH * 1000 else value
    return datetime.fromtimestamp(seconds, UTC) if _LEAST_EPOCH <= seconds < _LEAST_EPOCH * 10 else None


def _check_year(year: int) -> None:
    if not EARLIEST <= year <= LATEST:
        raise ValueError(f"the year {year} is not between {EARLIEST} and {LATEST}")
