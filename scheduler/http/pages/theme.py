"""Remember whether somebody wants the pages light, dark, or as their system is."""

from __future__ import annotations

from flask import Request, Response

THEMES = ("auto", "light", "dark")
COOKIE = "task-scheduler-theme"
_YEAR = 365 * 86400


def theme_of(request: Request) -> str:
    """Return what was chosen."""
    chosen = request.cookies.get(COOKIE, "")
    return chosen if chosen in THEMES else "auto"


def keep_theme(response: Response, request: Request, chosen: str) -> None:
    """Let the browser remember a choice; the module of the pages writes the same cookie."""
    if chosen in THEMES:
        response.set_cookie(COOKIE, chosen, _YEAR, path="/", samesite="Lax", secure=request.is_secure)
