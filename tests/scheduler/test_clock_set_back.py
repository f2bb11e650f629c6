"""A clock that stood ahead and is set right: no fire time has two rows, none counts that does not run, none is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler.models import Job
from scheduler.run import Run, RunStatus
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


@pytest.fixture
def started_ahead(desk: Desk, job: MakeJob, time: Time) -> Desk:
    """Return a desk whose scheduler was started by a clock that stood a day ahead, and is right since."""
    desk.scheduler.stop()
    time.step(days=1)
    desk.scheduler.start()
    time.step(days=-1)
    return desk


def keep(desk: Desk) -> None:
    """Change nothing."""


def look(desk: Desk) -> None:
    desk.scheduler._holder._follow_state()


@pytest.mark.parametrize("meanwhile", [keep, look])
def test_a_start_by_a_clock_that_stood_ahead_keeps_no_task_from_firing(
    started_ahead: Desk, job: MakeJob, time: Time, meanwhile: Callable[[Desk], None]
) -> None:
    desk = started_ahead
    desk.scheduler.add_job(job())
    desk.scheduler.add_job(job("once", interval="in 10 seconds"))
    meanwhile(desk)
    time.move(seconds=10)
    assert [(row.scheduled_for, row.status) for row in desk.fire()] == [(NOON + SECONDS, RunStatus.RUNNING)] * 2
    assert next_fire_time(desk) == NOON + 2 * SECONDS


def test_what_passes_before_the_moment_of_that_start_is_accounted_for(
    started_ahead: Desk, job: MakeJob, time: Time
) -> None:
    """Nothing was due, and nothing fired, until the moment was past; but somebody looked."""
    started_ahead.scheduler.add_job(job(interval="every 1 hour"))
    look(started_ahead)
    time.move(days=1, hours=1)
    assert len(started_ahead.fire()) == 25


def test_a_cycle_minds_that_start(started_ahead: Desk, job: MakeJob, time: Time) -> None:
    started_ahead.scheduler.add_job(job(interval="every 1 hour"))
    started_ahead.dispatcher.fire_cycle([], 0)
    time.move(days=1, hours=1)
    assert len(started_ahead.fire()) == 25


@pytest.mark.parametrize("ends", ["stop", "pause_job"])
def test_what_is_due_after_that_start_has_its_row_though_nobody_noticed(
    started_ahead: Desk, job: MakeJob, time: Time, ends: str
) -> None:
    started_ahead.scheduler.add_job(job())
    time.move(seconds=20)
    getattr(started_ahead.scheduler, ends)(*["job"][: ends != "stop"])
    assert [row.status for row in started_ahead.rows()] == [RunStatus.SKIPPED] * 2


def test_what_passed_while_it_was_stopped_leaves_no_row_where_clocks_differ_a_little(
    desk: Desk, job: MakeJob, time: Time
) -> None:
    """The process that was sent `start` has another clock than the one that fires."""
    desk.scheduler.add_job(job())
    desk.scheduler.stop()
    time.move(seconds=65)
    desk.scheduler.start()
    time.step(seconds=-4)
    look(desk)
    assert desk.fire() == []
    assert next_fire_time(desk) == NOON + 7 * SECONDS


def test_a_task_that_went_along_with_a_wrong_start_is_planned_from_now_on_by_a_resume(
    desk: Desk, job: MakeJob, time: Time
) -> None:
    desk.scheduler.stop()
    desk.scheduler.add_job(job())
    time.step(days=1)
    desk.scheduler.start()
    assert desk.fire() == []
    time.step(days=-1)
    time.move(seconds=15)
    resume(desk, job())
    time.move(seconds=5)
    assert [row.scheduled_for for row in desk.fire()] == [NOON + 2 * SECONDS]
