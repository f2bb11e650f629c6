"""Look up what monitors watch and the store knows."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from scheduler.errors import Unavailable
from scheduler.store import Connection, Database, jobs, runs, state

KEPT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Figures:
    """How things stand: `tasks` by state, `active` runs by status and priority, when the next task is due."""

    scheduling: bool
    tasks: Mapping[str, int]
    active: Mapping[tuple[str, str], int]
    next_due: datetime | None


class FigureReader:
    """Ask the store at most once in KEPT_SECONDS, however many ask here: it has to look at every task."""

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
                    self._kept = self._store.read(_figures)
                except Unavailable:
                    self._kept = None  # is told as a store that is down
                self._read_at = self._clock()
            return self._kept


def _figures(connection: Connection) -> Figures:
    scheduling = bool(state.is_running(connection))
    return Figures(
        scheduling,
        {name: number for name, number in jobs.count_states(connection).items() if name != "total"},
        runs.count_active(connection),
        jobs.next_due(connection) if scheduling else None,
    )
