"""Remember jobs and runs: the only door to SQLAlchemy.

`Database` gives a connection to functions of `changes`, `deliveries`, `events`, `glances`, `jobs`, `keys`,
`ledger_days`, `planning`, `pruning`, `runs`, `sessions`, `state`, `stats`, `timeline`, `tokens` and `underway`; several
of them called in one unit of work are one transaction.
"""

from sqlalchemy import Connection

from scheduler.store import (
    changes,
    deliveries,
    events,
    glances,
    jobs,
    keys,
    ledger_days,
    planning,
    pruning,
    runs,
    sessions,
    state,
    stats,
    timeline,
    tokens,
    underway,
)
from scheduler.store.database import Database, check_url, data_dir_beside
from scheduler.store.remembered import Remembered
from scheduler.store.sqlite import sqlite_url
from scheduler.store.writer import is_trouble

__all__ = [
    "Connection",
    "Database",
    "Remembered",
    "changes",
    "check_url",
    "data_dir_beside",
    "deliveries",
    "events",
    "glances",
    "is_trouble",
    "jobs",
    "keys",
    "ledger_days",
    "planning",
    "pruning",
    "runs",
    "sessions",
    "sqlite_url",
    "state",
    "stats",
    "timeline",
    "tokens",
    "underway",
]
