"""Fire times that came due together end alike, however many of them one transaction takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from scheduler import fire_times
from scheduler.config import SchedulerConfig
from scheduler.models import Job
from scheduler.run import Run, RunStatus
from scheduler.store import jobs
from scheduler.store.planning import Plan
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Answering, Time
from tests.scheduler.test_dispatcher import Desk

MakeJob = Callable[..., Job]
SECOND = timedelta(seconds=1)
EACH = {"coalesce": False}
CAUGHT_UP = {"catch_up": True}
UNLIMITED = {"misfire_grace_time": -1}
QUEUE = {"overlap": "queue"}


class Place:
    """One task, at a dispatcher and workers of its own."""

    def __init__(self, scheduler: TaskScheduler, time: Time, task_id: str, room: int) -> None:
        self.desk, self.time, self.task_id, self._room = Desk(scheduler, time), time, task_id, room
        self.make_room()

    def make_room(self) -> None:
        """Let what was given to the workers fill their queue."""
        waiting = [given for given in self.desk.workers.given if given.run.status is RunStatus.QUEUED]
        self.desk.workers.room = self._room - len(waiting)

    def fire(self) -> None:
        """Fire all that is due, portion by portion."""
        while (due := self.due()) is not None:
            self.desk.fire([due])
            self.make_room()

    def due(self) -> Plan | None:
        stored = self.desk.store.read(lambda connection: jobs.find_job(connection, self.task_id))
        assert stored is not None
        due = stored.due_at is not None and stored.due_at <= self.time.now
        return Plan(stored.key, stored.due_at) if due else None

    @property
    def fired(self) -> int:
        return self.desk.scheduler.get_job(self.task_id).stored.fired

    def rows(self) -> list[Run]:
        rows = self.desk.scheduler.list_runs(RunFilter(task_id=self.task_id), None, 10_000)
        return sorted(rows, key=lambda run: run.scheduled_for)

    def fates(self) -> dict[datetime, tuple[str, str, str]]:
        """Return what became of each fire time, each told as if it had a row of its own."""
        return dict(fate for row in self.rows() for fate in _fates(row))


def _fates(row: Run) -> Iterator[tuple[datetime, tuple[str, str, str]]]:
    reason = str(row.details.get("reason", "")).split(" into ")[0].split(" s after ")[-1]
    for number in range(row.count or 1):
        yield row.scheduled_for + number * SECOND, (row.status.value, row.trigger.value, reason)


BACKLOGS = [
    ({}, 130, 0),
    ({}, 130, 1),
    (UNLIMITED, 40, 0),
    (UNLIMITED, 40, 1),
    (UNLIMITED | QUEUE, 40, 1),
    (UNLIMITED | EACH, 40, 0),
    (UNLIMITED | EACH, 40, 1),
    (UNLIMITED | EACH | QUEUE, 40, 1),
    (UNLIMITED | EACH | {"max_runs": 23}, 40, 0),
    (CAUGHT_UP, 90, 0),
    (CAUGHT_UP, 90, 1),  # the newest overlap, so the run is one of those past their grace
    (CAUGHT_UP | EACH, 210, 0),
    (CAUGHT_UP | EACH, 210, 1),
    (CAUGHT_UP | EACH | {"max_runs": 30}, 210, 0),
]


@pytest.mark.parametrize("room", [1000, 20, 0])
@pytest.mark.parametrize(("terms", "away", "active"), BACKLOGS)
def test_portions_of_any_size_give_the_same_rows_as_one(
    scheduler: TaskScheduler,
    job: MakeJob,
    time: Time,
    monkeypatch: pytest.MonkeyPatch,
    terms: dict[str, Any],
    away: int,
    active: int,
    room: int,
) -> None:
    scheduler.start()
    places = [Place(scheduler, time, task_id, room) for task_id in ("one", "many")]
    for place in places:
        scheduler.add_job(job(place.task_id, interval="every 1 second", **terms))
    for _ in range(active):
        time.move(seconds=1)
        for place in places:
            place.fire()
    time.move(seconds=away)
    places[0].fire()
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", 7)
    places[1].fire()
    one, many = (place.fates() for place in places)
    assert many == one
    assert "max_runs" in terms or list(one) == [NOON + number * SECOND for number in range(1, active + away + 1)]
    for place in places:
        check_account(place)


def check_account(place: Place) -> None:
    """No fire time counts twice, runs are those that were counted, and what is part of a run names one that exists."""
    rows = place.rows()
    begun = [row for row in rows if not row.status.is_final]
    assert sum(row.count or 1 for row in rows) == len(place.fates())
    assert place.fired == len(begun) == len(place.desk.workers.given)
    merged = [row for row in rows if str(row.details.get("reason")).startswith("coalesced into")]
    ids = {row.details["reason"].split()[-1] for row in merged} - {"time"}
    assert ids <= {row.run_id for row in begun}
    assert not merged or begun[-1].scheduled_for > merged[-1].scheduled_for


def test_a_rest_is_judged_as_the_portion_before_it_was(
    scheduler: TaskScheduler, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is told to be part of a run has that run, though more is going when the rest is judged, and it is later."""
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", 7)
    scheduler.start()
    place = Place(scheduler, time, "job", room=10)
    scheduler.add_job(job(interval="every 1 second"))
    time.move(seconds=20)
    place.desk.fire()
    scheduler.run_now("job")
    time.move(seconds=100)
    place.fire()
    fates = [(status, reason) for status, trigger, reason in place.fates().values() if trigger == "schedule"]
    assert fates[:20] == [("skipped", "coalesced")] * 19 + [("running", "")]
    assert len(fates) == 120


