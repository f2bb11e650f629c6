"""What happens to jobs and runs leaves a row of the ledger of events, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.models import Job
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, events, jobs, runs, state
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time

MakeJob = Callable[..., Job]


def told(scheduler: TaskScheduler, last: int = 0) -> list[tuple[str, str | None]]:
    """Return kind and task of each event after `last`."""
    found = scheduler._store.read(lambda connection: events.after(connection, last, 1000))
    assert [event.id for event in found] == sorted({event.id for event in found})
    return [(event.kind.value, event.task_id) for event in found]


def newest(scheduler: TaskScheduler) -> events.LedgerEvent:
    """Return the last event."""
    return scheduler._store.read(lambda connection: events.after(connection, 0, 1000))[-1]


def test_changes_of_a_task(scheduler: TaskScheduler, job: MakeJob) -> None:
    steps: list[tuple[Callable[[], Any], str | None]] = [
        (lambda: scheduler.add_job(job("a")), "task.created"),
        (lambda: scheduler.add_job(job("a")), None),
        (lambda: scheduler.add_job(job("a", command="false"), replace=True), "task.updated"),
        (lambda: scheduler.update_job("a", {"priority": "high"}), "task.updated"),
        (lambda: scheduler.update_job("a", {"priority": "high"}), None),
        (lambda: scheduler.pause_job("a"), "task.paused"),
        (lambda: scheduler.pause_job("a"), None),
        (lambda: scheduler.resume_job("a"), "task.resumed"),
        (lambda: scheduler.update_job("a", {"enabled": False}), "task.updated"),
        (lambda: scheduler.resume_job("a"), "task.resumed"),
        (lambda: scheduler.remove_job("a"), "task.removed"),
    ]
    expected = []
    for number, (step, kind) in enumerate(steps):
        step()
        expected += [(kind, "a")] if kind else []
        assert told(scheduler) == expected, number


def test_what_is_told_of_a_task(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    event = newest(scheduler)
    assert (event.at, event.run_id, event.data) == (NOON, None, {"next_run_at": "2026-06-01T12:00:10+00:00"})
    scheduler.pause_job("a")
    assert newest(scheduler).data == {"next_run_at": None}


def test_start_and_stop(scheduler: TaskScheduler) -> None:
    for call in (scheduler.start, scheduler.start, scheduler.stop, scheduler.stop):
        call()
    assert told(scheduler) == [("scheduler.started", None), ("scheduler.stopped", None)]


def test_a_run_that_waits_starts_and_ends(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job("a"))
    run = scheduler.run_now("a")
    assert newest(scheduler).data["status"] == "queued"
    start = time.now + timedelta(seconds=1)
    assert scheduler._store.write(lambda connection: runs.start_run(connection, run, start))
    assert not scheduler._store.write(lambda connection: runs.start_run(connection, run, start))
    end = start + timedelta(seconds=2)
    ended = Run(**{**_fields(scheduler.get_run(run.run_id)), "status": RunStatus.FAILED, "finished_at": end,
                   "details": {"exit_code": 3, "usage": {"cpu": 1}}})  # fmt: skip
    assert scheduler._store.write(lambda connection: runs.finish_run(connection, ended))
    assert not scheduler._store.write(lambda connection: runs.finish_run(connection, ended))
    assert told(scheduler)[1:] == [("run.queued", "a"), ("run.started", "a"), ("run.finished", "a")]
    event = newest(scheduler)
    assert (event.run_id, event.at) == (run.run_id, end)
    assert event.data == {
        "status": "failed",
        "trigger": "manual",
        "attempt": 1,
        "scheduled_for": event.data["scheduled_for"],
        "started_at": "2026-06-01T12:00:01+00:00",
        "lateness_ms": event.data["lateness_ms"],
        "finished_at": "2026-06-01T12:00:03+00:00",
        "duration_ms": 2000,
        "exit_code": 3,
    }


def test_runs_that_never_start_and_runs_that_are_cut_off(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job("a", max_instances=5))
    waiting, going = scheduler.run_now("a"), scheduler.run_now("a")
    scheduler.cancel_run(waiting.run_id)
    assert (newest(scheduler).run_id, newest(scheduler).data["status"]) == (waiting.run_id, "cancelled")
    scheduler._store.write(lambda connection: runs.start_run(connection, going, time.now))
    scheduler._store.write(lambda connection: runs.interrupt_running(connection, "it died", time.now))
    event = newest(scheduler)
    assert (event.run_id, event.data["status"], event.data["reason"]) == (going.run_id, "interrupted", "it died")
    scheduler.start()
    time.move(seconds=25)
    scheduler.pause_job("a")
    assert [kind for kind, _ in told(scheduler)[-3:]] == ["run.finished", "run.finished", "task.paused"]


def test_what_is_rolled_back_is_not_told(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    before = told(scheduler)

    def unit(connection: Connection) -> None:
        jobs.change_job(connection, jobs.get_job(connection, 1), {"removed_at": NOON, "updated_at": NOON})
        raise RuntimeError("after all not")

    with pytest.raises(RuntimeError):
        scheduler._store.write(unit)
    assert told(scheduler) == before


def test_a_moment_that_is_taken_tells_of_one_run(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    scheduler.add_job(job("a"))
    run = scheduler.run_now("a")
    twin = Run(**{**_fields(run), "run_id": "0" * 26, "trigger": Origin.MANUAL})
    scheduler._store.write(lambda connection: runs.add_manual_run(connection, twin))
    assert [kind for kind, _ in told(scheduler)] == ["task.created", "run.queued", "run.queued"]


def test_trimming_keeps_the_newest(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    for number in range(6):
        scheduler.add_job(job(f"job-{number}"))
        time.move(hours=1)

    def trim(keep: int, hours: float, limit: int = 100) -> list[int]:
        before = time.now - timedelta(hours=hours)
        scheduler._store.write(lambda connection: events.trim(connection, keep, before, limit))
        return [event.id for event in scheduler._store.read(lambda connection: events.after(connection, 0, 100))]

    assert trim(keep=6, hours=7) == [1, 2, 3, 4, 5, 6]
    assert trim(keep=3, hours=7, limit=2) == [3, 4, 5, 6]
    assert scheduler._store.read(state.events_trimmed) == 2
    assert trim(keep=6, hours=2.5) == [5, 6]
    assert trim(keep=1, hours=0) == [6]
    scheduler.add_job(job("later"))
    assert trim(keep=100, hours=0) == [7]
    assert scheduler._store.read(state.events_trimmed) == 6


def _fields(run: Run) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}
