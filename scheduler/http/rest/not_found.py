"""Say with the path of a route which tasks and runs exist, where an action would say it with its name."""

from __future__ import annotations

from flask import request

from scheduler.errors import NotFound
from scheduler.http.rest.routes import ROUTES


def collection() -> str:
    """Return what the caller calls tasks."""
    return "jobs" if request.path.startswith("/api/jobs") else "tasks"


def with_path(error: NotFound) -> NotFound:
    """Return the same error, saying with the path of a route what it says with the name of an action."""
    if error.listed_by is None:
        return error
    listing = next(route for route in ROUTES if route.action.name == error.listed_by and not route.ids)
    path = listing.example({"action": error.listed_by}, collection())["path"]
    return NotFound(f"{error.bare_message} GET {path} tells which exist.", error.code, **error.details)
