"""Recognise how people say when something runs, to offer the same in our words.

Number words and fractions ("forty", "two and a half hours"), clock times ("half past nine"), names of places ("New
York"), limits ("ending 2026-12-31"), days of a month ("days 1-5"); and know what no phrase of ours can say.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from scheduler.phrases.words import (
    MONTH_NUMBERS,
    NUMBERS,
    SHORT_WEEKDAYS,
    SPOKEN_NUMBERS,
    UNITS,
    WEEKDAY_MASKS,
)
from scheduler.phrases.zones import find_zone, zone_of_place
from scheduler.wording import WEEKDAYS, join_words, say_ordinal

_UNIT = "|".join(sorted(UNITS, key=len, reverse=True))
_DAY = "|".join(sorted(WEEKDAY_MASKS, key=len, reverse=True))
_MONTH = "|".join(sorted(MONTH_NUMBERS, key=len, reverse=True))
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MOMENT = rf"{_DATE}(?:(?:T| at | )[0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?)?"
_JOINT = r"(?: ?- ?| (?:to|through|and) |, ?(?:and )?| ?& ?)"
_RANGE = "[0-9]{1,2} ?(?:-|to|through) ?[0-9]{1,2}"
_DAY_NUMBER = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_LIST = rf"(?<![0-9:.,-])[0-9]{{1,2}}(?:{_JOINT}[0-9]{{1,2}}(?![0-9:.-]))+"
_TENTHS = {"half": "5", "1/2": "5", "quarter": "25", "1/4": "25", "3 quarters": "75", "3/4": "75"}
_SINGLE_DAY = "|".join(WEEKDAYS)
_ZONE = r"[A-Za-z_]+(?:/[\w+-]+)+|UTC|GMT"


def as_spoken(text: str, today: date) -> str | None:
    """Return what `text` says as people speak, in our words and not tried yet; None where nothing is replaced."""
    said = plain = in_digits(text)
    said = in_digits(_CLOCK_IN_WORDS.sub(_clock_in_words, text))
    for pattern, say in _SAYINGS:
        said = pattern.sub(say, said)
    said = _with_next(said, today)
    said = re.sub(r"\b(?:on )?(?:the )?day after tomorrow\b", (today + timedelta(2)).isoformat(), said, flags=re.I)
    said = _with_zones(said)
    if said == plain:
        said = _NUMBER.sub(_unknown_digits, text)
    said = " ".join(said.split())
    return said if said != text else None


def in_digits(text: str) -> str:
    """Return `text` with each number in digits."""
    return _NUMBER.sub(_digits, text)


def is_beyond(text: str) -> bool:
    """Say whether `text` speaks of what no phrase can say, not even in other words."""
    return _BEYOND.search(text) is not None


def _digits(match: re.Match[str]) -> str:
    return str(SPOKEN_NUMBERS[match[1].lower().replace(" ", "-")])


def _unknown_digits(match: re.Match[str]) -> str:
    """Write a number in digits unless it is a word of the language."""
    return match[0] if match[0].lower() in NUMBERS else _digits(match)


def _decimal(match: re.Match[str]) -> str:
    return f"{match[1]}.{_TENTHS[match[2].lower()]} "


def _clock(match: re.Match[str]) -> str:
    """Say "half past 9" and "quarter to ten pm" as 9:30 and 9:45pm."""
    amount, beside, hour, half = match.groups()
    minutes = {"quarter": 15, "half": 30}.get(amount.lower()) or int(amount)
    before = beside.lower() in ("to", "before")
    hours = (int(hour) - 1) % (12 if half else 24) or 12 if before else int(hour)
    return f"{hours}:{60 - minutes if before else minutes:02}{(half or '').strip()}"


def _clock_in_words(match: re.Match[str]) -> str:
    """Say "ten to nine" as "10 to 9" with its minutes, so that it is no window from 10 to 9."""
    return f"{in_digits(match[1])} minutes to {in_digits(match[2])}{match[3] or ''}"


def _beside_noon(match: re.Match[str]) -> str:
    """Say "half past midnight" and "an hour before noon" as a time of day."""
    amount, beside, middle = (group.lower() for group in match.groups())
    minutes = {"quarter": 15, "half": 30, "an hour": 60, "1 hour": 60}.get(amount) or int(amount.split()[0])
    before = beside in ("to", "before")
    hour, minute = divmod(((0 if middle == "midnight" else 720) + (-minutes if before else minutes)) % 1440, 60)
    return f"{hour}:{minute:02}"


def _minute_of_hour(match: re.Match[str]) -> str:
    """Say "every hour at quarter to" and "every hour on the half hour" as a minute of the hour."""
    minutes = 30 if match[1].lower() == "half" else 15
    return f"hourly at :{60 - minutes if match[0].lower().endswith('to') else minutes}"


def _with_next(text: str, today: date) -> str:
    """Say a day of the next week or of the next month as its date."""

    def in_week(match: re.Match[str]) -> str:
        bit = SHORT_WEEKDAYS[(match[1] or match[2])[:3].lower()]
        return f"on {today + timedelta(7 - today.weekday() + bit)}"

    def in_month(match: re.Match[str]) -> str:
        year, month = divmod(today.month, 12)
        try:
            return f"on {date(today.year + year, month + 1, int(match[1] or match[2])).isoformat()}"
        except ValueError:
            return match[0]

    return _NEXT_MONTH.sub(in_month, _NEXT_WEEK.sub(in_week, text))


def _listed(match: re.Match[str]) -> str:
    return join_words(match[0].split())


def _numbers(text: str) -> list[int]:
    """Return the numbers of a list such as "1, 3-5 and 15"."""
    found: list[int] = []
    for link, number in re.findall(r"([^0-9]*)([0-9]+)", text):
        is_end = found and link.strip() in ("-", "to", "through")
        found.extend(range(found[-1] + 1, int(number) + 1) if is_end else [int(number)])
    return found


def _monthdays(match: re.Match[str]) -> str:
    """Say "days 1-5" and "1 and 15 of the month" with ordinals."""
    days = join_words([say_ordinal(number) for number in _numbers(match["days"])])
    behind = "" if re.search("month", match.string[: match.start()], re.IGNORECASE) else " of the month"
    return f"{days}{behind}" if behind else f"on the {days}"


def _dates(match: re.Match[str]) -> str:
    """Say "every 24-26 december" with the month first and each day by its number."""
    return f"every {match['month']} {join_words([str(number) for number in _numbers(match['days'])])}"


def _iso_date(match: re.Match[str]) -> str:
    year, month, day = match["year"], MONTH_NUMBERS[match["month"].lower()], int(match["day"])
    return f"{year}-{month:02}-{day:02}"


def _day_before(match: re.Match[str]) -> str:
    try:
        return f"until {(date.fromisoformat(match[1]) - timedelta(1)).isoformat()}"
    except (ValueError, OverflowError):
        return f"until {match[1]}"


def _office_hours(match: re.Match[str]) -> str:
    """Say "between 9 and 5" as what is meant by it: to the afternoon."""
    first, last = int(match[1]), int(match[2])
    closing = last + 12 if last <= first < 12 else last
    return f"between {first}:00 and {closing}:00"


def _moment(match: re.Match[str]) -> str:
    """Say seconds since 1970 as a moment."""
    return f"{datetime.fromtimestamp(int(match[0]), UTC):%Y-%m-%dT%H:%M:%SZ}"


def _with_zones(text: str) -> str:
    """Write names of places as the names of their zones, and a zone that stands before the rest behind it."""
    said = _PLACE.sub(lambda place: _zone_named(place[0]), text)
    said = re.sub(rf"({_ZONE}) time\b", r"\1", said, flags=re.IGNORECASE)
    said = _ZONE_NAMED.sub(" ", said)
    before = _ZONE_BEFORE.fullmatch(said)
    return f"{before[2]} {before[1]}" if before is not None and find_zone(before[1]) else said


def _zone_named(words: str) -> str:
    """Return words with those that name a place, the most of them that do, as the name of its zone."""
    parts = words.split(" ")
    for first in range(len(parts)):
        for last in range(min(len(parts), first + _MOST_WORDS), first, -1):
            name = zone_of_place(" ".join(parts[first:last]))
            if name is not None:
                return " ".join([*parts[:first], name, *parts[last:]])
    return words


_NUMBER = re.compile(
    rf"\b(?:an? )?({'|'.join(word.replace('-', '[- ]') for word in sorted(SPOKEN_NUMBERS, key=len, reverse=True))})"
    r"(?![\w-])",
    re.IGNORECASE,
)
_NEXT_WEEK = re.compile(
    rf"\b(?:on )?({_SINGLE_DAY}) (?:of )?next week\b|\bnext week,?(?: on)? ({_SINGLE_DAY})\b", re.IGNORECASE
)
_NEXT_MONTH = re.compile(
    r"\b(?:on )?(?:the )?([0-9]{1,2})(?:st|nd|rd|th) (?:of )?next month\b"
    r"|\bnext month,?(?: on)?(?: the)? ([0-9]{1,2})(?:st|nd|rd|th)\b",
    re.IGNORECASE,
)
_CLOCK_IN_WORDS = re.compile(
    r"\b(five|ten|twenty|twenty[- ]five) to (one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    rf"|1?[0-9](?![0-9:]))( ?[ap]m)?\b(?! ?(?:{_UNIT})\b)",
    re.IGNORECASE,
)
_MOST_WORDS = 4
"""No name of a zone has more."""
_ZONE_BEFORE = re.compile(rf"({_ZONE})(?:: ?| (?=[0-9*]))(.+)", re.IGNORECASE)
_ZONE_NAMED = re.compile(rf"(?:,| [-|/;])? (?:(?:tz|time ?zone|zone) ?[=:]?|[-|/;]) ?(?={_ZONE})", re.IGNORECASE)
"""What stands before a zone in "daily at 9am tz=Europe/Berlin" and "daily at 9am - Europe/Berlin"."""
_PLACE = re.compile(r"(?<![\w/])[A-Za-z][A-Za-z_/]*(?: [A-Za-z][A-Za-z_/]*)*")
_BEYOND = re.compile(
    "|".join(
        (
            r"\bpenultimate\b|\bsecond[- ]to[- ]last\b|\b[0-9]+(?:st|nd|rd|th)[- ](?:to[- ])?last\b|\blast but\b",
            r"\b(?:first|last) day of (?:the )?week\b|\b(?:even|odd) (?:weeks?|days?|months?)\b|\bweek [0-9]",
            r"\btimes every\b|\bat (?:least|most)\b|\bdawn\b|\bdusk\b|\bsunrise\b|\bsunset\b|\beaster\b|\bchristmas\b",
            rf"\b(?:{_DAY})\b[^:]*:[0-9][0-9].*\b(?:{_DAY})\b[^:]*:[0-9]",
            rf"\bfirst (?:[0-9]+|{'|'.join(NUMBERS)}) (?:\w*days)\b|\b(?:every|each) day [0-9]+ at\b",
        )
    ),
    re.IGNORECASE,
)
_SAYINGS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), say)
    for pattern, say in (
        (r"(?<!\S)([12][0-9]{3})([01][0-9])([0-3][0-9])(?!\S)", r"\1-\2-\3"),
        (r"^[12][0-9]{9}$", _moment),
        (rf"\b([0-9]+) and (?:a )?(half|quarter|3 quarters) (?={_UNIT}\b)", _decimal),
        (rf"\b([0-9]+) (?:and )?(1/2|1/4|3/4) (?={_UNIT}\b)", _decimal),
        (r"\b3 quarters of an hour\b", "45 minutes"),
        (r"\b(half|quarter)-hourly\b", r"every \1 hour"),
        (r"\b(half|quarter)-(?=hour\b)", r"\1 "),
        (rf"\bevery other ([0-9]+) (?={_UNIT}\b)", r"every \1 "),
        (r"\b([0-9]+)x (?=a|per|daily|hourly)", r"\1 times "),
        (r"\b(half|quarter) (past|after|to|before) ([0-9]{1,2})(?![0-9:]|st|nd|rd|th)( ?[ap]m)?", _clock),
        (r"\b([1-5]?[0-9])(?: minutes)? (past) ([0-9]{1,2})(?![0-9:]|st|nd|rd|th)( ?[ap]m)?", _clock),
        (r"\b([1-5]?[0-9]) minutes (to|before) ([0-9]{1,2})(?![0-9:]|st|nd|rd|th)( ?[ap]m)?", _clock),
        (r"(?<![0-9:-])(2[05]) (to) (1[0-2]|[1-9])( ?[ap]m)\b", _clock),
        (
            r"\b(half|quarter|an hour|1 hour|[1-5]?[0-9](?: minutes?)?) (past|after|to|before) (midnight|noon)\b",
            _beside_noon,
        ),
        (r"\b(?:hourly|every hour) (?:at|on)(?: the)? (half|quarter)(?: past| to| hour)\b", _minute_of_hour),
        (r"\b12 (midnight|noon)\b", r"\1"),
        (r"\bright now\b", "now"),
        (r"\bthis (morning|afternoon|evening|night)\b", r"today \1"),
        (r"\b(every .+?) from now(?: on)?\b", r"\1"),
        (rf"\b(?:this )?coming ({_SINGLE_DAY})\b", r"next \1"),
        (r"(?<!\S)m ?- ?f(?!\S)", "monday to friday"),
        (rf"\b({_DAY}) (?:until|till?) ({_DAY})\b", r"\1 to \2"),
        (rf"\b(?:between|from) ({_MONTH}) (?:and|to|through|until|till) ({_MONTH})\b(?! [0-9])", r"in \1 to \2"),
        (r"\bmonth-end\b", "month end"),
        (r"\b(every|each) day of the week\b", r"\1 day"),
        (r"\bmonthly on -1\b", "last day of the month"),
        (rf"\b(?:{_DAY})(?: (?:{_DAY}))+\b", _listed),
        (rf"\b(?:from|between) ({_MOMENT})(?: ?- ?| (?:to|and|through|until) )({_MOMENT})", r"from \1 until \2"),
        (rf"\b(?:ending|ends|to|through|up to|by|expiring)(?: on| at)? ({_MOMENT})", r"until \1"),
        (rf"\bbefore ({_DATE})(?! [0-9]|[0-9T])", _day_before),
        (rf"\b(?:since|as of|as from|effective)(?: from)? ({_MOMENT})", r"starting \1"),
        (rf"\b(.*(?:hourly|hours?|minutes?|seconds?)) on ({_DATE})(?![T0-9]| [0-9])", r"\1 starting \2 until \2"),
        (rf"\b(?:every |on )?(?P<month>{_MONTH}) {_DAY_NUMBER},? (?P<year>[12][0-9]{{3}})\b", _iso_date),
        (rf"\b(?:every |on )?{_DAY_NUMBER} (?:of )?(?P<month>{_MONTH}),? (?P<year>[12][0-9]{{3}})\b", _iso_date),
        (
            rf"\b(?:every )?(?P<month>{_MONTH}) (?P<days>[0-9]{{1,2}} ?(?:-|to|through) ?[0-9]{{1,2}})(?![0-9:-])",
            _dates,
        ),
        (rf"\b(?:every )?(?P<days>{_LIST}) (?:of )?(?P<month>{_MONTH})\b", _dates),
        (rf"\bevery (?P<days>[0-9]{{1,2}}) of (?P<month>{_MONTH})\b", _dates),
        (rf"\b(?:every|in) (?P<month>{_MONTH}) on (?:the )?(?P<days>[0-9]{{1,2}})(?:st|nd|rd|th)\b", _dates),
        (rf"(?:\b(?:on |the |every ))*\bdays (?P<days>{_LIST})(?: of (?:the|each|every) month\b)?", _monthdays),
        (rf"(?:\b(?:on |the |every ))*(?P<days>{_LIST}) of (?:the|each|every) month\b", _monthdays),
        (r"\b(?:between|from) ([0-9]{1,2}) (?:and|to) ([0-9]{1,2})(?![0-9:]| ?[ap]m)", _office_hours),
    )
)
