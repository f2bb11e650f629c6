"""Read weekdays in objects, by name; tell which were meant by numbers and by other words, if that is clear."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scheduler.likely_values import typo_of
from scheduler.wording import ALL_DAYS, WEEKDAYS, WEEKEND, WORKDAYS, write_weekdays

SHORT_NAMES = tuple(name[:3] for name in WEEKDAYS)
_BITS = {
    **{name: bit for bit, name in enumerate(WEEKDAYS)},
    **{name: bit for bit, name in enumerate(SHORT_NAMES)},
}
_SPOKEN_BITS = {
    **_BITS,
    **{f"{name}s": bit for bit, name in enumerate(WEEKDAYS)},
    **{name[:2]: bit for bit, name in enumerate(WEEKDAYS)},
    "tues": 1,
    "weds": 2,
    "thur": 3,
    "thurs": 3,
}
_SETS = {
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays", "business day", "business days"), WORKDAYS),
    **dict.fromkeys(("working day", "working days"), WORKDAYS),
    **dict.fromkeys(("weekend", "weekends"), WEEKEND),
    **dict.fromkeys(("*", "?", "all", "any", "day", "days", "daily", "everyday", "all days", "any day"), ALL_DAYS),
}
_NUMBER = re.compile("[0-9]+")
_BEFORE = re.compile("^(?:every|each|on) ")
_BETWEEN = re.compile(r" (?:to|through|thru|until) | ?(?:\.\.|–|-) ?")
_SEPARATORS = re.compile(r"[,;/|&+]| and ")
_BY_CRON, _BY_OTHERS = 6, 0
"""The bit of the day that is number 0: to cron it is sunday, to others monday."""


@dataclass(frozen=True, slots=True)
class NoWeekdays:
    """What is wrong with weekdays: `why`, said of a field, and what was `meant`, None where that is not clear."""

    why: str
    meant: str | None


def read_weekdays(value: object, path: str) -> list[int] | NoWeekdays:
    """Return the bits of weekdays in one text or a list: names and ranges of names, or `*` for all of them."""
    items = value if isinstance(value, list) else str(value).split(",") if isinstance(value, str) else [value]
    found: set[int] = set()
    wrong = []
    for item in items:
        days = _read_item(item)
        found.update(days)
        wrong += [] if days else [item]
    return _refused(value, wrong, path) if wrong or not found else sorted(found)


def _read_item(item: object) -> list[int]:
    """Return the weekdays of one name or range; none where it is neither."""
    words = [word.strip() for word in item.strip().lower().split("-")] if isinstance(item, str) else []
    if words == ["*"]:
        return list(range(7))
    if not 1 <= len(words) <= 2 or any(word not in _BITS for word in words):
        return []
    return _span(_BITS[words[0]], _BITS[words[-1]])


def _span(low: int, high: int) -> list[int]:
    return [(low + step) % 7 for step in range((high - low) % 7 + 1)]


def _refused(value: object, wrong: list[object], path: str) -> NoWeekdays:
    numbers = [str(item) for item in wrong if _holds_number(item)]
    if numbers:
        return NoWeekdays(_say_readings(value, numbers, path), _meant(value))
    meant = _meant(value)
    words = " and ".join(f"'{item}'" for item in wrong)
    verb = "are no weekdays" if len(wrong) > 1 else "is no weekday"
    what = f"{words} in '{path}' {verb}" if words else f"'{path}' names no weekday"
    hint = f"; did you mean '{meant}'?" if meant else ""
    return NoWeekdays(f"{what}: names such as mon, tue or mon-fri are accepted{hint}", meant)


def _say_readings(value: object, numbers: list[str], path: str) -> str:
    """Say what weekdays that are numbers may mean: libraries disagree on whether 0 is sunday or monday."""
    readings = {
        name: mask
        for name, first in (("cron counts from sunday", _BY_CRON), ("others count from monday", _BY_OTHERS))
        if (mask := _mask_of(value, first)) is not None
    }
    both = " or ".join(f"'{write_weekdays(mask)}' ({name})" for name, mask in readings.items())
    single = len(numbers) == 1 and numbers[0].strip().isdigit()
    what, verb = (f"the number{'' if single else 's'} {', '.join(numbers)}", "is" if single else "are")
    hint = f": write {both}" if both else ""
    return f"{what} in '{path}' {verb} not clear, names only{hint}"


def _holds_number(item: object) -> bool:
    return not isinstance(item, bool) and all(_NUMBER.fullmatch(word) for word in _BETWEEN.split(str(item).strip()))


def _meant(value: object) -> str | None:
    """Return weekdays as they should be written; None where it is not clear which are meant.

    Of two readings of numbers the one is meant that is a set of days which has a name, where the other is not.
    """
    masks = {mask for first in (_BY_CRON, _BY_OTHERS) if (mask := _mask_of(value, first)) is not None}
    if len(masks) > 1:
        masks &= {ALL_DAYS, WORKDAYS, WEEKEND}
    return write_weekdays(masks.pop()) if len(masks) == 1 else None


def _mask_of(value: object, first: int) -> int | None:
    """Return the mask of weekdays as people write them, the day at bit `first` being number 0; None: one is unclear."""
    found = 0
    for text in _texts(value):
        mask = _SETS.get(text) or _mask_of_text(text, first)
        if mask is None:
            return None
        found |= mask
    return found or None


def _texts(value: object) -> Iterator[str]:
    """Yield what stands for weekdays in a text or a list, one by one."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, bool) or not isinstance(item, str | int):
            yield ""
            continue
        for part in _SEPARATORS.split(" ".join(str(item).lower().split())):
            text = _BEFORE.sub("", part.strip(), count=1)
            yield from text.split() if all(word in _SPOKEN_BITS for word in text.split()) else [text]


def _mask_of_text(text: str, first: int) -> int | None:
    words = _BETWEEN.split(text)
    low, high = _bit_of(words[0], first), _bit_of(words[-1], first)
    if len(words) > 2 or low is None or high is None or (low == high and words[0] != words[-1]):
        return None
    return sum(1 << bit for bit in _span(low, high))


def _bit_of(word: str, first: int) -> int | None:
    if word.isascii() and word.isdigit():
        number = int(word[:9])
        return (number + first) % 7 if number <= (7 if first == _BY_CRON else 6) else None
    name = word if word in _SPOKEN_BITS else typo_of(word, WEEKDAYS)
    return None if name is None else _SPOKEN_BITS[name]
