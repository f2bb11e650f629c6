"""Execute a statement past SQLAlchemy's building of it.

Building costs two to three times what SQLite takes to carry the statement out. It is worth sparing only for the few
that every run pays for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, CursorResult, Dialect, Select
from sqlalchemy.sql.dml import UpdateBase

NOTHING: Mapping[str, Any] = {}
Statement = UpdateBase | Select[Any]


class Prepared:
    """A statement, made once for each database it is used on.

    Its values are named as in the statement: after columns, or after its own `bindparam`. What it returns are the
    bare values of the database, past the types that make objects of them.
    """

    def __init__(self, statement: Statement) -> None:
        self._statement = statement

    def execute(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> CursorResult[Any]:
        """Execute it once."""
        text, fill = _made(self._statement, connection.dialect)
        return connection.exec_driver_sql(text, fill(values))

    def execute_each(self, connection: Connection, many: Sequence[Mapping[str, Any]]) -> None:
        """Execute it once for each of the values, of which there must be some."""
        text, fill = _made(self._statement, connection.dialect)
        connection.exec_driver_sql(text, [fill(values) for values in many])


@lru_cache(maxsize=64)
def _made(statement: Statement, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
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
