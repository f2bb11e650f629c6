"""Put the REST routes into the Flask application: read each request, let its route answer, send what comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from flask import Flask, Request, Response, request

from scheduler.auth.scopes import Scope
from scheduler.errors import InvalidRequest, NotFound
from scheduler.http import events
from scheduler.http.actions import ACTIONS
from scheduler.http.body import invalid_json, parse_body
from scheduler.http.examples import EXAMPLES
from scheduler.http.guard import check_media_type, read_body
from scheduler.http.handoff import Handoff
from scheduler.http.mending import working_example
from scheduler.http.query import check_no_query, read_query
from scheduler.http.rest.answer import Answer, Followed, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import answered_before
from scheduler.http.rest.compression import compressed
from scheduler.http.rest.document import add_document
from scheduler.http.rest.not_found import collection, with_path
from scheduler.http.rest.paths import IdConverter, WholeSegments
from scheduler.http.rest.route import Route
from scheduler.http.rest.routes import ROUTES
from scheduler.task_scheduler import TaskScheduler

_NAMES = ("tasks", "jobs")
_HARMLESS = {name: next(route for route in ROUTES if route.action is ACTIONS[name]) for name in ("list", "get")}
"""Routes that are shown instead of one of which nobody can say how it was meant."""
_OPTIONS = {"strict_slashes": False, "provide_automatic_options": False}


class Gate(Protocol):
    """What the application does for every route."""

    handoff: Handoff

    def admit(self, asked: Request, scope: Scope) -> TaskScheduler:
        """Return the scheduler where the caller may do that; raise `SchedulerError` where not."""

    def answer_later(
        self, asked: Request, run_ids: list[str], seconds: float, finish: Callable[[bool], Response]
    ) -> Response:
        """Answer when the runs have ended."""


def add_routes(app: Flask, gate: Gate) -> None:
    """Serve the REST routes, and what describes them."""
    app.url_map.converters["id"] = IdConverter
    app.url_map.merge_slashes = False
    app.wsgi_app = WholeSegments(app.wsgi_app)  # type: ignore[method-assign]
    for route in ROUTES:
        view = _view(route, gate)
        for path in _paths(route):
            app.add_url_rule(path, route.endpoint, view, methods=[route.method], **_OPTIONS)
    add_document(app, gate.admit, _OPTIONS)


def _paths(route: Route) -> list[str]:
    """Return the rules of a route: tasks are also called jobs."""
    rule = f"/api{route.path}".replace("{", "<id:").replace("}", ">")
    return list(dict.fromkeys(rule.replace("/api/tasks", f"/api/{name}", 1) for name in _NAMES))


def _view(route: Route, gate: Gate) -> Callable[..., Response]:
    def view(**ids: str) -> Response:
        # The proxy means nothing in the writer's thread, where answers are made that a key shall keep.
        asked: Request = request._get_current_object()  # type: ignore[attr-defined]
        scheduler = gate.admit(asked, route.scope)
        try:
            answer = _answer(Call(route, scheduler, asked, ids, _read(route, asked)))
        except InvalidRequest as error:
            raise InvalidRequest(error.problems, _example(route, scheduler, ids, error)) from error
        except NotFound as error:
            raise with_path(error) from error
        if isinstance(answer, Later):
            later = answer
            return gate.answer_later(asked, later.run_ids, later.seconds, lambda ended: later.finish(ended).response())
        if isinstance(answer, Followed):
            return events.follow(gate.handoff, scheduler, asked, answer.run_id, answer.stream)
        return compressed(asked, answer.response() if isinstance(answer, Answer) else answer)

    return view


def _answer(call: Call) -> Any:
    try:
        return call.route.function(call)
    except InvalidRequest:
        if (before := answered_before(call)) is None:
            raise
        return before


def _example(route: Route, scheduler: TaskScheduler, ids: Mapping[str, str], error: InvalidRequest) -> dict[str, Any]:
    """Return a whole request that works: one of the route, near to what was refused, or one that shows what exists."""
    found, action = error.example, route.action
    is_create = action is ACTIONS["create"]
    if found is None or found["action"] not in (action.name, *_HARMLESS, *(("validate",) if is_create else ())):
        plain = {name: value for name, value in EXAMPLES[action.name].items() if name not in route.hidden}
        given = {"action": action.name} if action is ACTIONS["update"] else plain
        found = working_example(scheduler, action, {**given, **ids}, [])
    if is_create and found["action"] == "validate":
        found = {**found, "action": action.name}  # there is no path that only says what it would do
    shown = route if found["action"] == action.name else _harmless(route, found["action"])
    return shown.example(found, collection())


def _harmless(route: Route, name: str) -> Route:
    """Return the route that shows what this one changes, or all that there is."""
    beside = (other for other in ROUTES if other.path == route.path and other.action is ACTIONS["get"])
    return next(beside, _HARMLESS[name]) if name == "get" else _HARMLESS[name]


def _read(route: Route, asked: Request) -> Mapping[str, Any]:
    """Return the fields that were sent, nulls left out."""
    fields = read_query(route.action.model, asked)
    if route.has_body:
        check_no_query(asked, fields)
        fields = _body(route, asked)
    return {name: value for name, value in fields.items() if value is not None}


def _body(route: Route, asked: Request) -> dict[str, Any]:
    """Return the fields of the body. A POST that needs none may go without one, and says no type of it then."""
    data = None
    if route.may_lack_body and not asked.mimetype:
        data = read_body(asked)
        if not data:
            return {}
    check_media_type(asked)
    body = parse_body(read_body(asked) if data is None else data)
    if not isinstance(body, dict):
        raise invalid_json("the body must be one JSON object", body)
    return body
