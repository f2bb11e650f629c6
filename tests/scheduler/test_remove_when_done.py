"""A task that is to be removed when its rule has ended is removed with the end of its last run, whatever ends that."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scheduler.config import SchedulerConfig
from scheduler.models import Job
from scheduler.recovery import recover
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import jobs
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time
from tests.scheduler.test_dispatcher import Desk

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture(autouse=True)
def started(scheduler: TaskScheduler) -> None:
    scheduler.start()


def cancel(scheduler: TaskScheduler, time: Time, run: Run) -> None:
    scheduler.cancel_run(run.run_id)


def stop(scheduler: TaskScheduler, time: Time, run: Run) -> None:
    scheduler.stop()


def crash(scheduler: TaskScheduler, time: Time, run: Run) -> None:
    recover(scheduler._store, time, lambda: None, scheduler._executor.teller)


def crash_for_long(scheduler: TaskScheduler, time: Time, run: Run) -> None:
    time.move(seconds=100)
    crash(scheduler, time, run)


def fire(scheduler: TaskScheduler, time: Time, free: int) -> Run:
    """Let the only fire time come, with so many workers free, and return its run."""
    time.move(seconds=10)
    [run] = [row for row in Desk(scheduler, time, free).fire() if row.trigger is Origin.SCHEDULE]
    return run


def present(scheduler: TaskScheduler) -> int:
    return scheduler._store.read(jobs.count_jobs)


@pytest.mark.parametrize(
    ("end", "free", "status"),
    [
        (cancel, 0, RunStatus.CANCELLED),
        (stop, 0, RunStatus.SKIPPED),
        (crash, 1, RunStatus.INTERRUPTED),
        (crash_for_long, 0, RunStatus.MISSED),
    ],
)
def test_it_is_removed_with_the_end_of_its_last_run(
    scheduler: TaskScheduler,
    job: MakeJob,
    time: Time,
    end: Callable[[TaskScheduler, Time, Run], None],
    free: int,
    status: RunStatus,
) -> None:
    scheduler.add_job(job(interval="in 10 seconds", remove_when_done=True))
    run = fire(scheduler, time, free)
    assert present(scheduler) == 1
    end(scheduler, time, run)
    assert scheduler.get_run(run.run_id).status is status
    assert present(scheduler) == 0


def test_it_stays_while_another_run_waits(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job(interval="in 10 seconds", remove_when_done=True, max_instances=2))
    by_hand, due = scheduler.run_now("job"), fire(scheduler, time, 0)
    cancel(scheduler, time, due)
    assert present(scheduler) == 1
    cancel(scheduler, time, by_hand)
    assert present(scheduler) == 0


def test_it_stays_while_a_further_attempt_waits(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job(interval="in 10 seconds", remove_when_done=True, at_least_once=True))
    run = fire(scheduler, time, 1)
    crash(scheduler, time, run)
    assert present(scheduler) == 1
    cancel(scheduler, time, run)
    assert present(scheduler) == 0


def test_it_stays_while_more_fire_times_follow(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job(remove_when_done=True))
    cancel(scheduler, time, fire(scheduler, time, 0))
    assert present(scheduler) == 1


def test_any_number_of_them_is_removed_at_once(
    scheduler: TaskScheduler, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.store.planning.IDS_A_QUERY", 2)
    for number in range(5):
        scheduler.add_job(job(f"job-{number}", interval="in 10 seconds", remove_when_done=True))
    time.move(seconds=10)
    Desk(scheduler, time, 0).fire()
    assert present(scheduler) == 5
    scheduler.stop()
    assert present(scheduler) == 0
