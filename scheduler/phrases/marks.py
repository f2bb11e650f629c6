"""Take off what stands around a phrase and is no part of it: quotes, brackets, Markdown, a name such as "cron:"."""

from __future__ import annotations

import json
import re

_QUOTES = "\"'`"
_BRACKETS = {"(": ")", "[": "]", "{": "}", "<": ">"}
_EMPHASIS = re.compile(r"([*_~]{1,3})([a-z0-9@*].*[a-z0-9)*])\1", re.IGNORECASE)
_NAMES = r"(?:cron(?:tab)?|schedule|interval|phrase|expression|when)(?: (?:expression|schedule|string|phrase|line))?"
_NAMED = re.compile(rf"{_NAMES} ?[:=] ?(.+)|cron(?:tab)?(?: expression)? (?=[0-9*])(.+)", re.IGNORECASE)
_CALL = re.compile(rf"{_NAMES} ?\( ?([\"'`])(.+)\1 ?\)", re.IGNORECASE)
_COMMENT = re.compile(r"([0-9*]\S*(?: \S+){4}) #.*")
_ZONE_KEYS = {"timezone", "time_zone", "tz", "zone"}
_PHRASE_KEYS = {"cron", "expression", "interval", "phrase", "schedule", "when"}


def without_marks(text: str) -> str:
    """Return the phrase that stands inside the marks of `text`; `text` itself where there are none."""
    found = text
    while True:
        inner = _inner(found).strip()
        if inner in ("", found):
            return found
        found = inner


def _inner(text: str) -> str:
    """Return `text` without its outermost marks."""
    for pattern, group in ((_EMPHASIS, 2), (_CALL, 2), (_COMMENT, 1)):
        match = pattern.fullmatch(text)
        if match is not None:
            return match[group]
    named = _NAMED.fullmatch(text)
    if named is not None:
        return named[1] or named[2]
    if text.startswith("{"):
        return _from_json(text)
    closing = _BRACKETS.get(text[0])
    if closing and text[-1] == closing and not set(text[1:-1]) & {text[0], closing}:
        return text[1:-1]
    return text.strip(f"{_QUOTES} ").rstrip("; ")


def _from_json(text: str) -> str:
    """Return the phrase, and behind it the zone, of an object such as {"cron": "0 9 * * *"}."""
    try:
        found = json.loads(text)
    except ValueError:
        return text[1:-1] if text[-1] == "}" and '"' not in text else text
    values = {key.lower(): value for key, value in found.items() if isinstance(value, str)}
    phrases = [value for key, value in values.items() if key in _PHRASE_KEYS]
    zones = [value for key, value in values.items() if key in _ZONE_KEYS]
    whole = len(phrases) == 1 and len(zones) <= 1 and len(found) == 1 + len(zones)
    return " ".join([*phrases, *zones]) if whole else text
