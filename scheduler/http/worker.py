"""Serve under gunicorn: threads that wait for no client, sockets that may be taken away, and errors in JSON."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import glogging, util
from gunicorn.workers.gthread import ThreadWorker

from scheduler.errors import SchedulerError
from scheduler.http.answers import dump, error_body, malformed
from scheduler.http.connection import RECEIVE_SECONDS, Connection, paced
from scheduler.http.handoff import allow_handoff

HEAD_SECONDS = 10.0
"""How long a connection may take to the end of the head of its request; it holds no thread meanwhile."""
SEND_SECONDS = 30.0
"""How long a client may take nothing of its answer; it holds no thread meanwhile."""
MOST_BODIES = 64
"""How many bodies are taken in at a time; who has sent nothing for the longest has to give way."""
MOST_UNSENT_BYTES = 64 * 1024 * 1024
"""How much may wait for clients to take it; who has not taken anything for the longest has to give way."""
LINGER_SECONDS = 2.0
"""How long a client may take to close, after which it is closed."""
STAY_SECONDS = 0.005
"""How long a thread stays with a connection that it has served."""
NEVER_STAY = 2
"""How many threads are always left for others than those that may send nothing more."""
PAUSE_SECONDS = 0.5
"""How long no connection is accepted after one could not be."""
TELL_AGAIN_SECONDS = 60.0
DRAIN_SECONDS = 5.0
"""How long a worker that stops goes on sending and taking in."""


class HandoffWorker(ThreadWorker):
    """A gthread worker whose threads wait for no client, and that forgets a connection whose socket was taken.

    Its main thread takes in what comes, and hands a connection to a thread when a request is whole. Who sends nothing,
    or byte after byte, costs a place, and has to give way when all places are taken. `on_stopping` is called in a
    thread of its own when the worker begins to stop, while requests under way are still answered.
    """

    on_stopping: Callable[[], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._leaving: deque[Any] = deque()
        self._sending: deque[Any] = deque()
        self._receiving: deque[Any] = deque()
        self._stops_by = float("inf")
        self._accepts_from = self._tells_from = float("-inf")

    def init_process(self) -> None:
        """Prepare the worker's process and serve."""
        allow_handoff()
        # gunicorn has no setting for what it answers to requests that it cannot read.
        util.write_error = _write_error
        self._stays = threading.BoundedSemaphore(max(1, self.cfg.threads - NEVER_STAY))
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection; where the system has none to give, go on without for a moment."""
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            self._pause(error)
            return
        self.nr_conns += 1
        self.enqueue_req(Connection(self.cfg, sock, client, listener.getsockname()))

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Accept connections, or not; not before a pause is over."""
        super().set_accept_enabled(bool(enabled) and time.monotonic() >= self._accepts_from)

    def _pause(self, error: OSError) -> None:
        now = time.monotonic()
        self._accepts_from = now + PAUSE_SECONDS
        self.set_accept_enabled(False)
        if now >= self._tells_from:
            self._tells_from = now + TELL_AGAIN_SECONDS
            self.log.error("connections have to wait, since none can be accepted: %s", error)

    def enqueue_req(self, conn: Any) -> None:
        """Have a thread serve a connection, once its next request is whole."""
        if not conn.received.has_head() and not conn.received.take_in():
            self._close(conn)
        elif not conn.received.has_head():
            self._watch(conn, self.pending_conns, HEAD_SECONDS, self.on_pending_socket_readable)
        elif conn.received.missing():
            self._watch(conn, self._receiving, RECEIVE_SECONDS, self._on_receiving_socket_readable)
        else:
            super().enqueue_req(conn)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        """Take in what has come; its time goes on until the head is whole."""
        if not conn.received.take_in() or conn.received.has_head():
            super().on_pending_socket_readable(conn, client)

    def _on_receiving_socket_readable(self, conn: Any, client: Any) -> None:
        """Take in more of a body, which must come at a least rate."""
        before = conn.received.missing()
        goes_on = conn.received.take_in()
        left = conn.received.missing()
        self._receiving.remove(conn)
        if goes_on and left:
            conn.timeout = min(paced(conn.timeout, before - left), self._stops_by)
            self._receiving.append(conn)
        else:
            self.poller.unregister(client)
            super().enqueue_req(conn)

    def _give_up(self, conn: Any) -> None:
        """Let a thread tell a client that it sends too slowly."""
        self._receiving.remove(conn)
        self.poller.unregister(conn.sock)
        conn.received.give_up()
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serve a request, and those that follow at once on its connection."""
        conn.received.expect()
        while (goes_on := super().handle(conn)) is True and not conn.unsent and self._follows(conn):
            conn.received.expect()
        return goes_on

    def _follows(self, conn: Any) -> bool:
        """Wait for a moment for the next request of a served connection; False where others wait for the thread.

        A program sends many in a row. To give its connection back to the thread that watches all of them, and to get it
        from there again, costs as much as an answer. Some threads never stay, so a request finds one at once.
        """
        if not self.alive or self._others_wait() or not self._stays.acquire(blocking=False):
            return False
        try:
            return conn.received.brings_request(STAY_SECONDS) and not self._others_wait()
        finally:
            self._stays.release()

    def _others_wait(self) -> bool:
        # The pool tells nobody how much it has to do.
        return self.tpool._work_queue.qsize() > 0

    def finish_request(self, conn: Any, fs: Future[Any]) -> None:
        """Put a served connection back, or let it go, once its client has taken the whole answer."""
        if conn.sock.fileno() == -1:
            self.nr_conns -= 1
        elif conn.unsent:
            self._watch(
                conn, self._sending, SEND_SECONDS, partial(self._on_sending_socket_writable, fs), selectors.EVENT_WRITE
            )
        elif fs.exception() is None and not fs.result():
            self._part(conn)
        else:
            super().finish_request(conn, fs)

    def _part(self, conn: Any) -> None:
        """Close a connection when its client has: who still sends when it is closed may never see the answer."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._close(conn)
            return
        self._watch(conn, self._leaving, LINGER_SECONDS, self._on_leaving_socket_readable)

    def _on_leaving_socket_readable(self, conn: Any, client: Any) -> None:
        if not conn.received.discard():
            self._leaving.remove(conn)
            self._unwatch(conn)

    def _on_sending_socket_writable(self, fs: Future[Any], conn: Any, client: Any) -> None:
        self._sending.remove(conn)
        try:
            if conn.sock.send_more():
                self._go_on_sending(conn)
                return
        except OSError:
            self._unwatch(conn)
            return
        self.poller.unregister(conn.sock)
        self.finish_request(conn, fs)

    def _go_on_sending(self, conn: Any) -> None:
        conn.timeout = self._at_most(SEND_SECONDS)
        self._sending.append(conn)

    def _at_most(self, seconds: float) -> float:
        return min(time.monotonic() + seconds, self._stops_by)

    def _watch(
        self, conn: Any, group: deque[Any], seconds: float, call: Any, event: int = selectors.EVENT_READ
    ) -> None:
        try:
            self.poller.register(conn.sock, event, partial(call, conn))
        except OSError:  # The user may have no more watches.
            self._close(conn)
            return
        conn.timeout = self._at_most(seconds)
        group.append(conn)

    def _unwatch(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self._close(conn)

    def _close(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def murder_pending(self) -> None:
        """Close connections whose time is over; and where all places are taken, the one that has waited longest."""
        super().murder_pending()
        now = time.monotonic()
        while self._leaving and self._leaving[0].timeout <= now:
            self._unwatch(self._leaving.popleft())
        self._end_slow_readers(now)
        self._end_slow_senders(now)
        groups = (self._leaving, self.pending_conns, self.keepalived_conns, self._receiving, self._sending)
        while self.nr_conns >= self.worker_connections and (group := next(filter(None, groups), None)):
            self._unwatch(group.popleft())

    def _end_slow_readers(self, now: float) -> None:
        while self._sending and self._sending[0].timeout <= now:
            conn = self._sending.popleft()
            # The system asks for more when it has room for much, which is long after a slow client has taken a little.
            if now < self._stops_by and conn.sock.takes():
                self._go_on_sending(conn)
            else:
                self._unwatch(conn)
        while sum(len(conn.unsent) for conn in self._sending) > MOST_UNSENT_BYTES and len(self._sending) > 1:
            self._unwatch(self._sending.popleft())

    def _end_slow_senders(self, now: float) -> None:
        for conn in [conn for conn in self._receiving if conn.timeout <= now]:
            self._give_up(conn)
        while len(self._receiving) > MOST_BODIES:
            self._give_up(self._receiving[0])

    def _cap_keepalive(self, deadline: float) -> None:
        """Begin to stop: let no connection without a request outlive the worker, nor a slow one hold it up."""
        super()._cap_keepalive(deadline)  # type: ignore[misc]
        for conn in self.pending_conns:
            conn.timeout = min(conn.timeout or deadline, deadline)
        self._stops_by = time.monotonic() + DRAIN_SECONDS
        for conn in (*self._sending, *self._receiving):
            conn.timeout = min(conn.timeout, self._stops_by)
        if self.on_stopping is not None:
            threading.Thread(target=self.on_stopping, name="stopping").start()


class Logger(glogging.Logger):
    """gunicorn's log, without lines that nobody sees: for each request one would be put together and thrown away."""

    @property
    def access_log_enabled(self) -> bool:
        """Whether requests are logged."""
        return self.access_log.isEnabledFor(logging.INFO) and super().access_log_enabled


def _write_error(sock: Any, status_int: int, reason: str, mesg: str) -> None:
    body = dump(error_body(_error(status_int, mesg or f"The request could not be read: {reason}.")))
    head = (
        f"HTTP/1.1 {status_int} {reason}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    util.write_nonblock(sock, head.encode("latin-1") + body)


def _error(status: int, message: str) -> SchedulerError:
    if status == 400:
        return malformed(message)
    fault_of_ours = status >= 500 and status != 501
    return SchedulerError(message, "internal_error" if fault_of_ours else "invalid_request")
