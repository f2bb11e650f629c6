"""Each reason for not having run is told, with the call that helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.models import Job, JobStatus, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import planning, runs
from scheduler.store.planning import Advance
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


def end(scheduler: TaskScheduler, fired: int = 0) -> None:
    """Let the job `job` have ended, its schedule having started so many runs."""
    key = scheduler.get_job("job").stored.key
    scheduler._store.write(lambda connection: planning.advance(connection, [Advance(key, None, None, fired)]))


def revive(scheduler: TaskScheduler, call: dict[str, Any]) -> datetime | None:
    """Send an update, and return when the job fires next."""
    changes = {name: value for name, value in call.items() if name not in ("action", "task_id")}
    assert call["action"] == "update"
    scheduler.update_job(call["task_id"], changes)
    return scheduler.get_job("job").next_fire_time


def test_max_runs_is_used_up(running: TaskScheduler, time: Time) -> None:
    running.update_job("job", {"max_runs": 2})
    add_run(running, "completed", NOON + timedelta(seconds=20), started_at=NOON)
    end(running, 2)
    time.move(minutes=1)
    text, call = told(running)
    assert "'max_runs' allows 2 runs, and its schedule has made 2." in text
    assert "Its last fire time, 2026-06-01T12:00:20+00:00, has run as run-completed-120020 and is completed." in text
    assert call == {"action": "update", "task_id": "job", "max_runs": 3}
    for seconds in (30, 33.5, 3600, 3600.5):
        found = running.explain("job", NOON + timedelta(seconds=seconds))
        assert (found.text, found.next_call) == (text, call)
        assert found.facts["fire_time_after"] is None
    assert revive(running, call) == time.now + timedelta(seconds=10)


@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize(
    ("when", "changed"),
    [
        ({"interval": "daily at 10:00", "until": "2026-06-03"}, "until"),
        ({"interval": "every 1 second", "until": "2026-06-03"}, "until"),
        ({"interval": "every 2 weeks", "until": "2026-07-03"}, "until"),
        ({"interval": "*/7 * * * *", "until": "2026-06-03T12:00:00.5+02:00"}, "until"),
        ({"trigger": {"type": "interval", "hours": 7, "end_date": "2026-06-03"}}, "trigger"),
        ({"trigger": {"type": "cron", "hour": 7, "timezone": "Asia/Tokyo", "end_date": "2026-06-03"}}, "trigger"),
    ],
)
def test_its_end_has_passed(
    running: TaskScheduler, time: Time, when: dict[str, Any], changed: str, stopped: bool
) -> None:
    running.update_job("job", {**when, "max_runs": 5})
    end(running, 5)
    time.move(days=60)
    if stopped:
        running.stop()
    text, call = told(running)
    assert f"its rule, {running.get_job('job').trigger.describe()}, names no further time" in text
    assert set(call) == {"action", "task_id", "max_runs", changed}
    time.move(minutes=10)  # it may take a while until the call is sent
    following = revive(running, call)
    assert following is not None
    assert following > time.now
    assert running.get_job("job").status is JobStatus.PENDING


@pytest.mark.parametrize(
    "when",
    [
        {"interval": "daily at 10:00 until 2026-06-03"},
        {"trigger": {"type": "cron", "year": 2026, "month": 6, "day": 2, "hour": 9}},
        {"trigger": {"type": "cron", "year": 2026, "hour": 9, "end_date": "2026-07-03"}},
    ],
)
def test_no_field_makes_it_go_on(running: TaskScheduler, time: Time, when: dict[str, Any]) -> None:
    running.update_job("job", when)
    end(running)
    time.move(days=365)
    text, call = told(running)
    assert "names no further time, the last was 2026-0" in text
    assert call == {"action": "run_now", "task_id": "job"}


@pytest.mark.parametrize(
    ("status", "fields", "words", "action"),
    [
        ("missed", {}, "was missed: because", "run_now"),
        ("skipped", {}, "was skipped: because", "run_now"),
        ("failed", {"started_at": NOON}, "has run as run-failed-120010 and is failed: because", "output"),
        ("completed", {"started_at": NOON}, "has run as run-completed-120010 and is completed: because", "output"),
    ],
)
def test_what_became_of_a_one_shot(
    running: TaskScheduler, time: Time, status: str, fields: dict[str, Any], words: str, action: str
) -> None:
    running.update_job("job", {"interval": "in 10 seconds", "max_runs": 1})
    add_run(running, status, NOON + timedelta(seconds=10), details={"reason": "because"}, **fields)
    end(running, 1)
    time.move(minutes=1)
    for number in range(6):
        asked = NOON + timedelta(minutes=1, seconds=number)
        add_run(running, "completed", asked, started_at=NOON, trigger=Origin.MANUAL)
    text, call = told(running)
    assert text == f"Its one fire time, 2026-06-01T12:00:10+00:00, {words}. It has no other."
    assert call["action"] == action
    assert call.get("run_id", f"run-{status}-120010") == f"run-{status}-120010"


def test_a_one_shot_without_a_row(running: TaskScheduler, time: Time) -> None:
    running.update_job("job", {"interval": "in 10 seconds"})
    end(running)
    time.move(minutes=1)
    text, call = told(running)
    assert "Its one fire time, 2026-06-01T12:00:10+00:00, has passed, and no row tells of it" in text
    assert call == {"action": "run_now", "task_id": "job"}


def test_a_retry_of_an_ended_job_waits(running: TaskScheduler) -> None:
    end(running)
    add_run(running, "queued", attempt=2, due_at=NOON + timedelta(seconds=30))
    assert "Attempt 2 waits" in told(running)[0]


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


@pytest.mark.parametrize(
    ("changes", "at", "words"),
    [
        (
            {"interval": "daily at 10:00", "until": "2026-12-05"},
            "2026-12-24T10:00:00",
            (
                "is after the end of its rule, every day at 10:00 until 2026-12-05: "
                "the last fire time is 2026-12-05T10:00:00+00:00."
            ),
        ),
        (
            {"interval": "daily at 10:00", "start_at": "2026-12-05"},
            "2026-11-24T10:00:00",
            (
                "is before the start of its rule, every day at 10:00 starting 2026-12-05 00:00: "
                "the first fire time is 2026-12-05T10:00:00+00:00."
            ),
        ),
        (
            {"interval": "daily at 10:00", "max_runs": 2},
            "2026-06-04T10:00:00",
            "will not be reached: 'max_runs' allows 2 runs more, of which the last is at 2026-06-03T10:00:00+00:00.",
        ),
        (
            {"interval": "daily at 10:00", "max_runs": 2},
            "2026-06-03T10:30:00",
            "will not be reached: 'max_runs' allows 2 runs more, of which the last is at 2026-06-03T10:00:00+00:00.",
        ),
        (
            {"interval": "daily at 10:00", "max_runs": 2},
            "2026-06-02T10:30:00",
            "the one before is 2026-06-02T10:00:00+00:00, the one after 2026-06-03T10:00:00+00:00.",
        ),
        ({"interval": "daily at 10:00", "max_runs": 2}, "2026-06-03T10:00:00", "has not come yet."),
        ({"schedule_type": "manual"}, "2026-06-03T10:00:00", "it runs only when it is asked to."),
    ],
)
def test_about_a_moment_beyond_a_limit(running: TaskScheduler, changes: dict[str, Any], at: str, words: str) -> None:
    running.update_job("job", changes)
    text, call = told(running, datetime.fromisoformat(f"{at}+00:00"))
    assert text.endswith(words)
    assert call == {"action": "run_now" if "schedule_type" in changes else "get", "task_id": "job"}


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


def test_a_run_that_was_asked_for_is_no_fire_time(running: TaskScheduler) -> None:
    add_run(running, "completed", NOON, trigger=Origin.MANUAL, started_at=NOON)
    assert told(running)[0].startswith("Its last run, asked for at 2026-06-01T12:00:00+00:00, has run as")
