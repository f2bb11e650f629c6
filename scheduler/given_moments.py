"""Read moments that people give: ISO 8601; where it is something else, say which moment was meant, if that is clear.

Dates in other orders ("31.12.2026"), words ("tomorrow", "next monday at 9:00") and seconds since 1970 are refused
all the same, since they mean another moment tomorrow, elsewhere or to somebody else; but the answer names the moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest, Problem, as_sent, shorten
from scheduler.moments import EARLIEST, LATEST, iso, moment_of_epoch, parse_moment
from scheduler.phrases import parse_phrase
from scheduler.triggers import Once
from scheduler.wording import WEEKDAYS

_ACCEPTED = ("2026-12-24", "2026-12-24T18:00:00", "2026-12-24T18:00:00+01:00")
_YEAR_FIRST = re.compile(r"(?P<year>[0-9]{4})([/.-])(?P<month>[0-9]{1,2})\2(?P<day>[0-9]{1,2})")
_DAY_FIRST = re.compile(r"(?P<day>[0-9]{1,2})([/.-])(?P<month>[0-9]{1,2})\2(?P<year>[0-9]{4})")
_YEAR = re.compile(r"(?<![0-9:])(?:19|2[0-9])[0-9]{2}(?![0-9:])")
_WEEKDAY = re.compile(f"({'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in WEEKDAYS)})(?![a-z]),? ?")
_LATE = "23:59:59"
"""A time that is still to come today: with it a phrase that names only a day is read, as something that runs once."""


def read_moment(
    text: object, field: str, zone: ZoneInfo, *, now: datetime | None = None, end: bool = False
) -> datetime:
    """Return what `parse_moment` does; raise `InvalidRequest` naming the field.

    With `now` the refusal knows what is meant by "tomorrow", too.
    """
    try:
        return parse_moment(text, zone, end)
    except ValueError as error:
        raise InvalidRequest([no_moment(field, text, zone, now=now, end=end)]) from error


def no_moment(
    field: str,
    value: object,
    zone: ZoneInfo,
    *,
    now: datetime | None = None,
    end: bool = False,
    ahead: bool = False,
) -> Problem:
    """Describe a value that is no moment, or one beyond the years that are accepted; the rest as in `meant_moment`."""
    years = f"of the years {EARLIEST} to {LATEST}"
    message = f"'{field}' must be an ISO 8601 date or time {years}, not {as_sent(value)}"
    meant = meant_moment(value, zone, now=now, end=end, ahead=ahead)
    return Problem(field, f"{message}; did you mean '{meant}'?" if meant else message, shorten(value), _ACCEPTED, meant)


def meant_moment(
    value: object, zone: ZoneInfo, *, now: datetime | None = None, end: bool = False, ahead: bool = False
) -> str | None:
    """Return the moment or day that a value was meant for, in ISO 8601; None where that is not clear.

    `end`: it is the last moment of something, `ahead`: the only one. Neither is any use where it is not after `now`.
    """
    text = next(_readings(value, zone, now, end), None)
    if text is None:
        return None
    moment = parse_moment(text, zone, end)
    return None if (end or ahead) and now is not None and moment <= now else text


def _readings(value: object, zone: ZoneInfo, now: datetime | None, end: bool) -> Iterator[str]:
    """Yield what a value may mean, the likeliest first."""
    if (moment := moment_of_epoch(value)) is not None:
        yield iso(moment, zone)
    if not isinstance(value, str):
        return
    text = " ".join(value.lower().split())
    yield from _nearest_day(text, end)
    yield from _said(_year_first(text), zone, now)


def _nearest_day(text: str, end: bool) -> Iterator[str]:
    """Yield the last day that is accepted for an end behind it, the first one for a start before it."""
    try:
        year = datetime.fromisoformat(text.upper()).year
    except ValueError:
        return
    if end and year > LATEST:
        yield f"{LATEST}-12-31"
    elif not end and year < EARLIEST:
        yield f"{EARLIEST}-01-01"


def _year_first(text: str) -> str:
    """Write the date of "31.12.2026" or "2026/12/31" as ISO 8601 does, but not "1/2/2026": it is read in two ways."""
    match = _YEAR_FIRST.match(text) or _DAY_FIRST.match(text)
    if match is None:
        return text
    year, month, day = (int(match[name]) for name in ("year", "month", "day"))
    if month > 12:
        month, day = day, month
    elif match[2] != "." and match.re is _DAY_FIRST and day <= 12 and day != month:
        return text
    return f"{year:04}-{month:02}-{day:02}{text[match.end() :]}"


def _said(text: str, zone: ZoneInfo, now: datetime | None) -> Iterator[str]:
    """Yield the moment that a phrase names, or its day where it names no time."""
    if text == "now" and now is not None:
        yield iso(now, zone)
    weekday = _WEEKDAY.match(text)
    bare = weekday is not None and _YEAR.search(text) is None
    if bare:
        text = f"next {text}"
    elif weekday is not None:
        text = text[weekday.end() :]
    once, day = _once(text, zone, now), _once(f"{text} at {_LATE}", zone, now)
    found = day or once
    if bare and found is not None and now is not None and found.moment - now > timedelta(days=6):
        return  # on a monday, "monday" may be today
    if once is not None and _is_on(once, weekday):
        yield iso(once.moment, zone)
    if day is not None and not day.zone_named and _is_on(day, weekday):
        yield day.moment.astimezone(zone).date().isoformat()


def _once(text: str, zone: ZoneInfo, now: datetime | None) -> Once | None:
    """Return what runs once in the words of a phrase; None where they mean something else."""
    found = None if now is None else _read_once(text, zone, now)
    year = _YEAR.search(text)
    if found is not None or year is None:
        return found
    # Phrases take nothing that is past. What does not hang on the present is read as if it were still to come.
    presents = [datetime(int(year[0]), 1, 1, tzinfo=UTC) - timedelta(days=days) for days in (2, 3)]
    found, again = (_read_once(text, zone, present) for present in presents)
    return found if found == again else None


def _read_once(text: str, zone: ZoneInfo, now: datetime) -> Once | None:
    try:
        trigger = parse_phrase(text, zone=zone, now=now)
    except InvalidRequest:
        return None
    return trigger if isinstance(trigger, Once) else None


def _is_on(once: Once, weekday: re.Match[str] | None) -> bool:
    """Say whether the day of a date is the weekday that stands before it, if one does."""
    label = once.moment.astimezone(once.zone)
    return weekday is None or WEEKDAYS[label.weekday()].startswith(weekday[1])
