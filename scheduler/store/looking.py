"""Look at a database without changing it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from scheduler.errors import Unavailable
from scheduler.store.schema import HEAD, version
from scheduler.store.writer import cause_of


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite database; None for any other."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def found_schema(url: str) -> tuple[str | None, str]:
    """Return the schema that a database has, None where it has none yet, and the one that this code expects.

    Raise `Unavailable` where it cannot be opened.
    """
    try:
        # Without a pool the connection is closed, and not kept for a next one.
        with create_engine(url, poolclass=NullPool).connect() as connection:
            return version(connection), HEAD
    except (SQLAlchemyError, ArgumentError, ImportError) as error:
        why = cause_of(error) if isinstance(error, SQLAlchemyError) else str(error)
        raise Unavailable(f"the database cannot be opened: {why}") from error
