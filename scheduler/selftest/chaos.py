"""Do to a server what its plan says, and remember when."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from scheduler.models import utc_now
from scheduler.selftest.client import Client
from scheduler.selftest.plan import Step
from scheduler.selftest.record import Disturbance, Span
from scheduler.selftest.servers import Server
from scheduler.selftest.stores import RoundStore
from tasks.sandbox import processes

_ROOM = 4096


class Chaos:
    """Carry out lanes of faults. Each disturbance lasts until the server was seen to be well again."""

    def __init__(self, server: Server, store: RoundStore, client: Client) -> None:
        self._server, self._store, self._client = server, store, client
        self.disturbances: list[Disturbance] = []
        self.ended = threading.Event()
        self._does: dict[str, Callable[[float], None]] = {
            "kill -9 the worker that fires": lambda _: self._signal_holder(signal.SIGKILL),
            "kill -15 the worker that fires": lambda _: self._signal_holder(signal.SIGTERM),
            "stop and continue the worker that fires": self._suspend_holder,
            "stop the worker that fires, then kill -9 it": lambda s: self._suspend_holder(s, kill=True),
            "kill -9 the whole server": self._kill_all,
            "stop the whole server gracefully": self._stop_all,
            "stop and continue the whole server": self._suspend_all,
            "lock the store": lambda seconds: self._store.lock(self.ended, seconds),
            "fill the store": self._fill,
            "cut the connections to the store": lambda _: self._cut(),
            "stop and start by action": self._stop_and_start,
        }

    def follow(self, lane: Sequence[Step], began: float) -> None:
        """Carry out the steps of one lane, each at its moment, or when the one before is over."""
        for step in lane:
            self.ended.wait(max(0.0, began + step.at - time.monotonic()))
            if self.ended.is_set():
                return
            self._carry_out(step)

    def boot(self) -> None:
        """Start the server for the first time."""
        self._disturbing("start the server", utc_now(), False, self._start)

    def _carry_out(self, step: Step) -> None:
        what = f"{step.what} ({step.seconds:g} s)" if step.seconds else step.what
        # With its connection a worker also loses the lease, and its runs, to whoever is first.
        cuts_off = any(word in step.what for word in ("kill", "gracefully", "connections"))
        if step.what == "stop and start by action":
            self._does[step.what](step.seconds)  # what that means for fire times, the requests tell
        else:
            self._disturbing(what, utc_now(), cuts_off, lambda: self._does[step.what](step.seconds))

    def _disturbing(self, what: str, began: datetime, cuts_off: bool, do: Callable[[], None]) -> None:
        try:
            do()
        finally:
            self.disturbances.append(Disturbance(what, Span(began, utc_now()), cuts_off))

    def _start(self) -> None:
        self._server.start()
        self._server.wait_ready()

    def _signal_holder(self, number: signal.Signals) -> None:
        if (holder := self._server.holder_or_any()) is not None:
            processes.send(holder, number)
            self._wait_gone(holder)
        self._server.wait_ready()

    def _suspend_holder(self, seconds: float, kill: bool = False) -> None:
        if (holder := self._server.holder_or_any()) is not None:
            processes.send(holder, signal.SIGSTOP)
            self.ended.wait(seconds)
            processes.send(holder, signal.SIGKILL if kill else signal.SIGCONT)
            if kill:
                self._wait_gone(holder)
        self._server.wait_ready()

    def _wait_gone(self, process: processes.Process) -> None:
        """Wait until a process has ended; gunicorn ends one itself that takes too long."""
        while True:
            found = processes.read_process(process.pid)
            if found is None or found.dead or found.started != process.started or not self._server.is_up():
                return
            time.sleep(0.02)

    def _kill_all(self, seconds: float) -> None:
        self._server.kill()
        self.ended.wait(seconds)
        self._start()

    def _stop_all(self, seconds: float) -> None:
        self._server.stop()
        self.ended.wait(seconds)
        self._start()

    def _suspend_all(self, seconds: float) -> None:
        self._server.send(signal.SIGSTOP)
        self.ended.wait(seconds)
        self._server.send(signal.SIGCONT)
        self._server.wait_ready()

    def _fill(self, seconds: float) -> None:
        self._server.limit_files(int(seconds * 1000) % 5 * _ROOM)
        self.ended.wait(seconds)
        self._server.unlimit_files()

    def _cut(self) -> None:
        self._store.cut()
        self._server.wait_ready()

    def _stop_and_start(self, seconds: float) -> None:
        self._client.do("stop")
        self.ended.wait(seconds)
        self._client.do("start")
