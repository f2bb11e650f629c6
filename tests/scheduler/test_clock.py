"""The clock hands over each fire time once, at its time, whatever happens."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
import schedule

from scheduler.alarm import LoopAlarm, TimerfdAlarm, make_alarm
from scheduler.clock import MOST_AT_ONCE, Clock, HeapScheduler
from scheduler.models import utc_now
from scheduler.store.planning import Plan

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class HandAlarm:
    """An alarm that never rings by itself; tests look instead."""

    kind = "hand"

    def __init__(self, *_: object) -> None:
        self.moment: datetime | None = None

    def set(self, moment: datetime) -> None:
        self.moment = moment

    def close(self) -> None:
        pass


class Bench:
    """A clock whose time the test owns."""

    def __init__(self) -> None:
        self.now = NOON
        self.due: list[Plan] = []
        self.fail = 0
        self.alarm = HandAlarm()
        self.clock = Clock(self.on_due, lambda: self.now, lambda *_: self.alarm)
        self.clock.start()

    def on_due(self, due: Sequence[Plan]) -> None:
        if self.fail:
            self.fail -= 1
            raise OSError("the disk is full")
        self.due.extend(due)

    def settle(self) -> list[Plan]:
        """Let the loop do what it was told, look at the time, and return what was handed over since."""
        self.clock.look()
        done = threading.Event()
        self.clock._call(done.set)
        assert done.wait(5)
        due, self.due = self.due, []
        return due


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.clock.close()


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_a_job_is_due_at_its_time_and_once(bench: Bench) -> None:
    bench.clock.plan([Plan(1, at(10))])
    bench.now = at(9.999)
    assert bench.settle() == []
    bench.now = at(10)
    assert bench.settle() == [Plan(1, at(10))]
    bench.now = at(1000)
    assert bench.settle() == []


def test_the_longest_due_comes_first(bench: Bench) -> None:
    bench.clock.plan([Plan(1, at(3)), Plan(2, at(1)), Plan(3, at(2))])
    bench.now = at(5)
    assert [plan.key for plan in bench.settle()] == [2, 3, 1]


def test_planning_anew_replaces_and_none_forgets(bench: Bench) -> None:
    bench.clock.plan([Plan(1, at(10)), Plan(2, at(10))])
    bench.clock.plan([Plan(1, at(20)), Plan(2, None)])
    assert bench.settle() == []
    bench.now = at(15)
    assert bench.settle() == []
    bench.now = at(20)
    assert bench.settle() == [Plan(1, at(20))]


def test_many_at_once_come_in_portions_and_all_come(bench: Bench) -> None:
    plans = [Plan(key, at(key / 1000)) for key in range(3 * MOST_AT_ONCE + 1)]
    bench.clock.load(plans)
    bench.now = at(100)
    found: list[Plan] = []
    while more := bench.settle():
        found.extend(more)
    assert found == plans


def test_the_wall_clock_is_read_at_least_every_second(bench: Bench) -> None:
    bench.clock.plan([Plan(1, at(86400))])
    bench.settle()
    assert bench.alarm.moment == at(1)


def test_a_step_back_and_forth_loses_and_doubles_nothing(bench: Bench) -> None:
    bench.clock.plan([Plan(1, at(10))])
    bench.now = at(-3600)
    assert bench.settle() == []
    bench.now = at(3600)
    assert bench.settle() == [Plan(1, at(10))]
    bench.now = at(9)
    assert bench.settle() == []


def test_what_could_not_be_handed_over_comes_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.clock.plan([Plan(1, at(1)), Plan(2, at(2))])
    bench.fail = 1
    bench.now = at(5)
    assert bench.settle() == []
    assert bench.clock.alive
    assert "come again" in caplog.text
    bench.clock.plan([Plan(1, at(1)), Plan(2, at(2))])  # what the clock itself does a second later
    assert [plan.key for plan in bench.settle()] == [1, 2]


def test_it_outlives_a_broken_call(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.clock._call(lambda: 1 / 0)
    bench.clock.plan([Plan(1, at(0))])
    assert bench.settle() == [Plan(1, at(0))]
    assert "goes on after an error" in caplog.text


def test_what_is_planned_behind_its_end_is_left_to_whoever_fires_next(bench: Bench) -> None:
    bench.clock.close()
    bench.clock.plan([Plan(1, NOON)])
    bench.clock.plan_again([Plan(1, NOON)])


def test_an_idle_look_costs_the_same_with_many_jobs() -> None:
    def comparisons(count: int) -> int:
        heap = HeapScheduler(lambda: NOON, lambda plan: None)
        heap.plan_many((key, at(3600 + key)) for key in range(count))
        seen = 0
        top = heap._top

        def counted() -> object:
            nonlocal seen
            seen += 1
            return top()

        heap._top = counted  # type: ignore[method-assign, assignment]
        heap.run_pending()
        return seen

    assert comparisons(10) == comparisons(100_000) == 1


def test_entries_are_jobs_of_the_library() -> None:
    heap = HeapScheduler(lambda: NOON, lambda plan: None)
    heap.plan(7, at(60))
    [job] = heap.get_jobs()
    assert isinstance(heap, schedule.Scheduler)
    assert isinstance(job, schedule.Job)
    assert heap.next_run == job.next_run == at(60)
    assert not job.should_run
    heap.cancel_job(job)
    assert heap.jobs == []
    assert heap.next_run is None


@pytest.mark.parametrize("make", [make_alarm, lambda loop, ring, now: LoopAlarm(loop, ring, now)])
def test_a_real_alarm_rings_at_the_moment(make: Callable[..., object]) -> None:
    fired: list[datetime] = []
    rang = threading.Event()

    def on_due(due: Sequence[Plan]) -> None:
        fired.append(utc_now())
        rang.set()

    clock = Clock(on_due, utc_now, make)  # type: ignore[arg-type]
    clock.start()
    moment = utc_now() + timedelta(milliseconds=150)
    clock.plan([Plan(1, moment)])
    assert rang.wait(5)
    clock.close()
    assert fired[0] >= moment


def test_timerfd_is_used_on_linux() -> None:
    loop = asyncio.new_event_loop()
    alarm = make_alarm(loop, lambda: None, utc_now)
    assert isinstance(alarm, TimerfdAlarm)
    alarm.close()
    loop.close()
