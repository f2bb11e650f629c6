"""What does not happen in time is noticed, told once in every span, and told when it is over."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.ids import new_run_id
from scheduler.models import Job
from scheduler.notify import expect as expect_module
from scheduler.notify.expect import Expectations
from scheduler.run import RunStatus
from scheduler.store import runs
from scheduler.store.deliveries import DeliveryFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.scheduler.notify.test_rules import run as make_run

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig) -> SchedulerConfig:
    named = {"notify_targets": {"ops": "mailto:ops@example.com"}, "smtp_url": "smtp://h", "notify_every_minutes": 0}
    return SchedulerConfig(**{**dict(config), **named})


class Watch:
    """Expectations on a real store, with one task."""

    def __init__(self, scheduler: TaskScheduler, time: Time, make_job: MakeJob) -> None:
        self.scheduler, self.time, self.make_job = scheduler, time, make_job
        self.key = 0
        self.restart()

    def restart(self) -> None:
        self.watch = Expectations(
            self.scheduler._store, self.scheduler.config, self.scheduler._executor.teller, self.time
        )

    def expect(self, task_id: str = "job", **expect: Any) -> None:
        job = self.make_job(task_id, notify={"to": ["ops"], "on": []}, expect={"every": "1 day", **expect})
        self.key = self.scheduler.add_job(job, replace=True).info.stored.key
        self.watch.check()

    def add_run(self, status: str = "completed", **fields: Any) -> str:
        """Put a run of now into the ledger."""
        started, ended = self.time(), self.time() if RunStatus(status).is_final else None
        known = {"run_id": new_run_id(started), "job_key": self.key, "scheduled_for": started, "started_at": started}
        run = replace(make_run(RunStatus(status)), **{**known, "finished_at": ended, **fields})
        self.scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
        return run.run_id

    def after(self, **span: float) -> list[str]:
        """Let time pass in steps of a minute, as the thread does, and return what has been told since the last time."""
        before = len(self.told())
        end = self.time() + timedelta(**span)
        while self.time() < end:
            self.time.now = min(end, self.watch.check())
        self.watch.check()
        return self.told()[before:]

    def told(self) -> list[str]:
        found = self.scheduler.list_deliveries(DeliveryFilter(), None, 1000)[::-1]
        return [f"{delivery.kind}: {delivery.message['facts']['reason']}" for delivery in found]


@pytest.fixture
def watch(scheduler: TaskScheduler, time: Time, job: MakeJob) -> Watch:
    return Watch(scheduler, time, job)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look twice an hour, not every minute: days pass in no time."""
    monkeypatch.setattr(expect_module, "LOOK", timedelta(minutes=30))


days = pytest.mark.usefixtures("coarse")

ABSENT, BACK = "absence: has not succeeded in 1 day", "recovery: succeeds again as expected"


@days
def test_an_absence_is_told_once_in_every_span_then_its_end(watch: Watch) -> None:
    watch.expect()
    assert watch.after(hours=23, minutes=59) == []
    assert watch.after(minutes=1) == [ABSENT]
    assert watch.after(hours=23) == []
    assert watch.after(hours=1) == [ABSENT]
    watch.add_run()
    assert watch.after(minutes=30) == [BACK]
    assert watch.after(hours=23) == []


@days
def test_a_success_in_time_is_enough_and_a_failure_is_not(watch: Watch) -> None:
    watch.expect()
    watch.after(hours=20)
    watch.add_run("completed")
    assert watch.after(hours=20) == []
    watch.add_run("failed")
    assert watch.after(hours=4) == [ABSENT]


@days
def test_so_many_runs_are_expected(watch: Watch) -> None:
    watch.expect(min_runs=2)
    watch.add_run()
    assert watch.after(hours=24) == ["absence: has succeeded fewer than 2 times in 1 day"]
    watch.add_run()
    assert watch.after(minutes=2) == []  # the first is over a day old
    watch.add_run()
    assert watch.after(minutes=30) == [BACK]


@days
def test_a_task_that_is_paused_owes_nothing(watch: Watch) -> None:
    watch.expect()
    watch.after(hours=12)
    watch.scheduler.pause_job("job")
    assert watch.after(hours=48) == []
    watch.scheduler.resume_job("job")
    assert watch.after(hours=23) == []
    assert watch.after(hours=1) == [ABSENT]


