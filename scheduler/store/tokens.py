"""Put named tokens in and get them out: what is kept of each is its hash."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from scheduler.store.tables import tokens


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A named token as it is kept; `scopes` are words with commas."""

    token_id: str
    name: str
    digest: str = field(repr=False)
    scopes: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def fault(self, now: datetime) -> str | None:
        """Say why it is good for nothing any more, or None where it is."""
        if self.revoked_at is not None:
            return "was revoked"
        return "has expired" if self.expires_at is not None and self.expires_at <= now else None


def all_tokens(connection: Connection) -> list[TokenRow]:
    """Return all tokens, the oldest first, the revoked and expired ones too."""
    query = select(tokens).order_by(tokens.c.created_at, tokens.c.token_id)
    return [TokenRow(**row) for row in connection.execute(query).mappings()]


def find_token(connection: Connection, name: str) -> TokenRow | None:
    """Return the token of that name."""
    row = connection.execute(select(tokens).where(tokens.c.name == name)).mappings().first()
    return None if row is None else TokenRow(**row)


def insert_token(connection: Connection, values: dict[str, Any]) -> None:
    """Keep a new token."""
    connection.execute(insert(tokens).values(**values, revoked_at=None))


def revoke_token(connection: Connection, token_id: str, now: datetime) -> None:
    """Let a token be good for nothing from now on; the row stays, so that the door stays shut."""
    connection.execute(update(tokens).where(tokens.c.token_id == token_id).values(revoked_at=now))


def delete_token(connection: Connection, token_id: str) -> None:
    """Forget a token."""
    connection.execute(delete(tokens).where(tokens.c.token_id == token_id))
