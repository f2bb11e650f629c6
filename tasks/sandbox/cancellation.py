"""Tell a run under way that it shall end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Cancellation:
    """A wish to end one run, spoken by any thread, at any time, and heard by the waiting run at once.

    The first reason stays; a wish spoken before the run starts keeps it from starting.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reason: str | None = None
        self._fd: int | None = None

    @property
    def reason(self) -> str | None:
        """Why the run shall end; None while nobody wishes it."""
        return self._reason

    def cancel(self, reason: str) -> None:
        """Wish the end of the run; further calls change nothing."""
        with self._lock:
            if self._reason is not None:
                return
            self._reason = reason
            if self._fd is not None:
                os.eventfd_write(self._fd, 1)

    @contextmanager
    def bell(self) -> Iterator[int]:
        """Give a descriptor that is readable from the moment of the wish on; for one run at a time."""
        fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        try:
            with self._lock:
                self._fd = fd
                if self._reason is not None:
                    os.eventfd_write(fd, 1)
            yield fd
        finally:
            with self._lock:  # or a late cancel() would write into whatever gets this number next
                self._fd = None
            os.close(fd)
