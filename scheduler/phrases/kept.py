"""Say whether a mended phrase keeps what the one before it said: days, times, dates, its zone, whether it is once."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from scheduler.phrases.spoken import in_digits
from scheduler.phrases.words import VOCABULARY
from scheduler.phrases.zones import ABBREVIATIONS, find_zone, is_city

_WORD = re.compile(r"(?<![a-z0-9])[a-z]+(?:[/_+-][a-z0-9_]+)*(?![a-z0-9])")
_OFFSET = re.compile(r"[0-9](?:z|[+-][0-9]{2}:?[0-9]{2})(?![a-z0-9:])")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile("[0-9]+(?:[:.,/-][0-9]+)*")
_UTC = ("utc", "gmt")
_ONCE = ("once", "today", "tomorrow", "tonight", "next")


class _Said(NamedTuple):
    """What a phrase says, however it is put."""

    weekdays: int
    months: frozenset[int]
    daytimes: frozenset[str]
    others: int
    dates: int
    numbers: int
    once: bool
    zone: bool
    unknown: bool


def keeps(text: str, before: str) -> bool:
    """Say whether `text` says all that `before` does; a number or a word may be another one, where it was wrong."""
    new, old = _what_is_said(text), _what_is_said(before)
    if new.numbers + new.dates < old.numbers + old.dates or (old.zone and not (new.zone or says_offset(text))):
        return False
    if (old.once and not new.once and new.dates <= old.dates) or not old.daytimes <= new.daytimes:
        return False
    if new.dates > old.dates:
        return True  # a date says the weekday, the month and the end that a word named
    is_counted = new.others >= old.others or new.numbers > old.numbers
    return is_counted and new.dates == old.dates and not old.weekdays & ~new.weekdays and old.months <= new.months


def is_known(text: str) -> bool:
    """Say whether each word of `text` is one of the language or a zone."""
    return not _what_is_said(text).unknown


def says_offset(text: str) -> bool:
    """Say whether a time of `text` has an offset from UTC, as in "18:00Z"."""
    return _OFFSET.search(text.lower()) is not None


def names_zone(text: str) -> bool:
    """Say whether `text` names a zone."""
    return _what_is_said(text).zone


@lru_cache(maxsize=64)
def _what_is_said(text: str) -> _Said:
    plain = in_digits(text.lower())
    words = _WORD.findall(plain)
    known = [VOCABULARY[word] for word in words if word in VOCABULARY]
    weekdays = 0
    for kind, value in known:
        if kind == "weekday" and isinstance(value, int):
            weekdays |= value
    dates = len(_DATE.findall(plain))
    return _Said(
        weekdays=weekdays,
        months=frozenset(value for kind, value in known if kind == "month" and isinstance(value, int)),
        daytimes=frozenset(str(value) for kind, value in known if kind == "daytime"),
        others=sum(kind == "other" for kind, _ in known),
        dates=dates,
        numbers=len(_NUMBER.findall(plain)) - dates,
        once=any(kind in _ONCE for kind, _ in known),
        zone=any(_is_zone(word) for word in words),
        unknown=any(word not in VOCABULARY and not _is_zone(word) for word in words),
    )


def _is_zone(word: str) -> bool:
    """Say whether a word (lower case) names a zone, be it ambiguous or by a city."""
    return word in ABBREVIATIONS or is_city(word) or ("/" in word and find_zone(word) is not None) or word in _UTC
