"""Lay out the tables. Columns hold what is queried; the rest is JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    text,
    type_coerce,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Return a moment as it is kept: in whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(value: int) -> datetime:
    """Return the moment, in UTC, that is kept as this."""
    return _EPOCH + timedelta(0, 0, value)


class UtcTime(TypeDecorator[datetime]):
    """Keep an aware datetime as whole microseconds since 1970 in UTC: exact, sortable, the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Turn a moment into microseconds."""
        return None if value is None else micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Turn microseconds into an aware UTC datetime."""
        return None if value is None else moment_of(value)


class Plain(TypeDecorator[str]):
    """Keep a text without the one character that PostgreSQL does not take.

    Only what people search by is kept so; what they are shown comes from the JSON.
    """

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Put the sign for an unknown character in its place."""
        return value if value is None or "\0" not in value else value.replace("\0", "\ufffd")


class PlainText(Plain):
    """The same for a text of any length."""

    impl = Text
    cache_ok = True


class JsonText(TypeDecorator[Mapping[str, Any]]):
    """Keep a JSON object as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, Any] | None, dialect: Dialect) -> str | None:
        """Turn an object into text with sorted keys, so that equal objects are equal texts."""
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, Any] | None:
        """Turn text into an object."""
        return None if value is None else dict(orjson.loads(value))


def bare(column: Column[Any]) -> ColumnElement[Any]:
    """Return a column without the type that makes an object of it: for many rows that takes longer than the query."""
    return type_coerce(column, column.type.impl) if isinstance(column.type, UtcTime | JsonText) else column


metadata = MetaData()

state = Table(
    "state",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""Named numbers: `running` (0 or 1), `revision` (counts every change of a job)."""

jobs = Table(
    "jobs",
    metadata,
    Column("key", Integer, primary_key=True, autoincrement=True),
    Column("task_id", Plain(128), nullable=False),
    Column("type", String(16), nullable=False),
    Column("definition", JsonText, nullable=False),
    Column("schedule", JsonText, nullable=False),
    Column("tags", PlainText, nullable=False, default=""),
    Column("words", PlainText, nullable=False, default=""),
    Column("enabled", Boolean, nullable=False),
    Column("paused", Boolean, nullable=False, default=False),
    Column("ended", Boolean, nullable=False, default=False),
    Column("anchor", UtcTime, nullable=False),
    Column("next_fire_time", UtcTime),
    Column("due_at", UtcTime),
    Column("fired", Integer, nullable=False, default=0),
    Column("created_at", UtcTime, nullable=False),
    Column("created_by", String(64), nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    Column("removed_at", UtcTime),
    Column("revision", BigInteger, nullable=False),
    Column("origin", PlainText),
    Column("filed", JsonText),
    Index(
        "jobs_task_id_present",
        "task_id",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
    Index("jobs_revision", "revision"),
    Index("jobs_origin", "origin"),
    sqlite_autoincrement=True,
)
"""`due_at` is `next_fire_time` moved by the job's jitter; `fired` counts the runs its schedule has made.

`origin` is the file that defines a job, and `filed` what that said last (scheduler/jobsfiles); both are null for a job
of the API.

A removed job keeps its row, so that its runs stay readable and its key is never given again."""

runs = Table(
    "runs",
    metadata,
    Column("run_id", Plain(26).with_variant(Plain(26, collation="C"), "postgresql"), primary_key=True),
    Column("job_key", Integer, ForeignKey("jobs.key"), nullable=False),
    Column("task_id", Plain(128), nullable=False),
    Column("scheduled_for", UtcTime, nullable=False),
    Column("attempt", Integer, nullable=False, default=1),
    Column("trigger", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("priority", String(8), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("due_at", UtcTime),
    Column("started_at", UtcTime),
    Column("finished_at", UtcTime),
    Column("cancel_reason", Text),
    Column("scheduled_until", UtcTime),
    Column("count", Integer),
    Column("details", JsonText, nullable=False),
    UniqueConstraint("job_key", "scheduled_for", "attempt", name="runs_fire_time_once"),
    Index("runs_task_id", "task_id", "run_id"),
    Index(
        "runs_active",
        "job_key",
        "status",
        sqlite_where=text("status IN ('queued', 'running')"),
        postgresql_where=text("status IN ('queued', 'running')"),
    ),
    Index(
        "runs_ended",
        *("run_id", "task_id", "status", "started_at", "finished_at"),
        sqlite_where=text("status NOT IN ('queued', 'running')"),
        postgresql_where=text("status NOT IN ('queued', 'running')"),
    ),
    sqlite_with_rowid=False,
)
"""The ledger. The unique constraint keeps a fire time from starting twice, whoever asks.

`runs_ended` holds all that statistics ask for, so that they need not read the rows themselves."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("answer", JsonText, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Index("idempotency_keys_age", "created_at"),
    sqlite_with_rowid=False,
)
"""What was answered to requests that carried a key; `key` and `fingerprint` (of the request) are checksums."""

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", String(16), primary_key=True),
    Column("name", Plain(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime),
    Column("revoked_at", UtcTime),
    UniqueConstraint("name", name="tokens_name_once"),
)
"""Named tokens: `digest` is the SHA-256 of the secret part, in hexadecimal."""

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("name", Plain(64)),
    Column("proof", String(64), nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("expires_at", UtcTime, nullable=False),
)
"""Browsers that have signed in. `digest` is the SHA-256 of the cookie's secret; `proof` binds it to what was shown."""