def test_a_run_that_others_are_part_of_is_made_though_the_queue_is_full_by_then(
    scheduler: TaskScheduler, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", 7)
    scheduler.start()
    place = Place(scheduler, time, "job", room=1)
    scheduler.add_job(job(interval="every 1 second"))
    time.move(seconds=10)
    place.desk.fire()
    place.desk.workers.room = place.desk.workers.free = 0
    place.fire()
    assert [row.status.value for row in place.rows()] == ["skipped"] * 3 + ["queued"]
    check_account(place)


def test_a_job_that_changed_has_no_rest(
    scheduler: TaskScheduler, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", 7)
    scheduler.start()
    place = Place(scheduler, time, "job", room=10)
    scheduler.add_job(job(interval="every 1 second", **UNLIMITED, **EACH))
    time.move(seconds=20)
    place.desk.fire()
    scheduler.update_job("job", {"overlap": "skip", "max_instances": 7})
    place.fire()
    assert [status for status, *_ in list(place.fates().values())[7:]] == ["skipped"] * 13
    check_account(place)


def test_a_clock_that_is_set_back_leaves_the_rest_to_its_time(
    scheduler: TaskScheduler, job: MakeJob, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", 7)
    scheduler.start()
    place = Place(scheduler, time, "job", room=10)
    scheduler.add_job(job(interval="every 1 second"))
    time.move(seconds=20)
    place.desk.fire()
    time.move(seconds=-10)
    place.fire()
    assert [row.scheduled_for for row in place.rows()][-1] == time.now
    check_account(place)


@pytest.mark.parametrize("size", [7, 40])
def test_a_cycle_fills_the_queue_and_no_more(
    config: SchedulerConfig, time: Time, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(fire_times, "MOST_FIRE_TIMES", size)
    scheduler = Answering(config.model_copy(update={"max_queued": 12}), time)
    called: list[int] = []
    try:
        scheduler.add_callable(lambda: called.append(1), task_id="job", interval="every 1 second", coalesce=False)
        assert scheduler.run_once() == []
        time.move(seconds=30)
        assert len(scheduler.run_once()) == len(called) == 12
        rows = scheduler.list_runs(RunFilter(), None, 100)
        assert sum(row.count or 1 for row in rows if row.status is RunStatus.SKIPPED) == 18
    finally:
        scheduler.close()
