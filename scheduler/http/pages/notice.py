"""Say on the next page what a form has done: kept in a cookie of a minute, since no page is shown in between."""

from __future__ import annotations

import base64
import binascii

from flask import Request, Response

from scheduler.http.cookie import cookie_name

KINDS = ("good", "bad")
_MOST_BYTES = 2700
"""The most of a text: browsers drop cookies of more than 4096 bytes without a word, and base64 takes a third more."""
_SECONDS = 60
Notice = tuple[str, str]
"""Of which kind it is, and what it says."""


def keep_notice(response: Response, request: Request, notice: Notice | None) -> None:
    """Let the next page say that; None forgets what was kept."""
    name = f"{cookie_name(request)}-said"
    if notice is None:
        response.delete_cookie(name, path="/", httponly=True, samesite="Strict")
        return
    kind, text = notice
    kept = base64.urlsafe_b64encode(f"{kind} {_cut(text)}".encode()).decode().rstrip("=")
    response.set_cookie(name, kept, _SECONDS, path="/", httponly=True, samesite="Strict", secure=request.is_secure)


def take_notice(request: Request) -> Notice | None:
    """Return what is to be said; a cookie that somebody else has written says nothing."""
    kept = request.cookies.get(f"{cookie_name(request)}-said", "")
    try:
        kind, _, text = base64.urlsafe_b64decode(kept + "=" * (-len(kept) % 4)).decode().partition(" ")
    except (binascii.Error, ValueError):
        return None
    return (kind, text) if kind in KINDS else None


def _cut(text: str) -> str:
    data = text.encode()
    return text if len(data) <= _MOST_BYTES else f"{data[:_MOST_BYTES].decode(errors='ignore')}…"
