"""Keep ids whole in paths: one that contains a slash comes as %2F, and must not become two segments."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

from werkzeug.routing import BaseConverter

PREFIXES = ("/api/", "/tasks/", "/runs/")
"""Where paths hold ids."""
_DOTS = {".": ". ", "..": ".. "}
"""How the ids that are dots stand in a path: browsers take such segments out. No other id ends with a blank."""
_OF_DOTS = {segment: text for text, segment in _DOTS.items()}


class IdConverter(BaseConverter):
    """One segment of a path, which `WholeSegments` has let through."""

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """Return the id."""
        return _OF_DOTS.get(value) or value.replace("%2F", "/").replace("%25", "%")

    def to_url(self, value: Any) -> str:
        """Return an id as it stands in a path."""
        return encoded(str(value))


class WholeSegments:
    """WSGI middleware: leave slashes and percent signs that were encoded as they are, and decode all else.

    A server decodes the whole path before anybody cuts it at its slashes.
    """

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        raw = raw_path(environ)
        if "%" in raw and raw.startswith(PREFIXES):
            environ["PATH_INFO"] = "/".join(_decoded(segment) for segment in raw.split("/"))
        return self._app(environ, start_response)


def raw_path(environ: dict[str, Any]) -> str:
    """Return the path as it was sent, without the query and without what the application is mounted below."""
    raw = str(environ.get("RAW_URI") or quote(environ.get("PATH_INFO", ""), safe="/%", encoding="latin-1"))
    path = raw.partition("?")[0] if raw.startswith("/") else urlsplit(raw).path
    return path.removeprefix(environ.get("SCRIPT_NAME", ""))


def encoded(text: str) -> str:
    """Return an id as it stands in a path."""
    return quote(_DOTS.get(text, text), safe="")


def _decoded(segment: str) -> str:
    return unquote_to_bytes(segment).decode("latin-1").replace("%", "%25").replace("/", "%2F")
