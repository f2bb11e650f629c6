"""A list of kept texts says what a list made anew would say, whatever has happened in between."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.config import SchedulerConfig
from scheduler.listing import Listing, Texts
from scheduler.models import Job, Priority
from scheduler.phrases import forget_zones
from scheduler.run import Origin, Run, RunStatus
from scheduler.standing import JobInfo
from scheduler.store import Connection, planning, runs
from scheduler.store.jobs import JobFilter
from scheduler.store.planning import Advance
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time

MADE: list[str] = []
"""The jobs whose texts were made since it was cleared."""


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture(autouse=True)
def _nothing_made() -> None:
    MADE.clear()


def show(info: JobInfo) -> Texts:
    MADE.append(info.stored.task_id)
    return info.stored.task_id.encode(), whole(info)


def whole(info: JobInfo) -> bytes:
    """Return all that may be shown of a job."""
    stored, zone = info.stored, info.stored.zone
    shown = (stored.definition, stored.schedule, stored.created_by, stored.updated_at, stored.file, info.status)
    return repr((*shown, info.next_fire_time and info.next_fire_time.astimezone(zone).isoformat())).encode()


def listed(scheduler: TaskScheduler) -> list[Texts]:
    return scheduler.show_jobs(JobFilter(), 0, 100, show).texts


def anew(scheduler: TaskScheduler) -> list[Texts]:
    found, _ = scheduler.list_jobs(JobFilter(), 0, 100)
    return [(info.stored.task_id.encode(), whole(info)) for info in found]


def write(scheduler: TaskScheduler, unit: Callable[[Connection], Any]) -> None:
    scheduler._store.write(unit)


def fire(scheduler: TaskScheduler, over: bool = False) -> None:
    """Move a job on as the clock does: no revision tells of it, but where its rule has ended."""
    info = scheduler.get_job("one")
    following = None if over or info.next_fire_time is None else info.trigger.utc_after(info.next_fire_time)
    ahead = Advance(info.stored.key, following, following, 1)
    write(scheduler, lambda connection: planning.advance(connection, [ahead]))


def run(scheduler: TaskScheduler, status: RunStatus) -> None:
    """Write a run of the job, newer than all others."""
    now, number = (
        scheduler.now(),
        scheduler._store.read(lambda connection: len(runs.list_runs(connection, RunFilter(), None, 1000))),
    )
    row = Run(
        run_id=f"r{number}", job_key=scheduler.get_job("one").stored.key, task_id="one",
        scheduled_for=now + timedelta(seconds=number), attempt=1, trigger=Origin.SCHEDULE, status=status,
        priority=Priority.MEDIUM, created_at=now, started_at=now, finished_at=now if status.is_final else None,
    )  # fmt: skip
    write(scheduler, lambda connection: runs.add_runs(connection, [row]))


def change(**fields: Any) -> Callable[[TaskScheduler], Any]:
    return lambda scheduler: scheduler.update_job("one", fields)


def moved(scheduler: TaskScheduler, **span: float) -> None:
    assert isinstance(scheduler.now, Time)
    scheduler.now.move(**span)


STEPS: dict[str, Callable[[TaskScheduler], Any]] = {
    "nothing": lambda scheduler: None,
    "described": change(description="another one"),
    "planned": change(interval="every 7 minutes"),
    "in another zone": change(timezone="Asia/Tokyo"),
    "paused": lambda scheduler: scheduler.pause_job("one"),
    "resumed": lambda scheduler: scheduler.resume_job("one"),
    "disabled": change(enabled=False),
    "fired": fire,
    "over": lambda scheduler: fire(scheduler, over=True),
    "going": lambda scheduler: run(scheduler, RunStatus.RUNNING),
    "failed": lambda scheduler: run(scheduler, RunStatus.FAILED),
    "succeeded": lambda scheduler: run(scheduler, RunStatus.COMPLETED),
    "a minute on": lambda scheduler: moved(scheduler, minutes=1),
    "an hour on": lambda scheduler: moved(scheduler, hours=1),
    "a minute back": lambda scheduler: moved(scheduler, minutes=-1),
    "other zone data": lambda scheduler: forget_zones(),
    "started": lambda scheduler: scheduler.start(),
    "stopped": lambda scheduler: scheduler.stop(),
}


def test_each_step_shows_and_so_does_any_row_of_them(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.add_job(job(task_id="one"))

    def check(*steps: str) -> None:
        scheduler.remove_job("one")
        scheduler.add_job(job(task_id="one", interval="every 5 minutes"))
        for step in ("nothing", *steps):
            STEPS[step](scheduler)
            assert listed(scheduler) == anew(scheduler), step

    for step in STEPS:
        check(step)

    @settings(max_examples=10, deadline=None)
    @given(st.lists(st.sampled_from(sorted(STEPS)), min_size=2, max_size=12))
    def check_rows(steps: list[str]) -> None:
        check(*steps)

    check_rows()


def test_what_is_as_it_was_is_not_made_again(scheduler: TaskScheduler, job: Callable[..., Job], time: Time) -> None:
    scheduler.start()
    for name in ("one", "two", "three"):
        scheduler.add_job(job(task_id=name, interval="every 5 minutes"))
    listed(scheduler)
    assert MADE == ["one", "two", "three"]
    time.move(minutes=4)
    scheduler.pause_job("two")
    listed(scheduler)
    assert MADE == ["one", "two", "three", "two"]


def test_one_that_is_overdue_is_made_again_when_what_it_shows_has_passed(
    scheduler: TaskScheduler, job: Callable[..., Job], time: Time
) -> None:
    scheduler.add_job(job(task_id="one", interval="every 5 minutes"))
    time.move(minutes=6)
    listed(scheduler)
    time.move(minutes=3)
    listed(scheduler)
    assert MADE == ["one"]
    time.move(minutes=1)
    assert listed(scheduler) == anew(scheduler)
    time.move(minutes=-3)
    assert listed(scheduler) == anew(scheduler)
    assert MADE == ["one"] * 3


def test_two_ways_to_show_do_not_meet(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.add_job(job(task_id="one"))
    listed(scheduler)
    assert scheduler.show_jobs(JobFilter(), 0, 100, lambda info: (b"1", b"2")).texts == [(b"1", b"2")]


def test_what_a_transaction_saw_that_failed_is_not_kept(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.add_job(job(task_id="one"))

    def unit(connection: Connection) -> None:
        inside = scheduler.on(connection)
        inside.update_job("one", {"description": "never"})
        listed(inside)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write(scheduler, unit)
    scheduler.update_job("one", {"description": "instead"})
    assert listed(scheduler) == anew(scheduler)


def test_no_more_is_kept_than_there_is_room_for(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    for name in ("one", "two", "three"):
        scheduler.add_job(job(task_id=name))
    listed(scheduler)
    scheduler._listing = Listing(most_bytes=scheduler._listing._bytes - 1)
    for _ in range(2):
        assert listed(scheduler) == anew(scheduler)
        assert len(scheduler._listing._kept) == 2
    scheduler._listing = Listing(most_bytes=1)
    assert listed(scheduler) == anew(scheduler)
    assert (scheduler._listing._kept, scheduler._listing._bytes) == ({}, 0)


def test_pages(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    for name in ("one", "two", "three"):
        scheduler.add_job(job(task_id=name))
    first = scheduler.show_jobs(JobFilter(), 0, 2, show)
    assert ([name for name, _ in first.texts], first.more, first.total) == ([b"one", b"two"], True, 3)
    last = scheduler.show_jobs(JobFilter(), first.last, 2, show)
    assert ([name for name, _ in last.texts], last.more, last.total) == ([b"three"], False, 3)
    nothing = scheduler.show_jobs(JobFilter(search="four"), 0, 2, show)
    assert (nothing.texts, nothing.more, nothing.total) == ([], False, 0)


def test_lists_are_prepared_a_few_jobs_at_a_time(
    scheduler: TaskScheduler, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.listing.AT_A_TIME", 3)
    for number in range(8):
        scheduler.add_job(job(f"job-{number}"))
    scheduler.prepare_lists(show, pause_seconds=0)
    assert [f"job-{number}" for number in range(8)] == MADE
    MADE.clear()
    assert listed(scheduler) == anew(scheduler)
    assert MADE == []


def test_no_more_is_prepared_than_finds_room(
    scheduler: TaskScheduler, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.listing.AT_A_TIME", 3)
    monkeypatch.setattr("scheduler.listing.MOST_OF_A_PAGE", 1500)
    for number in range(8):
        scheduler.add_job(job(f"job-{number}"))
    scheduler._listing = Listing(most_bytes=3000)
    scheduler.prepare_lists(show, pause_seconds=0)
    assert len(MADE) == 3
    assert listed(scheduler) == anew(scheduler)


def test_nothing_is_prepared_for_one_who_closes(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.add_job(job("a"))
    scheduler._told_to_end.set()
    scheduler.prepare_lists(show, pause_seconds=0)
    assert MADE == []


def test_a_job_that_cannot_be_shown_is_told_when_lists_are_prepared(
    scheduler: TaskScheduler, job: Callable[..., Job], caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: JobInfo) -> Texts:
        raise ValueError("cannot be shown")

    scheduler.add_job(job("a"))
    scheduler.prepare_lists(fail, pause_seconds=0)
    assert "cannot be shown" in caplog.text
