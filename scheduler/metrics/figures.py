"""Look up what monitors watch and the store knows."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scheduler.errors import Unavailable
from scheduler.store import Connection, Database, jobs, state, underway

KEPT_SECONDS = 1.0
REMOVED = jobs.STATES.index("removed")


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand: `tasks` by state, and `active` runs by status and priority."""

    scheduling: bool
    tasks: Mapping[str, int]
    active: Mapping[tuple[str, str], int]


class FigureReader:
    """Ask the store at most once in KEPT_SECONDS, however many ask here."""

    def __init__(self, store: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
        self._tally = TaskTally()
        self._kept: Figures | None = None
        self._read_at = 0.0

    def read(self) -> Figures | None:
        """Return the figures, None where the store does not answer or takes nothing."""
        with self._lock:
            if self._store.trouble is not None:
                return None
            if self._kept is None or self._clock() - self._read_at >= KEPT_SECONDS:
                try:
                    self._kept = self._store.read(self._look)
                except Unavailable:
                    self._kept = None  # is told as a store that is down
                self._read_at = self._clock()
            return self._kept

    def _look(self, connection: Connection) -> Figures:
        return Figures(
            bool(state.is_running(connection)), self._tally.follow(connection), underway.count_active(connection)
        )


class TaskTally:
    """Count tasks by state, a byte of memory each, so that only those that have changed need to be looked at."""

    def __init__(self) -> None:
        self._revision: int | None = None
        self._states = bytearray()
        self._counts = Counter(dict.fromkeys(range(len(jobs.STATES)), 0))

    def follow(self, connection: Connection) -> dict[str, int]:
        """Return how many tasks are in each state, by what the store says now."""
        self._revision, changed = jobs.states_since(connection, self._revision)
        for key, name in changed:
            self._move(key, jobs.STATES.index(name))
        return {name: self._counts[code] for code, name in enumerate(jobs.STATES) if code != REMOVED}

    def _move(self, key: int, code: int) -> None:
        # A task that was never seen is as one that was removed; what of these is counted is told to nobody.
        self._states.extend(bytes(max(0, key + 1 - len(self._states))))
        self._counts[self._states[key]] -= 1
        self._counts[code] += 1
        self._states[key] = code
