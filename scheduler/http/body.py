"""Read a body: one JSON value in UTF-8, no name twice in an object, and not nested without end."""

from __future__ import annotations

import json
from typing import Any

import orjson

from scheduler.errors import InvalidRequest, Problem, shorten
from scheduler.http.examples import EXAMPLES

MOST_DEEP = 64
MAYBE_LONG = 20
"""From how many characters on an integer may have more than 64 bits."""


def parse_body(body: bytes) -> object:
    """Return what the body says; raise `InvalidRequest` where it is no JSON that has one meaning."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise invalid_json(f"the body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}") from error
    if not text.strip():
        raise invalid_json("the body is empty: send one JSON object")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid_json(f"the body is no JSON: {error}", text) from error
    if body.count(b"[") + body.count(b"{") > MOST_DEEP and _is_deep(value):
        raise invalid_json(f"the body is nested more than {MOST_DEEP} levels deep", text)
    twins, long_numbers = _beside(text)
    if twins:
        names = ", ".join(f"'{shorten(name, 60)}'" for name in twins[:10])
        raise invalid_json(f"an object of the body has a name twice, so that one value would be lost: {names}", text)
    # The fast parser makes them less exact, silently: as they are, who takes the value says what is wrong with them.
    return json.loads(text) if long_numbers else value


def invalid_json(message: str, got: object = None) -> InvalidRequest:
    """Return the refusal of a body that is no JSON object."""
    problem = Problem("body", message, shorten(got), ["one JSON object, in UTF-8"], code="invalid_json")
    return InvalidRequest([problem], EXAMPLES["status"])


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MOST_DEEP + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _beside(text: str) -> tuple[list[str], bool]:
    """Return the names that an object has more than once, and whether an integer has more than 64 bits.

    That is what the fast parser does not tell.
    """
    twins: list[str] = []
    long_numbers = False

    def see(pairs: list[tuple[str, Any]]) -> None:
        if len(pairs) != len({name for name, _ in pairs}):
            seen: set[str] = set()
            twins.extend(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]

    def measure(digits: str) -> None:
        nonlocal long_numbers
        if len(digits) >= MAYBE_LONG:
            long_numbers = long_numbers or not -(2**63) <= int(digits) < 2**64

    json.loads(text, object_pairs_hook=see, parse_int=measure)
    return twins, long_numbers
