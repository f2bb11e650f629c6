"""Keep the database in a PostgreSQL server, which several machines may share."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from scheduler import forks
from scheduler.errors import Unavailable, Unusable
from scheduler.namespaces import DEFAULT, schema_of
from scheduler.store import schema
from scheduler.store.fence import Fence
from scheduler.store.patience import Patience
from scheduler.store.writer import cause_of

log = logging.getLogger(__name__)

START_SECONDS = 15.0
MOST_CONNECTIONS = 16
_DRIVERS = ("postgresql", "postgresql+psycopg")

# A peer that is gone without a word is noticed in some ten seconds, on both ends.
_NETWORK = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 8000,
    "application_name": "task-scheduler",
}
_SESSION = {
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "15s",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "2",
    "tcp_keepalives_count": "3",
}
_PATIENT = {**_SESSION, "statement_timeout": "0", "lock_timeout": "10min"}


def _key(name: str) -> str:
    """Return the SQL of a lock's number: schedulers in other schemas of the database have others."""
    return f"hashtextextended('task-scheduler {name} ' || current_schema(), 0)"


_TAKE_TURN = f"SELECT pg_advisory_xact_lock({_key('writer')})"
# "IF NOT EXISTS" fails where another process makes the schema at the same moment.
_TAKE_TURN_FOR_SCHEMAS = "SELECT pg_advisory_xact_lock(hashtextextended('task-scheduler schemas', 0))"
_CHANNEL = f"'task_scheduler_' || to_hex({_key('doorbell')})"
_RING = text(f"SELECT pg_notify({_CHANNEL}, :letters)")
_TRY_LEASE = text(f"SELECT pg_try_advisory_lock({_key('lease')})")
# A lock with one 64-bit key shows as two halves and a 1.
_LEASE_HOLDERS = (
    "pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND ((classid::bigint << 32) | objid::bigint) = {_key('lease')}"
)
_HOLDS = text(f"SELECT EXISTS (SELECT 1 FROM {_LEASE_HOLDERS} AND pid = :backend)")
_HOLDER = text(f"SELECT application_name FROM pg_stat_activity WHERE pid IN (SELECT pid FROM {_LEASE_HOLDERS}) LIMIT 1")


class SessionLost(Exception):
    """The connection that a session stood for is gone, and its locks with it."""


