"""Open the database: one connection that writes, several that read."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from scheduler.errors import Unavailable
from scheduler.store import schema
from scheduler.store.writer import Writer

T = TypeVar("T")
BUSY_SECONDS = 10.0


def sqlite_url(data_dir: Path) -> str:
    """Return the URL of the database in the data directory."""
    return URL.create("sqlite", database=str(data_dir / "scheduler.db")).render_as_string(hide_password=False)


class Database:
    """Hand connections to whoever reads, and units of work to the one thread that writes."""

    def __init__(self, url: str, data_dir: Path) -> None:
        self.url = make_url(url)
        if self.url.get_backend_name() != "sqlite" or not self.url.database:
            raise Unavailable(f"the database URL {self.url.render_as_string()} is not supported: use sqlite:///PATH")
        self._readers = _sqlite_engine(self.url, "DEFERRED", readers=8)
        self._write_engine = _sqlite_engine(self.url, "IMMEDIATE", readers=1)
        self._upgrade(data_dir / "schema.lock")
        self._writer = Writer(self._write_engine)

    def _upgrade(self, lock: Path) -> None:
        """Bring the schema up to date; several processes that start at once take turns."""
        with lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                with self._write_engine.connect() as connection:
                    schema.upgrade(connection)
            except SQLAlchemyError as error:
                raise _unavailable(error) from error
        os.chmod(str(self.url.database), 0o600)

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` on a connection that sees one consistent state; raise `Unavailable` where the store fails."""
        try:
            with self._readers.connect() as connection:
                return unit(connection)
        except DBAPIError as error:
            raise _unavailable(error) from error

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in a transaction and return once it is on disk.

        Units of several threads share a commit, so one may be run a second time after a neighbour
        failed: it must do nothing but use its connection.
        """
        try:
            return self._writer.submit(unit).result()
        except DBAPIError as error:
            raise _unavailable(error) from error

    def write_soon(self, unit: Callable[[Connection], T], done: Callable[[T | BaseException], None]) -> None:
        """Run `unit` as `write` does, but return at once; `done` is given its result or error, in the writer's thread.

        `done` is called in the order of the writes and must neither raise nor wait.
        """
        self._writer.submit(unit, done)

    def close(self) -> None:
        """Write what is waiting, then close."""
        self._writer.close()
        self._readers.dispose()
        self._write_engine.dispose()


def _sqlite_engine(url: URL, begin: str, readers: int) -> Engine:
    engine = create_engine(
        url, poolclass=QueuePool, pool_size=readers, max_overflow=64, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for IMMEDIATE
        # Before the first table is made, or it has no effect: free pages can then be given back bit by bit.
        for pragma in ("auto_vacuum=INCREMENTAL", "journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


def _unavailable(error: SQLAlchemyError) -> Unavailable:
    cause = getattr(error, "orig", None) or error
    return Unavailable(f"the store does not answer: {cause}. Nothing was changed; try again.")
