"""Watch from outside: which processes carry a run's id, and whether this machine stands still."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from pathlib import Path

from scheduler.models import utc_now
from scheduler.selftest.chores import MARK
from scheduler.selftest.record import Disturbance, Sighting, Span
from tasks.sandbox import processes
from tasks.sandbox.processes import Process

LOOK_SECONDS = 0.3
STALL_SECONDS = 0.5


class ProcessWatch:
    """A thread that looks at all processes again and again and remembers those with this round's mark."""

    def __init__(self, mark: str) -> None:
        self._mark = mark.encode()
        self._seen: dict[tuple[str, int, int], Sighting] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="process-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> list[Sighting]:
        """End, and return what was seen."""
        self._ending.set()
        self._thread.join()
        return list(self._seen.values())

    def look(self) -> list[Process]:
        """Return the processes that carry the mark now."""
        found = []
        for pid in processes.pids():
            moment = utc_now()
            environ = processes.read_environ(pid)
            if environ.get(MARK.encode()) != self._mark:
                continue
            process = processes.read_process(pid)
            if process is not None and not process.dead:
                found.append(process)
                self._remember(process, environ, moment)
        return found

    def _remember(self, process: Process, environ: dict[bytes, bytes], moment: datetime) -> None:
        run_id = environ.get(b"SCHEDULER_RUN_ID", b"").decode("ascii", "replace")
        key = (run_id, process.pid, process.started)
        known = self._seen.get(key)
        command = known.command if known else _command(process.pid)
        self._seen[key] = Sighting(run_id, process.pid, moment, command)

    def _run(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self.look()


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return "?"


class StallWatch:
    """A thread that notices when it is not let run: a machine that stands still is no fault of the server's."""

    def __init__(self) -> None:
        self.stalls: list[Disturbance] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall-watch", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> list[Disturbance]:
        """End, and return when the machine stood still."""
        self._ending.set()
        self._thread.join()
        return self.stalls

    def _run(self) -> None:
        before = time.monotonic()
        while not self._ending.wait(0.05):
            after = time.monotonic()
            if after - before > STALL_SECONDS:
                now = utc_now()
                when = Span(now - timedelta(seconds=after - before), now)
                self.stalls.append(Disturbance(f"the machine stood still for {after - before:.1f} s", when))
            before = after
