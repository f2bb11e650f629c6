"""Answer the route of a run's log: plain bytes, whole or in ranges, while the run goes on and after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flask import Request, Response
from pydantic import Field, model_validator
from werkzeug.http import parse_range_header

from scheduler.errors import Problem, ProblemFound, SchedulerError
from scheduler.http import requests
from scheduler.http.answers import error_response
from scheduler.http.rest.answer import Followed
from scheduler.http.rest.call import Call
from scheduler.run import Run
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import last_lines
from tasks.sandbox.output import Stream

MIMETYPE = "text/plain; charset=utf-8"


class RunQuery(requests.Request):
    """The id of a run."""

    run_id: requests.RunId


class LogQuery(requests.Request):
    """Which part of a run's log to read."""

    run_id: requests.RunId
    stream: Literal["stdout", "stderr", "both"] = Field("both", description="Which stream; both: one after the other.")
    tail: int | None = Field(None, ge=1, le=1_000_000, description="Only so many lines from the end of each stream.")
    follow: bool = Field(False, description="Go on until the run has ended; both streams as they come. Not with tail.")

    @model_validator(mode="after")
    def _follow_from_the_start(self) -> LogQuery:
        if self.follow and self.tail is not None:
            text = "'tail' reads the end, 'follow' all from the start: leave one out"
            raise ProblemFound(Problem("tail", text, self.tail, ["follow", "tail"]))
        return self


@dataclass(frozen=True, slots=True)
class Log:
    """What there is of a log. `fixed`: no byte of it will change, though more may follow; `ended`: none will follow."""

    data: bytes
    name: str
    tag: str | None
    fixed: bool
    ended: bool


def get_run_log(call: Call) -> Response | Followed:
    """Send what a run wrote, or follow what it writes."""

    def send(service: TaskScheduler, asked: LogQuery) -> Response | Followed:
        if asked.follow:
            return Followed(asked.run_id, asked.stream)
        log = _read(service, service.get_run(asked.run_id), asked)
        return _answer(call.request, log)

    return call.perform(send)


def _read(service: TaskScheduler, run: Run, asked: LogQuery) -> Log:
    names: tuple[Stream, ...] = ("stdout", "stderr") if asked.stream == "both" else (asked.stream,)
    parts = [service.read_log(run.run_id, name) for name in names]
    data = b"".join(part if asked.tail is None else last_lines(part, asked.tail) for part, _ in parts)
    ended = run.status.is_final
    fixed = ended or (len(names) == 1 and asked.tail is None and not parts[0][1])
    tag = f"{run.run_id}.{asked.stream}.{asked.tail or 'all'}.{len(data)}" if ended else None
    return Log(data, f"{run.run_id}.{asked.stream}.txt", tag, fixed, ended)


def _answer(request: Request, log: Log) -> Response:
    if log.tag and request.if_none_match.contains_weak(log.tag):
        return _response(log, b"", 304)
    span = _asked_range(request, log) if log.fixed else None
    if span is None:
        return _response(log, log.data)
    size = len(log.data)
    start, stop = span[0] if span[0] >= 0 else max(0, size + span[0]), min(span[1] or size, size)
    if start >= size:
        return _not_there(log)
    response = _response(log, log.data[start:stop], 206)
    response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size if log.ended else '*'}"
    return response


def _asked_range(request: Request, log: Log) -> tuple[int, int | None] | None:
    """Return the one range that is asked for, or None where all is to be sent: several ranges, or another unit."""
    found = parse_range_header(request.headers.get("Range"))
    if found is None or found.units != "bytes" or len(found.ranges) != 1:
        return None
    if "If-Range" in request.headers and (log.tag is None or request.headers["If-Range"] != f'"{log.tag}"'):
        return None
    start, stop = found.ranges[0]
    return start, stop


def _not_there(log: Log) -> Response:
    size = len(log.data)
    more = "" if log.ended else ", and more may follow: the run goes on"
    response = error_response(SchedulerError(f"The log has {size} bytes{more}.", code="range_not_satisfiable"))
    response.headers["Content-Range"] = f"bytes */{size}"
    return response


def _response(log: Log, data: bytes, status: int = 200) -> Response:
    response = Response(data, status=status, content_type=MIMETYPE)
    response.headers["Accept-Ranges"] = "bytes" if log.fixed else "none"
    response.headers["Content-Disposition"] = f'inline; filename="{log.name}"'
    # A run may write whatever it likes: no browser shall take it for a page.
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "no-cache" if log.ended else "no-store"
    if log.tag:
        response.headers["ETag"] = f'"{log.tag}"'
    return response
