"""Wire HTTP to the scheduler: the endpoint, the REST routes, their guard, their errors, and a look at its health."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable

from flask import Flask, Request, Response, request
from werkzeug.exceptions import BadHost, HTTPException

from scheduler.auth.access import Access, users_of_settings
from scheduler.auth.scopes import Scope
from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, SchedulerError, Unavailable
from scheduler.http import actions, answered, events, health, metrics
from scheduler.http.answers import error_response, json_response, malformed
from scheduler.http.body import parse_body
from scheduler.http.guard import Guard, check_media_type, forbidden_host, read_body
from scheduler.http.handoff import HandedOver, Handoff, LeaveSocket
from scheduler.http.pages.serve import add_pages, unknown_page, wants_page
from scheduler.http.paths import no_such_path
from scheduler.http.query import check_no_query, read_query
from scheduler.http.requests import Help
from scheduler.http.rest.serve import add_routes
from scheduler.http.token import read_token
from scheduler.task_scheduler import TaskScheduler

log = logging.getLogger(__name__)

EXTENSION = "task-scheduler"


class Service:
    """The scheduler of one serving process, made when it is first needed, so that an import starts nothing."""

    def __init__(self, make_config: Callable[[], SchedulerConfig]) -> None:
        self._make_config = make_config
        self._lock = threading.Lock()
        self._scheduler: TaskScheduler | None = None
        self._guard: Guard | None = None
        self._closed = False
        self.exposed = False
        """Whether the server listens off loopback, whatever the settings say: a token is needed then."""
        self.handoff = Handoff()

    def open(self) -> TaskScheduler:
        """Return the scheduler, taking part in the firing from now on; raise `Unavailable` after `close`."""
        if self._closed:
            raise Unavailable("The service is being stopped.", code="shutting_down")
        if self._scheduler is None:
            with self._lock:
                if self._scheduler is None:
                    config = self._config()
                    users = users_of_settings(config)
                    scheduler = TaskScheduler(config)
                    token, book = read_token(config, self.exposed), scheduler.sessions
                    access = Access(config, users, token, scheduler.tokens, sessions=book)
                    scheduler.also_warn(access.warnings)
                    self._guard = Guard(config, access)
                    scheduler.metrics.follow("auth_failures", access.tally.read)
                    try:
                        scheduler.open()
                    except SchedulerError:
                        scheduler.close()
                        raise
                    self._scheduler = scheduler
        return self._scheduler

    @property
    def opened(self) -> TaskScheduler | None:
        """The scheduler, where it was made already."""
        return self._scheduler

    def _config(self) -> SchedulerConfig:
        try:
            return self._make_config()
        except InvalidRequest as error:
            # Whoever asks is not to blame for the settings.
            raise RuntimeError(f"the settings are wrong: {error.message}") from error

    @property
    def guard(self) -> Guard:
        """The guard of this process."""
        self.open()
        assert self._guard is not None
        return self._guard

    def admit(self, asked: Request, scope: Scope) -> TaskScheduler:
        """Return the scheduler where the caller may do that; raise `SchedulerError` where the request may not pass."""
        self.guard.check(asked, scope)
        return self.open()

    def answer_later(
        self, asked: Request, run_ids: list[str], seconds: float, finish: Callable[[bool], Response]
    ) -> Response:
        """Answer when the runs have ended: from the loop where the socket can be taken, else in this thread."""
        watch = self.open().watch
        if not self.handoff.can_take(asked):
            return finish(watch.wait(run_ids, seconds))
        send = self.handoff.take(asked)

        def tell(ended: bool) -> None:
            try:
                response = finish(ended)
            except SchedulerError as error:
                response = error_response(error)
            except Exception as error:
                response = _internal_error(error)
            send(response)

        watch.when_ended(run_ids, seconds, tell)
        raise HandedOver

    def close(self) -> None:
        """Stop gracefully, once."""
        with self._lock:
            scheduler, self._closed = None if self._closed else self._scheduler, True
        if scheduler is not None:
            scheduler.close()
            self.handoff.close()


def create_app(make_config: Callable[[], SchedulerConfig] = SchedulerConfig.from_environment) -> Flask:
    """Return the WSGI application; it opens the scheduler at the first request, or when told to."""
    app = Flask("scheduler.http", static_folder=None)
    service = Service(make_config)
    app.extensions[EXTENSION] = service
    app.wsgi_app = LeaveSocket(app.wsgi_app)  # type: ignore[method-assign]
    app.register_error_handler(SchedulerError, error_response)
    app.register_error_handler(HTTPException, lambda error: _framework_error(service, error))
    app.register_error_handler(Exception, _internal_error)

    add_routes(app, service)

    @app.post("/schedule", strict_slashes=False, provide_automatic_options=False)
    def schedule() -> Response:
        caller = service.guard.check(request)
        check_media_type(request)
        if request.query_string:
            check_no_query(request, request.args.to_dict())
        result = actions.answer(service.open(), parse_body(read_body(request)), caller)
        if isinstance(result, actions.Waiting):
            waiting = result
            return service.answer_later(
                request, waiting.run_ids, waiting.seconds, lambda ended: json_response(waiting.finish(ended))
            )
        return json_response(result)

    @app.get("/schedule", strict_slashes=False, provide_automatic_options=False)
    def explain() -> Response:
        service.guard.check(request, Scope.READ)
        return json_response(actions.answer_query(service.open(), read_query(Help, request)))

    health.register(app, service)
    metrics.register(app, service)
    answered.register(app, service)
    events.add_routes(app, service)
    add_pages(app, service)
    return app


def _framework_error(service: Service, error: HTTPException) -> Response:
    """Say in JSON what the framework would say in HTML; to somebody who looks for a page, in a page."""
    if error.code in (404, 405) and wants_page(request):
        return unknown_page(service, error)
    if error.code == 404:
        return error_response(no_such_path(request.method, request.path[:200]))
    if error.code == 405:
        allowed = sorted(set(getattr(error, "valid_methods", None) or ["POST"]))
        text = f"{request.path[:200]} does not take {request.method[:20]}; it takes {', '.join(allowed)}."
        return error_response(SchedulerError(text, "method_not_allowed", allowed_methods=allowed))
    if isinstance(error, BadHost):
        return error_response(forbidden_host(request.headers.get("Host", "")))
    if error.code == 400:
        return error_response(malformed(error.description or error.name))
    code = "body_too_large" if error.code == 413 else "invalid_request"
    body = {"status": "error", "code": code, "message": error.description or error.name}
    return json_response(body, error.code or 500)


def _internal_error(error: Exception) -> Response:
    error_id = secrets.token_hex(8)
    log.error("internal error %s", error_id, exc_info=error, extra={"error_id": error_id})
    text = f"A fault of the service, not of the request. Its log tells more under {error_id}."
    return json_response({"status": "error", "code": "internal_error", "message": text, "error_id": error_id}, 500)
