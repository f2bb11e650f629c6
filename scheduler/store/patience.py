"""Wait for a database server only so long, though it answers nothing and its machine keeps the connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection

ANSWER_SECONDS = 45.0
LOOK_SECONDS = 0.25


class Patience:
    """One thread that ends the connections on which somebody has waited too long; the wait then ends with an error.

    The server's own limits on statements and locks come first. This is for one that stands still: a
    stalled disk, a frozen machine.
    """

    def __init__(self) -> None:
        self._waits: dict[object, tuple[float, int]] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-patience", daemon=True)
        self._thread.start()

    @contextmanager
    def limit(self, connection: Connection) -> Iterator[None]:
        """Let what is done with a connection take ANSWER_SECONDS at most."""
        driver: Any = connection.connection.driver_connection
        wait = object()
        self._waits[wait] = time.monotonic() + ANSWER_SECONDS, driver.fileno()
        try:
            yield
        finally:
            with self._lock:  # so that nobody's socket is ended who got its number just now
                del self._waits[wait]

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.wait(LOOK_SECONDS):
            now = time.monotonic()
            with self._lock:
                late = [number for deadline, number in list(self._waits.values()) if deadline < now]
                for number in late:
                    _shut(number)


def _shut(number: int) -> None:
    # An error says that it has ended by itself.
    with suppress(OSError), socket.fromfd(number, socket.AF_UNSPEC, socket.SOCK_STREAM) as connection:
        connection.shutdown(socket.SHUT_RDWR)
