"""Take what visitors choose for themselves, where no module does it without a form."""

from __future__ import annotations

from flask import Response

from scheduler.http.pages.local import local_path
from scheduler.http.pages.page import Visit
from scheduler.http.pages.theme import keep_theme


def choose_theme(visit: Visit) -> Response:
    """Keep light, dark or auto, and go back."""
    response = visit.go(local_path(visit.fields.get("back")))
    keep_theme(response, visit.request, visit.fields.get("theme", ""))
    return response
