"""A definition that cannot be read here keeps no other run from beginning, whoever assigns them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scheduler.assigning import UNREADABLE, assign
from scheduler.config import SchedulerConfig
from scheduler.models import Job
from scheduler.recovery import recover
from scheduler.run import Run, RunStatus
from scheduler.store import runs, underway
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time
from tests.server import wait_until

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url, "sandbox": "off"})


@pytest.fixture(params=["an unknown zone", "fields of another version", "no JSON"])
def waiting(scheduler: TaskScheduler, job: MakeJob, request: pytest.FixtureRequest) -> dict[str, Run]:
    """Return a run that waits of a definition that cannot be read, and another one, by their tasks."""
    scheduler.add_job(job("bad", timezone="Europe/Berlin"))
    scheduler.add_job(job("good"))
    asked = {name: scheduler.run_now(name) for name in ("bad", "good")}
    change = {
        "an unknown zone": "replace(definition, 'Europe/Berlin', 'Europe/Atlantis')",
        "fields of another version": """'{"x": 1}'""",
        "no JSON": "'no JSON'",
    }[request.param]
    update = f"UPDATE jobs SET definition = {change} WHERE task_id = 'bad'"
    scheduler._store.write(lambda connection: connection.exec_driver_sql(update) and None)
    return asked


@pytest.fixture
def on_disk(config: SchedulerConfig, time: Time, waiting: dict[str, Run]) -> Iterator[TaskScheduler]:
    """Return another process that finds them."""
    scheduler = TaskScheduler(config, time)
    yield scheduler
    scheduler.close()


def told(scheduler: TaskScheduler, run: Run) -> tuple[RunStatus, str | None]:
    row = scheduler.get_run(run.run_id)
    return row.status, row.details.get("reason")


def test_it_is_ended_and_the_others_are_assigned(
    scheduler: TaskScheduler, waiting: dict[str, Run], time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    found = assign(scheduler._store, underway.queued_runs, time)
    assert [assignment.run for assignment in found] == [waiting["good"]]
    assert told(scheduler, waiting["bad"]) == (RunStatus.SKIPPED, UNREADABLE)
    assert "cannot be read" in caplog.text


def test_it_is_left_to_another_process_that_fires_by_now(
    scheduler: TaskScheduler, waiting: dict[str, Run], time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.assigning.may_fire", lambda _: False)
    assign(scheduler._store, underway.queued_runs, time)
    assert told(scheduler, waiting["bad"]) == (RunStatus.QUEUED, None)


def test_a_start_ends_it_and_keeps_the_others(scheduler: TaskScheduler, waiting: dict[str, Run], time: Time) -> None:
    found = recover(scheduler._store, time, lambda: None, scheduler._executor.teller)
    assert found.waiting == [waiting["good"]]
    assert told(scheduler, waiting["bad"]) == (RunStatus.SKIPPED, UNREADABLE)


def test_one_that_was_cut_off_is_interrupted(scheduler: TaskScheduler, waiting: dict[str, Run], time: Time) -> None:
    bad = waiting["bad"]
    scheduler._store.write(lambda connection: runs.start_run(connection, bad, time()))
    found = recover(scheduler._store, time, lambda: None, scheduler._executor.teller)
    assert (found.interrupted, found.waiting) == ([bad.run_id], [waiting["good"]])


def test_a_process_that_finds_it_fires(on_disk: TaskScheduler, waiting: dict[str, Run]) -> None:
    on_disk.open()
    wait_until(lambda: on_disk._holder.is_ready)
    assert on_disk.watch.wait([run.run_id for run in waiting.values()], 20)
    assert told(on_disk, waiting["good"]) == (RunStatus.COMPLETED, None)


def test_a_process_that_fires_and_is_told_of_it_carries_out_the_others(
    scheduler: TaskScheduler, waiting: dict[str, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Run] = []
    submit = lambda assignments: given.extend(item.run for item in assignments)  # noqa: E731
    monkeypatch.setattr(scheduler._executor, "submit", submit)
    scheduler._holder._follow_runs()
    assert given == [waiting["good"]]
    assert told(scheduler, waiting["bad"]) == (RunStatus.SKIPPED, UNREADABLE)


def test_a_cycle_that_finds_it_runs_the_others(on_disk: TaskScheduler, waiting: dict[str, Run]) -> None:
    assert [(run.task_id, run.status) for run in on_disk.run_once()] == [("good", RunStatus.COMPLETED)]
