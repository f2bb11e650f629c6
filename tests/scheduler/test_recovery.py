"""What a dead server left is put right: each row gets its end, and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.ids import new_run_id
from scheduler.models import Job
from scheduler.recovery import DIED, Found, recover
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs
from scheduler.store.deliveries import DeliveryFilter
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    values = {**dict(config), "database_url": database_url, "notify_targets": {"hook": {"webhook": "http://h"}}}
    return SchedulerConfig(**values)


@pytest.fixture
def left(scheduler: TaskScheduler, job: MakeJob) -> Callable[..., Run]:
    """Leave a row as a server that dies would."""

    def leave(status: str, origin: Origin = Origin.SCHEDULE, ago: float = 1, **terms: Any) -> Run:
        stored = scheduler.add_job(job(f"job-{ago}-{origin}", **terms)).info.stored
        moment = NOON - timedelta(seconds=ago)
        run = Run(
            run_id=new_run_id(moment),
            job_key=stored.key,
            task_id=stored.task_id,
            scheduled_for=moment,
            due_at=None if origin is Origin.MANUAL else moment,
            attempt=1,
            trigger=origin,
            status=RunStatus(status),
            priority=stored.job.priority,
            created_at=moment,
            started_at=moment if status == "running" else None,
        )
        scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
        return run

    return leave


def put_right(scheduler: TaskScheduler, time: Time) -> tuple[Found, list[Run]]:
    found = recover(scheduler._store, time, lambda: None, scheduler._executor.teller)
    return found, sorted(scheduler.list_runs(RunFilter(), None, 100), key=lambda run: run.attempt)


def test_a_run_that_was_cut_off_is_interrupted_and_not_run_again(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run]
) -> None:
    scheduler.start()
    run = left("running")
    found, [row] = put_right(scheduler, time)
    assert (row.status, row.finished_at, row.details["reason"]) == (RunStatus.INTERRUPTED, NOON, DIED)
    assert (found.interrupted, found.waiting) == ([run.run_id], [])


@pytest.mark.parametrize("terms", [{"at_least_once": True}, {"max_retries": 1}])
def test_it_is_tried_again_where_the_task_says_so(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run], terms: dict[str, Any]
) -> None:
    scheduler.start()
    left("running", **terms)
    found, [_, again] = put_right(scheduler, time)
    assert (again.status, again.attempt, again.trigger) == (RunStatus.QUEUED, 2, Origin.RETRY)
    assert [run.run_id for run in found.waiting] == [again.run_id]


def test_a_stopped_scheduler_tries_nothing_again(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run]
) -> None:
    left("running", at_least_once=True)
    found, [_, again] = put_right(scheduler, time)
    assert (again.status, again.details["reason"]) == (RunStatus.SKIPPED, "scheduler stopped")
    assert found.waiting == []


def test_what_people_asked_for_is_tried_again_all_the_same(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run]
) -> None:
    left("running", Origin.MANUAL, at_least_once=True)
    _, [_, again] = put_right(scheduler, time)
    assert again.status is RunStatus.QUEUED


@pytest.mark.parametrize("ask", ["cancel", "remove"])
def test_what_somebody_had_asked_to_end_is_not_tried_again(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run], ask: str
) -> None:
    scheduler.start()
    run = left("running", at_least_once=True)
    ended = scheduler.cancel_run(run.run_id) if ask == "cancel" else scheduler.remove_job(run.task_id)
    assert ended == [run.run_id]  # the server died before that was done
    found, [row] = put_right(scheduler, time)
    assert row.status is RunStatus.INTERRUPTED
    assert found.waiting == []


@pytest.mark.parametrize(
    ("origin", "ago", "status"),
    [
        (Origin.SCHEDULE, 59, RunStatus.QUEUED),
        (Origin.SCHEDULE, 61, RunStatus.MISSED),
        (Origin.MANUAL, 3600, RunStatus.QUEUED),  # never too late
        (Origin.RETRY, 3600, RunStatus.QUEUED),
    ],
)
def test_what_waited_goes_on_waiting_unless_it_is_too_late(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run], origin: Origin, ago: float, status: RunStatus
) -> None:
    scheduler.start()
    left("queued", origin, ago)
    found, [row] = put_right(scheduler, time)
    assert row.status is status
    assert len(found.waiting) == (status is RunStatus.QUEUED)


def test_what_goes_on_in_this_process_is_let_alone_and_not_begun_again(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run]
) -> None:
    scheduler.start()
    mine, waits = left("running"), left("queued", ago=2)
    teller = scheduler._executor.teller
    found = recover(scheduler._store, time, lambda: None, teller, lambda run_id: run_id == mine.run_id)
    assert found.interrupted == []
    assert [run.run_id for run in found.waiting] == [waits.run_id]


def test_what_goes_on_in_this_process_for_longer_than_its_grace_was_not_missed(
    scheduler: TaskScheduler, time: Time, left: Callable[..., Run]
) -> None:
    scheduler.start()
    mine = left("running", ago=3600, notify={"on": ["missed"], "to": ["hook"]})
    teller = scheduler._executor.teller
    recover(scheduler._store, time, lambda: None, teller, lambda run_id: run_id == mine.run_id)
    assert scheduler.get_run(mine.run_id) == mine
    assert scheduler.list_deliveries(DeliveryFilter(), None, 10) == []


def test_twice_is_once(scheduler: TaskScheduler, time: Time, left: Callable[..., Run]) -> None:
    scheduler.start()
    left("running", at_least_once=True)
    _, first = put_right(scheduler, time)
    _, second = put_right(scheduler, time)
    assert first == second
