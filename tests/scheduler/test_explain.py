"""Each reason for not having run is told, with the call that helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.models import Job, Origin, Priority, Run, RunStatus
from scheduler.store import runs
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time

MakeJob = Callable[..., Job]


def add_run(scheduler: TaskScheduler, status: str, at: datetime = NOON, **fields: Any) -> None:
    """Put a row into the ledger of the job `job`."""
    run = Run(
        run_id=f"run-{status}-{at:%H%M%S}",
        job_key=scheduler.get_job("job").stored.key,
        task_id="job",
        scheduled_for=at,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus(status),
        priority=Priority.MEDIUM,
        created_at=at,
    )
    scheduler._store.write(lambda connection: runs.add_runs(connection, [replace(run, **fields)]))


@pytest.fixture
def running(scheduler: TaskScheduler, job: MakeJob) -> TaskScheduler:
    """Return a scheduler that is started, with a holder and a job every 10 seconds."""
    scheduler.start()
    scheduler._lease.try_acquire()
    scheduler.add_job(job())
    return scheduler


def told(scheduler: TaskScheduler, at: datetime | None = None) -> tuple[str, dict[str, Any]]:
    """Return the explanation's text and next call."""
    found = scheduler.explain("job", at)
    return found.text, found.next_call


def test_all_is_well(running: TaskScheduler) -> None:
    text, call = told(running)
    assert "has not been due yet" in text
    assert "2026-06-01T12:00:10+00:00" in text
    assert call == {"action": "get", "task_id": "job"}


def test_the_scheduler_is_stopped(running: TaskScheduler) -> None:
    running.stop()
    text, call = told(running)
    assert "stopped" in text
    assert call == {"action": "start"}


def test_nobody_fires(running: TaskScheduler) -> None:
    running._lease.release()
    text, call = told(running)
    assert "No process holds the lease" in text
    assert call == {"action": "status"}


@pytest.mark.parametrize(("how", "word"), [("pause", "paused"), ("disable", "disabled")])
def test_paused_or_disabled(running: TaskScheduler, how: str, word: str) -> None:
    if how == "pause":
        running.pause_job("job")
    else:
        running.update_job("job", {"enabled": False})
    text, call = told(running)
    assert word in text
    assert call == {"action": "resume", "task_id": "job"}


def test_its_rule_has_ended(running: TaskScheduler, time: Time) -> None:
    running.update_job("job", {"until": "2026-06-01T12:00:20"})
    running.pause_job("job")
    time.move(hours=1)
    running.resume_job("job")
    text, call = told(running)
    assert "no further time" in text
    assert call["action"] == "update"


def test_a_fire_time_is_not_recorded_yet(running: TaskScheduler, time: Time) -> None:
    time.move(seconds=13)
    text, call = told(running)
    assert "The fire time 2026-06-01T12:00:10+00:00 is due and has no row yet" in text
    assert call == {"action": "status"}


def test_manual(running: TaskScheduler) -> None:
    running.update_job("job", {"schedule_type": "manual"})
    text, call = told(running)
    assert "only when it is asked to" in text
    assert call == {"action": "run_now", "task_id": "job"}


def test_it_is_running_or_waits(running: TaskScheduler) -> None:
    add_run(running, "queued", NOON - timedelta(seconds=1))
    assert "waits for a worker" in told(running)[0]
    add_run(running, "running", NOON, started_at=NOON)
    text, call = told(running)
    assert "running now" in text
    assert call == {"action": "output", "run_id": "run-running-120000"}


def test_a_retry_waits(running: TaskScheduler) -> None:
    add_run(running, "queued", attempt=2, due_at=NOON + timedelta(seconds=30))
    text, call = told(running)
    assert "Attempt 2 waits until 2026-06-01T12:00:30+00:00" in text
    assert call["action"] == "runs"


@pytest.mark.parametrize(("status", "words"), [("skipped", "was skipped: because"), ("missed", "was missed: because")])
def test_its_last_fire_time_did_not_run(running: TaskScheduler, status: str, words: str) -> None:
    add_run(running, status, details={"reason": "because"})
    text, call = told(running)
    assert words in text
    assert call == {"action": "run_now", "task_id": "job"}


def test_it_failed(running: TaskScheduler) -> None:
    add_run(running, "failed", started_at=NOON, details={"reason": "exit code 3"})
    text, call = told(running)
    assert "is failed: exit code 3" in text
    assert call["action"] == "output"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (15, "is no fire time of 'every 10 seconds': the one before is 2026-06-01T12:00:10+00:00"),
        (3600, "has not come yet"),
        (-10, "was before the schedule was defined"),
    ],
)
def test_about_a_moment(running: TaskScheduler, time: Time, seconds: int, words: str) -> None:
    time.move(seconds=30)
    text, _ = told(running, NOON + timedelta(seconds=seconds))
    assert words in text or (seconds == -10 and "no fire time" in text)


@pytest.mark.parametrize(
    ("interval", "at", "before"),
    [
        ("every february 29 at 12:00", "2031-01-01T00:00:00", "2028-02-29T12:00:00"),
        ("every 1 second on weekdays until 2026-12-31", "2027-01-10T00:00:00", "2026-12-31T23:59:59"),
    ],
)
def test_the_fire_time_before_a_moment_may_lie_far_back(
    running: TaskScheduler, interval: str, at: str, before: str
) -> None:
    running.update_job("job", {"interval": interval})
    found = running.explain("job", datetime.fromisoformat(f"{at}+00:00"))
    assert found.facts["fire_time_before"] == f"{before}+00:00"


def test_about_a_moment_with_a_row(running: TaskScheduler, time: Time) -> None:
    time.move(seconds=30)
    add_run(running, "missed", NOON + timedelta(seconds=10), details={"reason": "late"})
    assert "was missed: late" in told(running, NOON + timedelta(seconds=10))[0]


def test_about_a_moment_in_a_row_of_many(running: TaskScheduler, time: Time) -> None:
    time.move(hours=1)
    end = NOON + timedelta(minutes=30)
    add_run(running, "missed", NOON + timedelta(seconds=10), scheduled_until=end, count=180)
    assert "was missed" in told(running, NOON + timedelta(minutes=10))[0]


def test_about_a_moment_while_it_was_stopped(running: TaskScheduler, time: Time) -> None:
    running.stop()
    time.move(minutes=5)
    running.start()
    time.move(minutes=5)
    text, _ = told(running, NOON + timedelta(seconds=100))
    assert "was stopped then" in text
