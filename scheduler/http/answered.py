"""Notice what each request is answered, at once or later by whoever took its socket: count it, and tell its trace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from flask import Flask, Request, Response, request

from scheduler.http.handoff import Handoff
from scheduler.task_scheduler import TaskScheduler
from scheduler.tracing import Span

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SPAN = "task-scheduler.span"


class Service(Protocol):
    """What the application has for whoever looks at any route."""

    handoff: Handoff

    @property
    def opened(self) -> TaskScheduler | None:
        """The scheduler, where it was opened already."""


def register(app: Flask, service: Service) -> None:
    """Notice every request of the application."""

    @app.before_request
    def begin() -> None:
        scheduler = service.opened
        if scheduler is not None and (span := _begin(scheduler, request)) is not None:
            request.environ[_SPAN] = span
            span.enter()

    @app.after_request
    def at_once(response: Response) -> Response:
        noticed(request)(response.status_code)
        return response

    @app.teardown_request
    def leave(_: BaseException | None) -> None:
        if (span := request.environ.get(_SPAN)) is not None:
            span.leave()

    def noticed(asked: Request) -> Callable[[int], None]:
        """Return what is to be told the status of the answer, from any thread."""
        scheduler, span = service.opened, asked.environ.get(_SPAN)
        endpoint, method = asked.endpoint or "none", _method(asked)

        def tell(status: int) -> None:
            if scheduler is not None:
                scheduler.metrics.count("http_requests", endpoint, method, str(status))
            if span is not None:
                _end(span, status)

        return tell

    service.handoff.noticed = noticed


def _method(asked: Request) -> str:
    return asked.method if asked.method in METHODS else "other"


def _begin(scheduler: TaskScheduler, asked: Request) -> Span | None:
    if not scheduler.tracing.is_on:
        return None
    route = None if asked.url_rule is None else asked.url_rule.rule
    attributes = {"http.request.method": _method(asked), "http.route": route, "url.path": asked.path}
    name = f"{_method(asked)} {route}" if route else _method(asked)
    carrier: Mapping[str, str] = {field.lower(): value for field, value in asked.headers.items()}
    return scheduler.tracing.begin(name, "SERVER", carrier, attributes)


def _end(span: Span, status: int) -> None:
    # What was wrong with a request is no error of the service.
    span.end({"http.response.status_code": status}, f"status {status}" if status >= 500 else None)
