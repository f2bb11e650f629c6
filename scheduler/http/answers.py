"""Write answers: JSON text, and the one shape of errors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from flask import Response

from scheduler.errors import (
    Conflict,
    InvalidRequest,
    LimitReached,
    NotAllowed,
    NotFound,
    Problem,
    SchedulerError,
    Unavailable,
)
from scheduler.http.auth import Unauthorized
from scheduler.http.examples import EXAMPLES

MIMETYPE = "application/json"

_BY_CODE = {
    "unauthorized": 401,
    "method_not_allowed": 405,
    "precondition_failed": 412,
    "body_too_large": 413,
    "unsupported_media_type": 415,
    "range_not_satisfiable": 416,
}
_BY_KIND = (
    (InvalidRequest, 400),
    (NotFound, 404),
    (Conflict, 409),
    (NotAllowed, 403),
    (LimitReached, 429),
    (Unavailable, 503),
)


class Joined:
    """The JSON array of values that are JSON text already, each given in pieces.

    `dump` puts the pieces into an answer as they are, and copies them once: they may be many megabytes.
    """

    def __init__(self, values: Iterable[Iterable[bytes | memoryview]]) -> None:
        self.pieces: list[bytes | memoryview] = [b"["]
        for value in values:
            self.pieces.extend(value)
            self.pieces.append(b",")
        if len(self.pieces) > 1:
            self.pieces.pop()
        self.pieces.append(b"]")


def dump(body: Mapping[str, Any]) -> bytes:
    """Return the JSON text of an answer, of which one value may be `Joined`."""
    for name, value in body.items():
        if isinstance(value, Joined):
            return _dump_around(body, name, value)
    return _dump(body)


def _dump_around(body: Mapping[str, Any], name: str, array: Joined) -> bytes:
    names = list(body)
    place = names.index(name)
    before, after = ({other: body[other] for other in some} for some in (names[:place], names[place + 1 :]))
    opening = _dump(before)[:-2] + b"," if before else b"{"
    closing = b"," + _dump(after)[1:] if after else b"}\n"
    return b"".join([opening, text(name), b":", *array.pieces, closing])


def _dump(body: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:
        return _odd_text(body) + b"\n"


def text(value: Any) -> bytes:
    """Return the JSON text of a part of an answer, to be kept.

    It is a copy: what orjson returns was cut from a longer buffer, and to keep many such gives the kernel so much to do
    that it takes five times as long.
    """
    try:
        return memoryview(orjson.dumps(value)).tobytes()
    except TypeError:
        return _odd_text(value)


def _odd_text(value: Any) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS)  # which would make all others slower
    except TypeError:
        # Half of a surrogate pair, or a number beyond 64 bits, that came in a text and is repeated.
        return json.dumps(value, default=str).encode()


def json_response(body: Mapping[str, Any], status: int = 200) -> Response:
    """Return an answer in JSON."""
    return Response(dump(body), status=status, mimetype=MIMETYPE)


def error_response(error: SchedulerError) -> Response:
    """Return the answer that tells of an error."""
    response = json_response(error_body(error), http_status(error))
    if seconds := retry_after(error):
        response.headers["Retry-After"] = seconds
    for challenge in error.challenges if isinstance(error, Unauthorized) else ():
        response.headers.add("WWW-Authenticate", challenge)
    if allowed := error.details.get("allowed_methods"):
        response.headers["Allow"] = ", ".join(allowed)
    return response


def retry_after(error: SchedulerError) -> str | None:
    """Return the seconds after which it is worth to ask again, or None where that is not known."""
    if isinstance(error, LimitReached) and error.retry_after is not None:
        return str(max(1, math.ceil(error.retry_after)))
    return "1" if isinstance(error, Unavailable) else None


def http_status(error: SchedulerError) -> int:
    """Return the HTTP number of an error."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((number for kind, number in _BY_KIND if isinstance(error, kind)), 500)


def error_body(error: SchedulerError) -> dict[str, Any]:
    """Return an error as the contract has it."""
    body: dict[str, Any] = {"status": "error", "code": error.code, "message": error.message}
    if isinstance(error, InvalidRequest):
        body["problems"] = [problem_body(problem) for problem in error.problems]
        body["example"] = error.example
    return body | {name: value for name, value in error.details.items() if value is not None}


def malformed(message: str) -> InvalidRequest:
    """Return the refusal of a request that is no proper HTTP, in the shape of all others."""
    problem = Problem("request", message, None, ["an HTTP/1.1 request with a JSON object"], code="invalid_request")
    return InvalidRequest([problem], EXAMPLES["status"])


def problem_body(problem: Problem) -> dict[str, Any]:
    """Return one problem as plain values."""
    return {
        "field": problem.field,
        "message": problem.message,
        "got": problem.got,
        "accepted": list(problem.accepted),
        "suggestion": problem.suggestion,
    }