class Postgres:
    """A server, read by many connections and written by one of each process, which take turns.

    The default namespace is the schema that the connection's own settings lead to, each other one a schema of its
    own, on which all of it depends: tables, their version, locks and channel.
    """

    kind = "postgresql"

    def __init__(self, url: URL, fence: Fence, namespace: str = DEFAULT) -> None:
        self._url, self._shown = url.set(drivername="postgresql+psycopg"), shown(url)
        self._schema = schema_of(namespace)
        self.readers = self._engine(
            poolclass=QueuePool,
            isolation_level="REPEATABLE READ",  # a unit sees one state, as in SQLite
            pool_size=MOST_CONNECTIONS // 2,
            max_overflow=MOST_CONNECTIONS // 2,
            pool_timeout=10,
            pool_use_lifo=True,
        )
        self.writers = self._engine(poolclass=QueuePool, pool_size=1, execution_options={Fence.OPTION: fence})
        event.listen(self.writers, "begin", _take_turn)
        self._bells = self.readers.execution_options(isolation_level="AUTOCOMMIT")
        self._upgrade()
        self._patience = Patience()

    def check(self) -> None:
        """Let every write through: a server that is not there says so itself."""

    def version(self) -> None:
        """Tell no number: the server counts no commits that a reader could ask for."""

    def limit(self, connection: Connection) -> AbstractContextManager[None]:
        """Let what is done with a connection take a while, not for ever."""
        return self._patience.limit(connection)

    def close(self) -> None:
        """Close all connections that nobody uses any more, and end what watches over them."""
        self.readers.dispose()
        self.writers.dispose()
        self._patience.close()

    def open_session(self, name: str) -> Session:
        """Return a connection of its own that others can tell by its name; raise `Unavailable`."""
        engine = self._engine(poolclass=NullPool, isolation_level="AUTOCOMMIT")
        try:
            return Session(engine, name, self.limit)
        except SQLAlchemyError as error:
            raise Unavailable(f"the store does not answer: {cause_of(error)}") from error

    def ring(self, letters: str) -> None:
        """Send letters to all sessions that listen; lost without a word where the server is."""
        try:
            with self._bells.connect() as connection, self.limit(connection):
                connection.execute(_RING, {"letters": letters})
        except SQLAlchemyError as error:
            log.debug("a ring was lost: %s", cause_of(error))

    def lease_holder(self, connection: Connection) -> str | None:
        """Return the name of the session that holds the lease, None where none does."""
        name: str | None = connection.execute(_HOLDER).scalar()
        return name

    def _engine(self, settings: Mapping[str, str] = _SESSION, **options: Any) -> Engine:
        # What the operator's URL says wins.
        network = {name: value for name, value in _NETWORK.items() if name not in self._url.query}
        try:
            engine = create_engine(self._url, connect_args=network, **options)
        except ImportError as error:
            raise Unusable(
                "PostgreSQL needs the package psycopg: pip install 'task-scheduler-server[postgres]'"
            ) from error
        if self._schema is not None:
            settings = {**settings, "search_path": self._schema}
        commands = ", ".join(f"set_config('{name}', '{value}', false)" for name, value in settings.items())

        @event.listens_for(engine, "connect")
        def prepare(connection: Any, _record: Any) -> None:
            # Shared with a child it would outlive this process, and with it the locks that its session holds.
            forks.keep(connection)
            connection.execute(f"SELECT {commands}")
            connection.commit()

        return engine

    def _upgrade(self) -> None:
        """Bring the schema up to date; several processes that start at once take turns, as writers do."""
        engine = self._engine(_PATIENT, poolclass=NullPool)
        try:
            if self._schema is not None:
                with self._first_connection(engine) as connection, connection.begin():
                    connection.exec_driver_sql(_TAKE_TURN_FOR_SCHEMAS)
                    connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{self._schema}"')
            event.listen(engine, "begin", _take_turn)
            with self._first_connection(engine) as connection:
                if connection.exec_driver_sql("SELECT current_schema()").scalar() is None:
                    raise Unusable(f"the database {self._shown} has no schema that its user may make tables in.")
                schema.upgrade(connection)
        except SQLAlchemyError as error:
            no_answer = isinstance(error, OperationalError) and not _is_refusal(error)
            kind = Unavailable if no_answer else Unusable
            raise kind(
                f"the database {self._shown} cannot be used: {cause_of(error)}. Check SCHEDULER_DATABASE_URL."
            ) from error

    def _first_connection(self, engine: Engine) -> Connection:
        """Connect, with patience for a server that starts at the same time."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                return engine.connect()
            except OperationalError as error:
                if _is_refusal(error) or time.monotonic() > deadline:
                    raise
                log.warning("waiting for the database %s: %s", self._shown, cause_of(error))
                time.sleep(1)


class Session:
    """One connection, which locks and listens. For one thread at a time.

    A lock that is taken here is let go by the server the moment the connection ends, however it ends.
    """

    def __init__(self, engine: Engine, name: str, limit: Callable[[Connection], AbstractContextManager[None]]) -> None:
        self._connection, self._limit = engine.connect(), limit
        self._driver_error: type[Exception] = engine.dialect.loaded_dbapi.Error
        naming = text("SELECT set_config('application_name', :name, false), pg_backend_pid()")
        # More than 63 bytes would be cut, and the cut told as a notice.
        self.backend: int = self._connection.execute(naming, {"name": name[:63]}).one()[1]

    def try_lease(self) -> bool:
        """Take the lease if no other session has it."""
        return self._ask(_TRY_LEASE)

    def holds_lease(self) -> bool:
        """Whether this session has the lease, as the server sees it."""
        return self._ask(_HOLDS, backend=self.backend)

    def listen(self) -> None:
        """Begin to hear what is rung."""
        try:
            channel = self._connection.exec_driver_sql(f"SELECT {_CHANNEL}").scalar_one()
            self._connection.exec_driver_sql(f'LISTEN "{channel}"')
        except DBAPIError as error:
            raise SessionLost(cause_of(error)) from error

    def hear(self, seconds: float) -> str:
        """Wait for rings and return their letters, none after so many seconds."""
        driver: Any = self._connection.connection.driver_connection
        try:
            return "".join(ring.payload for ring in driver.notifies(timeout=seconds, stop_after=1))
        except self._driver_error as error:
            raise SessionLost(" ".join(str(error).split())) from error

    def close(self) -> None:
        """End the connection, and with it its locks."""
        # Closed alone it would be rolled back first, which fails where it is broken.
        self._connection.invalidate()
        self._connection.close()

    def _ask(self, question: Any, **values: Any) -> bool:
        try:
            with self._limit(self._connection):
                return bool(self._connection.execute(question, values).scalar())
        except DBAPIError as error:
            raise SessionLost(cause_of(error)) from error


def holds_lease(connection: Connection, backend: int) -> bool:
    """Whether the session with that backend has the lease at this moment."""
    return bool(connection.execute(_HOLDS, {"backend": backend}).scalar())


def is_postgres(url: URL) -> bool:
    """Whether a URL is one of those that are taken for PostgreSQL."""
    return url.drivername in _DRIVERS and bool(url.database)


def shown(url: URL) -> str:
    """Return a URL without what is nobody's business: password and options."""
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}"
    return f"{url.drivername}://{place}/{url.database or ''}"


def _take_turn(connection: Connection) -> None:
    """Wait until no other process writes, so that a unit sees all that was written before and nothing changes under it.

    SQLite has one writer at a time; here it is a lock that ends with the transaction.
    """
    connection.exec_driver_sql(_TAKE_TURN)


def _is_refusal(error: OperationalError) -> bool:
    """Whether a server answered, and will not answer otherwise in a moment."""
    said = cause_of(error)
    return "FATAL" in said and "starting up" not in said and "shutting down" not in said
