"""Remember what was read for as long as nobody writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from scheduler.store.database import Database

T = TypeVar("T")


class Remembered(Generic[T]):
    """What a unit reads, read anew after each commit of any process; each time where the database counts none."""

    def __init__(self, store: Database, unit: Callable[[Connection], T]) -> None:
        self._store, self._unit = store, unit
        self._last: tuple[int, T] | None = None

    def read(self) -> T:
        """Return what the unit reads, which callers share and must not change; raise `Unavailable` as a read does."""
        # Asked first: what is committed while the unit reads may then be read twice, and is never overlooked.
        version, last = self._store.version(), self._last
        if version is not None and last is not None and last[0] == version:
            return last[1]
        found = self._store.read(self._unit)
        self._last = None if version is None else (version, found)
        return found
