"""Readers of the feed: each gets every event it wants once, in order, however slow it is and wherever it begins."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.attempts import log_dir
from scheduler.errors import LimitReached, Unavailable
from scheduler.feed import EventFilter, Feed, Follower, Told
from scheduler.feed import feed as feed_module
from scheduler.models import Job
from scheduler.store import Database, events, runs
from scheduler.store.events import EventKind
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox.output import OutputFile
from tests.server import wait_until

MakeJob = Callable[..., Job]
ALL = EventFilter(frozenset(EventKind) - {EventKind.RUN_OUTPUT})


@pytest.fixture
def feed(scheduler: TaskScheduler) -> Feed:
    return scheduler.feed


@pytest.fixture
def make(scheduler: TaskScheduler, job: MakeJob) -> Callable[[str], None]:
    return lambda name: scheduler.add_job(job(name)) and None


def read(follower: Follower, count: int) -> list[Told]:
    """Return what comes until that is so many events."""
    found: list[Told] = []
    news = threading.Event()
    follower.on_news(news.set)
    while len(found) < count:
        news.clear()
        new = follower.catch_up() if follower.is_behind else follower.take()
        found += new
        if not new and not follower.is_behind:
            assert news.wait(20), found
    return found


def tasks(found: list[Told]) -> list[str | None]:
    return [told.task_id for told in found]


def test_what_happens_from_now_on(feed: Feed, make: Callable[[str], None]) -> None:
    make("before")
    follower = feed.follow(ALL)
    make("a")
    make("b")
    found = read(follower, 2)
    assert tasks(found) == ["a", "b"]
    assert [told.id for told in found] == [2, 3]
    assert json.loads(found[0].json)["type"] == "task.created"
    assert follower.last == 3


def test_coming_back_from_any_event(feed: Feed, make: Callable[[str], None]) -> None:
    other = feed.follow(ALL)
    for name in "abcde":
        make(name)
    read(other, 5)
    for last in range(6):
        follower = feed.follow(ALL, last)
        make(f"then-{last}")
        wanted = list("abcde"[last:]) + [f"then-{number}" for number in range(last + 1)]
        assert tasks(read(follower, len(wanted))) == wanted
        assert follower.take() == []


def test_what_is_printed_from_the_moment_of_following_on(feed: Feed, scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    run = scheduler.run_now("a")
    assert scheduler._store.write(lambda connection: runs.start_run(connection, run, scheduler.now()))
    output = OutputFile(log_dir(scheduler.config), run.run_id, "stdout")
    output.write(b"before\n")
    for number in range(3):
        follower = feed.follow(EventFilter(frozenset({EventKind.RUN_OUTPUT})))
        output.write(b"then %d\n" % number)
        (told,) = read(follower, 1)
        assert json.loads(told.json)["text"] == f"then {number}\n"
        follower.close()
    output.close()


def test_who_falls_behind_goes_on_from_the_ledger(
    feed: Feed, make: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "PAGE", 7)
    monkeypatch.setattr("scheduler.feed.window.Window.__init__.__defaults__", (4,))
    slow, quick = feed.follow(ALL), feed.follow(ALL)
    names = [f"job-{number}" for number in range(30)]
    for name in names:
        make(name)
    assert tasks(read(quick, 30)) == names
    assert slow.take() == []
    assert slow.is_behind
    assert tasks(read(slow, 30)) == names
    make("last")
    assert tasks(read(slow, 1)) == tasks(read(quick, 1)) == ["last"]


def test_filters(feed: Feed, scheduler: TaskScheduler, make: Callable[[str], None]) -> None:
    of_b = feed.follow(EventFilter(ALL.kinds, frozenset({"b"})))
    paused = feed.follow(EventFilter(frozenset({EventKind.TASK_PAUSED})))
    for name in "ab":
        make(name)
        scheduler.pause_job(name)
    assert [told.kind for told in read(of_b, 2)] == ["task.created", "task.paused"]
    assert tasks(read(paused, 2)) == ["a", "b"]
    # What a reader did not want it has passed all the same: it does not come back from before.
    make("c")
    wait_until(lambda: of_b.take() == [] and of_b.last == 5)


def test_a_gap_is_told_and_passed(feed: Feed, scheduler: TaskScheduler, make: Callable[[str], None]) -> None:
    for name in "abcdef":
        make(name)
    scheduler._store.write(lambda connection: events.trim(connection, 2, scheduler.now(), 4))
    few = EventFilter(frozenset({EventKind.TASK_PAUSED}))
    for which, kinds in ((ALL, ["gap", "task.created", "task.created"]), (few, ["gap"])):
        follower = feed.follow(which, 2)
        found = read(follower, len(kinds))
        assert [told.kind for told in found] == kinds
        assert json.loads(found[0].json) | {"message": ""} == {"type": "gap", "after": 2, "up_to": 4, "message": ""}
        assert found[0].id == 4
        assert [told.kind for told in read(feed.follow(ALL, found[0].id), 2)] == ["task.created"] * 2


def test_an_id_that_no_event_has_had(feed: Feed, make: Callable[[str], None]) -> None:
    make("a")
    follower = feed.follow(ALL, 99)
    assert [told.kind for told in read(follower, 1)] == ["gap"]
    make("b")
    assert tasks(read(follower, 1)) == ["b"]


def test_events_of_another_process(feed: Feed, scheduler: TaskScheduler, make: Callable[[str], None]) -> None:
    other = TaskScheduler(scheduler.config, scheduler.now)
    follower = other.feed.follow(ALL)
    make("a")
    assert tasks(read(follower, 1)) == ["a"]
    other.close()


def test_too_many_readers(scheduler: TaskScheduler, tmp_path: Path) -> None:
    feed = Feed(scheduler._store, tmp_path, 2)
    first = feed.follow(ALL)
    feed.follow(ALL)
    with pytest.raises(LimitReached, match="SCHEDULER_MAX_READERS") as caught:
        feed.follow(ALL)
    assert caught.value.code == "too_many_readers"
    first.close()
    feed.follow(ALL)
    feed.close()


def test_the_end_is_told(feed: Feed) -> None:
    follower, told = feed.follow(ALL), threading.Event()
    follower.on_news(told.set)
    feed.close()
    assert told.wait(20)
    assert follower.is_over
    with pytest.raises(Unavailable):
        feed.follow(ALL)


class Counting(Database):
    """The same store; counts how often it is read."""

    def __init__(self, store: Database) -> None:
        self.__dict__.update(store.__dict__)
        self.reads = 0

    def read(self, unit: Callable[[Any], Any]) -> Any:
        self.reads += 1
        return super().read(unit)


@pytest.fixture
def counting(scheduler: TaskScheduler, tmp_path: Path) -> Iterator[tuple[Feed, Counting]]:
    store = Counting(scheduler._store)
    feed = Feed(store, tmp_path, 10)
    yield feed, store
    feed.close()


def test_nobody_listens_nothing_is_read(counting: tuple[Feed, Counting], make: Callable[[str], None]) -> None:
    feed, store = counting
    make("a")
    assert store.reads == 0
    feed.follow(ALL).close()
    wait_until(lambda: feed.readers == 0)
    follower = feed.follow(ALL)
    make("b")
    read(follower, 1)
    follower.close()
    make("c")  # wakes the feed once more, if it still listened
    before = store.reads
    for name in "defgh":
        make(name)
    assert store.reads <= before + 1
