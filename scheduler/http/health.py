"""Tell whoever restarts services, or sends them requests, how this process is."""

from __future__ import annotations

from typing import Any, Protocol

from flask import Flask, Request, Response, request

from scheduler.errors import InvalidRequest, Problem, nearest
from scheduler.http.answers import json_response
from scheduler.http.examples import EXAMPLES
from scheduler.http.guard import Guard
from scheduler.task_scheduler import TaskScheduler
from scheduler.version import VERSION

FORMATS = {"json": "application/json", "text": "text/plain"}


class Service(Protocol):
    """What the application has for every route."""

    def open(self) -> TaskScheduler:
        """Return the scheduler, opened."""

    @property
    def guard(self) -> Guard:
        """What decides who may ask."""


def register(app: Flask, service: Service) -> None:
    """Answer `GET /healthz` and `GET /readyz`, which anybody may ask under an allowed Host."""

    @app.get("/healthz", strict_slashes=False, provide_automatic_options=False)
    def healthz() -> Response:
        service.guard.check_host(request)
        return _answer(request, service.open().health())

    @app.get("/readyz", strict_slashes=False, provide_automatic_options=False)
    def readyz() -> Response:
        service.guard.check_host(request)
        reasons = service.open().readiness.reasons()
        return _answer(request, {"status": "not ready" if reasons else "ok", "reasons": reasons})


def _answer(asked: Request, health: dict[str, Any]) -> Response:
    status = 200 if health["status"] == "ok" else 503
    if _format(asked) == "json":
        return json_response(health | {"version": VERSION}, status)
    lines = [health["status"], *(f"- {reason}" for reason in health["reasons"])]
    return Response("".join(f"{line}\n" for line in lines), status=status, mimetype="text/plain")


def _format(asked: Request) -> str:
    given = asked.args.get("format")
    if given is None:
        preferred = asked.accept_mimetypes.best_match(FORMATS.values(), default=FORMATS["json"])
        return next(name for name, mimetype in FORMATS.items() if mimetype == preferred)
    if given not in FORMATS:
        text = f"'{given[:100]}' is no format of this answer"
        problem = Problem("format", text, given[:100], list(FORMATS), nearest(given, FORMATS))
        raise InvalidRequest([problem], EXAMPLES["status"])
    return given
