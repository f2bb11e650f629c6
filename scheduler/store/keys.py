"""Remember what was answered to requests that carry an idempotency key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from scheduler.store.tables import idempotency_keys

KEPT_FOR = timedelta(hours=24)


class KeptAnswer(NamedTuple):
    """The answer that was given, and the fingerprint of the request that it was given to."""

    fingerprint: str
    answer: Mapping[str, Any]


def find(connection: Connection, key: str, since: datetime) -> KeptAnswer | None:
    """Return what was answered to that key since then, or None."""
    table = idempotency_keys.c
    query = select(table.fingerprint, table.answer).where(table.key == key, table.created_at >= since)
    row = connection.execute(query).one_or_none()
    return None if row is None else KeptAnswer(row.fingerprint, row.answer)


def add(connection: Connection, key: str, kept: KeptAnswer, now: datetime) -> None:
    """Remember an answer; an older one of the same key, which counts no more, gives way."""
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key == key))
    connection.execute(insert(idempotency_keys).values(key=key, created_at=now, **kept._asdict()))


def remove(connection: Connection, key: str) -> None:
    """Forget a key."""
    connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key == key))


def are_older(connection: Connection, moment: datetime) -> bool:
    """Whether any key is older than that."""
    query = select(idempotency_keys.c.key).where(idempotency_keys.c.created_at < moment).limit(1)
    return connection.execute(query).first() is not None


def drop_older(connection: Connection, moment: datetime, limit: int) -> int:
    """Forget up to `limit` keys that are older than that; return how many that were."""
    old = select(idempotency_keys.c.key).where(idempotency_keys.c.created_at < moment).limit(limit)
    return connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key.in_(old))).rowcount
