"""Read the Authorization header, and say who asks."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field

from flask import Request, g, has_request_context

from scheduler.auth.access import Access, BadCredentials
from scheduler.auth.scopes import ANYBODY, Caller
from scheduler.errors import NotAllowed
from scheduler.http.cookie import CSRF_HEADER, check_csrf, read_secret

REALM = "task-scheduler"


class Unauthorized(NotAllowed):
    """Nothing was shown, or nothing that opens; `challenges` are what the answer's WWW-Authenticate offers."""

    code = "unauthorized"

    def __init__(self, message: str, challenges: list[str]) -> None:
        super().__init__(message)
        self.challenges = challenges


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token."""

    token: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Basic:
    """A name and a password."""

    name: str
    password: str = field(repr=False)


def identify(access: Access, request: Request, is_form: bool = False) -> Caller:
    """Return who asks; raise `Unauthorized`, or `LimitReached` where somebody failed too often.

    A browser that has signed in shows its cookie, and with a change in a header what only our pages know. A form of
    theirs has that in its body: whoever reads it checks that.
    """
    if not access.is_required:
        return ANYBODY
    address, header = request.remote_addr or "", request.headers.get("Authorization", "")
    secret = None if header else read_secret(request)
    try:
        if secret is not None:
            caller = access.resume_session(secret)
            if not is_form:
                check_csrf(request, secret, request.headers.get(CSRF_HEADER, ""))
            return caller
        match read_header(header):
            case Bearer(token):
                return access.show_token(token, address)
            case Basic(name, password):
                return access.login(name, password, address)
    except BadCredentials as error:
        raise _unauthorized(access, error.message, secret is not None) from error


def current() -> Caller:
    """Return who makes the request that is being answered."""
    caller: Caller = g.get("caller", ANYBODY) if has_request_context() else ANYBODY
    return caller


def read_header(header: str) -> Bearer | Basic:
    """Return what an Authorization header shows; raise `BadCredentials` where that is nothing."""
    scheme, _, given = header.strip().partition(" ")
    given = given.strip()
    if scheme.lower() == "bearer" and given:
        return Bearer(given.encode("latin-1", "replace"))
    if scheme.lower() == "basic" and given:
        return _read_basic(given)
    if not header.strip():
        raise BadCredentials("The token or password is missing.")
    raise BadCredentials("The token or password is missing: the Authorization header has none that is understood.")


def _read_basic(given: str) -> Basic:
    try:
        name, colon, password = _text(base64.b64decode(given, validate=True)).partition(":")
    except binascii.Error:
        colon = ""
    if not colon:
        raise BadCredentials("What follows 'Basic' must be NAME:PASSWORD in base64.")
    return Basic(name, password)


def _text(sent: bytes) -> str:
    """Return what a client meant: most send UTF-8, some the older encoding."""
    try:
        return sent.decode("utf-8")
    except UnicodeDecodeError:
        return sent.decode("latin-1")


def _unauthorized(access: Access, message: str, by_cookie: bool) -> Unauthorized:
    ways, challenges = [], []
    if access.takes_tokens:
        ways.append(
            "send the header 'Authorization: Bearer TOKEN', with the value of SCHEDULER_TOKEN, of the file 'token' "
            "in the data directory, or a token of 'task-scheduler token add'"
        )
        challenges.append(f'Bearer realm="{REALM}"')
    if access.takes_passwords:
        ways.append("log in with name and password by HTTP Basic (curl -u NAME)")
        challenges.append(f'Basic realm="{REALM}", charset="UTF-8"')
    if by_cookie:
        # At the other challenges a browser asks for a name and a password in a window of its own.
        challenges = [f'Session realm="{REALM}"']
    how = ", or ".join(ways)
    return Unauthorized(f"{message} {how[:1].upper()}{how[1:]}.", challenges)
