"""The figures of the ledger are those that counting its rows one by one gives."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest

from scheduler.config import SchedulerConfig
from scheduler.ids import RunIds
from scheduler.models import Job, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs, stats
from scheduler.store.stats import FAILED, Spread
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON

NAMES = ("a", "b", "c", "d")
DAYS = [NOON - timedelta(days=back) for back in (3, 2, 1, 0)]
ENDS = [RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED, RunStatus.RUNNING]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture
def ledger(scheduler: TaskScheduler, job: Callable[..., Job]) -> list[Run]:
    """Return 120 rows of the ledger, some of them older than the days that are asked for; the oldest first."""
    keys = [scheduler.add_job(job(task_id=name)).info.stored.key for name in NAMES]
    chance, new_run_id, rows = random.Random(7), RunIds().make, []
    for number in range(120):
        at = DAYS[0] - timedelta(hours=9) + number * timedelta(minutes=45)
        which, status = chance.randrange(len(NAMES)), chance.choice(ENDS)
        took = timedelta(milliseconds=chance.randrange(1, 1000))
        rows.append(Run(
            run_id=new_run_id(at), job_key=keys[which], task_id=NAMES[which], scheduled_for=at, attempt=1,
            trigger=Origin.SCHEDULE, status=status, priority=Priority.MEDIUM, created_at=at, started_at=at,
            finished_at=at + took if status.is_final else None,
        ))  # fmt: skip
    scheduler._store.write(lambda connection: runs.add_runs(connection, rows))
    return rows


def spread(rows: list[Run], most: int) -> Spread:
    """Return how long the newest of the runs took that ran to their end."""
    ran = [row for row in rows if row.status in (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT)][-most:]
    took = sorted(round((row.duration_ms or 0) * 1000) for row in ran)
    return Spread(*(took[(len(took) * percent + 99) // 100 - 1] for percent in (50, 95, 100)))


@pytest.mark.parametrize(("task_id", "limit", "most"), [(None, 50, 1000), (None, 2, 12), ("b", 50, 9)])
def test_figures(
    scheduler: TaskScheduler,
    ledger: list[Run],
    monkeypatch: pytest.MonkeyPatch,
    task_id: str | None,
    limit: int,
    most: int,
) -> None:
    monkeypatch.setattr(stats, "MOST_SORTED", most)
    counted = [
        row for row in ledger if row.created_at >= DAYS[0] and row.status.is_final and task_id in (None, row.task_id)
    ]
    found = scheduler.stats(DAYS, task_id, limit)
    days = [Counter(row.status.value for row in counted if sum(day <= row.created_at for day in DAYS) == n)
            for n in range(1, 5)]  # fmt: skip
    assert found.by_day == days
    tasks = {name: [row for row in counted if row.task_id == name] for name in NAMES if task_id in (None, name)}
    worst = sorted(tasks, key=lambda name: (-sum(row.status in FAILED for row in tasks[name]), -len(tasks[name]), name))
    shown = worst[:limit]
    assert list(found.tasks) == shown
    assert found.task_count == len(tasks)
    assert found.tasks == {name: Counter(row.status.value for row in tasks[name]) for name in shown}
    assert found.took == spread(counted, most)
    assert dict(found.tasks_took) == {name: spread(tasks[name], most // len(shown)) for name in shown}
