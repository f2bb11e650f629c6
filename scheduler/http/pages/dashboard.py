"""Show at a glance how all is, and switch the scheduler on and off."""

from __future__ import annotations

from flask import Response

from scheduler.http import present
from scheduler.http.actions import started, stopped
from scheduler.http.pages.page import Visit


def show_dashboard(visit: Visit) -> Response:
    """Show the dashboard."""
    return visit.show("dashboard.html", title="Dashboard", state=present.status(visit.scheduler)["state"])


def start_scheduler(visit: Visit) -> Response:
    """Let tasks run on schedule."""
    return visit.go("/", str(started(visit.scheduler.start())["message"]))


def stop_scheduler(visit: Visit) -> Response:
    """Let no task run on schedule."""
    return visit.go("/", str(stopped(visit.scheduler.stop())["message"]))
