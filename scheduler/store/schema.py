"""Bring a database to the schema that this code expects."""

from __future__ import annotations

import importlib
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from scheduler.errors import Unavailable

HEAD = "0006"


def upgrade(connection: Connection) -> None:
    """Create or migrate the schema; raise `Unavailable` where the database is of a newer version than this code."""
    found = version(connection)
    if found == HEAD:
        return
    if found is not None and found > HEAD:
        raise Unavailable(
            f"the database has schema {found}, made by a newer version of the scheduler; this one knows up to {HEAD}. "
            "Run the newer version, or give this one a data directory of its own (SCHEDULER_DATA_DIR)."
        )
    # Alembic takes a fifth of a second to import; a start that has nothing to migrate is spared it.
    command = importlib.import_module("alembic.command")
    config = importlib.import_module("alembic.config").Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.commit()


def version(connection: Connection) -> str | None:
    """Return the schema that a database has, or None where it has none yet."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
