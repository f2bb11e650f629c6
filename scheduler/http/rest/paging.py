"""Tell where the other pages are, in Link headers (RFC 8288)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call


def with_links(call: Call, body: dict[str, Any]) -> Answer:
    """Return a page, and where the first and the next one are."""
    kept = [(name, value) for name, value in call.request.args.items(multi=True) if name != "cursor"]
    links = [_link(call.path, kept, "first")]
    if body["next_cursor"] is not None:
        links.append(_link(call.path, [*kept, ("cursor", body["next_cursor"])], "next"))
    return Answer(200, body, {"Link": ", ".join(links)})


def _link(path: str, query: list[tuple[str, str]], relation: str) -> str:
    return f'<{path}{"?" if query else ""}{urlencode(query)}>; rel="{relation}"'
