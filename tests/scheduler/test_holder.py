"""What the process that fires looks at, and when it may spare itself a look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from scheduler import holder as module
from scheduler.errors import Unavailable
from scheduler.lease import EVERYTHING, Ring
from scheduler.models import Job
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Answering, Time


@pytest.fixture
def looks(scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch) -> list[frozenset[Ring]]:
    """Return what the holder has looked at."""
    seen: list[frozenset[Ring]] = []
    monkeypatch.setattr(scheduler._holder, "_look", seen.append)
    return seen


def look_around(scheduler: TaskScheduler, is_rung: bool = False) -> None:
    scheduler._holder._look_around(is_rung)


@pytest.fixture(autouse=True)
def settled(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    """See all that there is, and again: a connection that is opened may count as a commit."""
    for _ in range(2):
        scheduler.is_running()
        look_around(scheduler)
    looks.clear()


def test_nothing_is_looked_at_while_nobody_writes(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    look_around(scheduler)
    look_around(scheduler)
    assert looks == []


def test_what_this_process_writes_is_looked_at_without_a_ring(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job]
) -> None:
    scheduler.add_job(job())
    look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_what_another_process_writes_is_looked_at_without_a_ring(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job], time: Time
) -> None:
    other = Answering(scheduler.config, time)
    other.add_job(job())
    other.close()
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_whoever_rings_is_believed(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    look_around(scheduler, is_rung=True)
    assert looks == [EVERYTHING]


def test_a_look_that_failed_is_made_again(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.add_job(job())

    def fail(_: frozenset[Ring]) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(scheduler._holder, "_look", fail)
        with pytest.raises(OSError, match="gone"):
            look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_from_time_to_time_it_looks_whatever_is_known(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_ANYWAY_SECONDS", 0.0)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_where_commits_are_not_counted_each_look_is_made(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler._store, "version", lambda: None)
    look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING, EVERYTHING]


def test_a_store_out_of_reach_is_told_once_and_once_that_it_is_back(
    scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    holder = scheduler._holder
    faults = ["full", "full", "locked", "", "", "full"]

    def look(_: bool) -> None:
        if not faults:
            holder._closing.set()
        elif (fault := faults.pop(0)) != "":
            raise Unavailable(fault)

    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(holder, "_look_around", look)
    monkeypatch.setattr(holder, "_doorbell", SimpleNamespace(wait=lambda _: frozenset()))
    monkeypatch.setattr(holder, "_closing", threading.Event())
    holder._follow_until_closed()
    failed, back = "the store cannot be followed; it is tried again and again: ", "the store is followed again"
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{failed}full", f"{failed}locked", back, f"{failed}full", back]
    assert not any(record.exc_info for record in caplog.records)
