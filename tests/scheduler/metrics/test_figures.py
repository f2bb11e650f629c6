"""What the store knows: looked up once a second at most, and tasks only where one has changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scheduler.metrics.figures import FigureReader
from scheduler.models import Job
from scheduler.store import jobs
from scheduler.store.jobs import Advance
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON


class Seconds:
    """A clock of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often all tasks were looked at."""
    looks: list[int] = []
    real = jobs.count_states

    def count(connection: Any) -> Any:
        looks.append(1)
        return real(connection)

    monkeypatch.setattr(jobs, "count_states", count)
    return looks


def states(reader: FigureReader) -> dict[str, int]:
    figures = reader.read()
    assert figures is not None
    return {name: number for name, number in figures.tasks.items() if number}


def test_tasks_are_counted_anew_only_after_a_change(
    scheduler: TaskScheduler, job: Callable[..., Job], counts: list[int]
) -> None:
    reader = FigureReader(scheduler._store, Seconds())
    scheduler.add_job(job("one"))
    scheduler.add_job(job("two"))
    for _ in range(5):
        assert states(reader) == {"planned": 2}
    assert len(counts) == 1
    scheduler.pause_job("two")
    assert states(reader) == {"planned": 1, "paused": 1}
    scheduler.remove_job("two")
    assert states(reader) == {"planned": 1}
    assert len(counts) == 3


def test_a_task_that_has_ended_is_noticed(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    reader = FigureReader(scheduler._store, Seconds())
    stored = scheduler.add_job(job("one")).info.stored
    assert states(reader) == {"planned": 1}
    later = NOON + timedelta(hours=1)
    scheduler._store.write(lambda connection: jobs.advance(connection, [Advance(stored.key, later, later, 1)]))
    assert states(reader) == {"planned": 1}
    scheduler._store.write(lambda connection: jobs.advance(connection, [Advance(stored.key, None, None, 2)]))
    assert states(reader) == {"completed": 1}


def test_within_a_second_nothing_is_asked(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    reader = FigureReader(scheduler._store, lambda: 5.0)
    assert states(reader) == {}
    scheduler.add_job(job("one"))
    assert states(reader) == {}


def test_a_store_in_trouble_tells_nothing(scheduler: TaskScheduler) -> None:
    reader = FigureReader(scheduler._store, Seconds())
    assert reader.read() is not None
    scheduler._store._writer.trouble = "full"
    assert reader.read() is None
    scheduler._store._writer.trouble = None
    assert reader.read() is not None
