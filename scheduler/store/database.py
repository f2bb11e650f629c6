"""Open the database: one connection that writes, several that read."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from scheduler.errors import Unavailable
from scheduler.store import schema
from scheduler.store.tables import state
from scheduler.store.writer import Writer, cause_of

T = TypeVar("T")
BUSY_SECONDS = 10.0
_PROBE = update(state).where(state.c.name == "revision").values(value=state.c.value)


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
        self._path = Path(str(self.url.database))
        self._upgrade(data_dir / "schema.lock")
        self._identity = _identity(self._path)
        self._writer = Writer(self._write_engine, self._check_file)

    def _upgrade(self, lock: Path) -> None:
        """Bring the schema up to date; several processes that start at once take turns."""
        with lock.open("a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            try:
                with self._write_engine.connect() as connection:
                    _check_pages(connection)
                    schema.upgrade(connection)
            except SQLAlchemyError as error:
                raise _unusable(self._path, cause_of(error)) from error
        os.chmod(self._path, 0o600)

    def _check_file(self) -> None:
        """Refuse to write into a file that is no longer there: SQLite would, and all of it would be lost."""
        if _identity(self._path) != self._identity:
            raise Unavailable(
                f"the database file {self._path} was deleted or replaced while the server runs. "
                "Put it back as it was, or restart the server."
            )

    @property
    def trouble(self) -> str | None:
        """Why the store takes nothing at the moment, or None where it does."""
        return self._writer.trouble

    def probe(self) -> None:
        """Write nothing of meaning, to learn whether the store takes it; raise `Unavailable`."""
        self.write(lambda connection: connection.execute(_PROBE))

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` on a connection that sees one consistent state; raise `Unavailable` where the store fails."""
        try:
            with self._readers.connect() as connection:
                return unit(connection)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in a transaction and return once it is on disk.

        Units of several threads share a commit, so one may be run a second time after a neighbour
        failed: it must do nothing but use its connection.
        """
        try:
            return self._writer.submit(unit).result()
        except SQLAlchemyError as error:
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


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _check_pages(connection: Connection) -> None:
    """Look at the first pages of every table: damage that shows is better met at the start than at a fire time."""
    for name in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all():
        connection.exec_driver_sql(f'SELECT * FROM "{name}" LIMIT 1').all()
    connection.rollback()


def _unavailable(error: SQLAlchemyError) -> Unavailable:
    return Unavailable(f"the store does not answer: {cause_of(error)}. Nothing was changed; try again.")


def _unusable(path: Path, cause: str) -> Unavailable:
    return Unavailable(
        f"the database {path} cannot be used: {cause}. It was left as it is. If it is damaged, save what can be "
        f"saved with 'sqlite3 {path} .recover | sqlite3 new.db' and put new.db in its place, or put a backup there; "
        "to start anew, move the file away."
    )
