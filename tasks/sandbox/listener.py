"""Wait for what a run does, in one poll() for everything."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Collection

from tasks.sandbox.output import CHUNK, OutputFile

LONGEST_POLL_SECONDS = 24 * 3600.0
"""How long one poll() may take: it counts milliseconds in 31 bits, less than 25 days."""
DRAIN_SECONDS = 1.0
"""How long output is still read after a run's end, where something that withstood goes on writing."""


class Listener:
    """Moves a run's output into its files while waiting for other descriptors to become readable."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._outputs: dict[int, OutputFile] = {}
        self.write_error: OSError | None = None

    def add_output(self, fd: int, output: OutputFile) -> None:
        """Read from this pipe from now on; the descriptor is the listener's to close."""
        self._outputs[fd] = output
        self._poll.register(fd, select.POLLIN)

    def wait(self, watched: Collection[int], deadline: float) -> int | None:
        """Return the first of `watched`, in that order, that is readable; None at the deadline.

        `deadline` is a moment of time.monotonic().
        """
        for fd in watched:
            self._poll.register(fd, select.POLLIN)
        try:
            while (left := deadline - time.monotonic()) > 0:
                ready = {fd for fd, _ in self._poll.poll(min(left, LONGEST_POLL_SECONDS) * 1000)}
                self._read(ready)
                found = next((fd for fd in watched if fd in ready), None)
                if found is not None:
                    return found
            return None
        finally:
            for fd in watched:
                self._poll.unregister(fd)

    def drain(self) -> None:
        """Read what is in the pipes now."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._outputs and time.monotonic() < deadline:
            ready = {fd for fd, _ in self._poll.poll(0)}
            if not ready:
                return
            self._read(ready)

    def close(self) -> None:
        """Close pipes and files."""
        for fd in list(self._outputs):
            self._close(fd)

    def _read(self, ready: Collection[int]) -> None:
        for fd in [fd for fd in self._outputs if fd in ready]:
            data = os.read(fd, CHUNK)
            if data:
                self._keep(self._outputs[fd], data)
            else:
                self._close(fd)

    def _keep(self, output: OutputFile, data: bytes) -> None:
        if self.write_error is not None:  # the pipe is emptied all the same, or the run would stand still
            return
        try:
            output.write(data)
        except OSError as error:
            self.write_error = error

    def _close(self, fd: int) -> None:
        output = self._outputs.pop(fd)
        self._poll.unregister(fd)
        os.close(fd)
        try:
            output.close()
        except OSError as error:
            self.write_error = self.write_error or error
