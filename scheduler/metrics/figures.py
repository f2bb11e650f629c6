"""Look up what monitors watch and the store knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from scheduler.errors import Unavailable
from scheduler.store import Connection, Database, jobs, runs, state

KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand: `tasks` by state as of a revision of them, and `active` runs by status and priority."""

    scheduling: bool
    revision: int
    tasks: Mapping[str, int]
    active: Mapping[tuple[str, str], int]


class FigureReader:
    """Ask the store at most once in KEPT_SECONDS, however many ask here, and count tasks only where one has changed:
    that means a look at each.
    """

    def __init__(self, store: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._clock = store, clock
        self._lock = threading.Lock()
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
        revision = state.revision(connection)
        tasks = self._kept.tasks if self._kept is not None and self._kept.revision == revision else None
        return Figures(
            bool(state.is_running(connection)),
            revision,
            tasks or {name: number for name, number in jobs.count_states(connection).items() if name != "total"},
            runs.count_active(connection),
        )
