"""Say which paths there are for programs, and which one was meant by a path that is none of them."""

from __future__ import annotations

import difflib
import re

from scheduler.errors import NotFound
from scheduler.http.action_names import meant_action
from scheduler.http.actions import ACTIONS
from scheduler.http.rest.routes import ROUTES

_BESIDE_REST = {
    "/schedule": "POST",
    "/healthz": "GET",
    "/readyz": "GET",
    "/metrics": "GET",
    "/openapi.json": "GET",
    "/docs": "GET",
    "/api/events": "GET",
}
"""Paths, with the method that is named for each."""
_PREFIX = re.compile(r"/api(?:/v[0-9]+)?(?=/)")
_NEAR = 0.7
"""How much of a segment must be right, of 1."""


def no_such_path(method: str, path: str) -> NotFound:
    """Return what tells that nobody serves a path, and which one was meant."""
    guess = nearest_path(path)
    hint = f" Did you mean {guess}?" if guess else ""
    beside = (f"{takes} {other}" for other, takes in _BESIDE_REST.items())
    known = ", ".join((*beside, *dict.fromkeys(f"/api{route.path}" for route in ROUTES)))
    return NotFound(f"There is no {method} {path}.{hint} Known: {known}.", suggestion=guess)


def nearest_path(path: str) -> str | None:
    """Return the path that was most likely meant.

    One that does something is meant only by the name of what it does: a slip of the pen must not lead there.
    """
    sent = _segments(path)
    action = meant_action(sent[-1], ACTIONS)
    acting = [f"/api{route.path}" for route in ROUTES if route.method == "POST" and route.action.name == action]
    for template in _by_both_names(acting):
        if "{" in template and _filled(template, sent)[:-1] == sent[:-1]:
            return template
    readable = [f"/api{route.path}" for route in ROUTES if route.method == "GET"]
    likeness = {template: _likeness(template, sent) for template in _by_both_names([*_BESIDE_REST, *readable])}
    best = max(likeness, key=lambda template: likeness[template])
    return best if likeness[best] >= _NEAR else None


def _by_both_names(templates: list[str]) -> list[str]:
    """Return the templates, those of tasks also as those of jobs."""
    return [*templates, *(each.replace("/tasks", "/jobs") for each in templates if each.startswith("/api/tasks"))]


def _likeness(template: str, sent: list[str]) -> float:
    """Return how near the segment that is least right is to what it should be."""
    right = _filled(template, sent)
    if len(right) != len(sent):
        return 0
    pairs = zip(right, sent, strict=True)
    return min(difflib.SequenceMatcher(None, one.lower(), other.lower()).ratio() for one, other in pairs)


def _segments(path: str) -> list[str]:
    """Return the segments of a path, without what only says that it is one of the interface for programs."""
    return _PREFIX.sub("", path).split("/")


def _filled(template: str, sent: list[str]) -> list[str]:
    """Return the segments of a template, with the ids that were sent in their places."""
    parts = _segments(template)
    return [sent[place] if "{" in part and place < len(sent) else part for place, part in enumerate(parts)]
