"""A store that takes nothing for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from scheduler.store import Database


@contextmanager
def refusing(store: Database) -> Iterator[None]:
    """Let every commit fail, as where the disk is full."""
    dialect = store._write_engine.dialect

    def refuse(_: object) -> None:
        assert dialect.dbapi is not None
        raise dialect.dbapi.OperationalError("no")

    with patch.object(dialect, "do_commit", refuse):
        yield
