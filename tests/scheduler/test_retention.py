"""Old runs go, with their output; the last of a task and what goes on stay."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import NotFound
from scheduler.ids import first_run_id, new_run_id
from scheduler.models import Job, Priority
from scheduler.retention import CHANGE_DAYS, EVENT_HOURS, ROWS_A_STEP, Retention
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import events, pruning, runs
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import output_path
from tests.owned_time import NOON, Time


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    kept = {"keep_runs": 10, "keep_days": 7, "keep_events": 1000}
    return config.model_copy(update={**kept, "database_url": database_url})


@pytest.fixture
def retention(scheduler: TaskScheduler, time: Time) -> Iterator[Retention]:
    retention = Retention(scheduler._store, scheduler.events, scheduler.config, time)
    yield retention
    retention.close()


def add_runs(scheduler: TaskScheduler, task_id: str, count: int, days_ago: float = 0, **fields: object) -> list[Run]:
    """Put ended runs into the ledger, a second apart, the newest last."""
    key = scheduler.get_job(task_id).stored.key
    moments = [NOON - timedelta(days=days_ago, seconds=count - number) for number in range(count)]
    new = [
        Run(
            run_id=new_run_id(moment) if not days_ago else first_run_id(moment)[:-4] + f"{number:04d}",
            job_key=key,
            task_id=task_id,
            scheduled_for=moment,
            attempt=1,
            trigger=Origin.SCHEDULE,
            status=RunStatus.COMPLETED,
            priority=Priority.MEDIUM,
            created_at=moment,
        )
        for number, moment in enumerate(moments)
    ]
    new = [replace(run, **fields) for run in new]  # type: ignore[arg-type]
    scheduler._store.write(lambda connection: runs.add_runs(connection, new))
    return new


def left(scheduler: TaskScheduler, task_id: str) -> list[str]:
    """Return the ids of a task's runs that are left, oldest first."""
    found = scheduler.list_runs(RunFilter(task_id=task_id), None, 10_000)
    return sorted(run.run_id for run in found)


MakeJob = Callable[..., Job]


def test_the_newest_stay(scheduler: TaskScheduler, retention: Retention, job: MakeJob) -> None:
    scheduler.add_job(job("many"))
    scheduler.add_job(job("few"))
    made = add_runs(scheduler, "many", 25)
    few = add_runs(scheduler, "few", 10)
    retention.find_grown()
    assert retention.sweep() == 15
    assert left(scheduler, "many") == sorted(run.run_id for run in made[15:])
    assert left(scheduler, "few") == sorted(run.run_id for run in few)
    assert retention.sweep() == 0


def test_many_go_in_steps(scheduler: TaskScheduler, retention: Retention, job: MakeJob) -> None:
    scheduler.add_job(job())
    add_runs(scheduler, "job", 2 * ROWS_A_STEP + 30)
    retention.find_grown()
    assert retention.sweep() == 2 * ROWS_A_STEP + 20


def test_the_old_go_but_the_last_of_a_task_stays(scheduler: TaskScheduler, retention: Retention, job: MakeJob) -> None:
    scheduler.add_job(job("old"))
    scheduler.add_job(job("new"))
    old = add_runs(scheduler, "old", 3, days_ago=8)
    new = add_runs(scheduler, "new", 3, days_ago=6)
    assert retention.sweep() == 2
    assert left(scheduler, "old") == [old[-1].run_id]
    assert left(scheduler, "new") == sorted(run.run_id for run in new)


def test_who_keeps_them_for_longer_than_there_are_ids_keeps_them(
    scheduler: TaskScheduler, time: Time, job: MakeJob
) -> None:
    scheduler.add_job(job())
    made = add_runs(scheduler, "job", 3)
    config = scheduler.config.model_copy(update={"keep_days": 100_000})
    assert Retention(scheduler._store, scheduler.events, config, time).sweep() == 0
    assert left(scheduler, "job") == sorted(run.run_id for run in made)


