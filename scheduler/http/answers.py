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


def dump(body: Mapping[str, Any]) -> bytes:
    """Return the JSON text of an answer."""
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


def joined(texts: Iterable[bytes]) -> orjson.Fragment:
    """Return the JSON array of values that are JSON text already, to stand in an answer as it is."""
    found = list(texts) or [b""]
    found[0] = b"[" + found[0]  # here, rather than by copying what may be many megabytes
    found[-1] += b"]"
    return orjson.Fragment(b",".join(found))


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
