"""Look at a database without changing it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from scheduler.errors import Unavailable
from scheduler.namespaces import schema_of
from scheduler.store.schema import HEAD, version
from scheduler.store.sqlite import namespaced
from scheduler.store.tables import tokens
from scheduler.store.tokens import TokenRow, all_tokens
from scheduler.store.writer import cause_of


def file_of(url: str, namespace: str) -> Path | None:
    """Return the file of an SQLite database; None for any other."""
    parsed = make_url(url)
    if not _is_sqlite(parsed) or not parsed.database:
        return None
    return Path(str(namespaced(parsed, namespace).database))


def found_schema(url: str, namespace: str) -> tuple[str | None, str]:
    """Return the schema that a database has, None where it has none yet, and the one that this code expects.

    Raise `Unavailable` where it cannot be opened.
    """
    with _looking(url, namespace) as connection:
        return version(connection), HEAD


def found_tokens(url: str, namespace: str) -> list[TokenRow]:
    """Return the named tokens that a database has; none where there is no database yet."""
    path = file_of(url, namespace)
    if path is not None and not path.exists():
        return []
    with _looking(url, namespace) as connection:
        return all_tokens(connection) if inspect(connection).has_table(tokens.name) else []


@contextmanager
def _looking(url: str, namespace: str) -> Iterator[Connection]:
    try:
        parsed = make_url(url)
        place = namespaced(parsed, namespace) if _is_sqlite(parsed) else parsed
        # Without a pool the connection is closed, and not kept for a next one.
        with create_engine(place, poolclass=NullPool).connect() as connection:
            if not _is_sqlite(parsed) and (schema := schema_of(namespace)) is not None:
                connection.exec_driver_sql(f'SET search_path TO "{schema}"')
            yield connection
    except (SQLAlchemyError, ArgumentError, ImportError) as error:
        why = cause_of(error) if isinstance(error, SQLAlchemyError) else str(error)
        raise Unavailable(f"the database cannot be opened: {why}") from error


def _is_sqlite(url: URL) -> bool:
    return url.get_backend_name() == "sqlite"
