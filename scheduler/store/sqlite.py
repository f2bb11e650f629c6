"""Keep the database in an SQLite file on this machine."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import QueuePool

from scheduler.errors import Unavailable, Unusable
from scheduler.locks import lock_file, try_lock
from scheduler.namespaces import DEFAULT, file_of
from scheduler.store import schema
from scheduler.store.open_files import note_open
from scheduler.store.writer import cause_of

log = logging.getLogger(__name__)

BUSY_SECONDS = 10.0
TURN_SECONDS = 30.0
"""How long a start waits for others that bring the schema up to date."""
_LOOK_AGAIN_SECONDS = 0.05
_INCREMENTAL = 2
_KIND = 0xFF
_PASSING = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL})
"""Kinds of SQLite's result codes, their lowest byte, that may be others in a moment."""
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})


def sqlite_url(data_dir: Path) -> str:
    """Return the URL of the database in the data directory."""
    return URL.create("sqlite", database=str(data_dir / "scheduler.db")).render_as_string(hide_password=False)


def namespaced(url: URL, namespace: str) -> URL:
    """Return the URL of the file in which a namespace has its tables."""
    return url if namespace == DEFAULT else url.set(database=str(file_of(namespace, Path(str(url.database)))))


class Sqlite:
    """A file, read by many connections and written by one, which takes the write lock as it begins."""

    kind = "sqlite"

    def __init__(self, url: URL, data_dir: Path) -> None:
        self.readers = _engine(url, "DEFERRED", connections=8)
        self.writers = _engine(url, "IMMEDIATE", connections=1)
        self._path = Path(str(url.database))
        with ExitStack() as opened:
            try:
                self._upgrade(data_dir / "schema.lock", opened)
                self._counting, self._counter = threading.Lock(), self.readers.raw_connection()
                opened.callback(self._counter.close)
                self._counter.detach()  # so that it is no reader's, and is closed with this
            except (SQLAlchemyError, sqlite3.Error) as error:
                raise _unusable(self._path, error) from error
            except OSError as error:
                raise _out_of_reach(self._path, error) from error
            self._identity = _identity(self._path)
            self._opened = opened.pop_all()

    def _upgrade(self, lock: Path, opened: ExitStack) -> None:
        """Bring the schema up to date; several processes that start at once take turns."""
        with _turn(lock):
            _make_private(self._path)
            opened.callback(note_open(self._path))
            for engine in (self.readers, self.writers):
                opened.callback(engine.dispose)
            with self.writers.connect() as connection:
                _check_pages(connection)
                schema.upgrade(connection)

    def check(self) -> None:
        """Refuse to write into a file that is no longer there: SQLite would, and all of it would be lost."""
        if _identity(self._path) != self._identity:
            raise Unavailable(
                f"the database file {self._path} was deleted or replaced while the server runs. "
                "Put it back as it was, or restart the server."
            )

    def version(self) -> int:
        """Return a number that is another one after each commit: what one connection sees that never writes itself.

        Raise `Unavailable` where the file cannot be read.
        """
        try:
            with self._counting:
                cursor = self._counter.cursor()
                cursor.execute("PRAGMA data_version")
                return int(cursor.fetchall()[0][0])
        except sqlite3.Error as error:
            raise Unavailable(f"the database {self._path} cannot be read: {cause_of(error)}") from error

    def limit(self, connection: Connection) -> AbstractContextManager[None]:
        """Limit nothing: a file always answers."""
        return nullcontext()

    def close(self) -> None:
        """Close all connections that nobody uses any more."""
        self._opened.close()


@contextmanager
def _turn(lock: Path) -> Iterator[None]:
    """Hold the lock; raise `Unavailable` where another process does not let it go."""
    with lock_file(lock) as file:
        os.chmod(lock, 0o600)  # Who may open it could hold it for ever.
        deadline, told = time.monotonic() + TURN_SECONDS, False
        while not try_lock(file):
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"another process has held the lock {lock} for {TURN_SECONDS:g} s: end it; fuser names it"
                )
            if not told:
                log.warning("waiting for another process that starts, which holds the lock %s", lock)
                told = True
            time.sleep(_LOOK_AGAIN_SECONDS)
        yield


def _make_private(path: Path) -> None:
    """Let nobody else read the database: what SQLite puts beside it gets its mode, if it is there before."""
    path = path.resolve()
    # Not opened here: to close it again would take other connections of this process their locks.
    with suppress(FileExistsError):
        os.mknod(path, stat.S_IFREG | 0o600)
    os.chmod(path, 0o600)
    for suffix in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.chmod(f"{path}{suffix}", 0o600)


def _engine(url: URL, begin: str, connections: int) -> Engine:
    engine = create_engine(
        url, poolclass=QueuePool, pool_size=connections, max_overflow=64, connect_args={"timeout": BUSY_SECONDS}
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver's own BEGIN comes too late for IMMEDIATE
        if connection.execute("PRAGMA auto_vacuum").fetchall() != [(_INCREMENTAL,)]:  # to say it again would write
            # Before the first table is made, or it has no effect: free pages can then be given back bit by bit.
            connection.execute(f"PRAGMA auto_vacuum={_INCREMENTAL}")
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    statement = f"BEGIN {begin}"

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        # Past the library's own way of executing, which takes longer than such a transaction's query.
        driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
        try:
            driver.execute(statement)
        except sqlite3.Error as error:
            raise DBAPIError.instance(statement, None, error, sqlite3.Error, dialect=connection.dialect) from error

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


def _unusable(path: Path, error: SQLAlchemyError | sqlite3.Error) -> Unavailable:
    code = getattr(getattr(error, "orig", error), "sqlite_errorcode", 0)
    kind = Unavailable if code & _KIND in _PASSING else Unusable
    return kind(
        f"the database {path} cannot be used: {cause_of(error)}. It was left as it is. If it is damaged, save what can "
        f"be saved with 'sqlite3 {path} .recover | sqlite3 new.db' and put new.db in its place, or put a backup there; "
        "to start anew, move the file away."
    )


def _out_of_reach(path: Path, error: OSError) -> Unavailable:
    kind = Unavailable if error.errno in _FULL else Unusable
    why = ": ".join(filter(None, (error.strerror, error.filename)))
    return kind(
        f"the database {path} cannot be used: {why}. Name one that this user may write, in a directory that is there "
        "(SCHEDULER_DATA_DIR, SCHEDULER_DATABASE_URL)."
    )
