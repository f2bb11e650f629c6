"""Remember jobs and runs: the only door to SQLAlchemy.

`Database` gives a connection to functions of `jobs`, `runs`, `deliveries`, `state` and `tokens`; several of them called
in one unit of work are one transaction.
"""

from sqlalchemy import Connection

from scheduler.store import deliveries, jobs, runs, state, tokens
from scheduler.store.database import Database
from scheduler.store.sqlite import sqlite_url
from scheduler.store.writer import is_trouble

__all__ = ["Connection", "Database", "deliveries", "is_trouble", "jobs", "runs", "sqlite_url", "state", "tokens"]
