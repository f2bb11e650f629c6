"""Execute a statement past SQLAlchemy, straight on the driver's cursor.

Building a statement and describing what it returns costs ten times what SQLite takes to carry it out. That is worth
sparing only for the few that every run, create or look pays for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.dml import UpdateBase

T = TypeVar("T")
NOTHING: Mapping[str, Any] = {}
Statement = UpdateBase | Select[Any]
Fill = Callable[[Mapping[str, Any]], Any]


class Prepared:
    """A statement, made once for each kind of database it is used on.

    Its values are named as in the statement: after columns, or after its own `bindparam`. What it returns are the
    bare values of the database, past the types that make objects of them. Where the driver fails, the error is the
    one that SQLAlchemy makes of it.
    """

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self._made: dict[type[Dialect], tuple[str, Fill]] = {}

    def rows(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> list[tuple[Any, ...]]:
        """Execute it; return the rows that it finds."""
        return self._execute(connection, values, _all_rows)

    def value(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Any:
        """Execute it; return the first column of the first row, None where it finds none."""
        found = self._execute(connection, values, _all_rows)
        return found[0][0] if found else None

    def change(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> int:
        """Execute it; return how many rows it wrote."""
        return self._execute(connection, values, _count)

    def change_each(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """Execute it once for each of the values, of which there must be some."""
        if len(many) == 1:  # which is most common, and which drivers do sooner so
            self._execute(connection, many[0], _count)
            return
        text, fill = self._for(connection.dialect)
        sent = [fill(values) for values in many]
        _on_cursor(connection, text, lambda cursor: connection.dialect.do_executemany(cursor, text, sent))

    def _execute(self, connection: Connection, values: Mapping[str, Any], take: Callable[[DBAPICursor], T]) -> T:
        text, fill = self._for(connection.dialect)
        sent = fill(values)

        def use(cursor: DBAPICursor) -> T:
            connection.dialect.do_execute(cursor, text, sent)
            return take(cursor)

        return _on_cursor(connection, text, use)

    def _for(self, dialect: Dialect) -> tuple[str, Fill]:
        made = self._made.get(type(dialect))
        if made is None:
            made = self._made[type(dialect)] = _make(self.statement, dialect)
        return made


def _on_cursor(connection: Connection, text: str, use: Callable[[DBAPICursor], T]) -> T:
    if not connection.in_transaction():
        connection.begin()  # as SQLAlchemy does before the first statement
    cursor = connection.connection.cursor()
    try:
        return use(cursor)
    except Exception as error:
        # Its own way from a driver's error to the one that callers know, which also drops connections that were cut.
        connection._handle_dbapi_exception(error, text, None, cursor, None)
    finally:
        cursor.close()


def _all_rows(cursor: DBAPICursor) -> list[Any]:
    return list(cursor.fetchall())


def _count(cursor: DBAPICursor) -> int:
    return cursor.rowcount


def _make(statement: Statement, dialect: Dialect) -> tuple[str, Fill]:
    """Return the text that the driver takes, and what puts values into the form that goes with it."""
    compiled = statement.compile(dialect=dialect)
    to_disk = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect) or _as_it_is
        for name, bind in compiled.binds.items()
    }
    fixed = {name: to_disk[name](bind.value) for name, bind in compiled.binds.items() if not bind.required}
    order = compiled.positiontup
    if order is None:
        open_ones = [(name, made) for name, made in to_disk.items() if name not in fixed]
        return compiled.string, lambda values: {**fixed, **{name: made(values[name]) for name, made in open_ones}}
    places = [(fixed.get(name), name, None if name in fixed else to_disk[name]) for name in order]
    return compiled.string, lambda values: tuple(
        value if made is None else made(values[name]) for value, name, made in places
    )


def _as_it_is(value: Any) -> Any:
    return value
