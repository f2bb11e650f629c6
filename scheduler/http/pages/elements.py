"""Give templates what all pages share: the navigation, paths, and ways to say moments and spans."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from jinja2 import Environment
from markupsafe import Markup, escape

from scheduler.http.pages import words
from scheduler.http.pages.assets import asset_path, modules_of
from scheduler.http.pages.local import run_path, task_path
from scheduler.version import VERSION

SECTIONS = (
    ("dashboard", "/", "Dashboard"),
    ("tasks", "/tasks", "Tasks"),
    ("runs", "/runs", "Runs"),
    ("rehearsal", "/rehearsal", "Rehearsal"),
    ("docs", "/docs", "API"),
)
"""The navigation: the section of a page, where it leads, and what it is called."""

STATUS_TITLES = {
    400: "That was not understood",
    403: "Not allowed",
    404: "Not found",
    405: "No such page",
    409: "That does not fit",
    429: "Too many at once",
    500: "A fault of the service",
    503: "Not available now",
}


def add_to(environment: Environment) -> None:
    """Let templates use all of it."""
    environment.globals |= {
        "SECTIONS": SECTIONS,
        "VERSION": VERSION,
        "asset": asset_path,
        "modules": modules_of,
        "task_path": task_path,
        "run_path": run_path,
    }
    environment.filters |= {
        "moment": moment,
        "relative": relative,
        "countdown": countdown,
        "span": words.say_span,
        "duration": words.say_duration,
        "share": words.say_share,
    }


def moment(value: datetime | None, zone: ZoneInfo) -> Markup:
    """Return a moment in its task's zone; the module time.js puts the viewer's before it where that differs."""
    if value is None:
        return Markup("–")
    said = words.say_moment(value, zone)
    return Markup('<time datetime="{}" data-zone="{}">{}</time>').format(said.exact, said.zone, said.text)


def relative(value: datetime | None, now: datetime, zone: ZoneInfo) -> Markup:
    """Return how far a moment is from now, which time.js keeps true; its title says when that is."""
    return _counted(value, now, zone, "relative")


def countdown(value: datetime | None, now: datetime, zone: ZoneInfo) -> Markup:
    """Return how long it is until a moment, to the second."""
    return _counted(value, now, zone, "countdown")


def _counted(value: datetime | None, now: datetime, zone: ZoneInfo, kind: str) -> Markup:
    if value is None:
        return Markup("–")
    said = words.say_moment(value, zone)
    text = words.say_relative(value, now) if kind == "relative" else words.say_countdown(value, now)
    return Markup('<time datetime="{}" data-zone="{}" data-{} title="{}">{}</time>').format(
        said.exact, said.zone, escape(kind), f"{said.text} {said.zone}", text
    )
