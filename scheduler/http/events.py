"""Stream events to whoever listens, and a run's output to whoever follows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from flask import Flask, Request, Response, request

from scheduler.auth.scopes import Scope
from scheduler.errors import NotFound
from scheduler.feed import EventFilter, Follower, Told
from scheduler.http.event_query import read_event_query
from scheduler.http.handoff import Handoff
from scheduler.http.rest.not_found import with_path
from scheduler.http.run_log import RunLog
from scheduler.http.streams import send_stream
from scheduler.store.events import EventKind
from scheduler.task_scheduler import TaskScheduler

KEEP_ALIVE_SECONDS = 15.0
RETRY_MILLISECONDS = 1000
CLOSING = b'event: scheduler.closing\ndata: {"type":"scheduler.closing"}\n\n'
EVENTS_TYPE = "text/event-stream; charset=utf-8"
LOG_TYPE = "text/plain; charset=utf-8"
# A run may write whatever it likes: no browser shall take it for a page.
LOG_HEADERS = {"Content-Security-Policy": "default-src 'none'; sandbox"}


class Gate(Protocol):
    """What the application does for every route."""

    handoff: Handoff

    def admit(self, asked: Request, scope: Scope) -> TaskScheduler:
        """Return the scheduler where the caller may do that; raise `SchedulerError` where the request may not pass."""


class EventSource:
    """The events that one reader wants, as server-sent events."""

    pause = KEEP_ALIVE_SECONDS
    is_whole = True

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._begun, self.is_over = False, False

    @property
    def may_wait(self) -> bool:
        """Whether the ledger has to be read."""
        return self._follower.is_behind

    def on_news(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever there may be more."""
        self._follower.on_news(tell)

    def more(self) -> bytes:
        """Return what is new; the last of it says that the service ends."""
        if not self._begun:
            self._begun = True
            return b"retry: %d\n%b" % (RETRY_MILLISECONDS, self.idle())
        self.is_over = self._follower.is_over
        found = self._follower.catch_up() if self.may_wait and not self.is_over else self._follower.take()
        return written(found) + (CLOSING if self.is_over else b"")

    def idle(self) -> bytes:
        """Return what keeps the connection alive, and how far this reader is by now.

        Events that it did not want were passed over: it need not come back from before them.
        """
        return b": alive\nid: %d\n\n" % self._follower.last

    def close(self) -> None:
        """Listen no more."""
        self._follower.close()


def add_routes(app: Flask, gate: Gate) -> None:
    """Serve the stream of events."""

    @app.get("/api/events", strict_slashes=False, provide_automatic_options=False)
    def events() -> Response:
        scheduler = gate.admit(request, Scope.READ)
        return send_stream(gate.handoff, _asked(), EventSource(_follow(scheduler, request)), EVENTS_TYPE, {})


def follow(handoff: Handoff, scheduler: TaskScheduler, asked: Request, run_id: str, stream: str) -> Response:
    """Send what a run writes until it has ended: `stdout`, `stderr`, or `both` as they come."""
    scheduler.get_run(run_id)
    # Listening begins before the run is looked at, so that its end is not missed in between.
    follower = scheduler.feed.follow(EventFilter(frozenset({EventKind.RUN_FINISHED}), run_id=run_id))
    return send_stream(handoff, asked, RunLog(scheduler, follower, run_id, stream), LOG_TYPE, LOG_HEADERS)


def written(found: Iterable[Told]) -> bytes:
    """Return events in the format of server-sent events."""
    return b"".join(map(_written, found))


def _written(told: Told) -> bytes:
    head = b"" if told.id is None else b"id: %d\n" % told.id
    return b"%bevent: %b\ndata: %b\n\n" % (head, told.kind.encode(), told.json)


def _follow(scheduler: TaskScheduler, asked: Request) -> Follower:
    query = read_event_query(asked)
    if query.last is None:
        # One who comes back is not refused: a task may be gone meanwhile.
        try:
            for task_id in sorted(query.which.task_ids):
                scheduler.check_known(task_id)
        except NotFound as error:
            raise with_path(error) from error
    return scheduler.feed.follow(query.which, query.last)


def _asked() -> Request:
    """Return the request itself: the proxy means nothing in other threads."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined]
    return found
