"""New data of time zones is noticed, and moves the fire times that depend on it and nothing else."""

from __future__ import annotations

import os
import shutil
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.models import Job
from scheduler.phrases import forget_zones, read_zone
from scheduler.task_scheduler import TaskScheduler
from scheduler.zone_data import zone_data_mark
from tests.owned_time import NOON, Time

SYSTEM = next((Path(root) for root in zoneinfo.TZPATH if (Path(root) / "Asia/Tokyo").exists()), None)
pytestmark = pytest.mark.skipif(SYSTEM is None, reason="this system has no data of time zones of its own")
ZONE = "Europe/Berlin"


class Machine:
    """A machine whose data of time zones the test owns."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in (ZONE, "UTC"):
            self.bring(name, name)
        zoneinfo.reset_tzpath([str(root)])
        forget_zones()

    def bring(self, name: str, like: str) -> None:
        """Put a zone in place as a package does: a new file, renamed over the old one."""
        assert SYSTEM is not None
        place = self.root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        shutil.copy(SYSTEM / like, fresh)
        fresh.replace(place)
        os.utime(place.parent)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    before = zoneinfo.TZPATH
    yield Machine(tmp_path / "zoneinfo")
    zoneinfo.reset_tzpath(before)
    forget_zones()


def next_fire_time(scheduler: TaskScheduler, task_id: str) -> datetime | None:
    return scheduler.get_job(task_id).stored.next_fire_time


def test_the_mark_changes_with_the_data_and_only_then(machine: Machine) -> None:
    before = zone_data_mark()
    assert zone_data_mark() == before
    machine.bring(ZONE, "Asia/Tokyo")
    assert zone_data_mark() != before


def test_fire_times_move_with_the_zone_and_others_stay(
    machine: Machine, scheduler: TaskScheduler, time: Time, job: Callable[..., Job]
) -> None:
    scheduler.start()
    scheduler.add_job(job("daily", f"daily at 15:00 {ZONE}"))
    scheduler.add_job(job("cron", "0 15 * * *", timezone=ZONE, jitter_seconds=5))
    scheduler.add_job(job("interval", "every 5 hours"))
    scheduler.add_job(job("elsewhere", "daily at 15:00 UTC"))
    scheduler.add_job(job("paused", f"daily at 15:00 {ZONE}"))
    scheduler.pause_job("paused")
    holder = scheduler._holder
    holder._plan_by_zones()
    assert next_fire_time(scheduler, "daily") == datetime(2026, 6, 1, 13, tzinfo=UTC)
    machine.bring(ZONE, "Asia/Tokyo")  # the clocks there show nine hours more than UTC
    holder._ready.set()
    holder.mind_zones()
    assert next_fire_time(scheduler, "daily") == datetime(2026, 6, 2, 6, tzinfo=UTC)
    assert next_fire_time(scheduler, "cron") == datetime(2026, 6, 2, 6, tzinfo=UTC)
    assert next_fire_time(scheduler, "interval") == NOON + timedelta(hours=5)
    assert next_fire_time(scheduler, "elsewhere") == datetime(2026, 6, 1, 15, tzinfo=UTC)
    assert next_fire_time(scheduler, "paused") is None


@pytest.mark.parametrize(
    "fields",
    [
        {"interval": "every 2 days", "start_at": "2026-06-02 15:00"},
        {"interval": "every 6 hours", "start_at": "2026-06-02 15:00"},
        {"interval": None, "trigger": {"type": "interval", "hours": 6, "start_date": "2026-06-02T15:00:00"}},
        {"interval": "every 30 minutes from 09:00 to 17:00"},
    ],
)
def test_an_interval_moves_that_goes_by_what_the_clocks_show(
    machine: Machine, scheduler: TaskScheduler, time: Time, job: Callable[..., Job], fields: dict[str, Any]
) -> None:
    scheduler.start()
    scheduler.add_job(job(timezone=ZONE, **fields))
    scheduler._holder._plan_by_zones()
    time.move(minutes=5)
    before = next_fire_time(scheduler, "job")
    machine.bring(ZONE, "Asia/Tokyo")
    scheduler._holder._ready.set()
    scheduler._holder.mind_zones()
    trigger = scheduler.get_job("job").stored.read_schedule().trigger
    assert next_fire_time(scheduler, "job") == trigger.utc_after(time.now) != before


def test_a_fire_time_that_is_due_already_stays(
    machine: Machine, scheduler: TaskScheduler, time: Time, job: Callable[..., Job]
) -> None:
    scheduler.start()
    scheduler.add_job(job("daily", f"daily at 15:00 {ZONE}"))
    scheduler._holder._plan_by_zones()
    time.move(hours=1)
    machine.bring(ZONE, "Asia/Tokyo")
    scheduler._holder._ready.set()
    scheduler._holder.mind_zones()
    assert next_fire_time(scheduler, "daily") == datetime(2026, 6, 1, 13, tzinfo=UTC)


def test_data_that_changed_while_nothing_ran_is_noticed_at_the_start(
    machine: Machine, scheduler: TaskScheduler, job: Callable[..., Job]
) -> None:
    scheduler.start()
    scheduler.add_job(job("daily", f"daily at 15:00 {ZONE}"))
    scheduler._holder._plan_by_zones()
    machine.bring(ZONE, "Asia/Tokyo")
    forget_zones()
    later = TaskScheduler(scheduler.config, scheduler.now)
    try:
        later._holder._plan_by_zones()
        assert next_fire_time(later, "daily") == datetime(2026, 6, 2, 6, tzinfo=UTC)
    finally:
        later.close()


def test_zones_are_read_anew(machine: Machine) -> None:
    before = read_zone(ZONE)
    machine.bring(ZONE, "Asia/Tokyo")
    assert read_zone(ZONE) is before
    forget_zones()
    assert datetime(2026, 6, 1, tzinfo=read_zone(ZONE)).utcoffset() == timedelta(hours=9)
