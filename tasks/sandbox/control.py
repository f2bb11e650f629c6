"""Talk to a supervisor over its control socket, seen from the server."""

from __future__ import annotations

import array
import marshal
import socket
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tasks.sandbox.leftovers import exempt
from tasks.sandbox.supervisor import CANCEL, LENGTH_BYTES, STARTED

START_SECONDS = 20.0
"""How long a supervisor may take until it has understood its policy."""


class SupervisorLost(Exception):
    """A supervisor did not do its part."""


class Supervisor:
    """A supervisor, seen from the server: the socket by which it is told what to run, and tells what came of it."""

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        self.control = control
        self.pid = 0
        self._process = process

    def hand_over(self, policy: bytes, outputs: Sequence[int]) -> bool:
        """Give a run to it; return whether it took it. If not, nothing has been started.

        SupervisorLost where it does not answer.
        """
        control = self.control
        control.settimeout(START_SECONDS)
        data = len(policy).to_bytes(LENGTH_BYTES, "big") + policy
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", outputs))]
        try:
            sent = control.sendmsg([data], ancillary)
            control.sendall(memoryview(data)[sent:])
            answer = control.recv(len(STARTED) + LENGTH_BYTES, socket.MSG_WAITALL)
        except (BrokenPipeError, ConnectionResetError):
            return False
        except TimeoutError as error:
            raise SupervisorLost(f"its supervisor did not start within {START_SECONDS:g} s") from error
        self.pid = int.from_bytes(answer[len(STARTED) :], "big")
        return bool(answer)

    def cancel(self) -> None:
        """Ask it to end its run."""
        with suppress(BrokenPipeError, ConnectionResetError):  # it has just reported and gone
            self.control.sendall(CANCEL)

    def report(self) -> dict[str, Any]:
        """Return what it says came of its run; SupervisorLost where it died over it."""
        size = int.from_bytes(self._exactly(LENGTH_BYTES), "big")
        report: dict[str, Any] = marshal.loads(self._exactly(size))
        return report

    def close(self) -> None:
        """Let it go: it ends what it runs, and itself."""
        self.control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            exempt.discard(self._process.pid)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                part = self.control.recv(size - len(data))
            except ConnectionResetError:  # in place of the end, where it left a cancellation unread
                part = b""
            if not part:
                raise SupervisorLost("its supervisor died")
            data += part
        return data
