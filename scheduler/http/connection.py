"""Hold a client's connection, and what has come of its next request; part with clients that send too slowly."""

from __future__ import annotations

import errno
import io
import select
import socket
import time
from typing import Any

from gunicorn.http import get_parser
from gunicorn.http.unreader import SocketUnreader
from gunicorn.workers.gthread import TConn

RECEIVE_SECONDS = 5.0
"""How far a client may fall behind the least rate at which it must send what a thread waits for."""
LEAST_BYTES_A_SECOND = 16 * 1024
LARGE_HEAD_BYTES = 16 * 1024
"""How much of a head is taken in without a thread."""


class Connection(TConn):
    """A connection whose requests are taken in without a thread until their heads are whole."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.received = PacedUnreader(sock)
        self.parser = get_parser(cfg, sock, client)
        self.parser.unreader = self.received
        self.data_ready = True


class PacedUnreader(SocketUnreader):
    """What has come on a socket and was not read yet; who reads on waits no longer than the pace allows."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.expect()

    def expect(self) -> None:
        """Expect from now on what a thread waits for."""
        self._deadline = time.monotonic() + RECEIVE_SECONDS

    def take_in(self) -> bool:
        """Take in what is there, without waiting; False where the client sends no more."""
        try:
            data = self.sock.recv(self.mxchunk, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.buf.seek(0, io.SEEK_END)
        self.buf.write(data)
        return bool(data)

    def has_head(self) -> bool:
        """Whether the head of the next request is there, or so much that a thread may as well read on."""
        data = self.buf.getvalue()
        return b"\r\n\r\n" in data or len(data) >= LARGE_HEAD_BYTES

    def brings_head(self, seconds: float) -> bool:
        """Whether the head of the next request comes within so many seconds."""
        return self.has_head() or (self._comes(seconds) and self.take_in() and self.has_head())

    def discard(self) -> bool:
        """Take in what is there and forget it; False where the client sends no more."""
        goes_on = self.take_in()
        self.take_buffered()
        return goes_on

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes; raise `ConnectionResetError` where the client falls too far behind."""
        if not self._comes(self._deadline - time.monotonic()):
            raise ConnectionResetError(errno.ECONNRESET, "the client sends nothing, or too slowly")
        data: bytes = super().chunk(size_hint)  # type: ignore[call-arg]
        # What was sent fast is no credit for later, or a last byte could be kept back for a minute.
        self._deadline = min(self._deadline + len(data) / LEAST_BYTES_A_SECOND, time.monotonic() + RECEIVE_SECONDS)
        return data

    def _comes(self, seconds: float) -> bool:
        # The end of all, too, is something.
        poll = select.poll()
        poll.register(self.sock, select.POLLIN)
        return bool(poll.poll(max(0.0, seconds) * 1000))
