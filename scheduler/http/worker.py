"""Serve under gunicorn: threads, sockets that may be taken away, and errors in JSON."""

from __future__ import annotations

import errno
import logging
import select
import threading
from typing import Any

from gunicorn import glogging, util
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import ThreadWorker

from scheduler.errors import SchedulerError
from scheduler.http.answers import dump, error_body, malformed
from scheduler.http.guard import set_patience
from scheduler.http.handoff import allow_handoff

RECEIVE_SECONDS = 5.0
SEND_SECONDS = 30.0
STAY_SECONDS = 0.005
"""How long a thread stays with a connection that it has served."""
NEVER_STAY = 2
"""How many threads are always left for others than those that may send nothing more."""


class HandoffWorker(ThreadWorker):
    """A gthread worker that forgets a connection whose socket the application has taken."""

    def init_process(self) -> None:
        """Prepare the worker's process and serve."""
        allow_handoff()
        # gunicorn has no setting for what it answers to requests that it cannot read.
        util.write_error = _write_error
        SocketUnreader.chunk = _chunk  # type: ignore[method-assign]
        self._stays = threading.BoundedSemaphore(max(1, self.cfg.threads - NEVER_STAY))
        super().init_process()

    def handle(self, conn: Any) -> Any:
        """Serve a request, and those that follow at once on its connection.

        Who stops sending or reading half-way loses the connection, for threads are few.
        """
        set_patience(conn.sock, RECEIVE_SECONDS, SEND_SECONDS)
        while (goes_on := super().handle(conn)) is True and self._follows(conn):
            pass
        return goes_on

    def _follows(self, conn: Any) -> bool:
        """Wait for a moment for the next request of a served connection; False where others wait for the thread.

        A program sends many in a row. To give its connection back to the thread that watches all of them, and to get it
        from there again, costs as much as an answer. Some threads never stay, so a request finds one at once.
        """
        if not self.alive or self._others_wait() or not self._stays.acquire(blocking=False):
            return False
        try:
            return _has_more(conn, STAY_SECONDS) and not self._others_wait()
        finally:
            self._stays.release()

    def _others_wait(self) -> bool:
        # The pool tells nobody how much it has to do.
        return self.tpool._work_queue.qsize() > 0

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Put a served connection back, or let it go."""
        if conn.sock.fileno() == -1:
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)


class Logger(glogging.Logger):
    """gunicorn's log, without lines that nobody sees: for each request one would be put together and thrown away."""

    @property
    def access_log_enabled(self) -> bool:
        """Whether requests are logged."""
        return self.access_log.isEnabledFor(logging.INFO) and super().access_log_enabled


def _has_more(conn: Any, seconds: float) -> bool:
    """Whether a connection brings something within so many seconds; its end, too, is something."""
    if conn.parser.unreader.buf.getvalue():  # what came along with the request before
        return True
    poll = select.poll()
    poll.register(conn.sock, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


_read_chunk = SocketUnreader.chunk


def _chunk(self: SocketUnreader, *args: Any) -> Any:
    try:
        return _read_chunk(self, *args)
    except BlockingIOError as error:
        raise ConnectionResetError(errno.ECONNRESET, "the client stopped sending") from error


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
