"""Ping a dead man's switch that understands what Healthchecks does: URL/start, URL, URL/fail."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig
from scheduler.ids import as_uuid
from scheduler.notify.notifier import Message
from scheduler.notify.web import post

_ENDINGS = {"ping.start": "/start", "ping.fail": "/fail"}
MOST_BYTES = 10_000


def send(message: Message, target: Target, config: SchedulerConfig) -> str:
    """Send a ping; any other message than of a run's start or failure is a sign of life."""
    run = message.facts.get("run")
    url = ping_url(target.address, message.kind, run["run_id"] if run else None)
    return post(url, message.text.encode()[-MOST_BYTES:], {"Content-Type": "text/plain; charset=utf-8"})


def ping_url(url: str, kind: str, run_id: str | None) -> str:
    """Return the URL for a kind of ping. `rid`, by which ends are matched with starts, is the run's id as a UUID."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    if run_id is not None:
        query["rid"] = as_uuid(run_id)
    path = parts.path.rstrip("/") + _ENDINGS.get(kind, "")
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), ""))
