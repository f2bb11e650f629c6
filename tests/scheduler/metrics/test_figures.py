"""What the store knows: looked up once a second at most, and tasks only where one has changed."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from scheduler.metrics.figures import FigureReader
from scheduler.models import Job
from scheduler.store import Connection, jobs, planning
from scheduler.store.planning import Advance
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON


class Seconds:
    """A clock of the test's own."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 10
        return self.now


def states(reader: FigureReader) -> dict[str, int]:
    figures = reader.read()
    assert figures is not None
    return {name: number for name, number in figures.tasks.items() if number}


def test_only_tasks_that_have_changed_are_looked_at(
    scheduler: TaskScheduler, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[list[tuple[int, str]]] = []
    real = jobs.states_since

    def states_since(connection: Connection, revision: int | None) -> tuple[int, list[tuple[int, str]]]:
        now, changed = real(connection, revision)
        looked_at.append(changed)
        return now, changed

    monkeypatch.setattr(jobs, "states_since", states_since)
    reader = FigureReader(scheduler._store, Seconds())
    scheduler.add_job(job("one"))
    key = scheduler.add_job(job("two")).info.stored.key
    assert states(reader) == {"planned": 2}
    assert states(reader) == {"planned": 2}
    scheduler.pause_job("two")
    assert states(reader) == {"planned": 1, "paused": 1}
    scheduler.remove_job("two")
    assert states(reader) == {"planned": 1}
    assert looked_at[1:] == [[], [(key, "paused")], [(key, "removed")]]


@pytest.mark.parametrize("seed", range(5))
def test_the_tally_comes_to_what_counting_all_does(
    scheduler: TaskScheduler, job: Callable[..., Job], seed: int
) -> None:
    chance = random.Random(seed)
    reader = FigureReader(scheduler._store, Seconds())
    present: list[str] = []
    for number in range(40):
        what = chance.choice(["add", "add", "disable", "pause", "resume", "end", "remove"])
        if what == "add" or not present:
            present.append(f"job-{number}")
            scheduler.add_job(job(present[-1], enabled=chance.random() < 0.8))
        else:
            change(scheduler, what, chance.choice(present), present)
        if chance.random() < 0.5:
            check(scheduler, reader)
    check(scheduler, reader)
    check(scheduler, FigureReader(scheduler._store, Seconds()))


def change(scheduler: TaskScheduler, what: str, task_id: str, present: list[str]) -> None:
    if what == "end":
        key = scheduler.get_job(task_id).stored.key
        scheduler._store.write(lambda connection: planning.advance(connection, [Advance(key, None, None, 1)]))
    elif what == "disable":
        scheduler.update_job(task_id, {"enabled": False})
    elif what == "remove":
        scheduler.remove_job(task_id)
        present.remove(task_id)
    else:
        getattr(scheduler, f"{what}_job")(task_id)


def check(scheduler: TaskScheduler, reader: FigureReader) -> None:
    figures = reader.read()
    assert figures is not None
    counted = scheduler._store.read(jobs.count_states)
    assert dict(figures.tasks) == {name: number for name, number in counted.items() if name != "total"}


def test_a_task_that_has_ended_is_noticed(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    reader = FigureReader(scheduler._store, Seconds())
    stored = scheduler.add_job(job("one")).info.stored
    assert states(reader) == {"planned": 1}
    later = NOON + timedelta(hours=1)
    scheduler._store.write(lambda connection: planning.advance(connection, [Advance(stored.key, later, later, 1)]))
    assert states(reader) == {"planned": 1}
    scheduler._store.write(lambda connection: planning.advance(connection, [Advance(stored.key, None, None, 2)]))
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
