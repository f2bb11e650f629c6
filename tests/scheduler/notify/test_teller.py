"""What a run deserves is written with it, at most one message to a target in so many minutes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.ids import new_run_id
from scheduler.models import Job
from scheduler.notify import teller as teller_module
from scheduler.notify.teller import MAIL_ROUTE, Teller
from scheduler.run import Run, RunStatus
from scheduler.store.deliveries import Delivery, DeliveryFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.scheduler.notify.test_rules import run as make_run

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig) -> SchedulerConfig:
    targets = {
        "ops": "mailto:ops@example.com",
        "hc": {"ping": "http://h/1"},
        "hook": {"webhook": "http://h", "secret": "s"},
    }
    values = {**dict(config), "notify_targets": targets, "smtp_url": "smtp://h"}
    return SchedulerConfig(**values)


class Desk:
    """A teller on a real store, and one job."""

    def __init__(self, scheduler: TaskScheduler, time: Time, job: Job) -> None:
        self.scheduler, self.time = scheduler, time
        self.stored = scheduler.add_job(job).info.stored
        self.teller: Teller = scheduler._executor.teller

    def ends(self, status: str = "failed", output: str = "", more: bool = False, **fields: Any) -> Run:
        """Record the end of a run, or a missed fire time."""
        known = {"run_id": new_run_id(self.time()), "job_key": self.stored.key, **fields}
        run = replace(make_run(RunStatus(status)), **known)
        self.scheduler._store.write(lambda c: self.teller.record(c, self.stored.job, run, output, more))
        return run

    def told(self, **which: Any) -> list[Delivery]:
        """Return all deliveries, oldest first."""
        return self.scheduler.list_deliveries(DeliveryFilter(**which), None, 100)[::-1]

    def kinds(self) -> list[tuple[str, int]]:
        return [(delivery.kind, delivery.count) for delivery in self.told()]


@pytest.fixture
def desk(scheduler: TaskScheduler, time: Time, job: MakeJob) -> Callable[..., Desk]:
    def make(on: str = "failure recovery missed", to: list[Any] | None = None, **fields: Any) -> Desk:
        notify = {"on": on.split(), "to": to or ["ops"], **fields.pop("more", {})}
        return Desk(scheduler, time, job(notify=notify, **fields))

    return make


def test_a_failure_that_repeats_is_told_once_then_its_end(desk: Callable[..., Desk], time: Time) -> None:
    made = desk()
    for _ in range(3):
        made.ends("failed")
        time.move(minutes=10)
    assert made.kinds() == [("failure", 1)]
    made.ends("completed")
    time.move(minutes=10)
    made.ends("completed")
    assert made.kinds() == [("failure", 1), ("recovery", 1)]
    assert made.told()[1].message["subject"] == "[task-scheduler] 'job' works again after 3 failures"
    made.ends("failed")
    assert made.kinds()[2:] == [("failure", 1)]


def test_an_attempt_that_is_followed_by_another_says_nothing(desk: Callable[..., Desk]) -> None:
    made = desk(to=["ops", "hc"])
    made.ends("failed", more=True)
    assert made.told() == []
    made.ends("failed", attempt=2)
    assert made.kinds() == [("failure", 1), ("ping.fail", 1)]


def test_at_most_one_message_in_so_many_minutes_with_a_count(desk: Callable[..., Desk], time: Time) -> None:
    made = desk()
    made.ends("failed")
    time.move(minutes=1)
    made.ends("completed")
    made.ends("missed")
    made.ends("failed", output="the newest")
    first, second = made.told()
    assert (first.planned_at, second.planned_at) == (NOON, NOON + timedelta(minutes=5))
    assert (second.kind, second.count) == ("failure", 3)
    assert second.message["facts"]["folded"] == {"recovery": 1, "missed": 1}
    assert "'job' failed (and 2 more)" in second.message["subject"]
    assert "the newest" in second.message["text"]
    time.move(minutes=5)
    made.ends("completed")
    third = made.told()[2]  # the second is on its way: it takes up nothing more
    assert (third.kind, third.planned_at) == ("recovery", NOON + timedelta(minutes=10))


@pytest.mark.parametrize("minutes", [0, 5])
def test_what_was_told_before_the_clock_was_set_back_holds_no_message_longer(
    desk: Callable[..., Desk], time: Time, minutes: float
) -> None:
    made = desk("success", more={"every_minutes": minutes})
    made.ends("completed")
    made.ends("completed")  # waits for its time where there is one
    time.step(days=-1)
    for _ in range(2):
        made.ends("completed")
        time.move(minutes=10)
    held = timedelta(minutes=minutes)
    back = NOON - timedelta(days=1)
    assert [delivery.planned_at for delivery in made.told()] == [
        NOON,
        NOON + held,
        back + held,
        back + timedelta(minutes=10),
    ]


def test_targets_are_told_apart(desk: Callable[..., Desk]) -> None:
    made = desk(to=["ops", "mailto:me@example.com", "hook", "ops"])
    made.ends("failed")
    assert [delivery.target for delivery in made.told()] == ['"ops"', '"mailto:me@example.com"', '"hook"']
    assert [delivery.route for delivery in made.told()] == [MAIL_ROUTE, MAIL_ROUTE, '"hook"']


def test_no_limit(desk: Callable[..., Desk]) -> None:
    made = desk("success", more={"every_minutes": 0})
    for _ in range(3):
        made.ends("completed")
    assert made.kinds() == [("success", 1)] * 3


def test_pings_are_neither_counted_nor_held_back(desk: Callable[..., Desk]) -> None:
    made = desk("success", to=["hc", "ops"], more={"every_minutes": 60})
    for _ in range(2):
        made.ends("running")
        made.ends("completed")
    kinds = made.kinds()
    assert [kind for kind, _ in kinds if kind.startswith("ping")] == ["ping.start", "ping.success"] * 2
    assert [kind for kind in kinds if kind[0] == "success"] == [("success", 1), ("success", 1)]
    assert all(delivery.next_attempt_at == NOON for delivery in made.told() if delivery.kind.startswith("ping"))


def test_the_same_is_told_once_however_often_it_is_recorded(desk: Callable[..., Desk], time: Time) -> None:
    made = desk("missed", more={"every_minutes": 0})
    run = made.ends("missed")
    made.ends("missed", run_id=run.run_id)
    assert made.kinds() == [("missed", 1)]


def test_a_run_that_took_too_long_is_told(desk: Callable[..., Desk]) -> None:
    made = desk("failure", expect={"every": "1 day", "max_duration_seconds": 5}, more={"every_minutes": 0})
    made.ends("completed", finished_at=NOON + timedelta(seconds=4))
    made.ends("failed", finished_at=NOON + timedelta(seconds=7))
    assert made.kinds() == [("failure", 1), ("overlong", 1)]
    assert "took 7 s, longer than expected" in made.told()[1].message["subject"]


def test_the_output_is_masked_before_it_is_kept(
    desk: Callable[..., Desk], scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = desk(env={"API_KEY": "very-secret"})
    texts = {"stdout": "out very-secret\n", "stderr": "err\n"}
    monkeypatch.setattr(
        teller_module, "read_output", lambda _dir, _run, name, tail_lines: type("T", (), {"text": texts[name]})
    )
    run = made.ends("failed")
    assert made.teller.end_of_output(made.stored.job, run) == "--- stdout\nout ***\n--- stderr\nerr\n"
    texts["stderr"] = ""
    assert made.teller.end_of_output(made.stored.job, run) == "out ***\n"


def test_a_task_that_tells_nobody_leaves_nothing(scheduler: TaskScheduler, time: Time, job: MakeJob) -> None:
    made = Desk(scheduler, time, job())
    made.ends("failed")
    assert made.told() == []
    assert not made.teller.written.is_set()


def test_what_cannot_be_told_does_not_keep_a_run_from_ending(
    desk: Callable[..., Desk], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = desk()

    def broken(*_: Any) -> Any:
        raise KeyError("a fault of ours")

    monkeypatch.setattr(teller_module, "render", broken)
    with caplog.at_level(logging.ERROR):
        made.ends("failed")
    assert "a notification could not be written" in caplog.text
    monkeypatch.undo()
    made.ends("failed")
    assert made.kinds() == [("failure", 1)]  # what was not told is told the next time


def test_a_target_that_lost_its_name_is_tried_all_the_same(
    desk: Callable[..., Desk], scheduler: TaskScheduler, config: SchedulerConfig, time: Time
) -> None:
    made = desk(to=["hook"])
    made.teller = Teller(config.model_copy(update={"notify_targets": {}}), config.data_dir, time)
    made.ends("failed")
    assert made.kinds() == [("failure", 1)]