def test_of_a_task_that_is_removed_the_last_goes_too(
    scheduler: TaskScheduler, retention: Retention, job: MakeJob
) -> None:
    scheduler.add_job(job("old"))
    add_runs(scheduler, "old", 2, days_ago=8)
    scheduler.remove_job("old")
    assert retention.sweep() == 2
    with pytest.raises(NotFound):  # nothing is known of it any more
        left(scheduler, "old")


def test_what_waits_or_goes_on_stays(scheduler: TaskScheduler, retention: Retention, job: MakeJob) -> None:
    scheduler.add_job(job())
    going = add_runs(scheduler, "job", 3, days_ago=9, status=RunStatus.RUNNING)
    waiting = add_runs(scheduler, "job", 3, days_ago=8, status=RunStatus.QUEUED)
    assert retention.sweep() == 0
    assert set(left(scheduler, "job")) == {run.run_id for run in going + waiting}


def test_output_goes_with_the_run(
    scheduler: TaskScheduler, retention: Retention, job: MakeJob, config: SchedulerConfig
) -> None:
    scheduler.add_job(job())
    made = add_runs(scheduler, "job", 12)
    files: list[Path] = [output_path(config.data_dir / "runs", run.run_id, "stdout") for run in made]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("out")
    retention.find_grown()
    retention.sweep()
    assert [file.exists() for file in files] == [False] * 2 + [True] * 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_file_shrinks(
    scheduler: TaskScheduler, retention: Retention, job: MakeJob, config: SchedulerConfig
) -> None:
    scheduler.add_job(job())
    add_runs(scheduler, "job", 5000, details={"reason": "x" * 500})
    pages = "PRAGMA page_count"
    before = scheduler._store.read(lambda c: c.exec_driver_sql(pages).scalar_one())
    retention.find_grown()
    retention.sweep()
    after = scheduler._store.read(lambda c: c.exec_driver_sql(pages).scalar_one())
    assert after < before / 4


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_file_that_gives_no_page_back_is_asked_once(
    scheduler: TaskScheduler, retention: Retention, job: MakeJob
) -> None:
    path = scheduler._store.read(lambda c: c.exec_driver_sql("PRAGMA database_list").one()[2])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum=0")
        connection.execute("VACUUM")
    scheduler.add_job(job())
    add_runs(scheduler, "job", 2000, details={"reason": "x" * 500})
    retention.find_grown()
    with ThreadPoolExecutor() as pool:
        removed = pool.submit(retention.sweep)
        try:
            assert removed.result(timeout=60) == 1990
        finally:
            retention.close()
    free = scheduler._store.read(lambda c: c.exec_driver_sql("PRAGMA freelist_count").scalar_one())
    assert free > pruning.PAGES_A_STEP


def test_events_go_beyond_their_number_and_their_time(scheduler: TaskScheduler, time: Time, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    add_runs(scheduler, "a", 8)
    few = scheduler.config.model_copy(update={"keep_events": 5})
    retention = Retention(scheduler._store, scheduler.events, few, time)
    retention.sweep()
    assert [event.id for event in scheduler._store.read(lambda connection: events.after(connection, 0, 100))] == [
        *range(5, 10)
    ]
    time.move(hours=EVENT_HOURS + 1)
    retention.sweep()
    retention.close()
    assert [event.id for event in scheduler._store.read(lambda connection: events.after(connection, 0, 100))] == [9]


def test_old_changes_of_definitions_go(scheduler: TaskScheduler, retention: Retention, time: Time) -> None:
    scheduler.add_job(Job(task_id="job", command="true", interval="every 1 hour"))
    scheduler.pause_job("job")
    time.move(days=CHANGE_DAYS - 1)
    scheduler.resume_job("job")
    retention.sweep()
    assert len(scheduler.list_changes("job", None, 10)) == 2
    time.move(days=2)
    retention.sweep()
    assert [change.kind for change in scheduler.list_changes("job", None, 10)] == ["task.resumed"]
