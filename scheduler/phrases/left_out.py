"""Know the words that leave something out, and say the weekdays that are left ("daily at 9:00 except monday").

No phrase has such a word. Without it the rest says the opposite, so nothing is offered where the days that are left
cannot be said.
"""

from __future__ import annotations

import re

from scheduler.phrases.words import NEGATIONS, WEEKDAY_MASKS
from scheduler.wording import ALL_DAYS, WEEKDAYS, say_weekdays

_WORD = rf"\b(?:{'|'.join(NEGATIONS)})\b"
_DAY = "|".join(sorted(WEEKDAY_MASKS, key=len, reverse=True))
_RANGE = rf"(?:{_DAY})(?: ?- ?(?:{_DAY})| (?:to|through|thru) (?:{_DAY}))?"
_DAYS = rf"{_RANGE}(?:(?:, ?and |, ?or |, ?| and | or | ?& ?| )(?:on )?{_RANGE})*"
_NEGATION = re.compile(_WORD, re.IGNORECASE)
_CLAUSE = re.compile(rf",? ?{_WORD},? ?(?:for |on )?({_DAYS})\b,?", re.IGNORECASE)
_WHOLE = re.compile(rf"\b(?:(?:every|each) day|daily|^days|(?:(?:every|each|on) )?({_DAYS}))\b", re.IGNORECASE)
_STEP = re.compile(
    r"\b(?:hourly|(?:every|each) (?:\w+ ?)??(?:h|hrs?|hours?|m|mins?|minutes?|s|secs?|seconds?))\b", re.IGNORECASE
)

_SINGLE = {1 << bit for bit in range(len(WEEKDAYS))}


def leaves_out(text: str) -> bool:
    """Say whether a word of `text` leaves something out, or turns what follows into its opposite."""
    return _NEGATION.search(text) is not None


def say_what_is_left(text: str) -> str | None:
    """Return the phrase with the weekdays that are left where others are left out; None where that cannot be said."""
    clause = _CLAUSE.search(text)
    if clause is None:
        return None
    rest = " ".join(f"{text[: clause.start()]} {text[clause.end() :]}".split())
    whole, step = _WHOLE.search(rest), _STEP.search(rest)
    if leaves_out(rest) or (whole is None and step is None):
        return None
    left = (_mask(whole[1]) if whole is not None and whole[1] else ALL_DAYS) & ~_mask(clause[1])
    if not left:
        return None
    start, end = whole.span() if whole is not None else (len(rest), len(rest))
    link = "on" if re.search("every|each|hourly|weekly", rest[:start], re.IGNORECASE) else "every"
    return " ".join(f"{rest[:start]} {link} {_say(left)} {rest[end:]}".split())


def _mask(days: str) -> int:
    """Return the mask of weekdays and ranges of them, however they are joined."""
    mask = 0
    for names in re.findall(_RANGE, days.lower()):
        ends = [WEEKDAY_MASKS[name] for name in re.findall(_DAY, names)]
        day = ends[0]
        mask |= day
        while len(ends) > 1 and day != ends[1] and ends[0] in _SINGLE and ends[1] in _SINGLE:
            day = day << 1 if day < 1 << 6 else 1
            mask |= day
    return mask


def _say(mask: int) -> str:
    """Say weekdays, those in a row as a range."""
    days = [name for bit, name in enumerate(WEEKDAYS) if mask >> bit & 1]
    first, last = WEEKDAYS.index(days[0]), WEEKDAYS.index(days[-1])
    return f"{days[0]} to {days[-1]}" if last - first == len(days) - 1 > 1 else say_weekdays(mask)
