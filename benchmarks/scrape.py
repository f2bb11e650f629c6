"""How long a scrape takes in the server, with many tasks and a long ledger.

Only tasks that have changed are looked at, all of them at the first scrape of a process; one within a second of
another uses what that found. Beside it stands what the service's own health costs, which looks at nothing much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from flask.testing import FlaskClient

from benchmarks import ours
from benchmarks.measure import folder, in_child, median, seconds
from benchmarks.table import Row
from scheduler.http.app import EXTENSION, Service, create_app

ROUNDS = 20


def rows(quick: bool) -> list[Row]:
    """Measure."""
    tasks, runs = (10_000, 50_000) if quick else (100_000, 1_000_000)
    first, kept, changed, health = in_child(_scrapes, tasks, runs)
    beside = [("GET /healthz", health)]
    return [
        Row(f"scrape with {tasks:,} tasks and {runs:,} runs", first, "ms", beside, "50 ms"),
        Row("... again within a second", kept, "ms", beside),
        Row("... after a task has changed", changed, "ms", beside),
    ]


def _scrapes(tasks: int, runs: int) -> list[float]:
    with folder() as place:
        ours.fill(place, tasks)
        _fill_ledger(place / "data" / "scheduler.db", tasks, runs)
        app = create_app(lambda: ours.config(place, rate_limit="off"))
        service: Service = app.extensions[EXTENSION]
        try:
            ours.wait_until_ready(service.open())
            return [median(times) for times in _timed(app.test_client(), service)]
        finally:
            service.close()


def _timed(client: FlaskClient, service: Service) -> tuple[list[float], ...]:
    first: list[float] = []
    kept: list[float] = []
    changed: list[float] = []
    health: list[float] = []
    scheduler = service.open()
    for _ in range(ROUNDS):
        scheduler.figures._read_at = float("-inf")
        first.append(1000 * seconds(_get(client, "/metrics")))
        kept.append(1000 * seconds(_get(client, "/metrics")))
        scheduler.pause_job("bulk-0") or scheduler.resume_job("bulk-0")
        scheduler.figures._read_at = float("-inf")
        changed.append(1000 * seconds(_get(client, "/metrics")))
        health.append(1000 * seconds(_get(client, "/healthz")))
    return first, kept, changed, health


def _get(client: FlaskClient, path: str) -> Callable[[], object]:
    def get() -> None:
        assert client.get(path, headers={"Host": "localhost"}).status_code == 200

    return get


def _fill_ledger(database: Path, tasks: int, runs: int) -> None:
    connection = sqlite3.connect(database)
    connection.execute(
        "INSERT INTO runs (run_id, job_key, task_id, scheduled_for, attempt, trigger, status, priority, created_at,"
        " due_at, started_at, finished_at, details) WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM"
        " numbers WHERE n < ?) SELECT printf('%026d', n), 1 + n % ?, 'bulk-' || (n % ?), n * 1000000, 1, 'schedule',"
        " 'completed', 'medium', n * 1000000, n * 1000000, n * 1000000, n * 1000000, '{}' FROM numbers",
        (runs, tasks, tasks),
    )
    connection.commit()
    connection.close()
