"""Let something else happen in the transaction of a change, or be read there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from sqlalchemy import Connection

from scheduler.store.database import Database

T = TypeVar("T")


class Around(Protocol):
    """Something to do about a change: it calls `unit`, or raises. Like any unit it may be run twice."""

    def __call__(self, connection: Connection, unit: Callable[[Connection], T]) -> T:
        """Return what the unit returns."""


class Surrounded(Database):
    """The same store, with `around` about each unit that writes."""

    def __init__(self, store: Database, around: Around) -> None:
        self.__dict__.update(store.__dict__)
        self._around = around

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` inside of what is about it."""
        return super().write(lambda connection: self._around(connection, unit))


class OnConnection(Database):
    """The same store, seen from inside a transaction: all that it is asked happens there."""

    commits = False

    def __init__(self, store: Database, connection: Connection) -> None:
        self.__dict__.update(store.__dict__)
        self._inside = connection

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in the transaction."""
        return unit(self._inside)

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in the transaction; it is kept where that is."""
        return unit(self._inside)
