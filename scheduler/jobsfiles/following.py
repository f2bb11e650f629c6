"""Follow files of jobs in a thread of their own: look when something changed, and from time to time anyway."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from scheduler.errors import SchedulerError
from scheduler.jobsfiles.keeping import FiledJobs
from scheduler.jobsfiles.plan import Plan
from scheduler.jobsfiles.reading import FileProblem, Reading, Source
from scheduler.jobsfiles.watching import Watcher

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.2
"""A change is looked at once nothing more has changed for so long: many files, or one in parts, are one change."""
LONGEST_SECONDS = 1.0
"""... but no later than this, however often something changes."""
RETRY_SECONDS = 1.0


class Follower:
    """Keep the store as the files say, as long as this process is the one that fires; the others only read.

    A file is looked at again when its bytes are others than before, and as long as anything is wrong with one: what
    is missing may come without that the file changes.
    """

    def __init__(
        self,
        files: FiledJobs,
        apply: Callable[[Plan], list[FileProblem]],
        may_apply: Callable[[], bool],
        poll_seconds: float,
        now: Callable[[], datetime],
    ) -> None:
        self._files, self._apply, self._may_apply = files, apply, may_apply
        self._poll_seconds, self._now = poll_seconds, now
        self._woken, self._closing = threading.Event(), threading.Event()
        self._watcher = Watcher(files.paths, self._woken.set)
        self._seen: tuple[str, bool] | None = None
        self._faulty = False
        self._told: list[str] = []
        self._trouble = ""
        self._report: dict[str, Any] | None = None
        self._thread = threading.Thread(target=self._run, name="jobs-files", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """Follow no more."""
        self._closing.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        self._watcher.close()

    def look_again(self) -> None:
        """Look soon: this process fires from now on, or somebody knows of a change."""
        self._seen = None
        self._woken.set()

    def report(self) -> dict[str, Any]:
        """Return what is told in `status`: the files, how many jobs they define, and each `FileProblem`."""
        never = {"files": [], "jobs": 0, "problems": [], "read_at": None}
        return {**(self._report or never), "watching": self._watcher.trouble or "changes are told at once"}

    def _run(self) -> None:
        while not self._closing.is_set():
            self._watcher.refresh()
            self._woken.wait(self._poll_seconds if self._try_look() else RETRY_SECONDS)
            self._settle()

    def _settle(self) -> None:
        """Wait until nothing changes any more."""
        latest = time.monotonic() + LONGEST_SECONDS
        while self._woken.is_set() and not self._closing.is_set():
            self._woken.clear()
            self._woken.wait(max(0.0, min(QUIET_SECONDS, latest - time.monotonic())))

    def _try_look(self) -> bool:
        try:
            self.look()
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
            if trouble != self._trouble:  # told once, however often it is tried
                unexpected = not isinstance(error, SchedulerError)
                log.warning("files of jobs cannot be followed, it is tried again: %s", error, exc_info=unexpected)
            self._trouble = trouble
            return False
        self._trouble = ""
        return True

    def look(self) -> None:
        """Look at the files once, and do what they ask for."""
        sources, may_apply = self._files.take_in(), self._may_apply()
        seen = (_digest(sources), may_apply)
        if seen == self._seen and not self._faulty:
            return
        reading = self._files.read(sources)
        planned = self._files.compare(reading)
        problems = list(planned.faulty)
        if may_apply:
            problems += self._apply(planned)
            self._tell(planned, problems)
        self._report = _report(sources, reading, problems, self._now())
        self._seen, self._faulty = seen, bool(problems)

    def _tell(self, planned: Plan, problems: Sequence[FileProblem]) -> None:
        if not planned.is_empty:
            counts = planned.counts()
            log.info("files of jobs: %s", ", ".join(f"{number} {name}" for name, number in counts.items()))
            for line in planned.lines():
                if not line.startswith("!"):
                    log.info("%s", line)
        told = [str(problem) for problem in problems]
        for text in told:
            if text not in self._told:
                log.warning("%s", text)
        self._told = told


def _digest(sources: Sequence[Source]) -> str:
    found = hashlib.sha256()
    for source in sources:
        found.update(repr((str(source.path), source.error, source.missing, len(source.content or b""))).encode())
        found.update(source.content or b"")
    return found.hexdigest()


def _report(
    sources: Sequence[Source], reading: Reading, problems: Sequence[FileProblem], now: datetime
) -> dict[str, Any]:
    counts = Counter(entry.file for entry in reading.entries)
    faulty = {problem.file for problem in problems}
    states = {
        source.path: "faulty" if source.path in faulty else "missing" if source.missing else "read"
        for source in sources
    }
    return {
        "files": [{"path": str(path), "state": state, "jobs": counts[path]} for path, state in states.items()],
        "jobs": len(reading.entries),
        "problems": list(problems),
        "read_at": now,
    }
