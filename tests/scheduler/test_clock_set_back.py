"""A clock that stood ahead and is set right: no fire time has two rows, none counts that does not run, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.models import Job
from scheduler.run import Run
from scheduler.store import jobs, planning
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.scheduler.test_dispatcher import Desk

MakeJob = Callable[..., Job]
HOUR = timedelta(hours=1)
SECONDS = timedelta(seconds=10)


@pytest.fixture
def desk(scheduler: TaskScheduler, time: Time) -> Desk:
    scheduler.start()
    return Desk(scheduler, time)


def next_fire_time(desk: Desk) -> datetime | None:
    return desk.scheduler.get_job("job").stored.next_fire_time


def live_ahead(desk: Desk, time: Time, **span: float) -> list[Run]:
    """Fire all that is due while the clock stands ahead; set it right, and return the rows."""
    time.step(**span)
    while any(plan.due_at and plan.due_at <= time.now for plan in desk.store.read(lambda c: list(planning.planned(c)))):
        desk.fire()
    time.step(**{unit: -amount for unit, amount in span.items()})
    return desk.rows()


def resume(desk: Desk, definition: Job) -> None:
    desk.scheduler.pause_job("job")
    desk.scheduler.resume_job("job")


def update(desk: Desk, definition: Job) -> None:
    desk.scheduler.update_job("job", {"until": "2030-01-01"})


def replace(desk: Desk, definition: Job) -> None:
    desk.scheduler.add_job(definition.model_copy(update={"until": "2030-01-01"}), replace=True)


def import_it(desk: Desk, definition: Job) -> None:
    entry = definition.definition() | {"task_id": "job", "until": "2030-01-01"}
    desk.scheduler.import_jobs([entry], replace=True)


@pytest.mark.parametrize("change", [resume, update, replace, import_it])
@pytest.mark.parametrize("interval", ["every 1 minute", "* * * * *"])
def test_a_change_plans_behind_the_times_that_have_rows(
    desk: Desk, job: MakeJob, time: Time, change: Callable[[Desk, Job], None], interval: str
) -> None:
    definition = job(interval=interval, max_runs=20)
    desk.scheduler.add_job(definition)
    rows = live_ahead(desk, time, hours=1)
    change(desk, definition)
    assert next_fire_time(desk) == NOON + HOUR + timedelta(minutes=1)
    time.move(minutes=5)
    assert desk.fire() == rows


def test_one_row_for_many_holds_the_place_of_each(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="every 1 second"))
    rows = live_ahead(desk, time, hours=1)
    assert any(row.count for row in rows)
    resume(desk, job())
    assert next_fire_time(desk) == NOON + HOUR + timedelta(seconds=1)


def test_other_times_that_lie_between_those_that_have_rows_are_free(desk: Desk, job: MakeJob, time: Time) -> None:
    desk.scheduler.add_job(job(interval="hourly at :30"))
    live_ahead(desk, time, days=1)
    desk.scheduler.update_job("job", {"interval": "every 15 minutes"})
    assert next_fire_time(desk) == NOON + timedelta(minutes=15)
    time.move(minutes=15)
    desk.fire()
    assert next_fire_time(desk) == NOON + timedelta(minutes=30)


@pytest.mark.parametrize("terms", [{}, {"coalesce": False}, {"max_runs": 3}])
def test_a_time_that_has_its_row_counts_for_no_run(desk: Desk, job: MakeJob, time: Time, terms: dict[str, Any]) -> None:
    """The job is planned for it all the same, as by an earlier version when it was resumed."""
    desk.scheduler.add_job(job(max_instances=10, **terms))
    time.move(seconds=20)
    desk.fire()
    stored = desk.scheduler.get_job("job").stored
    again = {"next_fire_time": NOON + SECONDS, "due_at": NOON + SECONDS, "updated_at": time.now}
    desk.store.write(lambda connection: jobs.change_job(connection, stored, again))
    time.move(seconds=15)
    rows = desk.fire()
    assert [row.scheduled_for for row in rows] == [NOON + number * SECONDS for number in (1, 2, 3)]
    begun = [row for row in rows if not row.status.is_final]
    assert desk.scheduler.get_job("job").stored.fired == len(begun) == len(desk.workers.given)
    assert desk.workers.free == 10 - sum(row.started_at is not None for row in begun)