events = Table(
    "events",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("kind", String(24), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("task_id", Plain(128)),
    Column("run_id", Plain(26)),
    Column("data", JsonText, nullable=False),
)
"""What happened to jobs and runs, in the order of the commits: writers take turns, so an id is seen only after all
lower ones. The newest row is never deleted, so SQLite gives no id twice."""

changes = Table(
    "changes",
    metadata,
    Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("job_key", Integer, ForeignKey("jobs.key"), nullable=False),
    Column("task_id", Plain(128), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("made_by", Plain(64)),
    Column("fields", JsonText, nullable=False),
    Index("changes_task_id", "task_id", "id"),
)
"""What was changed in definitions, by whom: `fields` has for each field what it said before and what it says since."""

# Spelled out, not bound and without a type (a Boolean would be written as "... = 1"), so that the database sees
# that the partial index fits.
IS_ACTIVE: ColumnElement[bool] = literal_column("runs.status IN ('queued', 'running')")
"""The condition of rows whose run waits or goes on."""

IS_ENDED: ColumnElement[bool] = literal_column("runs.status NOT IN ('queued', 'running')")
"""The condition of rows that change no more."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", Plain(26).with_variant(Plain(26, collation="C"), "postgresql"), primary_key=True),
    Column("job_key", Integer, ForeignKey("jobs.key"), nullable=False),
    Column("task_id", Plain(128), nullable=False),
    Column("event", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("target", Text, nullable=False),
    Column("route", Text, nullable=False),
    Column("message", JsonText, nullable=False),
    Column("count", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("planned_at", UtcTime, nullable=False),
    Column("next_attempt_at", UtcTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("finished_at", UtcTime),
    Column("error", PlainText),
    UniqueConstraint("job_key", "event", "kind", "target", name="deliveries_once"),
    Index(
        "deliveries_waiting",
        "next_attempt_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "deliveries_failed",
        "delivery_id",
        sqlite_where=text("state = 'failed'"),
        postgresql_where=text("state = 'failed'"),
    ),
    Index("deliveries_task_id", "task_id", "delivery_id"),
    sqlite_with_rowid=False,
)
"""Messages, one row for each target: written with what they tell of, carried out later."""

standings = Table(
    "standings",
    metadata,
    Column("job_key", Integer, ForeignKey("jobs.key"), primary_key=True, autoincrement=False),
    Column("standing", JsonText, nullable=False),
)
"""What those who are told about a job know of it: that it fails, that its runs stay away."""

IS_WAITING: ColumnElement[bool] = literal_column("deliveries.state = 'waiting'")
"""The condition of deliveries that are still to be made; spelled out as IS_ACTIVE is."""

HAS_FAILED: ColumnElement[bool] = literal_column("deliveries.state = 'failed'")
"""The condition of deliveries that were given up."""
