"""Recognise how others write when something runs, to offer the same in our words.

ISO 8601 durations (`PT15M`), Amazon EventBridge (`rate(5 minutes)`, `cron(0 2 * * ? *)`), Quartz (`0 0 2 * * ?`), times
of systemd (`*-*-* 02:00:00`), Go (`@every 1h30m`), crontabs (`CRON_TZ=Asia/Tokyo 0 9 * * *`), milliseconds, and
other words for ours ("business day", "half past every hour").
"""

from __future__ import annotations

import re
from collections.abc import Callable

from scheduler.cron import MACROS
from scheduler.phrases.left_out import say_what_is_left
from scheduler.phrases.words import VOCABULARY
from scheduler.wording import MONTHS, say_ordinal

_MINUTES = "[1-5]?[0-9](?: minutes?)?"
_BESIDE = "(past|after|to|before)"
_UNITS = ("week", "day", "hour", "minute", "second")
_ISO_UNITS = ("year", "month", *_UNITS)
UNSAYABLE = ""
"""What is recognised, but said by no phrase: then nothing is offered."""


def in_our_words(text: str) -> str | None:
    """Return the phrase that means what `text` means elsewhere, not tried yet; None where nothing is recognised.

    UNSAYABLE: it is recognised, and no phrase means the same.
    """
    for pattern, say in _SPELLINGS:
        match = pattern.fullmatch(text)
        if match is not None:
            return say(match)
    return say_what_is_left(text)


def _rate(match: re.Match[str]) -> str:
    return f"every {match[1]} {match[2]}"


def _event_cron(match: re.Match[str]) -> str | None:
    fields = match[1].split()
    if len(fields) == 5:
        return " ".join(fields)
    return _unix(fields[:5]) if len(fields) == 6 and fields[5] in ("*", "?") else UNSAYABLE


def _quartz(match: re.Match[str]) -> str | None:
    fields = match[0].split()
    if "?" not in fields:
        return None  # other programs that begin with seconds count weekdays otherwise
    return _unix(fields[1:6]) if len(fields) < 7 or fields[6] in ("*", "?") else None


def _unix(fields: list[str]) -> str:
    """Write fields of a dialect that has `?` and counts weekdays from 1 as cron does, which counts them from 0."""
    plain = ["*" if field == "?" else field for field in fields]
    plain[4] = re.sub(r"(?<![#/\d])[1-7](?!\d)", lambda number: str(int(number[0]) - 1), plain[4])
    return " ".join(plain)


def _go_interval(match: re.Match[str]) -> str:
    parts = re.findall(r"([0-9]+)([dhms])(?![a-z])", match[1].lower())
    whole = "".join(f"{number}{letter}" for number, letter in parts) == match[1].lower()
    units = {unit[0]: unit for unit in _UNITS}
    said = " ".join(_counted(int(number), units[letter]) for number, letter in parts)
    return f"every {said if whole else match[1]}"


def _zone_before(match: re.Match[str]) -> str:
    return f"{match[2]} {match[1]}"


def _duration(match: re.Match[str]) -> str | None:
    amounts = [(number, unit) for number, unit in zip(match.groups(), _ISO_UNITS, strict=True) if number]
    said = [_counted(int(n), unit) if n.isdigit() else f"{n.replace(',', '.')} {unit}s" for n, unit in amounts]
    return f"every {' '.join(said)}" if said else None


def _calendar_time(match: re.Match[str]) -> str:
    """Say "Mon..Fri *-*-* 09:00" and "*-*-01 00:00" of systemd."""
    days, month, day, clock = match.groups()
    if days:
        return f"every {days.replace('..', ' to ')} at {clock}" if (month, day) == ("*", "*") else UNSAYABLE
    if month == "*":
        return f"daily at {clock}" if day == "*" else f"{say_ordinal(int(day))} of the month at {clock}"
    if not 1 <= int(month) <= 12:
        return UNSAYABLE
    name = MONTHS[int(month) - 1]
    return f"every day in {name} at {clock}" if day == "*" else f"every {name} {int(day)} at {clock}"


def _calendar_steps(match: re.Match[str]) -> str:
    """Say "*:0/15" of systemd, minutes of each hour, as cron does."""
    first, step = match.groups()
    return f"{int(first)}/{step} * * * *" if step else f"hourly at :{first}"


