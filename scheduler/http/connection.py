"""Hold a client's connection, and what has come of its next request; wait little for clients that are slow."""

from __future__ import annotations

import errno
import fcntl
import io
import re
import select
import socket
import sys
import termios
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
LARGE_BODY_BYTES = 1024 * 1024
"""Up to which size a body is taken in without a thread."""
SEND_WAIT_SECONDS = 0.05
"""How long a thread waits for a client to take more of its answer."""
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_WAITS_FOR_US = re.compile(rb"\r\nexpect:", re.IGNORECASE)


class Connection(TConn):
    """A connection whose requests are taken in without a thread, and whose answers need none to wait for the client."""

    def __init__(self, cfg: Any, accepted: socket.socket, client: Any, server: Any) -> None:
        sock = PatientSocket(fileno=accepted.detach())
        super().__init__(cfg, sock, client, server)
        self.received = PacedUnreader(sock)
        self.parser = get_parser(cfg, sock, client)
        self.parser.unreader = self.received
        self.data_ready = True

    @property
    def unsent(self) -> memoryview:
        """What the client has not taken yet of an answer that is made."""
        return self.sock.unsent if isinstance(self.sock, PatientSocket) else memoryview(b"")


class PatientSocket(socket.socket):
    """A socket that keeps what its client does not take soon, for whoever can wait for it without a thread."""

    unsent = memoryview(b"")
    _not_taken = 0

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send what the client takes; the rest is `unsent`."""
        if self.unsent:
            self.unsent = memoryview(bytes(self.unsent) + data)
            return
        self.unsent, until = memoryview(data), time.monotonic() + SEND_WAIT_SECONDS
        while self.send_more() and _is_ready(self, select.POLLOUT, until - time.monotonic()):
            pass

    def send_more(self) -> bool:
        """Send what the client takes at once; whether more is left."""
        try:
            self.unsent = self.unsent[self.send(self.unsent, socket.MSG_DONTWAIT) :]
        except BlockingIOError:
            pass
        except OSError:
            self.unsent = memoryview(b"")
            raise
        return bool(self.unsent)

    def takes(self) -> bool:
        """Whether the client has taken anything since this was asked last; what the system keeps for it counts."""
        kept = int.from_bytes(fcntl.ioctl(self, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
        before, self._not_taken = self._not_taken, kept + len(self.unsent)
        return self._not_taken != before


class PacedUnreader(SocketUnreader):
    """What has come on a socket and was not read yet; who reads on waits no longer than the pace allows."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self._is_given_up = False
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

    def missing(self) -> int:
        """How many bytes of the body have not come, where it is taken in without a thread; the head is there."""
        head, end, body = self.buf.getvalue().partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n") if end else None
        if length is None or int(length[1]) > LARGE_BODY_BYTES or _WAITS_FOR_US.search(head):
            return 0
        return max(0, int(length[1]) - len(body))

    def give_up(self) -> None:
        """Wait no more for what has not come: whoever reads on is told that the client is too slow."""
        self._is_given_up = True

    def brings_request(self, seconds: float) -> bool:
        """Whether the next request is whole within so many seconds."""
        until = time.monotonic() + seconds
        while not self.has_head() or self.missing():
            if not self._comes(until - time.monotonic()) or not self.take_in():
                return False
        return True

    def discard(self) -> bool:
        """Take in what is there and forget it; False where the client sends no more."""
        goes_on = self.take_in()
        self.take_buffered()
        return goes_on

    def chunk(self, size_hint: int | None = None) -> bytes:
        """Return the next bytes; raise `ConnectionResetError` where the client falls too far behind."""
        if self._is_given_up or not self._comes(self._deadline - time.monotonic()):
            raise ConnectionResetError(errno.ECONNRESET, "the client sends nothing, or too slowly")
        data: bytes = super().chunk(size_hint)  # type: ignore[call-arg]
        # What was sent fast is no credit for later, or a last byte could be kept back for a minute.
        self._deadline = paced(self._deadline, len(data))
        return data

    def _comes(self, seconds: float) -> bool:
        # The end of all, too, is something.
        return _is_ready(self.sock, select.POLLIN, seconds)


def paced(deadline: float, count: int) -> float:
    """Return until when a client may send nothing that has sent so many bytes in time for a deadline."""
    return min(deadline + count / LEAST_BYTES_A_SECOND, time.monotonic() + RECEIVE_SECONDS)


def _is_ready(sock: socket.socket, kind: int, seconds: float) -> bool:
    """Whether a socket has something to read, or room to write, within so many seconds."""
    poll = select.poll()
    poll.register(sock, kind)
    return bool(poll.poll(max(0.0, seconds) * 1000))
