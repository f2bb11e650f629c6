"""Let people in: by name and password, or by a token, where any of these exists; and out again."""

from __future__ import annotations

from flask import Response

from scheduler.auth.access import BadCredentials
from scheduler.auth.scopes import Caller
from scheduler.errors import InvalidRequest, LimitReached, SchedulerError
from scheduler.http.answers import http_status, retry_after
from scheduler.http.cookie import set_secret
from scheduler.http.pages.local import local_path
from scheduler.http.pages.page import Visit


def show_sign_in(visit: Visit) -> Response:
    """Ask who it is; somebody of whom nothing is asked goes on."""
    following = local_path(visit.request.args.get("next"))
    if not visit.access.is_required:
        return visit.go(following)
    return _form(visit, following)


def sign_in(visit: Visit) -> Response:
    """Let somebody in, with a cookie that is new: the one before may be known to others."""
    following = local_path(visit.fields.get("next"))
    if not visit.access.is_required:
        return visit.go(following)
    try:
        secret = visit.access.begin_session(_caller(visit))
    except (BadCredentials, LimitReached, InvalidRequest) as error:
        return _form(visit, following, error)
    response = visit.go(following)
    set_secret(response, visit.request, secret)
    return response


def sign_out(visit: Visit) -> Response:
    """Let the session be over, here and for whoever else has its cookie."""
    visit.access.end_session(visit.secret)
    return visit.go("/sign-in" if visit.access.is_required else "/", "You are signed out.")


def _caller(visit: Visit) -> Caller:
    address, fields = visit.request.remote_addr or "", visit.fields
    if token := fields.get("token", "").strip():
        return visit.access.show_token(token.encode("utf-8", "surrogateescape"), address)
    if not fields.get("name", "").strip():
        raise BadCredentials("Give a name and its password, or a token.")
    return visit.access.login(fields["name"].strip(), fields.get("password", ""), address)


def _form(visit: Visit, following: str, error: SchedulerError | None = None) -> Response:
    status = 200 if error is None else http_status(error)
    response = visit.show(
        "sign_in.html",
        title="Sign in",
        status=status,
        following=following,
        error=error,
        name=visit.fields.get("name", "")[:100],
    )
    if error is not None and (seconds := retry_after(error)):
        response.headers["Retry-After"] = seconds
    return response
