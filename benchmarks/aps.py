"""Open APScheduler 3, the peer."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler


def started(database: Path | None) -> BackgroundScheduler:
    """Return one with a pool of 8, jobs in memory or, where a path is given, in SQLite as it does that."""
    store = MemoryJobStore() if database is None else SQLAlchemyJobStore(url=f"sqlite:///{database}")
    scheduler = BackgroundScheduler(
        jobstores={"default": store},
        executors={"default": ThreadPoolExecutor(8)},
        job_defaults={"misfire_grace_time": None},
        timezone=UTC,
    )
    scheduler.start()
    return scheduler


def nothing() -> None:
    """Do nothing, as a job."""
