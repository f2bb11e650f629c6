"""Say whether this process can do what it is for, and why not."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late

from scheduler.errors import SchedulerError
from scheduler.firing import FiringWatch
from scheduler.store import Database, state

PROBE_SECONDS = 1.0
"""How long a write may take, and for how long one that was taken proves that the store takes them."""


class Readiness:
    """Look at store, start and lease when asked.

    Anybody may ask, as often as they like: the store is written to once in PROBE_SECONDS at most, and a store that
    stands still holds nobody longer than that.
    """

    def __init__(self, store: Database, firing: FiringWatch) -> None:
        self._store, self._firing = store, firing
        self._lock = threading.Lock()
        self._begun = False
        self._probe: Future[None] | None = None
        self._probed_at = 0.0

    def begin(self) -> None:
        """Note that this process takes part."""
        self._begun = True

    def reasons(self) -> list[str]:
        """Return what is in the way; nothing where all is well."""
        found = [] if self._begun else ["this process has not finished starting"]
        return found + self._of_store() + self._of_lease()

    def _of_store(self) -> list[str]:
        try:
            self._store.read(state.revision)
            self._write()
        except SchedulerError as error:
            return [error.message]
        except Late:
            return [f"the store has taken no write for {PROBE_SECONDS:g} s"]
        return []

    def _write(self) -> None:
        """Have the store write, or wait for the write that is under way; raise what comes of it, or `Late`."""
        with self._lock:
            now = time.monotonic()
            if self._probe is None or (self._probe.done() and now - self._probed_at >= PROBE_SECONDS):
                self._probe, self._probed_at = self._store.probe_soon(), now
            probe = self._probe
        probe.result(PROBE_SECONDS)

    def _of_lease(self) -> list[str]:
        try:
            firing = self._firing.look()
        except SchedulerError as error:
            return [error.message]
        if not firing.held:
            return ["no process holds the lease: nothing fires until one does"]
        if firing.clock_alive is None and firing.here:
            return ["the process that holds the lease has not planned all tasks yet"]
        return ["the clock's thread is not running in the process that fires"] if firing.clock_alive is False else []
