"""Open our scheduler as the server does, and fill it."""

from __future__ import annotations

import logging.config
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from scheduler.config import SchedulerConfig
from scheduler.logs import keep_records_small, logging_settings
from scheduler.models import Job, read_job
from scheduler.run import Run
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler

FAR = f"{datetime.now(UTC).year + 10}-01-01T00:00"


def config(folder: Path, **settings: Any) -> SchedulerConfig:
    """Return settings with eight workers and unconfined runs, as the others have them, and directories in `folder`."""
    workspace = folder / "workspace"
    workspace.mkdir(parents=True, exist_ok=True)
    values: dict[str, Any] = {
        "max_workers": 8,
        "autostart": True,
        "timezone": "UTC",
        "max_tasks": 10**6,
        "max_queued": 10**6,
        "sandbox": "off",
    }
    return SchedulerConfig(**(values | {"data_dir": folder / "data", "allowed_dirs": (workspace,)} | settings))


def serve_alike(folder: Path) -> None:
    """Make this process what the server makes of itself: its log, to a file, and its turns between threads."""
    folder.mkdir(parents=True, exist_ok=True)
    log = os.open(folder / "ours.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, 2)
    os.close(log)
    logging.config.dictConfig(logging_settings("INFO", "text"))
    sys.setswitchinterval(0.0005)
    keep_records_small()


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[TaskScheduler]:
    """Give a scheduler that is ready to fire."""
    serve_alike(folder)
    scheduler = TaskScheduler(config(folder, **settings))
    try:
        scheduler.open()
        wait_until_ready(scheduler)
        yield scheduler
    finally:
        scheduler.close()


def wait_until_ready(scheduler: TaskScheduler) -> None:
    """Wait until this process holds the lease and has planned all jobs."""
    deadline = time.monotonic() + 60
    while not scheduler._holder.is_ready:
        if time.monotonic() > deadline:
            raise TimeoutError("the scheduler did not become ready")
        time.sleep(0.001)


def command(task_id: str, interval: str, line: str = "/bin/true") -> Job:
    """Return a job that runs a shell line."""
    return read_job({"task_id": task_id, "type": "command", "command": line, "interval": interval})


def soon(seconds: float) -> datetime:
    """Return a moment in whole milliseconds so many seconds from now."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def fill(folder: Path, count: int) -> None:
    """Put `count` jobs that are not due for years into a scheduler that is closed: copies of one that was added."""
    scheduler = TaskScheduler(config(folder))
    scheduler.start()
    scheduler.add_job(command("bulk-0", FAR))
    scheduler.close()
    connection = sqlite3.connect(folder / "data" / "scheduler.db")
    names = [row[1] for row in connection.execute("PRAGMA table_info(jobs)") if row[1] not in ("key", "task_id")]
    columns = ", ".join(f'"{name}"' for name in names)
    connection.execute(
        f"INSERT INTO jobs (task_id, {columns}) "
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ? - 1) "
        f"SELECT 'bulk-' || n, {columns} FROM jobs, numbers WHERE task_id = 'bulk-0' AND n < ?",
        (count, count),
    )
    connection.execute("UPDATE jobs SET next_fire_time = next_fire_time + key * 1000")
    connection.commit()
    connection.close()


def finished(scheduler: TaskScheduler) -> list[Run]:
    """Return every run of the ledger that has ended."""
    return [run for run in scheduler.list_runs(RunFilter(), None, 10**6) if run.finished_at is not None]
