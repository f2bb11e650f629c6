"""Read definitions and changes of them: what one would do is what it does, and how it is undone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.errors import InvalidRequest, NotFound
from scheduler.models import Job
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time

MakeJob = Callable[..., Job]


@pytest.mark.parametrize(
    "changes",
    [
        {"priority": "high"},
        {"tags": ["a", "b"], "max_retries": 2},
        {"timezone": "Asia/Kolkata"},
        {"interval": "every day at 12:30"},
        {"max_runs": 1},
        {"enabled": False},
        {"priority": "medium"},
    ],
)
@pytest.mark.parametrize("paused", [False, True])
def test_a_check_says_what_the_update_does(
    scheduler: TaskScheduler, job: MakeJob, time: Time, changes: dict[str, Any], paused: bool
) -> None:
    scheduler.add_job(job(interval="every day at 09:00"))
    if paused:
        scheduler.pause_job("job")
    before = scheduler.get_job("job")
    time.move(minutes=5)
    said = scheduler.check_update("job", changes)
    assert scheduler.get_job("job") == before
    done = scheduler.update_job("job", changes)
    assert said.change == done.change == ("unchanged" if changes == {"priority": "medium"} else "updated")
    as_said = said.info.stored._replace(revision=done.info.stored.revision)
    assert said.info._replace(stored=as_said) == done.info


def test_a_check_refuses_what_the_update_refuses(scheduler: TaskScheduler, job: MakeJob) -> None:
    with pytest.raises(NotFound):
        scheduler.check_update("none", {})
    scheduler.add_job(job())
    for changes in ({"max_retries": -1}, {"timezone": "Nowhere"}, {"colour": "red"}):
        with pytest.raises(InvalidRequest) as by_check:
            scheduler.check_update("job", changes)
        with pytest.raises(InvalidRequest) as by_update:
            scheduler.update_job("job", changes)
        assert by_check.value.problems == by_update.value.problems


def test_an_undone_schedule_counts_from_where_it_did(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    before = scheduler.add_job(job(interval="every 7 hours")).info.stored
    assert before.next_fire_time == NOON + timedelta(hours=7)
    time.move(hours=1)
    scheduler.update_job("job", {"timezone": "Asia/Tokyo"})
    assert scheduler.get_job("job").stored.next_fire_time == NOON + timedelta(hours=8)
    time.move(hours=1)
    after = scheduler.update_job("job", {"timezone": "UTC"}, given_at=before.anchor).info.stored
    assert (after.anchor, after.next_fire_time) == (before.anchor, before.next_fire_time)
    assert after.definition == before.definition


def test_a_schedule_counts_from_no_later_than_now(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job(interval="every 7 hours"))
    stored = scheduler.update_job("job", {"timezone": "Asia/Tokyo"}, given_at=NOON + timedelta(days=9)).info.stored
    assert stored.anchor == NOON


def test_what_leaves_the_schedule_alone_leaves_its_phase(scheduler: TaskScheduler, job: MakeJob, time: Time) -> None:
    before = scheduler.add_job(job(interval="every 7 hours")).info.stored
    time.move(hours=1)
    stored = scheduler.update_job("job", {"priority": "low"}, given_at=NOON - timedelta(hours=3)).info.stored
    assert (stored.anchor, stored.next_fire_time) == (before.anchor, before.next_fire_time)


def test_what_was_read_is_kept_as_of_the_moment_it_was_read_at(scheduler: TaskScheduler, time: Time) -> None:
    """However long it takes from there to the store: a moment that passes meanwhile is due, not forgotten."""
    soon = {"task_id": "soon", "type": "command", "command": "true", "interval": "in 2 seconds"}
    read = scheduler.read_definition(soon)
    time.move(minutes=1)
    assert scheduler.check_job(read).info.stored.next_fire_time == NOON + timedelta(seconds=2)
    assert scheduler.add_job(read).change == "created"
    stored = scheduler.get_job("soon").stored
    assert (stored.anchor, stored.next_fire_time) == (NOON, NOON + timedelta(seconds=2))
    assert not stored.ended


def test_what_was_read_is_checked_anew_where_it_is_to_count_from_another_moment(
    scheduler: TaskScheduler, time: Time
) -> None:
    hourly = {"task_id": "hourly", "type": "command", "command": "true", "interval": "every 1 hour"}
    read = scheduler.read_definition(hourly)
    scheduler.add_job(read, given_at=NOON - timedelta(minutes=20))
    assert scheduler.get_job("hourly").next_fire_time == NOON + timedelta(minutes=40)
