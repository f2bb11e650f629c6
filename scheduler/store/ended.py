"""Remember, on the connection that writes, which runs its transaction ends."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from scheduler.run import Run

_KEY = "ended runs"


def note_ended(connection: Connection, written: Iterable[Run]) -> None:
    """Note those of the runs, whose rows were just written, that are final."""
    connection.info.setdefault(_KEY, []).extend(run for run in written if run.status.is_final)


def take_ended(connection: Connection) -> list[Run]:
    """Return what was noted since the last call."""
    found: list[Run] = connection.info.pop(_KEY, [])
    return found
