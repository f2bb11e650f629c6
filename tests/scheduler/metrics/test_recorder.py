"""What a process counts: what its transactions ended, whoever asked for them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import Unavailable
from scheduler.ids import new_run_id
from scheduler.metrics import book
from scheduler.metrics.families import BY_NAME
from scheduler.metrics.recorder import Recorder
from scheduler.models import Job
from scheduler.recovery import recover
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, runs
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.server import wait_until

Leave = Callable[..., Run]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture
def recorder(scheduler: TaskScheduler) -> Recorder:
    scheduler.metrics.start()
    return scheduler.metrics


@pytest.fixture
def leave(scheduler: TaskScheduler, job: Callable[..., Job]) -> Leave:
    """Put a row into the ledger."""

    def put(status: str, created_at: datetime = NOON, **fields: Any) -> Run:
        stored = scheduler.add_job(job("one")).info.stored
        number = len(scheduler._store.read(lambda c: runs.newest(c, stored.key, 100)))
        run = Run(
            run_id=new_run_id(created_at),
            job_key=stored.key,
            task_id=stored.task_id,
            scheduled_for=NOON + timedelta(seconds=number),
            attempt=1,
            trigger=fields.pop("trigger", Origin.SCHEDULE),
            status=RunStatus(status),
            priority=stored.job.priority,
            created_at=created_at,
            **fields,
        )
        scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
        return run

    return put


def numbers(recorder: Recorder, name: str, *labels: str) -> list[float]:
    recorder.publish()
    return recorder.read().counts.numbers.get((name, *labels), [])


def ended(recorder: Recorder, status: str) -> float:
    return sum(numbers(recorder, "runs", status, "command"))


def test_rows_that_are_final_from_the_start(recorder: Recorder, leave: Leave) -> None:
    leave("skipped", finished_at=NOON)
    leave("missed", finished_at=NOON)
    leave("missed", finished_at=NOON, count=1000)
    leave("queued")
    assert (ended(recorder, "skipped"), ended(recorder, "missed")) == (1, 1001)
    assert not numbers(recorder, "run_duration_seconds", "command")


def test_runs_that_wait_and_are_stopped_or_cancelled(
    recorder: Recorder, leave: Leave, scheduler: TaskScheduler
) -> None:
    scheduler.start()
    leave("queued")
    cancelled = leave("queued", trigger=Origin.MANUAL)
    leave("queued")
    scheduler.stop()
    assert (ended(recorder, "skipped"), ended(recorder, "cancelled")) == (2, 0)
    scheduler.cancel_run(cancelled.run_id)
    scheduler.cancel_run(cancelled.run_id)
    assert ended(recorder, "cancelled") == 1


def test_runs_that_a_dead_process_left(recorder: Recorder, leave: Leave, scheduler: TaskScheduler, time: Time) -> None:
    leave("running", started_at=NOON)
    time.move(days=1)
    recover(scheduler._store, time, lambda: None, scheduler._executor.teller)
    assert ended(recorder, "interrupted") == 1
    # Nobody knows when it ended: its duration would be that of the outage.
    assert not numbers(recorder, "run_duration_seconds", "command")


def test_a_run_that_ends(recorder: Recorder, leave: Leave, scheduler: TaskScheduler) -> None:
    run = leave("running", due_at=NOON)
    started = NOON + timedelta(seconds=0.003)
    done = replace(run, status=RunStatus.FAILED, started_at=started, finished_at=started + timedelta(seconds=2))
    for first in (True, False):
        assert scheduler._store.write(lambda connection: runs.finish_run(connection, done)) is first
    assert ended(recorder, "failed") == 1
    assert in_bucket(recorder, "run_duration_seconds", 5.0, "command") == 1
    assert in_bucket(recorder, "run_lateness_seconds", 0.005) == 1
    assert in_bucket(recorder, "queue_wait_seconds", 0.005, "medium") == 1


def in_bucket(recorder: Recorder, name: str, bound: float, *labels: str) -> float:
    return numbers(recorder, name, *labels)[BY_NAME[name].buckets.index(bound)]


def test_an_attempt_waits_from_its_own_moment_on(recorder: Recorder, leave: Leave, scheduler: TaskScheduler) -> None:
    due = NOON + timedelta(minutes=10)
    run = leave("queued", trigger=Origin.RETRY, due_at=due)
    started = due + timedelta(seconds=0.004)
    done = replace(run, status=RunStatus.COMPLETED, started_at=started, finished_at=started)
    scheduler._store.write(lambda connection: runs.finish_run(connection, done))
    assert in_bucket(recorder, "queue_wait_seconds", 0.005, "medium") == 1
    assert not numbers(recorder, "run_lateness_seconds")


def test_what_is_rolled_back_is_not_counted(recorder: Recorder, leave: Leave, scheduler: TaskScheduler) -> None:
    run = leave("queued", trigger=Origin.MANUAL)

    def fail(connection: Connection) -> None:
        runs.request_cancel(connection, [run.run_id], "cancelled", NOON)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        scheduler._store.write(fail)
    assert ended(recorder, "cancelled") == 0
    scheduler.cancel_run(run.run_id)
    assert ended(recorder, "cancelled") == 1


def test_what_cannot_be_published_is_kept(
    recorder: Recorder,
    leave: Leave,
    scheduler: TaskScheduler,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(*_: object) -> None:
        raise trouble

    leave("missed", finished_at=NOON)
    for place, name, trouble in (
        (scheduler._store, "read", Unavailable("the store does not answer")),
        (book.Book, "_write", OSError("no space left")),
        (book.Book, "_write", book.BookBusy("busy")),
    ):
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
            patch.setattr(place, name, refuse)
            assert ended(recorder, "missed") == 0
            assert str(trouble) in caplog.text
    assert ended(recorder, "missed") == 1
    assert ended(recorder, "missed") == 1


def test_every_transaction_is_timed(recorder: Recorder, scheduler: TaskScheduler) -> None:
    before = sum(numbers(recorder, "store_write_seconds")[:-1])
    for _ in range(3):
        scheduler._store.probe()
    assert sum(numbers(recorder, "store_write_seconds")[:-1]) == before + 3


def test_what_others_count_is_taken_over_as_it_grows(recorder: Recorder) -> None:
    tally = {"password": 0, "token": 2}
    recorder.follow("auth_failures", lambda: tally)
    assert numbers(recorder, "auth_failures", "password") == [0]
    tally["password"] += 3
    assert numbers(recorder, "auth_failures", "password") == [3]
    assert numbers(recorder, "auth_failures", "token") == [2]


def test_the_last_counts_are_published_at_the_end(recorder: Recorder, leave: Leave) -> None:
    leave("missed", finished_at=NOON)
    recorder.close()
    assert recorder.read().counts.numbers["runs", "missed", "command"] == [1]


def test_an_idle_process_writes_nothing(recorder: Recorder, config: SchedulerConfig) -> None:
    recorder.publish()
    (config.data_dir / "metrics.json").unlink(missing_ok=True)
    recorder.publish()
    assert not (config.data_dir / "metrics.json").exists()


def test_what_is_counted_is_published_though_nobody_asks(
    recorder: Recorder, leave: Leave, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.metrics.recorder.PUBLISH_SECONDS", 0.01)
    for expected in (1, 2):
        leave("skipped", finished_at=NOON)
        wait_until(lambda expected=expected: published(recorder, "runs", "skipped", "command") == [expected])  # type: ignore[misc]
        recorder.count("http_requests", "schedule", "POST", "200")
        wait_until(
            lambda expected=expected: published(recorder, "http_requests", "schedule", "POST", "200") == [expected]  # type: ignore[misc]
        )


def test_what_a_process_tells_of_itself_is_published_though_it_counts_nothing(
    scheduler: TaskScheduler, config: SchedulerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PUBLISH_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(f"scheduler.metrics.recorder.{name}", 0.01)
    told = [book.Vitals(1, "host", True, 100.0)]
    recorder = Recorder(scheduler._store, config, lambda: told[0])
    recorder.start()
    try:
        wait_until(lambda: recorder.read().vitals == told[0])
        told[0] = book.Vitals(1, "host", True, 200.0)
        wait_until(lambda: recorder.read().vitals == told[0])
    finally:
        recorder.close()


def published(recorder: Recorder, *key: str) -> list[float]:
    return recorder.read().counts.numbers.get(key, [])
