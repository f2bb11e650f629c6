"""Put the pages into the Flask application: let each visitor in, let the page answer, tell of errors in HTML."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Protocol
from urllib.parse import parse_qs, quote

from flask import Blueprint, Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException

from scheduler.auth.access import BadCredentials
from scheduler.auth.scopes import Caller
from scheduler.auth.sessions import new_secret
from scheduler.errors import InvalidRequest, NotAllowed, NotFound, Problem, SchedulerError, nearest
from scheduler.http.answers import MIMETYPE, error_response, http_status, malformed, retry_after
from scheduler.http.auth import Unauthorized
from scheduler.http.cookie import CSRF_FIELD, Unproven, check_csrf, read_secret
from scheduler.http.examples import EXAMPLES
from scheduler.http.guard import MOST_BYTES, Guard, read_body
from scheduler.http.pages import elements
from scheduler.http.pages.assets import send_asset
from scheduler.http.pages.page import Page, Visit, address_of
from scheduler.http.pages.routes import PAGES
from scheduler.http.rest.paths import raw_path
from scheduler.task_scheduler import TaskScheduler

log = logging.getLogger(__name__)

FORM = "application/x-www-form-urlencoded"
_MOST_FORM_BYTES = 4 * MOST_BYTES
"""A form writes up to three bytes for each of a text: what fits into a call of the API fits into a form."""
_NOTHING_SENT: Mapping[str, str] = MappingProxyType({})
_NOBODY = Caller(None, "anybody", frozenset())
_OPTIONS = {"strict_slashes": False, "provide_automatic_options": False}
_FOR_PROGRAMS = ("api", "schedule", "healthz", "readyz", "metrics", "openapi.json", "docs", "static")
"""Where paths begin that are no pages, whoever asks for them."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: a browser would then call the origin of our own forms "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Service(Protocol):
    """What the application has for every route."""

    def open(self) -> TaskScheduler:
        """Return the scheduler, opened."""

    @property
    def guard(self) -> Guard:
        """What decides who may ask."""


def add_pages(app: Flask, service: Service) -> None:
    """Serve the pages, and what they load."""
    pages = Blueprint("pages", __name__, template_folder="templates")
    for page in PAGES:
        pages.add_url_rule(page.path, page.endpoint, _view(page, service), methods=[page.method], **_OPTIONS)

    @pages.get("/static/<sum_>/<name>", **_OPTIONS)
    def asset(sum_: str, name: str) -> Response:
        service.guard.check_host(request)
        found = send_asset(request, sum_, name)
        if found is None:
            raise NotFound(f"There is no {request.path[:200]}: load the page again, which may be of an older version.")
        return found

    pages.register_error_handler(SchedulerError, lambda error: _refusal(service, error))
    pages.register_error_handler(HTTPException, lambda error: _refusal(service, _as_ours(error)))
    pages.register_error_handler(Exception, lambda error: _fault(service, error))
    pages.after_request(lambda response: _with_headers(service, response))
    elements.add_to(app.jinja_env)
    app.register_blueprint(pages)


def wants_page(asked: Request) -> bool:
    """Whether a path that nobody serves was opened in a browser, whose user reads HTML and no JSON."""
    first = asked.path.split("/")[1] if asked.path.startswith("/") else ""
    return first not in _FOR_PROGRAMS and "text/html" in asked.accept_mimetypes.values()


def _wants_json(asked: Request) -> bool:
    """Whether whoever asks for a page is a program that would rather have JSON, or sends it."""
    accepted = asked.accept_mimetypes
    if accepted.best_match(("text/html", MIMETYPE)) == MIMETYPE:
        return True
    return asked.mimetype == MIMETYPE and "text/html" not in accepted.values()


def unknown_page(service: Service, error: HTTPException) -> Response:
    """Say that there is no such page."""
    try:
        service.guard.check_host(request)
    except NotAllowed as refused:
        return _refusal(service, refused)
    return _with_headers(service, _refusal(service, _as_ours(error)))


def _view(page: Page, service: Service) -> Callable[..., Response]:
    def view(**ids: str) -> Response:
        fields = _form(request) if page.method == "POST" else {}
        try:
            visit = _begin(page, service, _let_in(page, service.guard), fields)
            check_csrf(request, visit.secret, fields.get(CSRF_FIELD, ""))
        except Unauthorized:
            if page.again is None:
                raise
            return _ask_who(page, service, fields)
        except Unproven:
            if page.again is None:
                raise
            return page.again(visit, **ids)
        return page.function(visit, **ids)

    return view


