"""Tell paths of this service from everything else that a link could say."""

from __future__ import annotations

from urllib.parse import urlsplit

from scheduler.http.rest.paths import encoded


def local_path(text: str | None, default: str = "/") -> str:
    """Return a path with its query where that is all that `text` is; else `default`.

    Browsers read `//host` and `/\\host` as other sites, and drop control characters before they look.
    """
    if not text or not text.startswith("/") or text.startswith(("//", "/\\")):
        return default
    if any(ord(char) < 33 or char == "\x7f" for char in text):
        return default
    try:
        parts = urlsplit(text)
    except ValueError:
        return default
    return default if parts.scheme or parts.netloc else text


def task_path(task_id: str) -> str:
    """Return the path of a task's page."""
    return f"/tasks/{encoded(task_id)}"


def run_path(run_id: str) -> str:
    """Return the path of a run's page."""
    return f"/runs/{encoded(run_id)}"
