"""Tell which value of a field was meant by one that is not accepted; None where that is not clear. Pure.

What is told means the same as what came, and is accepted: a number out of range is not cut down to the range, and no
item of a list is lost.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import time

from scheduler.cron import HOUR, MONTH, Field
from scheduler.slips import distance
from scheduler.wording import MONTHS, WEEKDAYS

_NUMBER = re.compile(r"[0-9]{1,9}(?:\.0+)?")
_CLOCK = re.compile(r"(?:at )?([0-9]{1,2})(?:[:.h]([0-9]{2})(?::([0-9]{2}))?)? ?(?:([ap])\.?m\.?|h)?")
_NAMED_TIMES = {"noon": time(12), "midday": time(12), "midnight": time(0)}
_SEPARATORS = re.compile(r",| and | ?[;&] ?")
_BETWEEN = re.compile(r" (?:to|through|thru|until) | ?[-–] ?")
_STEP = re.compile(r"(?:every|each|\*/) ?([0-9]{1,2})(?:st|nd|rd|th)?(?: ([a-z]+?)s?)?")
_DAY_NUMBER = re.compile("([0-9]{1,2})(?:st|nd|rd|th)")
_ORDINALS = {"first": "1st", "second": "2nd", "third": "3rd", "fourth": "4th", "fifth": "5th"}
_NTH_DAY = re.compile(f"({'|'.join(_ORDINALS)}|last|[1-5](?:st|nd|rd|th)) ([a-z]+?)s?")


def typo_of(word: str, known: Iterable[str]) -> str | None:
    """Return the known word of which `word` is a misspelling; of two as near, the one with its first letter.

    Two letters may be wrong, of a short word one, and one where the first is another: more make another word of it.
    """
    ranked = sorted((distance(word, other), word[0] != other[0], other) for other in known) if word.isalpha() else []
    near = [entry for entry in ranked if entry[:2] == ranked[0][:2]]
    if len(near) != 1:
        return None
    typos, begins_otherwise, other = near[0]
    most = 2 if len(word) >= 5 and not begins_otherwise else 1 if len(word) >= 3 else 0
    return other if typos <= most else None


def likely_number(value: object, low: int, high: int) -> int | None:
    """Return the whole number between the bounds that a text or a float stands for."""
    if isinstance(value, float):
        value = str(value)
    if not isinstance(value, str) or _NUMBER.fullmatch(value.strip()) is None:
        return None
    number = int(float(value))
    return number if low <= number <= high else None


def likely_clock(value: object) -> time | None:
    """Return the time of day that a text names: "09:00", "9pm", "14h30", "noon"."""
    text = " ".join(value.lower().split()) if isinstance(value, str) else ""
    if text in _NAMED_TIMES:
        return _NAMED_TIMES[text]
    match = _CLOCK.fullmatch(text)
    if match is None or text.isdigit():
        return None
    hour, half = int(match[1]), match[4]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, int(match[2] or 0), int(match[3] or 0))
    except ValueError:
        return None


def likely_hour(value: object) -> int | None:
    """Return the whole hour that a value stands for: "9am", "09:00", "9"."""
    clock = likely_clock(value)
    if clock is None:
        return likely_number(value, 0, 23)
    return clock.hour if clock == time(clock.hour) else None


def likely_items(value: object, taken: Field, takes: Callable[[str], bool]) -> str | int | None:
    """Return the text or number that a value of a cron field stands for; `takes` says which texts it takes."""
    items = value if isinstance(value, list) else _SEPARATORS.split(value) if isinstance(value, str) else [value]
    found = [_likely_item(item, taken, takes) for item in items]
    text = ",".join(item for item in found if item)
    if not text or None in found or not takes(text):
        return None
    return int(text) if text.isdigit() else text


def _likely_item(item: object, taken: Field, takes: Callable[[str], bool]) -> str | None:
    if isinstance(item, bool) or not isinstance(item, str | int | float):
        return None
    text = " ".join(str(item).lower().split())
    if takes(text):
        return text
    ends = _BETWEEN.split(text)
    said = _said(text, taken) if len(ends) == 1 else _said_range(ends, taken)
    return said if said is not None and takes(said) else None


def _said(text: str, taken: Field) -> str | None:
    """Return what one item says in words."""
    if text in ("?", "any", "all", "every", f"every {taken.name}", f"any {taken.name}"):
        return "*"
    if (step := _STEP.fullmatch(text)) is not None:
        return _every(int(step[1]), step[2], taken)
    if taken is HOUR:
        hour = likely_hour(text)
        return None if hour is None else str(hour)
    if text in taken.names:
        return text
    if taken is MONTH and text.isalpha():
        name = typo_of(text, MONTHS) or text.removesuffix("s")
        return name[:3] if name in MONTHS else None
    if taken.name == "day" and (day := _day_in_words(text)) is not None:
        return day
    number = likely_number(text, taken.low, taken.high)
    return None if number is None else str(number)


def _every(step: int, unit: str | None, taken: Field) -> str | None:
    """Return a step that comes as evenly as people say it: other ones begin anew with each hour or day."""
    size = {"minute": 60, "second": 60, "hour": 24}.get(taken.name, 0)
    same_unit = unit is None or taken.name.startswith(unit)
    return f"*/{step}" if same_unit and step and size and size % step == 0 else None


def _day_in_words(text: str) -> str | None:
    if text in ("l", "last day", "last day of month", "last day of the month", "end of month", "end of the month"):
        return "last"
    if (number := _DAY_NUMBER.fullmatch(text)) is not None:
        return number[1]
    nth = _NTH_DAY.fullmatch(text)
    names = [name for name in WEEKDAYS if nth is not None and nth[2] in (name, name[:3])]
    return f"{_ORDINALS.get(nth[1], nth[1])} {names[0][:3]}" if nth is not None and names else None


def _said_range(ends: list[str], taken: Field) -> str | None:
    """Return a range of two items, one that begins anew behind the highest value as two."""
    low, high = _said(ends[0], taken), _said(ends[-1], taken)
    if len(ends) != 2 or low is None or high is None:
        return None
    first, last = (taken.names.get(end, int(end) if end.isdigit() else -1) for end in (low, high))
    if min(first, last) < 0:
        return None
    if first <= last:
        return f"{low}-{high}"
    if taken is HOUR and first < 12 and ends[-1].isdigit():
        return None  # of two hours, "9-5" may mean the afternoon
    return f"{first}-{taken.high},{taken.low}-{last}" if taken.name in ("hour", "minute", "second", "month") else None
