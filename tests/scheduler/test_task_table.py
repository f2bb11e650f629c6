"""The table of tasks: what is found, in which order, and how each went; the states are those of one task alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.ids import RunIds
from scheduler.models import Job, JobStatus, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import planning, runs, task_table
from scheduler.store.planning import Advance
from scheduler.store.task_table import OUTCOMES, SORTS, TableQuery
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON

MakeJob = Callable[..., Job]
IDS = RunIds()


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


def add_runs(scheduler: TaskScheduler, task_id: str, *statuses: RunStatus, hours_ago: float = 0) -> list[str]:
    """Put runs into the ledger, a minute apart, the newest last."""
    key = scheduler.get_job(task_id).stored.key
    began = NOON - timedelta(hours=hours_ago, minutes=len(statuses))
    new = [
        Run(
            run_id=IDS.make(moment),
            job_key=key,
            task_id=task_id,
            scheduled_for=moment,
            attempt=1,
            trigger=Origin.SCHEDULE,
            status=status,
            priority=Priority.MEDIUM,
            created_at=moment,
            started_at=None if status in (RunStatus.SKIPPED, RunStatus.MISSED) else moment,
        )
        for number, status in enumerate(statuses)
        for moment in [began + timedelta(minutes=number)]
    ]
    scheduler._store.write(lambda connection: runs.add_runs(connection, new))
    return [run.run_id for run in new]


@pytest.fixture
def several(scheduler: TaskScheduler, job: MakeJob) -> TaskScheduler:
    """Return a scheduler with a task in each state."""
    scheduler.add_job(job("Bravo", tags=["x", "a b,c"], interval="every 2 hours"))
    scheduler.add_job(job("alpha", tags=["x"], interval="every 1 hour"))
    scheduler.add_job(job("paused"))
    scheduler.pause_job("paused")
    scheduler.add_job(job("disabled", enabled=False, type="test", command=None))
    scheduler.add_job(job("running"))
    for name, status in (("over", RunStatus.COMPLETED), ("over badly", RunStatus.TIMEOUT)):
        scheduler.add_job(job(name, interval="every 1 hour", max_runs=1))
        key = scheduler.get_job(name).stored.key
        scheduler._store.write(lambda connection, key=key: planning.advance(connection, [Advance(key, None, None, 1)]))
        add_runs(scheduler, name, status, RunStatus.SKIPPED, hours_ago=3)
    add_runs(scheduler, "running", RunStatus.COMPLETED, RunStatus.RUNNING)
    return scheduler


def names(scheduler: TaskScheduler, **which: Any) -> list[str]:
    return [row.info.stored.task_id for row in scheduler.table.read(TableQuery(**which)).rows]


def test_states_are_those_that_each_task_has_alone(several: TaskScheduler) -> None:
    rows = several.table.read(TableQuery()).rows
    assert {row.info.stored.task_id: row.info.status for row in rows} == {
        "alpha": "pending",
        "Bravo": "pending",
        "paused": "paused",
        "disabled": "disabled",
        "running": "running",
        "over": "completed",
        "over badly": "failed",
    }
    for row in rows:
        assert row.info == several.get_job(row.info.stored.task_id)


@pytest.mark.parametrize(
    ("which", "found"),
    [
        ({"state": JobStatus.PENDING}, ["alpha", "Bravo"]),
        ({"state": JobStatus.RUNNING}, ["running"]),
        ({"state": JobStatus.FAILED}, ["over badly"]),
        ({"state": JobStatus.COMPLETED}, ["over"]),
        ({"tag": "x"}, ["alpha", "Bravo"]),
        ({"tag": "a b,c"}, ["Bravo"]),
        ({"tag": "a b"}, []),
        ({"type": "test"}, ["disabled"]),
        ({"search": "BRAV"}, ["Bravo"]),
        ({"search": "%"}, []),
        ({"origin": "api", "state": JobStatus.PAUSED}, ["paused"]),
        ({"origin": "/jobs.yaml"}, []),
        ({"last": RunStatus.COMPLETED}, ["running"]),
        ({"last": RunStatus.SKIPPED}, ["over", "over badly"]),
        ({"last": RunStatus.FAILED}, []),
    ],
)
def test_filters(several: TaskScheduler, which: dict[str, Any], found: list[str]) -> None:
    page = several.table.read(TableQuery(**which))
    assert [row.info.stored.task_id for row in page.rows] == found
    assert page.count == len(found)


def test_orders(several: TaskScheduler) -> None:
    assert names(several) == ["alpha", "Bravo", "disabled", "over", "over badly", "paused", "running"]
    assert names(several, descending=True) == names(several)[::-1]
    assert names(several, sort="next", state=JobStatus.PENDING) == ["alpha", "Bravo"]
    # Without a next or a last run a task comes last, both ways.
    assert set(names(several, sort="next")[-4:]) == {"disabled", "over", "over badly", "paused"}
    assert set(names(several, sort="next", descending=True)[-4:]) == {"disabled", "over", "over badly", "paused"}
    assert names(several, sort="last")[:3] == ["over", "over badly", "running"]
    assert names(several, sort="last", descending=True)[:3] == ["running", "over badly", "over"]
    assert names(several, sort="type")[-1] == "disabled"
    for sort in SORTS:
        assert len(set(names(several, sort=sort))) == 7


def test_pages(several: TaskScheduler) -> None:
    found, number = [], 1
    while True:
        page = several.table.read(TableQuery(), number, size=3)
        found += [row.info.stored.task_id for row in page.rows]
        assert (page.count, page.pages) == (7, 3)
        if number == page.pages:
            break
        number += 1
    assert found == names(several)
    assert several.table.read(TableQuery(), 99, size=3).number == 3
    assert several.table.read(TableQuery(search="nothing"), 5).number == 1


def test_what_tasks_can_be_told_apart_by(several: TaskScheduler) -> None:
    assert several.table.read(TableQuery(search="alpha")).facets == (["a b,c", "x"], [])


def test_strips_hold_the_newest_runs(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("many"))
    scheduler.add_job(job("few"))
    made = add_runs(scheduler, "many", *[RunStatus.COMPLETED] * (OUTCOMES + 9), RunStatus.FAILED)
    few = add_runs(scheduler, "few", RunStatus.MISSED, RunStatus.RUNNING)
    rows = {row.info.stored.task_id: row for row in scheduler.table.read(TableQuery()).rows}
    assert [outcome.run_id for outcome in rows["many"].outcomes] == made[-OUTCOMES:]
    assert [outcome.status for outcome in rows["few"].outcomes] == ["missed", "running"]
    assert rows["few"].last is not None
    assert rows["few"].last.run_id == few[0]


def test_a_task_that_is_back_has_the_runs_that_it_had(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("back"))
    made = add_runs(scheduler, "back", RunStatus.FAILED)
    scheduler.remove_job("back")
    scheduler.add_job(job("back"))
    [row] = scheduler.table.read(TableQuery(last=RunStatus.FAILED)).rows
    assert [outcome.run_id for outcome in row.outcomes] == made


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_index_serves_the_strips(scheduler: TaskScheduler) -> None:
    asked: list[str] = []

    class Listening:
        def execute(self, query: Any) -> list[Any]:
            asked.append(str(query.compile(compile_kwargs={"literal_binds": True})))
            return []

    task_table.outcomes(Listening(), ["a", "b"])  # type: ignore[arg-type]
    plan = scheduler._store.read(lambda c: [row[-1] for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[0]}")])
    assert not [step for step in plan if step.startswith("SCAN") and "runs" in step], plan
    assert sum("runs_task_id" in step for step in plan) == 2, plan
