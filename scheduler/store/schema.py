"""Bring a database to the schema that this code expects."""

from __future__ import annotations

import importlib
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Column, Connection, MetaData, PrimaryKeyConstraint, String, Table, insert, inspect, text
from sqlalchemy.dialects import registry
from sqlalchemy.schema import CreateIndex, CreateTable, DDLElement

from scheduler.errors import Unusable
from scheduler.store.tables import metadata, state

HEAD = "0008"
_VERSION = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table, as it would make it."""


def upgrade(connection: Connection) -> None:
    """Create or migrate the schema; raise `Unusable` where the database is of a newer version than this code."""
    found = version(connection)
    if found == HEAD:
        return
    if found is None:
        create(connection)
        return
    if found > HEAD:
        raise Unusable(
            f"the database has schema {found}, made by a newer version of the scheduler; this one knows up to {HEAD}. "
            "Run the newer version, or give this one a data directory of its own (SCHEDULER_DATA_DIR)."
        )
    migrate(connection)


def create(connection: Connection) -> None:
    """Make the newest schema in an empty database: where there is nothing to keep, the migrations' way is the long one.

    Embedded schedulers begin so each time, and Alembic alone takes a fifth of a second to import.
    """
    for statement in _statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    connection.execute(insert(state).values(name="revision", value=0))
    connection.execute(insert(_VERSION).values(version_num=HEAD))
    connection.commit()


def migrate(connection: Connection) -> None:
    """Go through the migrations that a database has not seen yet."""
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


@lru_cache
def _statements(dialect_name: str) -> tuple[str, ...]:
    dialect = registry.load(dialect_name)()
    tables = [*metadata.sorted_tables, _VERSION]
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    made: list[DDLElement] = [*map(CreateTable, tables), *map(CreateIndex, indexes)]
    return tuple(str(one.compile(dialect=dialect)) for one in made)


def version(connection: Connection) -> str | None:
    """Return the schema that a database has, or None where it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
