"""Decide who may ask: Host, Origin, rate, credentials and size."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from flask import Request, g
from werkzeug.exceptions import ClientDisconnected

from scheduler.auth.access import Access
from scheduler.auth.scopes import Caller, Scope
from scheduler.config import LOOPBACK, Rate, SchedulerConfig
from scheduler.errors import LimitReached, NotAllowed, SchedulerError
from scheduler.http.answers import malformed
from scheduler.http.auth import identify

MOST_BYTES = 1024 * 1024
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[^\s:@/\[\]]+)(?::[0-9]*)?")
_MOST_CLIENTS = 10_000
_DRAIN_BYTES = 64 * MOST_BYTES
_DRAIN_SECONDS = 2.0


class Guard:
    """Check each request before anything looks at what it says."""

    def __init__(self, config: SchedulerConfig, access: Access) -> None:
        self.access = access
        hosts = (*LOOPBACK, config.host, *config.allowed_hosts)
        self._hosts = frozenset(_without_brackets(host.strip().lower()) for host in hosts)
        self._limiter = RateLimiter(config.rate) if config.rate else None

    def check(self, request: Request, scope: Scope | None = None, is_form: bool = False) -> Caller:
        """Return who asks; raise `NotAllowed` or `LimitReached` where the request may not pass.

        Where what is asked for is known only from the body, `scope` is left out and required later. That a form comes
        from a page of ours is for those to check who read it (see cookie.py).
        """
        self.check_place(request)
        caller = g.caller = identify(self.access, request, is_form)
        if scope is not None:
            caller.require(scope, f"{request.method} {request.path[:200]}")
        return caller

    def check_place(self, request: Request) -> None:
        """Refuse what comes from a wrong place, or too often, whoever asks."""
        self.check_host(request)
        self._check_origin(request)
        if self._limiter is not None:
            self._limiter.take(request.remote_addr or "")

    def check_host(self, request: Request) -> None:
        """Refuse names that a hostile page could have pointed at this machine (DNS rebinding)."""
        host = request.headers.get("Host", "")
        if not self._knows(host, request):
            raise forbidden_host(host)

    def _check_origin(self, request: Request) -> None:
        """Refuse what another site's page posts through a browser."""
        origin = request.headers.get("Origin")
        if origin is None:
            return
        try:
            parts = urlsplit(origin)
            allowed = parts.scheme in ("http", "https") and self._knows(parts.netloc, request)
        except ValueError:
            allowed = False
        if not allowed:
            raise NotAllowed(
                f"The Origin '{origin[:200]}' is not allowed: pages of other sites may not call the scheduler. "
                "Leave the header out, or add its host to SCHEDULER_ALLOWED_HOSTS.",
                code="forbidden_origin",
            )

    def _knows(self, host: str, request: Request) -> bool:
        host = host.lower()
        match = _HOST.fullmatch(host)
        if match is None:
            return False
        name = _without_brackets(match[1])
        return name in self._hosts or host in self._hosts or name == _own_address(request)


def forbidden_host(host: str) -> NotAllowed:
    """Return the refusal of a Host."""
    came = f"The Host '{host[:200]}' is not allowed." if host else "The Host header is missing."
    return NotAllowed(f"{came} Use localhost, or add the name to SCHEDULER_ALLOWED_HOSTS.", code="forbidden_host")


def _own_address(request: Request) -> str | None:
    """Return the address that the client reached: an address cannot be rebound, unlike a name."""
    connection = request.environ.get("gunicorn.socket")
    if connection is None:
        return None
    name = connection.getsockname()
    # A socket that takes both kinds of addresses writes the old kind in the new one's way.
    return str(name[0]).removeprefix("::ffff:").partition("%")[0] if isinstance(name, tuple) else None


def _without_brackets(host: str) -> str:
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def read_body(request: Request, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the body; raise `LimitReached` where it is over `most_bytes`, having read on for a moment.

    A client that still sends when the connection closes would never see the answer.
    """
    if (request.content_length or 0) <= most_bytes:
        try:
            body: bytes = request.stream.read(most_bytes + 1)
        except Exception as error:
            # Whatever the server's reader raises, what was sent is the reason: it broke off, or is badly cut in chunks.
            raise malformed(f"The body could not be read to its end: {_cause(error)}.") from error
        if len(body) <= most_bytes:
            return body
    _drain(request.stream.read)
    raise LimitReached(f"The body is over {most_bytes} bytes, which is the limit.", code="body_too_large")


def _cause(error: Exception) -> str:
    broke_off = isinstance(error, OSError | ClientDisconnected)
    return "the client stopped sending, or sends too slowly" if broke_off else str(error)[:200]


def check_media_type(request: Request) -> None:
    """Refuse bodies that do not call themselves JSON: a form of a hostile page cannot send that type.

    Those that are compressed are refused, too.
    """
    if request.mimetype != "application/json":
        came = f"is '{request.mimetype[:100]}'" if request.mimetype else "is missing"
        raise UnsupportedMediaType(
            f"The Content-Type {came}: add the header 'Content-Type: application/json'.",
            code="unsupported_media_type",
        )
    if (encoding := request.headers.get("Content-Encoding", "identity")).lower() != "identity":
        raise UnsupportedMediaType(
            f"The Content-Encoding is '{encoding[:100]}': send the body as it is, without that header.",
            code="unsupported_media_type",
        )


class UnsupportedMediaType(SchedulerError):
    """The body calls itself something else than plain JSON."""


def _drain(read: Callable[[int], Any]) -> None:
    deadline = time.monotonic() + _DRAIN_SECONDS
    left = _DRAIN_BYTES
    while left > 0 and time.monotonic() < deadline:
        try:
            chunk = read(64 * 1024)
        except Exception:
            return  # It is answered all the same.
        if not chunk:
            return
        left -= len(chunk)


class RateLimiter:
    """A token bucket for each client: a burst of a whole span's requests, then as many as flow in."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._size, self._flow, self._clock = float(rate.requests), rate.requests / rate.seconds, clock
        self._text = f"{rate.requests} requests in {rate.seconds:g} s"
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str) -> None:
        """Count a request; raise `LimitReached` where the client has none left."""
        now = self._clock()
        with self._lock:
            level, seen = self._buckets.get(client, (self._size, now))
            level = min(self._size, level + (now - seen) * self._flow)
            if level >= 1:
                self._buckets[client] = (level - 1, now)
                self._forget_full(now)
                return
        raise LimitReached(
            f"Too many requests: a client may make {self._text} (SCHEDULER_RATE_LIMIT). Wait as Retry-After says.",
            retry_after=(1 - level) / self._flow,
        )

    def _forget_full(self, now: float) -> None:
        if len(self._buckets) > _MOST_CLIENTS:
            span = self._size / self._flow
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if now - bucket[1] < span}
