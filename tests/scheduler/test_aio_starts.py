"""Starts and ends of the async scheduler that meet each other, or jobs that are given meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler import Job, task_scheduler
from scheduler.aio import SchedulerConfig, TaskScheduler
from scheduler.errors import Conflict, InvalidRequest, NotFound, Unavailable
from scheduler.store import sqlite_url
from scheduler.store.runs import RunFilter
from scheduler.turns import Turns
from tests.server import wait_until

SECONDS = 20.0


class Gate:
    """What schedulers wait for as they are made, and those that were made."""

    def __init__(self) -> None:
        self.reached, self.is_open = threading.Event(), threading.Event()
        self.made: list[task_scheduler.TaskScheduler] = []

    async def reach(self) -> None:
        """Wait until one is being made."""
        assert await asyncio.to_thread(self.reached.wait, SECONDS)

    def closed(self) -> list[bool]:
        """Say of each that was made whether it is closed."""
        return [inner._closed.is_set() for inner in self.made]

    def took_part(self) -> list[bool]:
        """Say of each that was made whether it ever could fire."""
        return [inner._opened.is_set() for inner in self.made]


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Let schedulers be made only when the gate is open."""
    made = Gate()

    class Gated(task_scheduler.TaskScheduler):
        def __init__(self, *args: Any) -> None:
            made.reached.set()
            assert made.is_open.wait(SECONDS)
            super().__init__(*args)
            made.made.append(self)

    monkeypatch.setattr(task_scheduler, "TaskScheduler", Gated)
    yield made
    made.is_open.set()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory beside the one that the program is started in."""
    (tmp_path / "program").mkdir()
    (tmp_path / "state").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    return tmp_path


async def nothing() -> None:
    """Do nothing."""


async def ids(scheduler: TaskScheduler) -> set[str]:
    """Return the ids of all jobs."""
    return {str(job["id"]) for job in await scheduler.get_jobs()}


async def given_up(start: asyncio.Task[None]) -> None:
    """Give up waiting for a start."""
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start


def test_starts_that_meet_are_one(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        starts = [asyncio.create_task(scheduler.start()) for _ in range(3)]
        await gate.reach()
        gate.is_open.set()
        await asyncio.gather(*starts)
        assert scheduler.running
        await asyncio.gather(scheduler.shutdown(), scheduler.shutdown())
        assert not scheduler.running
        assert gate.closed() == [True]

    asyncio.run(program())


def test_a_start_that_is_given_up_leaves_nothing_behind(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        start = asyncio.create_task(scheduler.start())
        await gate.reach()
        await given_up(start)
        gate.is_open.set()
        await scheduler.shutdown()
        assert (scheduler.running, gate.closed(), gate.took_part()) == (False, [True], [False])

    asyncio.run(program())


def test_a_start_that_is_given_up_as_it_ends_is_undone(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        start = asyncio.create_task(scheduler.start())
        await gate.reach()
        gate.is_open.set()
        wait_until(lambda: scheduler.running)  # while the loop stands still, so that the start does not hear of it
        await given_up(start)
        await asyncio.to_thread(wait_until, lambda: not scheduler.running)
        await scheduler.shutdown()
        assert gate.closed() == [True]

    asyncio.run(program())


def test_one_start_that_is_given_up_takes_nothing_from_another(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        first, second = (asyncio.create_task(scheduler.start()) for _ in range(2))
        await gate.reach()
        await given_up(first)
        gate.is_open.set()
        await second
        assert scheduler.running
        third = asyncio.create_task(scheduler.start())
        await asyncio.sleep(0)
        await given_up(third)
        await asyncio.wrap_future(scheduler._turns.take(lambda: None))
        assert scheduler.running
        await scheduler.shutdown()
        assert set(gate.closed()) == {True}

    asyncio.run(program())


def test_a_shutdown_waits_for_the_start_before_it_and_a_start_for_the_shutdown(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        start = asyncio.create_task(scheduler.start())
        await gate.reach()
        end, again = asyncio.create_task(scheduler.shutdown()), asyncio.create_task(scheduler.start())
        await asyncio.sleep(0)
        gate.is_open.set()
        await asyncio.gather(start, end, again)
        assert (scheduler.running, gate.closed()) == (True, [True, False])
        await scheduler.shutdown()

    asyncio.run(program())


def test_a_start_that_fails_can_be_tried_again() -> None:
    scheduler = TaskScheduler()
    scheduler.interval(hours=1, job_id="kept")(nothing)
    wanted = scheduler._wanted["kept"]

    async def program() -> None:
        scheduler._wanted["bad"] = type(wanted)(nothing, {"interval": "dayly", "task_id": "bad"}, None)
        for outcome in await asyncio.gather(scheduler.start(), scheduler.start(), return_exceptions=True):
            assert isinstance(outcome, InvalidRequest)
        assert not scheduler.running
        await scheduler.remove_job("bad")
        async with scheduler:
            assert await ids(scheduler) == {"kept"}

    asyncio.run(program())


def test_jobs_that_are_given_during_a_start_are_there_after_it(gate: Gate) -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        await scheduler.add_interval_job(nothing, "before", hours=1)
        await scheduler.add_interval_job(nothing, "removed", hours=1)
        start = asyncio.create_task(scheduler.start())
        await gate.reach()
        adding = [asyncio.create_task(scheduler.add_interval_job(nothing, f"job-{n}", hours=1)) for n in range(20)]
        removing = asyncio.create_task(scheduler.remove_job("removed"))
        await asyncio.sleep(0)
        with pytest.raises(Conflict, match="add_cron_job"):
            scheduler.interval(hours=1)(nothing)
        gate.is_open.set()
        await asyncio.gather(start, removing, *adding)
        assert await ids(scheduler) == {"before", *(f"job-{n}" for n in range(20))}
        await scheduler.shutdown()

    asyncio.run(program())


def test_a_job_that_is_refused_takes_no_other_with_it() -> None:
    async def program() -> None:
        scheduler = TaskScheduler()
        await scheduler.start()
        await asyncio.to_thread(
            scheduler.inner.add_job, Job(task_id="taken", type="command", command="true", interval="hourly")
        )
        outcomes = await asyncio.gather(
            scheduler.add_interval_job(nothing, "taken", hours=1, replace_existing=False),
            *(scheduler.add_interval_job(nothing, f"good-{n}", hours=1) for n in range(9)),
            return_exceptions=True,
        )
        assert isinstance(outcomes[0], Conflict)
        good = {f"good-{n}" for n in range(9)}
        assert await ids(scheduler) == {"taken", *good}
        await scheduler.shutdown()
        async with scheduler:
            assert await ids(scheduler) == good

    asyncio.run(program())


def test_a_job_that_somebody_else_removed_does_not_come_back(folder: Path) -> None:
    scheduler = TaskScheduler(SchedulerConfig(database_url=sqlite_url(folder / "state"), namespace="x"))
    scheduler.interval(hours=1, job_id="gone")(nothing)

    async def program() -> None:
        async with scheduler:
            await asyncio.to_thread(scheduler.inner.remove_job, "gone")
            with pytest.raises(NotFound):
                await scheduler.remove_job("gone")
        async with scheduler:
            assert await ids(scheduler) == set()

    asyncio.run(program())


def test_whoever_waits_for_a_run_is_told_that_it_is_over() -> None:
    async def program() -> None:
        scheduler = TaskScheduler(SchedulerConfig(stop_grace_seconds=0))

        def fails() -> None:
            raise ValueError("no")

        def is_to_be_tried_again() -> bool:
            return any(run.attempt == 2 for run in scheduler.inner.list_runs(RunFilter(), None, 5))

        async with scheduler, asyncio.timeout(SECONDS):
            await scheduler.add_interval_job(fails, "fails", hours=1, max_retries=1, retry_delay_seconds=3600)
            waiting = asyncio.create_task(scheduler.run_now("fails"))
            await asyncio.to_thread(wait_until, is_to_be_tried_again)
            await asyncio.gather(scheduler.shutdown(), waiting, return_exceptions=True)
        with pytest.raises(Unavailable, match=r"shut down before run .* of 'fails' had ended") as caught:
            await waiting
        assert caught.value.code == "shutting_down"

    asyncio.run(program())


def test_a_loop_that_is_closed_is_told_nothing(caplog: pytest.LogCaptureFixture) -> None:
    scheduler, go = TaskScheduler(), threading.Event()

    async def gives_up() -> None:
        await scheduler.start()
        await scheduler.add_interval_job(lambda: go.wait(SECONDS), "slow", hours=1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(scheduler.run_now("slow"), 0.5)

    async def goes_on() -> None:
        await scheduler.start()
        go.set()
        run = await scheduler.run_now("slow", force=True)
        assert run["status"] == "completed"
        await scheduler.shutdown()

    asyncio.run(gives_up())
    asyncio.run(goes_on())
    assert [record for record in caplog.records if record.name == "scheduler.watch"] == []


def test_turns_keep_their_order_whatever_becomes_of_them() -> None:
    turns, go, done = Turns("test"), threading.Event(), []

    def step(number: int, error: Exception | None = None) -> Callable[[], None]:
        def take() -> None:
            assert go.wait(SECONDS)
            done.append(number)
            if error is not None:
                raise error

        return take

    taken = [turns.take(step(0)), turns.take(step(1, ValueError("no"))), turns.take(step(2))]
    assert not taken[2].cancel()
    go.set()
    assert taken[2].result(SECONDS) is None
    assert done == [0, 1, 2]
    with pytest.raises(ValueError, match="no"):
        taken[1].result(SECONDS)
