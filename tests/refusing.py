"""A store that takes nothing for a while."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from scheduler.store import Connection, Database


@contextmanager
def refusing(store: Database) -> Iterator[None]:
    """Let every commit fail, as where the disk is full."""
    dialect = store._write_engine.dialect

    def refuse(_: object) -> None:
        assert dialect.dbapi is not None
        raise dialect.dbapi.OperationalError("no")

    with patch.object(dialect, "do_commit", refuse):
        yield


@contextmanager
def busy(store: Database) -> Iterator[None]:
    """Keep the writer at a unit of its own, so that all that is asked of it meanwhile waits together."""
    held, let_go = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        held.set()
        let_go.wait(5)

    store.write_soon(hold, lambda _: None)
    assert held.wait(5)
    yield
    let_go.set()