def _let_in(page: Page, guard: Guard) -> Caller:
    """Return who has come; raise `SchedulerError` where they may not have this page."""
    if page.scope is not None:
        return guard.check(request, page.scope, is_form=page.method == "POST")
    guard.check_place(request)
    return _NOBODY


def _begin(page: Page, service: Service, caller: Caller, fields: Mapping[str, str] = _NOTHING_SENT) -> Visit:
    secret = read_secret(request)
    return Visit(
        service.open(),
        caller,
        request,
        page,
        service.guard.access,
        secret or new_secret(),
        is_new=secret is None,
        fields=fields,
    )


def _ask_who(page: Page, service: Service, fields: Mapping[str, str]) -> Response:
    """Ask somebody to sign in whose session is over, and hold what they have sent until they have."""
    held = {name: text for name, text in fields.items() if name != CSRF_FIELD}
    visit = _begin(replace(page, script=""), service, _NOBODY)
    path = raw_path(request.environ)
    return visit.show("session_over.html", title="You are signed out", status=403, held=held, path=path)


def _form(asked: Request) -> dict[str, str]:
    """Return the fields of a form; the last of several with one name counts, as with checkboxes."""
    if asked.mimetype != FORM:
        text = f"a form of the pages is {FORM}; programs send JSON to POST /schedule or below /api"
        problem = Problem("Content-Type", text, asked.mimetype[:100], [FORM], FORM)
        raise InvalidRequest([problem])
    try:
        found = parse_qs(
            read_body(asked, _MOST_FORM_BYTES).decode(), keep_blank_values=True, max_num_fields=500, errors="strict"
        )
    except ValueError as error:
        raise InvalidRequest([Problem("form", f"the form cannot be read: {error}")]) from error
    # Browsers send the ends of lines as CR LF, whatever was typed.
    return {name: values[-1].replace("\r\n", "\n") for name, values in found.items()}


def _as_ours(error: HTTPException) -> SchedulerError:
    if error.code == 404:
        paths = [page.path for page in PAGES if page.method == "GET" and "<" not in page.path]
        guess = nearest(request.path[:200], paths)
        hint = f" Did you mean {guess}?" if guess else ""
        return NotFound(f"There is no page {request.path[:200]}.{hint}", suggestion=guess)
    if error.code == 405:
        return SchedulerError(f"{request.path[:200]} is no page to open: a button leads there.", "method_not_allowed")
    return malformed(error.description or error.name)


def _refusal(service: Service, error: SchedulerError) -> Response:
    """Show an error; who only has to say who they are is led to where they can. A program is told in JSON."""
    if _wants_json(request):
        if isinstance(error, InvalidRequest):
            error = InvalidRequest(error.problems, error.example or EXAMPLES["status"])
        return error_response(error)
    if isinstance(error, Unauthorized):
        following = address_of(request) if request.method in ("GET", "HEAD") else "/"
        return Response(status=303, headers={"Location": f"/sign-in?next={quote(following, safe='/')}"})
    if error.code == "forbidden_host":
        return error_response(error)  # No page, and no cookie, for whoever has pointed a name of theirs here.
    response = _error_page(service, _known(service), error.message, http_status(error), error)
    if seconds := retry_after(error):
        response.headers["Retry-After"] = seconds
    return response


def _fault(service: Service, error: Exception) -> Response:
    error_id = secrets.token_hex(8)
    log.error("internal error %s", error_id, exc_info=error, extra={"error_id": error_id})
    text = f"A fault of the service, not yours. Its log tells more under {error_id}."
    if _wants_json(request):
        return error_response(SchedulerError(text, "internal_error", error_id=error_id))
    return _error_page(service, g.get("caller", _NOBODY), text, 500)


def _known(service: Service) -> Caller:
    """Return who has the browser's session, also where the request was refused before anybody asked."""
    secret, access = read_secret(request), service.guard.access
    try:
        return access.resume_session(secret) if secret and access.is_required else _NOBODY
    except BadCredentials:
        return _NOBODY


def _error_page(
    service: Service, caller: Caller, message: str, status: int, error: SchedulerError | None = None
) -> Response:
    visit = _begin(Page("GET", request.path, _error_page), service, caller)
    return visit.show("error.html", title=elements.STATUS_TITLES.get(status, "That did not work"), status=status,
                      message=message, error=error)  # fmt: skip


def _with_headers(service: Service, response: Response) -> Response:
    if response.mimetype == "text/html":
        response.headers.extend(_HEADERS)
        # Asked for anew each time. Where nobody signs out of anything, a browser keeps it for its back button.
        response.headers["Cache-Control"] = "no-store" if service.guard.access.is_required else "private, no-cache"
    return response