@days
def test_a_task_that_is_removed_or_changed_is_forgotten(watch: Watch) -> None:
    watch.expect("other")
    watch.expect("job")
    watch.scheduler.remove_job("other")
    watch.scheduler.update_job("job", {"expect": {"every": "2 days"}})
    assert watch.after(hours=47) == []
    assert watch.after(hours=1) == ["absence: has not succeeded in 2 days"]


@days
def test_a_scheduler_that_somebody_stopped_is_an_absence_too(watch: Watch) -> None:
    assert not watch.scheduler.is_running()
    watch.expect()
    assert watch.after(hours=24) == [ABSENT]


@days
def test_what_was_told_is_known_after_a_restart(watch: Watch) -> None:
    watch.expect()
    assert watch.after(hours=24) == [ABSENT]
    watch.restart()
    assert watch.after(hours=23) == []
    watch.add_run()
    watch.restart()
    assert watch.after(minutes=1) == [BACK]


def test_a_run_that_does_not_end_is_told_once_at_its_moment(watch: Watch, time: Time) -> None:
    watch.expect(max_duration_seconds=600)
    watch.add_run("running")
    assert watch.after(seconds=599) == []
    assert watch.after(seconds=1) == ["overlong: has been running for 600 s, longer than 600 s"]
    assert watch.after(minutes=10) == []


def test_two_runs_that_do_not_end_are_told_once_each(watch: Watch, time: Time) -> None:
    watch.expect(max_duration_seconds=600)
    watch.add_run("running")
    time.move(seconds=5)
    watch.add_run("running")
    assert len(watch.after(minutes=30)) == 2


def test_a_run_that_does_not_end_is_told_though_the_clock_was_set_back(watch: Watch, time: Time) -> None:
    watch.expect(max_duration_seconds=600)
    watch.after(minutes=5)
    time.step(days=-1)
    watch.add_run("running")
    assert watch.after(seconds=599) == []
    assert watch.after(minutes=1) == ["overlong: has been running for 600 s, longer than 600 s"]


def test_a_run_that_began_before_the_clock_was_set_back_counts_from_then(watch: Watch, time: Time) -> None:
    watch.expect(max_duration_seconds=600)
    watch.add_run("running")
    watch.after(minutes=5)
    time.step(days=-1)
    assert watch.after(seconds=599) == []
    assert watch.after(seconds=1) == ["overlong: has been running for 600 s, longer than 600 s"]
    assert watch.after(minutes=10) == []


@days
def test_a_span_counts_anew_when_the_clock_is_set_back(watch: Watch, time: Time) -> None:
    watch.expect()
    time.move(hours=12)
    watch.add_run()
    watch.after(hours=1)
    time.step(days=-7)
    assert watch.after(hours=12) == []
    watch.restart()
    assert watch.after(hours=11, minutes=59) == []
    assert watch.after(minutes=1) == [ABSENT]
    watch.add_run()
    assert watch.after(minutes=30) == [BACK]
    assert watch.after(hours=23) == []
    assert watch.after(hours=1) == [ABSENT]


@days
def test_an_absence_that_was_told_before_the_clock_was_set_back_is_told_again_after_a_span(
    watch: Watch, time: Time
) -> None:
    watch.expect()
    assert watch.after(days=1) == [ABSENT]
    time.step(days=-7)
    assert watch.after(hours=23, minutes=59) == []
    assert watch.after(minutes=1) == [ABSENT]


@days
def test_a_quiet_task_costs_no_look(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    watch.expect()
    watch.add_run()
    looked: list[int] = []
    look = watch.watch._look
    monkeypatch.setattr(watch.watch, "_look", lambda key, now: looked.append(key) or look(key, now))
    watch.after(hours=23)
    assert looked == []


@days
def test_one_task_that_cannot_be_judged_keeps_no_other_from_it(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, time: Time
) -> None:
    watch.expect("broken")
    broken = watch.key
    watch.expect("job")
    judge = watch.watch._judge

    def fault(connection: Any, key: int, now: Any, write: bool) -> Any:
        if key == broken:
            raise ValueError("unreadable")
        return judge(connection, key, now, write)

    monkeypatch.setattr(watch.watch, "_judge", fault)
    assert watch.after(hours=24) == [ABSENT]
    assert time() == NOON + timedelta(hours=24)
