"""Keep the scheduler's few named numbers."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, ScalarSelect, delete, insert, select, update

from scheduler.store.prepared import Prepared
from scheduler.store.tables import micros, moment_of, state

_RUNNING = Prepared(select(state.c.value).where(state.c.name == "running"))
_REVISION = Prepared(select(state.c.value).where(state.c.name == "revision"))
_SINCE = Prepared(select(state.c.value).where(state.c.name == "planned_since"))
_BUMP = Prepared(
    update(state).where(state.c.name == "revision").values(value=state.c.value + 1).returning(state.c.value)
)


def is_running(connection: Connection) -> bool | None:
    """Say whether the scheduler was last started or stopped; None where it was never either."""
    value = _RUNNING.value(connection)
    return None if value is None else bool(value)


def set_running(connection: Connection, running: bool, now: datetime) -> bool:
    """Remember that the scheduler runs or not; return whether that is a change.

    A start also remembers since when fire times are planned: those before it leave no row.
    """
    before = is_running(connection)
    if bool(before) != running or before is None:
        _put(connection, "running", int(running))
        if running:
            _put(connection, "planned_since", micros(now))
    return bool(before) != running


def planned_since(connection: Connection) -> datetime | None:
    """Return since when the scheduler has been running, restarts of the server aside; None where it is stopped.

    That may lie ahead, where the clock was: whoever plans by it asks `planning.mind_start`.
    """
    if not is_running(connection):
        return None
    return moment_of(_SINCE.value(connection))


def move_start(connection: Connection, since: datetime) -> None:
    """Remember another moment since when fire times are planned."""
    _put(connection, "planned_since", micros(since))


def note(connection: Connection, name: str, value: int) -> bool:
    """Remember a number; return whether it was another one so far."""
    before = connection.execute(select(number(name))).scalar()
    if before != value:
        _put(connection, name, value)
    return before is not None and before != value


def events_trimmed(connection: Connection) -> int:
    """Return the highest id of an event that is no longer kept; 0 where all are."""
    return connection.execute(select(number("events_trimmed"))).scalar() or 0


def note_events_trimmed(connection: Connection, event_id: int) -> None:
    """Remember up to which id events are no longer kept."""
    _put(connection, "events_trimmed", event_id)


def number(name: str) -> ScalarSelect[int]:
    """Return one of the numbers, for use in another query."""
    return select(state.c.value).where(state.c.name == name).scalar_subquery()


def _put(connection: Connection, name: str, value: int) -> None:
    connection.execute(delete(state).where(state.c.name == name))
    connection.execute(insert(state).values(name=name, value=value))


def touch(connection: Connection) -> None:
    """Make the store write without changing anything.

    A row is put in and taken out again: SQLite spares itself an update to the value that is there, so that one
    would pass even where the disk is full.
    """
    connection.execute(insert(state).values(name="touch", value=0))
    connection.execute(delete(state).where(state.c.name == "touch"))


def bump_revision(connection: Connection) -> int:
    """Count one more change of a job.

    The row stays locked until the transaction ends, so revisions become visible in their order
    and nobody who reads "all since" overlooks one.
    """
    return int(_BUMP.value(connection))


def revision(connection: Connection) -> int:
    """Return the number of changes of jobs so far."""
    return int(_REVISION.value(connection))
