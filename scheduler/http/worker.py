"""Serve under gunicorn: threads, sockets that may be taken away, and errors in JSON."""

from __future__ import annotations

from typing import Any

from gunicorn import util
from gunicorn.workers.gthread import ThreadWorker

from scheduler.errors import SchedulerError
from scheduler.http.answers import dump, error_body, malformed
from scheduler.http.handoff import allow_handoff


class HandoffWorker(ThreadWorker):
    """A gthread worker that forgets a connection whose socket the application has taken."""

    def init_process(self) -> None:
        """Prepare the worker's process and serve."""
        allow_handoff()
        # gunicorn has no setting for what it answers to requests that it cannot read.
        util.write_error = _write_error
        super().init_process()

    def finish_request(self, conn: Any, fs: Any) -> None:
        """Put a served connection back, or let it go."""
        if conn.sock.fileno() == -1:
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)


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
