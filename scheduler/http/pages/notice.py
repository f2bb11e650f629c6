"""Say on the next page what a form has done: kept in a cookie of a minute, since no page is shown in between."""

from __future__ import annotations

import base64
import binascii
import json

from flask import Request, Response

from scheduler.http.cookie import cookie_name

KINDS = ("good", "bad")
_LONGEST = 1000
_SECONDS = 60
Notice = tuple[str, str]
"""Of which kind it is, and what it says."""


def keep_notice(response: Response, request: Request, notice: Notice | None) -> None:
    """Let the next page say that; None forgets what was kept."""
    name = f"{cookie_name(request)}-said"
    if notice is None:
        response.delete_cookie(name, path="/", httponly=True, samesite="Strict")
        return
    text = json.dumps([notice[0], notice[1][:_LONGEST]]).encode()
    kept = base64.urlsafe_b64encode(text).decode().rstrip("=")
    response.set_cookie(name, kept, _SECONDS, path="/", httponly=True, samesite="Strict", secure=request.is_secure)


def take_notice(request: Request) -> Notice | None:
    """Return what is to be said; a cookie that somebody else has written says nothing."""
    kept = request.cookies.get(f"{cookie_name(request)}-said", "")
    try:
        found = json.loads(base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4))) if kept else None
    except (binascii.Error, ValueError):
        return None
    match found:
        case [str(kind), str(text)] if kind in KINDS:
            return kind, text[:_LONGEST]
    return None
