"""Jobs of async programs that are removed when they are done: a program that starts again does not do them again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.aio import SchedulerConfig, TaskScheduler
from scheduler.store import sqlite_url
from scheduler.store.runs import RunFilter

SECONDS = 20.0
Give = Callable[[TaskScheduler], Awaitable[object]]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SchedulerConfig:
    """Return settings by which jobs outlive the program."""
    (tmp_path / "program").mkdir()
    (tmp_path / "state").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    return SchedulerConfig(database_url=sqlite_url(tmp_path / "state"), namespace="x", timezone="UTC")


async def work() -> None:
    """Do nothing."""


async def ids(scheduler: TaskScheduler) -> list[str]:
    """Return the ids of all jobs."""
    return [str(job["id"]) for job in await scheduler.get_jobs()]


async def count(scheduler: TaskScheduler) -> int:
    """Return how many runs there are, ended or not."""
    return len(await asyncio.to_thread(scheduler.inner.list_runs, RunFilter(task_id="job"), None, 100))


async def done(scheduler: TaskScheduler) -> None:
    """Wait until the job has been removed after its run."""
    async with asyncio.timeout(SECONDS):
        while await ids(scheduler) or not await count(scheduler):
            await asyncio.sleep(0.02)


def give(**when: Any) -> Give:
    """Return what gives a scheduler the job, the same every time."""
    kind = "date" if "run_date" in when else "interval"
    return lambda scheduler: getattr(scheduler, f"add_{kind}_job")(work, "job", remove_when_done=True, **when)


def soon() -> datetime:
    """Return a moment that comes at once."""
    return datetime.now(UTC) + timedelta(milliseconds=200)


@pytest.mark.parametrize("kind", ["date", "interval"])
def test_what_is_done_is_not_begun_anew_by_the_next_start(config: SchedulerConfig, kind: str) -> None:
    async def program() -> None:
        again = give(run_date=soon()) if kind == "date" else give(seconds=1, max_runs=1)
        async with TaskScheduler(config) as scheduler:
            await again(scheduler)
            await done(scheduler)
        for _ in range(2):
            scheduler = TaskScheduler(config)
            await again(scheduler)
            async with scheduler:
                assert (await ids(scheduler), await count(scheduler)) == ([], 1)
        await give(hours=1, max_runs=1)(scheduler)
        async with scheduler:
            assert await ids(scheduler) == ["job"]

    asyncio.run(program())


def test_a_moment_that_has_come_does_not_come_again_while_the_program_goes_on(config: SchedulerConfig) -> None:
    async def program() -> None:
        again = give(run_date=soon())
        async with TaskScheduler(config) as scheduler:
            await again(scheduler)
            await done(scheduler)
        async with TaskScheduler(config) as scheduler:
            await again(scheduler)
            assert (await ids(scheduler), await count(scheduler)) == ([], 1)

    asyncio.run(program())


def test_a_rule_that_has_ended_may_be_given_once_more_while_the_program_goes_on(config: SchedulerConfig) -> None:
    async def program() -> None:
        async with TaskScheduler(config) as scheduler:
            for number in range(2):
                await give(seconds=1, max_runs=1)(scheduler)
                await done(scheduler)
                assert await count(scheduler) == number + 1

    asyncio.run(program())
