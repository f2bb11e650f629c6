"""Check what is sent as a phrase: a text, short, and in plain characters; and write it in such where it is not."""

from __future__ import annotations

import unicodedata
from typing import NoReturn

from scheduler.errors import InvalidRequest, Problem, shorten

LONGEST_PHRASE = 500
EXAMPLES = ("every 5 minutes", "daily at 10:30", "monday at 09:00", "0 2 * * * (cron)", "2026-12-24T18:00")
"""What is told to be accepted where nothing better is known."""


def read_text(phrase: object, field: str) -> str:
    """Return the phrase without blanks around it and a final dot; raise InvalidRequest if it is no short text."""
    if not isinstance(phrase, str):
        _refuse(phrase, field, f"'{field}' takes a text such as 'every 5 minutes', not {_kind(phrase)}")
    if len(phrase) > LONGEST_PHRASE:
        _refuse(phrase, field, f"'{field}' is {len(phrase)} characters long; at most {LONGEST_PHRASE} are accepted")
    text = _trimmed(phrase) if phrase.isascii() else phrase
    if not text.strip():
        _refuse(phrase, field, f"'{field}' is empty: say when, such as 'every 5 minutes'")
    control = next((char for char in text if char.isascii() and not char.isprintable() and not char.isspace()), None)
    if control is not None:
        _refuse(phrase, field, f"'{field}' holds the control character {control!r}")
    return text


def in_plain_characters(text: str) -> str:
    """Return `text` in ASCII; empty where a letter of it cannot be written so, since its word would be another one."""
    if text.isascii():
        return text
    plain = [_plain(char) for char in text]
    if any(not found and char.isalnum() for char, found in zip(text, plain, strict=True)):
        return ""
    return _trimmed("".join(plain))[:LONGEST_PHRASE]


def refuse_character(phrase: str, field: str, found: list[str]) -> InvalidRequest:
    """Return the refusal of a phrase with a character that is not ASCII; `found` is what to write instead."""
    char = next(char for char in phrase if not char.isascii())
    what = "digit" if char.isdigit() else "character"
    message = (
        f"'{field}' holds the {what} '{char}' (U+{ord(char):04X}): only plain letters a-z and digits 0-9 are accepted"
    )
    if not found:
        return InvalidRequest([_problem(phrase, field, message)])
    return InvalidRequest([_problem(phrase, field, f"{message}. Example: '{found[0]}'", found[0])])


def _trimmed(phrase: str) -> str:
    return " ".join(phrase.split()).removesuffix(".").rstrip()


def _refuse(phrase: object, field: str, message: str) -> NoReturn:
    raise InvalidRequest([_problem(phrase, field, message)])


def _problem(phrase: object, field: str, message: str, suggestion: str | None = None) -> Problem:
    return Problem(field, message, shorten(phrase), list(EXAMPLES), suggestion, code="invalid_interval")


def _plain(char: str) -> str:
    """Return a character in ASCII: a fraction as "1/2", a sign that says nothing as a blank."""
    if char.isascii():
        return char
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    kind = unicodedata.category(char)
    if kind == "Pd":
        return "-"
    plain = unicodedata.normalize("NFKD", char).replace("\N{FRACTION SLASH}", "/").encode("ascii", "ignore").decode()
    if kind == "No":
        return f" {plain}" if plain else ""
    return plain or ("" if char.isalnum() or kind == "Mn" else " ")


def _kind(value: object) -> str:
    names = {type(None): "null", bool: "true or false", list: "a list", dict: "an object"}
    return names.get(type(value)) or ("a number" if isinstance(value, int | float) else type(value).__name__)
