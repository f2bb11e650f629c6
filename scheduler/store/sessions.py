"""Put sessions of browsers in and get them out: what is kept of each opens nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from scheduler.store.tables import sessions


@dataclass(frozen=True, slots=True)
class SessionRow:
    """Somebody who has signed in; `kind` and `name` are those of the caller, `proof` is of what was shown."""

    digest: str = field(repr=False)
    kind: str
    name: str | None
    proof: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


def find_session(connection: Connection, digest: str) -> SessionRow | None:
    """Return the session of that digest."""
    row = connection.execute(select(sessions).where(sessions.c.digest == digest)).mappings().first()
    return None if row is None else SessionRow(**row)


def insert_session(connection: Connection, row: SessionRow) -> None:
    """Keep a new session."""
    connection.execute(
        insert(sessions).values(
            digest=row.digest,
            kind=row.kind,
            name=row.name,
            proof=row.proof,
            created_at=row.created_at,
            expires_at=row.expires_at,
        )
    )


def delete_session(connection: Connection, digest: str) -> None:
    """Forget a session."""
    connection.execute(delete(sessions).where(sessions.c.digest == digest))


def delete_expired(connection: Connection, now: datetime) -> None:
    """Forget the sessions that are over."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
