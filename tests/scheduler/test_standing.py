"""Where a job stands when its rule has ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from scheduler.models import Job, JobStatus, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs
from scheduler.store.jobs import JobFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time


def rows(key: int, *statuses: RunStatus) -> list[Run]:
    """Return the attempts for one fire time, the first first."""
    first = Run(
        run_id="0", job_key=key, task_id="job", scheduled_for=NOON + timedelta(seconds=10), attempt=0,
        trigger=Origin.SCHEDULE, status=RunStatus.FAILED, priority=Priority.MEDIUM, created_at=NOON, started_at=NOON,
    )  # fmt: skip
    return [
        replace(first, run_id=str(number), attempt=number, status=status) for number, status in enumerate(statuses, 1)
    ]


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([RunStatus.COMPLETED], JobStatus.COMPLETED),
        ([RunStatus.FAILED], JobStatus.FAILED),
        ([RunStatus.TIMEOUT], JobStatus.FAILED),
        ([RunStatus.INTERRUPTED], JobStatus.FAILED),
        ([RunStatus.CANCELLED], JobStatus.COMPLETED),
        ([RunStatus.FAILED, RunStatus.COMPLETED], JobStatus.COMPLETED),
        ([], JobStatus.COMPLETED),
    ],
)
def test_an_ended_job_failed_where_its_last_run_did(
    scheduler: TaskScheduler,
    job: Callable[..., Job],
    time: Time,
    attempts: list[RunStatus],
    expected: JobStatus,
) -> None:
    stored = scheduler.add_job(job(interval="in 10 seconds")).info.stored
    time.move(minutes=1)
    scheduler.pause_job("job")
    scheduler.resume_job("job")
    scheduler._store.write(lambda connection: runs.add_runs(connection, rows(stored.key, *attempts)))
    assert scheduler.get_job("job").status is expected
    [info], _ = scheduler.list_jobs(JobFilter(), 0, 10)
    assert info.status is expected
