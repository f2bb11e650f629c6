"""Keep one secret in a browser's cookie: it is the key of a session, and what forms prove to be ours by."""

from __future__ import annotations

import hmac
import re

from flask import Request, Response

from scheduler.auth.sessions import LIFETIME
from scheduler.errors import NotAllowed

CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
_CHANGES_NOTHING = ("GET", "HEAD")
_SECRET = re.compile(r"[\w-]{20,100}", re.ASCII)


def cookie_name(request: Request) -> str:
    """Return what the cookie is called: cookies are shared by all ports of a host, and each may be another service."""
    port = request.host.rpartition("]")[2].rpartition(":")[2]
    return f"task-scheduler-{port if port.isdecimal() else 'default'}"


def read_secret(request: Request) -> str | None:
    """Return the secret that a browser has, be it of a session or not."""
    found = request.cookies.get(cookie_name(request), "")
    return found if _SECRET.fullmatch(found) else None


def set_secret(response: Response, request: Request, secret: str) -> None:
    """Let the browser keep a secret: no script sees it, and no other site's page sends it but by a link."""
    response.set_cookie(
        cookie_name(request),
        secret,
        max_age=int(LIFETIME.total_seconds()),
        path="/",
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",  # by Strict a link from elsewhere would come without it, and the answer replace it
    )


def csrf_token(secret: str) -> str:
    """Return what a form or a script of ours sends along, which another site cannot know."""
    return hmac.digest(secret.encode(), b"csrf", "sha256").hex()


class Unproven(NotAllowed):
    """Nothing shows that a change comes from a page of ours that belongs to what the browser's cookie holds now."""

    code = "forbidden_origin"


def check_csrf(request: Request, secret: str, sent: str) -> None:
    """Refuse a change that does not come from a page of ours, as far as the browser's cookie tells."""
    if request.method in _CHANGES_NOTHING:
        return
    if not hmac.compare_digest(csrf_token(secret).encode(), sent.encode()):
        raise Unproven(
            "This does not come from a page that this browser has open, or the page is too old: load it again. "
            f"A script sends the header {CSRF_HEADER} with what the page's <meta name='csrf'> says."
        )
