"""What follows a run that has ended, in the transaction that writes its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.attempts import Assignment
from scheduler.config import SchedulerConfig
from scheduler.ids import new_run_id
from scheduler.models import Job
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture
def going(scheduler: TaskScheduler, job: MakeJob) -> Assignment:
    """Return a run that a worker carries out, of a task that tries again."""
    scheduler.start()
    stored = scheduler.add_job(job(max_retries=1, at_least_once=True)).info.stored
    run = Run(
        run_id=new_run_id(NOON),
        job_key=stored.key,
        task_id=stored.task_id,
        scheduled_for=NOON,
        due_at=NOON,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus.RUNNING,
        priority=stored.priority,
        created_at=NOON,
        started_at=NOON,
    )
    scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
    return Assignment(run, stored.job, ZoneInfo("UTC"))


def end(scheduler: TaskScheduler, going: Assignment, status: RunStatus) -> list[Run]:
    """Write how a run ended, and return all rows, the first attempt first."""
    ended = replace(going.run, status=status, finished_at=NOON + timedelta(seconds=1), details={})
    scheduler._executor._finish(replace(going, run=ended))
    scheduler._store.probe()  # what was queued before is done
    return sorted(scheduler.list_runs(RunFilter(), None, 100), key=lambda run: run.attempt)


def cancel(scheduler: TaskScheduler, going: Assignment) -> list[str]:
    return scheduler.cancel_run(going.run.run_id)


def remove(scheduler: TaskScheduler, going: Assignment) -> list[str]:
    return scheduler.remove_job(going.run.task_id)


Ask = Callable[[TaskScheduler, Assignment], list[str]]
FAILURES = [RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED]


@pytest.mark.parametrize("status", FAILURES)
def test_what_fails_is_tried_again(scheduler: TaskScheduler, going: Assignment, status: RunStatus) -> None:
    [_, again] = end(scheduler, going, status)
    assert (again.status, again.attempt, again.trigger) == (RunStatus.QUEUED, 2, Origin.RETRY)


@pytest.mark.parametrize("status", FAILURES)
@pytest.mark.parametrize("ask", [cancel, remove])
def test_what_somebody_asked_to_end_is_not_begun_again_however_it_ended(
    scheduler: TaskScheduler, going: Assignment, ask: Ask, status: RunStatus
) -> None:
    assert ask(scheduler, going) == [going.run.run_id]  # when it was about to end by itself
    [row] = end(scheduler, going, status)
    assert row.status is status


@pytest.mark.parametrize("ask", [cancel, remove])
def test_whoever_asks_after_a_failure_ends_the_attempt_that_waits(
    scheduler: TaskScheduler, going: Assignment, ask: Ask
) -> None:
    [_, again] = end(scheduler, going, RunStatus.FAILED)
    assert ask(scheduler, going) == [again.run_id]
    assert scheduler.get_run(again.run_id).status is RunStatus.CANCELLED
