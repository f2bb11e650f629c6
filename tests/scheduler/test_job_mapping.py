"""A program is given back the very objects that it put in, for as long as the store has their definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from scheduler import Job, SchedulerConfig, TaskScheduler
from scheduler.errors import Conflict, Unavailable
from tests.owned_time import Answering, Time


class Mine(Job):
    """A job with a field that is not stored."""

    team: str = "ops"


def mine(command: str = "true", interval: str = "every 1 hour") -> Mine:
    """Make a job with the id `a`."""
    return Mine(task_id="a", type="command", command=command, interval=interval)  # type: ignore[call-arg]


def test_one_that_is_refused_leaves_the_object_that_was_there(scheduler: TaskScheduler) -> None:
    first = mine()
    scheduler.add_job(first)
    with pytest.raises(Conflict):
        scheduler.add_job(mine("false"))
    assert scheduler.jobs["a"] is first


def test_one_that_cannot_be_written_leaves_the_object_that_was_there(
    scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = mine()
    scheduler.add_job(first)

    def fail(_unit: object) -> Any:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(scheduler._store, "write", fail)
        with pytest.raises(Unavailable):
            scheduler.add_job(mine("false"), replace=True)
    assert scheduler.jobs["a"] is first


def test_the_newer_of_two_equal_ones_is_kept(scheduler: TaskScheduler) -> None:
    scheduler.add_job(mine())
    again = mine()
    assert scheduler.add_job(again).change == "unchanged"
    assert scheduler.jobs["a"] is again


def test_one_whose_moment_has_passed_is_kept_where_the_store_has_it(config: SchedulerConfig, time: Time) -> None:
    moment = (time() + timedelta(seconds=1)).isoformat()
    first = Answering(config, time)
    first.add_job(mine(interval=moment))
    first.close()
    time.move(seconds=2)
    second = Answering(config, time)
    again = mine(interval=moment)
    assert second.add_job(again).change == "unchanged"
    assert second.jobs["a"] is again
    second.close()


@pytest.fixture
def committed(scheduler: TaskScheduler) -> Iterator[Callable[[Callable[[], object]], None]]:
    """Do something after the next write is on disk, and before whoever asked for it knows."""
    write = scheduler._store.write
    after: list[Callable[[], object]] = []

    def written(unit: Any) -> Any:
        done = write(unit)
        if after:
            after.pop()()
        return done

    scheduler._store.write = written  # type: ignore[method-assign]
    yield after.append
    scheduler._store.write = write  # type: ignore[method-assign]


def test_each_is_given_from_the_moment_that_the_store_has_it(
    scheduler: TaskScheduler, committed: Callable[[Callable[[], object]], None]
) -> None:
    given: list[Job] = []
    one, other = mine(), mine("false")
    scheduler.add_job(one)
    committed(lambda: given.append(scheduler.jobs["a"]))
    scheduler.add_job(other, replace=True)
    assert given[0] is other


def test_of_two_at_once_that_is_kept_which_the_store_has(
    scheduler: TaskScheduler, committed: Callable[[Callable[[], object]], None]
) -> None:
    one, other = mine(), mine("false")
    committed(lambda: scheduler.add_job(other, replace=True))
    scheduler.add_job(one)  # of which it is known later that it was kept
    assert scheduler.jobs["a"] is other


def test_what_is_replaced_is_let_go(scheduler: TaskScheduler) -> None:
    put = [mine(command) for command in ("true", "false", "id")]
    for job in put:
        scheduler.add_job(job, replace=True)
    assert [offer.job for offer in scheduler.jobs._offers["a"]] == put[-1:]
    scheduler.remove_job("a")
    assert scheduler.jobs._offers == {}