def _macro(match: re.Match[str]) -> str | None:
    """Say "@daily at 9:00" and "@monday" without the mark."""
    word, behind = match.groups()
    kind, _ = VOCABULARY.get(word.lower(), ("", None))
    said = {"frequency": "", "weekday": "every ", "time": "daily at "}.get(kind)
    return None if said is None or (f"@{word.lower()}" in MACROS and not behind) else f"{said}{word}{behind}"


def _macro_apart(match: re.Match[str]) -> str:
    return f"@{match[1]}"


def _milliseconds(match: re.Match[str]) -> str:
    return f"every {_counted(max(1, int(match[1]) // 1000), 'second')}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _minutes_beside(match: re.Match[str]) -> int:
    """Return the minutes that "quarter past" or "10 minutes before" means; negative before the hour."""
    amount = match[1].lower().split()[0]
    minutes = {"quarter": 15, "half": 30}.get(amount) or int(amount)
    return -minutes if match[2].lower() in ("to", "before") else minutes


def _minute_past(match: re.Match[str]) -> str:
    """Say "quarter past every hour" and "10 minutes before the hour" as a minute of the hour."""
    return f"hourly at :{_minutes_beside(match) % 60:02}"


def _weekdays(match: re.Match[str]) -> str:
    """Say "business days" and "week days" as weekdays."""
    before, kind, plural, behind = match.groups()
    return f"{before}{'weekend' if kind.lower().endswith('end') else 'weekday'}{plural}{behind}"


def _minute_of_day(match: re.Match[str]) -> str:
    """Say "5 minutes after midnight" as a time of day."""
    hour, minute = divmod((_minutes_beside(match) + (720 if match[3].lower() == "noon" else 0)) % 1440, 60)
    return f"daily at {hour:02}:{minute:02}"


def _fortnights(match: re.Match[str]) -> str:
    before, link, number, behind = match.groups()
    word = "in" if link.lower() == "in" else "every"
    return f"{before}{word} {2 * int(number or 1)} weeks{behind}"


def _couple(match: re.Match[str]) -> str:
    return f"{match[1]}2{match[2]}"


def _amounts(letters: str) -> str:
    """Return the pattern of a number for each of these letters, which all may be missing."""
    return "".join(f"(?:([0-9]+(?:[.,][0-9]+)?){letter})?" for letter in letters)


_SPELLINGS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str | None]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), say)
    for pattern, say in (
        (r"rate\( *([0-9]+) *([a-z]+) *\)", _rate),
        (r"cron\( *(.{9,60}?) *\)", _event_cron),
        (r"0 [0-9*/,-]+(?: [0-9A-Z*?/,L#-]+){4,5}", _quartz),
        (rf"P(?=.){_amounts('YMWD')}(?:T{_amounts('HMS')})?", _duration),
        (r"(?:([a-z]{3,}(?:(?:,|\.\.)[a-z]{3,})*) )?\*-(\*|[01]?[0-9])-(\*|[0-3]?[0-9]) ([0-9:]+)", _calendar_time),
        (r"\*:([0-9]{1,2})(?:/([0-9]+))?(?::00)?", _calendar_steps),
        (r"every ([0-9]+) ?(?:ms|msecs?|millis|milliseconds?)", _milliseconds),
        (r"@every (.+)", _go_interval),
        (r"@ ([a-z].*)", _macro_apart),
        (r"@([a-z]+)((?: (?!starting|until|in)[a-z0-9:].*)?)", _macro),
        (r"(?:CRON_)?TZ=([\w/+-]+) (.+)", _zone_before),
        (rf"(?:at )?(?:a )?(quarter|half|{_MINUTES}) {_BESIDE} (?:every |each |the )?hour", _minute_past),
        (r"(.*\b)(?<![0-9] )((?:business|working) ?day|week day|workday|week end)(s?)\b(.*)", _weekdays),
        (rf"(?:at |daily at )?({_MINUTES}) {_BESIDE} (midnight|noon)(?: daily| every day)?", _minute_of_day),
        (r"(.*\b|)(every|in|once every|once) (?:a |([0-9]+) )?fortnights?\b(.*)", _fortnights),
        (r"(.*\b(?:every|in) )(?:a )?couple(?: of)?\b(.*)", _couple),
    )
)
