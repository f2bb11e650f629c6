"""Deliveries are made until they succeed or are too late, each route for itself, by the process that fires."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from scheduler.alerts import Target
from scheduler.config import SchedulerConfig
from scheduler.errors import Unavailable
from scheduler.ids import first_run_id, new_run_id
from scheduler.models import Job
from scheduler.notify import delivery as delivery_module
from scheduler.notify.delivery import Deliverer
from scheduler.notify.notifier import Message, NotSent
from scheduler.notify.rules import FEWEST_FAILURES
from scheduler.notify.targets import label
from scheduler.store import deliveries
from scheduler.store.deliveries import Delivery, DeliveryFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time
from tests.server import wait_until

GOOD, BAD, SLOW, PING = "good", "bad", "slow", "ping"
TARGETS = {name: {"webhook": f"http://{name}.example/", "secret": "s"} for name in (GOOD, BAD, SLOW)}


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    targets = {**TARGETS, PING: {"ping": "http://ping.example/"}}
    return SchedulerConfig(**{**dict(config), "database_url": database_url, "notify_targets": targets})


class Post:
    """A deliverer whose notifiers do as the test says, and one job to deliver for."""

    def __init__(self, scheduler: TaskScheduler, time: Time, job: Job) -> None:
        self.scheduler, self.time, self.store = scheduler, time, scheduler._store
        self.key = scheduler.add_job(job).info.stored.key
        self.sent: list[tuple[str, str]] = []
        self.broken = {f"http://{BAD}.example/"}
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.restart()

    def restart(self) -> None:
        """Have another deliverer, which knows what is on disk and nothing else."""
        self.written = threading.Event()
        notifiers = {"webhook": self.send, "ping": self.send}
        self.deliverer = Deliverer(
            self.store,
            self.scheduler.config,
            self.written,
            now=self.time,
            notifiers=notifiers,
            monotonic=self.time.monotonic,
        )

    def send(self, message: Message, target: Target, _config: SchedulerConfig) -> str:
        if SLOW in target.address:
            self.begun.set()
            self.gate.wait(20)
        if target.address in self.broken:
            raise NotSent("out of order")
        self.sent.append((target.host.split(".")[0], message.kind))
        return "taken"

    def add(self, *targets: str, kind: str = "failure", **fields: Any) -> list[str]:
        """Write deliveries, and return their ids."""
        now = self.time()
        new = [
            Delivery(
                delivery_id=new_run_id(now),
                job_key=self.key,
                task_id="job",
                event=new_run_id(now),
                kind=kind,
                target=label(target),
                route=label(target),
                message={"subject": "s", "text": "t", "facts": {}},
                count=1,
                created_at=now,
                planned_at=now,
                next_attempt_at=now,
            )
            for target in targets
        ]
        new = [replace(delivery, **fields) for delivery in new]
        for delivery in new:
            self.store.write(lambda connection, delivery=delivery: deliveries.add(connection, delivery))
        return [delivery.delivery_id for delivery in new]

    def turn(self) -> float:
        """Begin what is due, and wait until all of that which does not wait for the gate is over."""
        wait = self.deliverer._turn()
        routes = [route for name, route in self.deliverer._routes.items() if SLOW not in name]
        for route in routes:
            if (thread := route.thread) is not None:
                thread.join()
        return wait

    def rows(self, **which: Any) -> list[Delivery]:
        return self.scheduler.list_deliveries(DeliveryFilter(**which), None, 100)[::-1]

    def row(self) -> Delivery:
        [row] = self.rows()
        return row


@pytest.fixture
def post(scheduler: TaskScheduler, time: Time, job: Callable[..., Job]) -> Iterator[Post]:
    made = Post(scheduler, time, job())
    yield made
    made.gate.set()
    made.deliverer.close()


def test_what_is_due_is_delivered_and_marked(post: Post, time: Time) -> None:
    post.add(GOOD)
    post.turn()
    row = post.row()
    assert post.sent == [(GOOD, "failure")]
    assert (row.state, row.attempts, row.finished_at, row.error) == ("delivered", 1, time(), None)
    post.turn()
    assert len(post.sent) == 1


def test_what_is_planned_for_later_waits(post: Post, time: Time) -> None:
    post.add(GOOD, next_attempt_at=time() + timedelta(minutes=3))
    assert post.turn() == delivery_module.LOOK_SECONDS
    time.move(minutes=2, seconds=55)
    assert post.turn() == 5
    assert post.sent == []
    time.move(seconds=5)
    post.turn()
    assert len(post.sent) == 1


def test_attempts_are_repeated_ever_more_rarely_and_given_up_after_a_day(post: Post, time: Time) -> None:
    post.add(BAD)
    gaps, before = [], time()
    while (row := post.row()).state == "waiting":
        time.now = row.next_attempt_at
        gaps.append((time.now - before).total_seconds())
        before = time.now
        post.turn()
    assert gaps[:6] == [0, 10, 20, 40, 80, 160]
    assert max(gaps) == 3600
    row = post.row()
    assert (row.state, row.error, row.attempts) == ("failed", "out of order", len(gaps))
    assert 22 < (before - row.created_at).total_seconds() / 3600 <= 24
    status = post.scheduler.status()["notifications"]
    assert (status["waiting"], status["failed"], status["last_error"].error) == (0, 1, "out of order")


def test_a_notifier_that_fails_unexpectedly_is_given_up_in_the_end(
    post: Post, time: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise LookupError("nobody thought of it")

    monkeypatch.setattr(post.deliverer, "_notifiers", dict.fromkeys(post.deliverer._notifiers, fail))
    post.add(GOOD)
    post.turn()
    assert (post.row().state, post.row().attempts) == ("waiting", 1)
    assert "LookupError" in str(post.row().error)
    while (row := post.row()).state == "waiting":
        time.now = row.next_attempt_at
        post.turn()
    assert row.state == "failed"


def test_a_broken_route_rests_and_the_others_do_not(post: Post, time: Time) -> None:
    post.add(BAD, GOOD, BAD)
    post.turn()
    post.turn()
    assert [row.attempts for row in post.rows()] == [1, 1, 0]  # the third would fail as the first did
    assert post.sent == [(GOOD, "failure")]
    time.move(seconds=10)
    post.turn()
    assert [row.attempts for row in post.rows(state="waiting")] == [1, 1]  # the one that was not tried goes first
    post.broken.clear()
    for _ in range(2):
        time.move(seconds=20)
        post.turn()
    assert [row.state for row in post.rows()] == ["delivered"] * 3


class AtOnce(threading.Thread):
    """A thread that has ended when `start` returns."""

    def start(self) -> None:
        super().start()
        self.join()


def test_a_route_that_breaks_in_no_time_rests_too(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scheduler.notify.delivery.threading.Thread", AtOnce)
    post.add(BAD, GOOD, BAD)
    post.turn()
    assert [row.attempts for row in post.rows()] == [1, 1, 0]


@pytest.mark.parametrize("hours", [-24, -1, -0.25, 1, 24])
def test_a_step_of_the_clock_delays_no_attempt_and_gives_nothing_up(post: Post, time: Time, hours: float) -> None:
    post.add(BAD)
    post.turn()
    time.step(hours=hours)
    tried = []
    for seconds in (9, 1, 19, 1, 39, 1):
        time.move(seconds=seconds)
        post.turn()
        tried.append(post.row().attempts)
    assert tried == [1, 2, 2, 3, 3, 4]
    post.broken.clear()
    time.move(seconds=80)
    post.turn()
    assert post.row().state == "delivered"


@pytest.mark.parametrize("attempts", [0, 3])
def test_what_was_planned_before_the_clock_was_set_back_goes_at_once(post: Post, time: Time, attempts: int) -> None:
    later = time() + timedelta(minutes=3)
    post.add(GOOD, planned_at=later, next_attempt_at=later, attempts=attempts)
    time.step(days=-1)
    post.turn()
    assert post.sent == [(GOOD, "failure")]


def test_what_was_written_since_the_clock_was_looked_at_waits_for_its_time(post: Post, time: Time) -> None:
    later = time() + timedelta(minutes=5)
    post.add(GOOD, created_at=time() + timedelta(milliseconds=20), planned_at=later, next_attempt_at=later)
    post.turn()
    assert post.sent == []


def test_what_was_to_be_tried_again_after_the_clock_was_set_back_waits_no_longer_than_ever(
    post: Post, time: Time
) -> None:
    now = time()
    post.add(GOOD, created_at=now - timedelta(days=7), next_attempt_at=now + timedelta(hours=1), attempts=9)
    post.turn()
    assert post.sent == []
    time.step(days=-1)
    post.turn()
    assert post.sent == [(GOOD, "failure")]


def test_a_message_is_given_up_by_its_age_only_after_failures_in_a_row(post: Post, time: Time) -> None:
    post.add(BAD)
    post.turn()
    time.step(days=2)
    while post.row().state == "waiting":
        time.move(hours=1)
        post.turn()
    assert post.row().attempts == FEWEST_FAILURES


def test_a_slow_target_holds_up_nobody_else(post: Post) -> None:
    post.add(SLOW, SLOW, GOOD)
    post.turn()
    assert post.begun.wait(10)
    post.add(GOOD)
    post.turn()
    assert post.sent == [(GOOD, "failure")] * 2
    assert [row.attempts for row in post.rows()] == [1, 0, 1, 1]  # one at a time
    post.gate.set()
    wait_until(lambda: len(post.rows(state="delivered")) == 4 or post.turn() is None)
    assert post.sent.count((SLOW, "failure")) == 2


def test_no_more_at_once_than_may(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery_module, "MOST_AT_ONCE", 1)
    post.add(SLOW)
    post.turn()
    assert post.begun.wait(10)
    post.add(GOOD)
    post.turn()
    assert post.sent == []
    monkeypatch.setattr(delivery_module, "HOPELESS_SECONDS", 0)
    post.turn()
    assert post.sent == [(GOOD, "failure")]  # one that lasts for ever counts no more


def test_an_attempt_that_was_cut_short_is_made_again(post: Post, time: Time) -> None:
    [delivery_id] = post.add(SLOW)
    post.turn()
    assert post.begun.wait(10)
    post.restart()  # as a kill would leave it: claimed, and nothing known of how it went
    assert (post.row().state, post.row().attempts) == ("waiting", 1)
    post.turn()
    assert post.row().attempts == 1
    time.move(seconds=10)
    post.gate.set()
    wait_until(lambda: post.turn() is None or post.row().state == "delivered")
    assert post.row().delivery_id == delivery_id


def test_a_process_that_does_not_fire_sends_nothing(post: Post) -> None:
    if post.store.kind != "postgresql":
        pytest.skip("a lease on a file is lost with its process only")
    post.store.fence.close()
    post.add(GOOD)
    post.turn()
    assert (post.sent, post.row().attempts) == ([], 0)


def test_of_pings_that_failed_the_newest_is_tried_again(post: Post, time: Time) -> None:
    post.broken.add("http://ping.example/")
    post.add(PING, kind="ping.fail")
    post.turn()
    time.move(seconds=1)
    post.add(PING, kind="ping.start")
    post.add(PING, kind="ping.success")
    post.broken.clear()
    time.move(seconds=9)
    for _ in range(3):
        post.turn()
    assert post.sent == [(PING, "ping.start"), (PING, "ping.success")]
    assert post.rows() == []  # pings that are over leave no row


def test_a_ping_is_given_up_early(post: Post, time: Time) -> None:
    post.broken.add("http://ping.example/")
    post.add(PING, kind="ping.success")
    for _ in range(20):
        post.turn()
        time.move(minutes=1)
    assert post.row().state == "failed"


def test_a_target_that_lost_its_name_is_told(post: Post) -> None:
    post.add("nobody")
    post.turn()
    assert "no target has the name 'nobody'" in str(post.row().error)


def test_old_deliveries_go(post: Post, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    # Ids of this process never go back in time, which that of the test does.
    first = first_run_id(time())
    for number, target in enumerate((GOOD, BAD)):
        post.add(target, delivery_id=f"{first[:-1]}{number}", attempts=FEWEST_FAILURES)
    post.turn()
    post.add(GOOD, next_attempt_at=time() + timedelta(days=100))
    monkeypatch.setattr(delivery_module, "PURGE_SECONDS", 0)
    time.move(days=29)
    post.turn()
    assert [row.state for row in post.rows()] == ["delivered", "failed", "waiting"]
    time.move(days=2)
    post.turn()
    assert [row.state for row in post.rows()] == ["waiting"]  # however long it waits


def test_the_thread_wakes_for_what_is_written(post: Post) -> None:
    post.deliverer.start()
    post.add(GOOD)
    post.written.set()
    wait_until(lambda: post.sent)


def test_a_store_in_trouble_does_not_make_a_message_go_twice(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    post.add(GOOD)
    write, calls = post.store.write, []

    def flaky(unit: Any) -> Any:
        calls.append(unit)
        if len(calls) == 2:  # the claim is written, the end is not
            raise Unavailable("out of reach")
        return write(unit)

    monkeypatch.setattr(post.store, "write", flaky)
    post.turn()
    assert post.row().state == "waiting"
    post.turn()
    assert (post.row().state, post.sent) == ("delivered", [(GOOD, "failure")])
