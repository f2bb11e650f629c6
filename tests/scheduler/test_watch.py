"""Whoever waits for the end of runs is told of it, whatever becomes of the scheduler and of the others who wait."""

from __future__ import annotations

import os
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from scheduler import Job, TaskScheduler
from scheduler.errors import Unavailable

SECONDS = 20.0
FOR_EVER = 1e6


@pytest.fixture
def waiting(scheduler: TaskScheduler, job: Callable[..., Job]) -> str:
    """Return the id of a run that does not end."""
    scheduler.add_job(job())
    return scheduler.run_now("job").run_id


def test_whoever_asks_after_the_end_is_told_at_once(scheduler: TaskScheduler, waiting: str) -> None:
    scheduler.close()
    assert not scheduler.watch.wait([waiting], FOR_EVER)


def test_one_who_cannot_be_told_keeps_nobody_from_being_told(
    scheduler: TaskScheduler, waiting: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = SimpleQueue[bool]()

    def fail(_ended: bool) -> None:
        raise RuntimeError("Event loop is closed")

    for tell in (fail, told.put):
        scheduler.watch.when_ended([], FOR_EVER, tell)
    assert told.get(timeout=SECONDS)
    for tell in (fail, told.put):
        scheduler.watch.when_ended([waiting], FOR_EVER, tell)
    scheduler.close()
    assert not told.get(timeout=SECONDS)
    scheduler.watch.when_ended([waiting], FOR_EVER, fail)
    messages = [record.getMessage() for record in caplog.records if record.name == "scheduler.watch"]
    assert messages == ["somebody could not be told of the end of runs"] * 3


def test_nobody_waits_in_a_process_that_was_forked_off(scheduler: TaskScheduler, waiting: str) -> None:
    child = os.fork()
    if child == 0:
        try:
            scheduler.watch.wait([waiting], FOR_EVER)
        except Unavailable:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
