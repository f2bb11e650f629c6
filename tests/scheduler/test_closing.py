"""A scheduler that is closed, or asked to begin something, by its own jobs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from scheduler import Job, JobResult, RunStatus, SchedulerConfig, TaskScheduler
from scheduler.errors import Conflict, Unavailable
from tests.server import wait_until

SECONDS = 20.0


@pytest.fixture
def config(config: SchedulerConfig) -> SchedulerConfig:
    """Return settings by which a run may take its time to end."""
    return config.model_copy(update={"stop_grace_seconds": SECONDS})


def is_closed(scheduler: TaskScheduler) -> bool:
    """Whether a scheduler answers nothing any more."""
    try:
        scheduler.is_running()
    except Unavailable as error:
        return error.code == "shutting_down"
    return False


def check_next_one_fires(config: SchedulerConfig) -> None:
    """See that the next scheduler has the lease, and that all runs of this one have ended."""
    with TaskScheduler(config) as scheduler:
        wait_until(scheduler.has_clock, what="the next one firing")
        assert not scheduler.has_running()
        assert [run.status for run in [scheduler.last_run(scheduler.get_job("last"))] if run] == [RunStatus.COMPLETED]


def manual(scheduler: TaskScheduler, function: Callable[[], Any]) -> None:
    """Give a scheduler a job that calls a function when it is asked for."""
    scheduler.add_callable(function, task_id="last", schedule_type="manual")


def test_run_ends_where_a_job_closes_the_scheduler(config: SchedulerConfig) -> None:
    scheduler = TaskScheduler(config)
    manual(scheduler, scheduler.close)
    scheduler.run_now("last")
    thread = threading.Thread(target=scheduler.run)
    thread.start()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert is_closed(scheduler)
    check_next_one_fires(config)


def test_a_job_closes_a_scheduler_that_fires_by_itself(config: SchedulerConfig) -> None:
    scheduler = TaskScheduler(config)
    scheduler.start()
    manual(scheduler, scheduler.close)
    scheduler.run_now("last")
    wait_until(lambda: is_closed(scheduler))
    scheduler.close()
    check_next_one_fires(config)


def test_execute_job_may_close_the_scheduler(config: SchedulerConfig) -> None:
    class Once(TaskScheduler):
        def execute_job(self, job: Job) -> JobResult:
            self.close()
            return super().execute_job(job)

    scheduler = Once(config)
    scheduler.start()
    scheduler.add_job(Job(id="last", command="true", schedule_type="manual"))
    scheduler.run_now("last")
    wait_until(lambda: is_closed(scheduler))
    scheduler.close()
    check_next_one_fires(config)


def test_a_cycle_ends_before_the_scheduler_is_closed_by_a_job_of_it(config: SchedulerConfig) -> None:
    scheduler = TaskScheduler(config)
    manual(scheduler, scheduler.close)
    scheduler.run_now("last")
    assert [run.status for run in scheduler.run_once()] == [RunStatus.COMPLETED]
    wait_until(lambda: is_closed(scheduler))
    scheduler.close()
    check_next_one_fires(config)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (TaskScheduler.start, "this scheduler cannot be started by a job of its own"),
        (TaskScheduler.run_once, "this scheduler cannot run a cycle by a job of its own"),
    ],
)
def test_a_job_begins_nothing_that_waits_for_its_end(
    config: SchedulerConfig, ask: Callable[[TaskScheduler], object], message: str
) -> None:
    scheduler = TaskScheduler(config)
    manual(scheduler, lambda: ask(scheduler))
    scheduler.run_now("last")
    (run,) = scheduler.run_once()
    assert (run.status, run.details["reason"]) == (RunStatus.FAILED, f"Conflict: {message}")
    scheduler.close()


def test_a_job_starts_again_what_was_stopped(config: SchedulerConfig) -> None:
    with TaskScheduler(config) as scheduler:
        manual(scheduler, scheduler.start)
        scheduler.stop()
        run = scheduler.run_now("last")
        assert scheduler.watch.wait([run.run_id], SECONDS)
        assert scheduler.is_running()


def test_a_job_starts_nothing_that_is_being_closed(config: SchedulerConfig) -> None:
    begun, closing = threading.Event(), threading.Event()
    told: list[Exception] = []

    def start_again() -> None:
        begun.set()
        closing.wait(SECONDS)
        with pytest.raises(Conflict) as refused:
            scheduler.start()
        told.append(refused.value)

    scheduler = TaskScheduler(config)
    scheduler.start()
    manual(scheduler, start_again)
    scheduler.run_now("last")
    assert begun.wait(SECONDS)
    thread = threading.Thread(target=scheduler.close)
    thread.start()
    wait_until(scheduler._closed.is_set)
    closing.set()
    thread.join(SECONDS)
    assert not thread.is_alive()
    assert len(told) == 1


def test_whoever_is_told_of_a_runs_end_may_close_the_scheduler(config: SchedulerConfig) -> None:
    scheduler = TaskScheduler(config)
    scheduler.start()
    manual(scheduler, lambda: None)
    run = scheduler.run_now("last")
    scheduler.watch.when_ended([run.run_id], SECONDS, lambda _: scheduler.close())
    wait_until(lambda: is_closed(scheduler))
    scheduler.close()
    check_next_one_fires(config)
