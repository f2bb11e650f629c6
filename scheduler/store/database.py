"""Open the database: one connection that writes, several that read."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from scheduler.errors import Unavailable, Unusable
from scheduler.namespaces import DEFAULT
from scheduler.run import Run
from scheduler.store.fence import Fence
from scheduler.store.postgres import Postgres, is_postgres, shown
from scheduler.store.sqlite import Sqlite, namespaced
from scheduler.store.state import touch
from scheduler.store.writer import Writer, cause_of

T = TypeVar("T")


class Database:
    """Hand connections to whoever reads, and units of work to the one thread that writes."""

    commits = True
    """Whether what was written is on disk once `write` returns."""

    def __init__(self, url: str, data_dir: Path, namespace: str = DEFAULT) -> None:
        self.fence = Fence()
        """Closed and opened by the lease, where it can be lost."""
        self.backend = _open(_parse(url), data_dir, namespace, self.fence)
        self._readers, self._write_engine = self.backend.readers, self.backend.writers
        self._opener = os.getpid()
        try:
            self._writer = Writer(self._write_engine, touch, self.backend.check, self.backend.limit)
        except SQLAlchemyError as error:
            self.backend.close()
            raise _unavailable(error) from error

    @property
    def kind(self) -> str:
        """Which database it is: `sqlite` or `postgresql`."""
        return self.backend.kind

    @property
    def trouble(self) -> str | None:
        """Why the store takes nothing at the moment, or None where it does."""
        return self._writer.trouble

    @property
    def doubts(self) -> int:
        """How often it could not be learned whether a commit was kept, since the connection was lost in it."""
        return self._writer.doubts

    def observe_commits(self, observer: Callable[[float, list[Run]], None]) -> None:
        """Tell `observer`, in the writer's thread, how long each transaction took and which runs it ended."""
        self._writer.observer = observer

    def probe(self) -> None:
        """Write nothing of meaning, to learn whether the store takes it; raise `Unavailable`."""
        self.write(touch)

    def probe_soon(self) -> Future[None]:
        """Do the same without waiting; the future raises `Unavailable`."""
        probe: Future[None] = Future()

        def done(outcome: BaseException | None) -> None:
            if isinstance(outcome, SQLAlchemyError):
                outcome = _unavailable(outcome)
            probe.set_exception(outcome) if outcome is not None else probe.set_result(None)

        self.write_soon(touch, done)
        return probe

    def on_commit(self, tell: Callable[[], None]) -> None:
        """Call `tell` after each commit of this process, in the writer's thread; it must neither raise nor wait."""
        self._writer.on_commit = tell

    def read(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` on a connection that sees one consistent state; raise `Unavailable` where the store fails."""
        self.check_usable()
        try:
            try:
                return self._read(unit)
            except DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # It was cut while nobody used it; all others of that age are dropped with it.
                return self._read(unit)
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def _read(self, unit: Callable[[Connection], T]) -> T:
        with self._readers.connect() as connection, self.backend.limit(connection):
            return unit(connection)

    def version(self) -> int | None:
        """Return a number that is another one after each commit of any process; None where the database counts none.

        Raise `Unavailable` where the store fails.
        """
        self.check_usable()
        return self.backend.version()

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run `unit` in a transaction and return once it is on disk.

        Units of several threads share a commit, so one may be run a second time after a neighbour
        failed: it must do nothing but use its connection.
        """
        self.check_usable()
        try:
            return self._writer.submit(unit).result()
        except SQLAlchemyError as error:
            raise _unavailable(error) from error

    def write_soon(self, unit: Callable[[Connection], T], done: Callable[[T | BaseException], None]) -> None:
        """Run `unit` as `write` does, but return at once; `done` is given its result or error, in the writer's thread.

        `done` is called in the order of the writes and must neither raise nor wait.
        """
        self.check_usable()
        self._writer.submit(unit, done)

    def close(self) -> None:
        """Write what is waiting, then close."""
        self._writer.close()
        self.backend.close()

    @property
    def is_inherited(self) -> bool:
        """Whether this process was forked off from the one that opened it: it has neither its threads nor its locks."""
        return os.getpid() != self._opener

    def check_usable(self) -> None:
        """Raise `Unavailable` where it was closed, or belongs to another process."""
        if self.is_inherited:
            raise Unavailable(
                "this scheduler belongs to the process that this one was forked off from: "
                "make a TaskScheduler in each process that uses one, after the fork"
            )
        if self._writer.closed:
            raise Unavailable("this scheduler was closed", code="shutting_down")


def _parse(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError):  # the text of the error may hold the password
        raise Unusable(f"the database URL (SCHEDULER_DATABASE_URL) is none: use {_USABLE}") from None


_USABLE = "sqlite:///PATH or postgresql://USER@HOST/DATABASE"


def check_url(url: str) -> None:
    """Raise `Unusable` where a URL names no kind of database that can be opened."""
    parsed = _parse(url)
    if not (_is_sqlite(parsed) or is_postgres(parsed)):
        raise _not_supported(parsed)


def data_dir_beside(url: str, namespace: str) -> Path | None:
    """Return the directory beside a database's file that goes with a namespace of it; None where there is no file."""
    parsed = _parse(url)
    if not _is_sqlite(parsed):
        return None
    path = Path(str(namespaced(parsed, namespace).database)).expanduser().resolve()
    return path.with_name(f"{path.name}.d")


def _is_sqlite(url: URL) -> bool:
    # Drivers of other names are for asyncio, or not installed.
    return url.drivername in ("sqlite", "sqlite+pysqlite") and url.database not in (None, "", ":memory:")


def _open(url: URL, data_dir: Path, namespace: str, fence: Fence) -> Sqlite | Postgres:
    """Open whichever database the URL names: this is where it is chosen."""
    if _is_sqlite(url):
        return Sqlite(namespaced(url, namespace), data_dir)
    if is_postgres(url):
        return Postgres(url, fence, namespace)
    raise _not_supported(url)


def _not_supported(url: URL) -> Unusable:
    return Unusable(f"the database URL {shown(url)} (SCHEDULER_DATABASE_URL) is not supported: use {_USABLE}")


def _unavailable(error: SQLAlchemyError) -> Unavailable:
    return Unavailable(f"the store does not answer: {cause_of(error)}. Nothing was changed; try again.")
