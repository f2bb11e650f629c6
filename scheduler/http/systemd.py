"""Tell systemd how the service is: ready, alive, stopping. Nothing is told where nobody listens.

gunicorn's first process calls itself ready when it listens, which is before the scheduler is there. So the
socket's name is taken out of its sight, and each worker tells when it answers: hence `NotifyAccess=all`.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

log = logging.getLogger(__name__)

_KEPT = "TASK_SCHEDULER_NOTIFY_SOCKET"
_SEND_SECONDS = 1.0
_STATUS_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Condition:
    """How this process is. `well`: no restart is needed."""

    well: bool
    status: str


def hide_socket(environ: MutableMapping[str, str]) -> None:
    """Keep the socket's name where gunicorn does not find it; forget a watchdog that is set for another process."""
    if address := environ.pop("NOTIFY_SOCKET", ""):
        environ[_KEPT] = address
    if environ.pop("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        environ.pop("WATCHDOG_USEC", None)


class Systemd:
    """The service manager at the other end of a datagram socket, or nobody."""

    def __init__(self, address: str | None, watchdog_seconds: float | None = None) -> None:
        self._address = address and (address.replace("@", "\0", 1) if address.startswith("@") else address)
        self._watchdog_seconds = watchdog_seconds
        self._over = threading.Event()

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str]) -> Systemd:
        """Return the one that `hide_socket` has kept."""
        micros = environ.get("WATCHDOG_USEC", "")
        return cls(environ.get(_KEPT), int(micros) / 1e6 if micros.isdecimal() and int(micros) else None)

    def send(self, *lines: str) -> None:
        """Tell something; raise OSError where it does not arrive."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.settimeout(_SEND_SECONDS)
            sender.sendto("\n".join(lines).encode(), self._address)

    def keep_told(self, look: Callable[[], Condition]) -> None:
        """Say that the service is ready, and how it is from now on, twice in each span of the watchdog."""
        if self._address:
            self._tell("READY=1", f"STATUS={look().status}")
            threading.Thread(target=self._beat, args=(look,), name="systemd", daemon=True).start()

    def stop(self) -> None:
        """Tell no more."""
        self._over.set()

    def announce_stop(self) -> None:
        """Tell it when this process is asked to end; whoever handles the signal still does."""
        if not self._address:
            return
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, self._telling(signal.getsignal(number)))

    def _telling(self, handler: Any) -> Callable[[int, FrameType | None], None]:
        def tell(number: int, frame: FrameType | None) -> None:
            # No logging: the signal may have come in the middle of a line.
            with contextlib.suppress(OSError):
                self.send("STOPPING=1", "STATUS=Stopping")
            handler(number, frame)

        return tell

    def _beat(self, look: Callable[[], Condition]) -> None:
        unwell = 0
        while not self._over.wait((self._watchdog_seconds or 2 * _STATUS_SECONDS) / 2):
            condition = look()
            unwell = 0 if condition.well else unwell + 1
            self._tell(f"STATUS={condition.status}", *self._sign(unwell))

    def _sign(self, unwell: int) -> list[str]:
        """Return what the watchdog is told: of several processes, one that stays unwell must not hide behind others."""
        if self._watchdog_seconds is None or unwell == 1:
            return []
        return ["WATCHDOG=1"] if not unwell else ["WATCHDOG=trigger"]

    def _tell(self, *lines: str) -> None:
        try:
            self.send(*lines)
        except OSError as error:
            log.warning("systemd could not be told: %s", error)
