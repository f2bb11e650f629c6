"""The front door for async programs: its documented examples, and what becomes of coroutines."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from scheduler.aio import (
    JobStatus,
    Run,
    SchedulerConfig,
    TaskScheduler,
    TaskStatus,
    parse_cron_expression,
    validate_cron_expression,
)
from scheduler.errors import Conflict, NotFound
from scheduler.store import sqlite_url
from scheduler.store.runs import RunFilter

SECONDS = 20.0


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory beside the one that the program is started in."""
    (tmp_path / "program").mkdir()
    monkeypatch.chdir(tmp_path / "program")
    return tmp_path


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Look until a condition gives something true, and return that."""
    async with asyncio.timeout(SECONDS):
        while not (found := await condition()):
            await asyncio.sleep(0.02)
    return found


async def rows(scheduler: TaskScheduler, task_id: str) -> list[Run]:
    """Return the rows of a job that have ended, newest first."""
    found = await asyncio.to_thread(scheduler.inner.list_runs, RunFilter(task_id=task_id), None, 100)
    return [run for run in found if run.status.is_final]


async def nothing() -> None:
    """Do nothing."""


def test_the_documented_examples() -> None:
    config = SchedulerConfig(
        timezone="America/New_York",
        job_defaults={
            "coalesce": True,  # Combine missed runs
            "max_instances": 3,  # Max concurrent instances
            "misfire_grace_time": 60,  # Grace period (seconds)
        },
    )

    scheduler = TaskScheduler(config)
    beats = asyncio.Event()

    # Interval job - every second
    @scheduler.interval(seconds=1)
    async def heartbeat() -> None:
        beats.set()

    # Interval job - every 5 minutes
    @scheduler.interval(minutes=5)
    async def check_status() -> None:
        await nothing()

    # Daily at 2:00 AM
    @scheduler.cron(hour=2, minute=0)
    async def daily_backup() -> None:
        await nothing()

    @scheduler.cron("0 2 * * *")
    async def daily_too() -> None:
        await nothing()

    # Every Monday at 9:00 AM
    @scheduler.cron(day_of_week="mon", hour=9)
    async def weekly_report() -> None:
        await nothing()

    # First day of each month
    @scheduler.cron(day=1, hour=0, minute=0)
    async def monthly_cleanup() -> None:
        await nothing()

    @scheduler.at(datetime(2024, 12, 31, 23, 59))  # noqa: DTZ001 - as the documentation has it
    async def new_years_countdown() -> None:
        await nothing()

    async def my_async_function() -> str:
        return "done"

    async def program() -> None:
        await scheduler.start()
        await scheduler.add_cron_job(
            func=my_async_function,
            job_id="custom-job",
            cron_expression="0 2 * * *",  # 2 AM daily
        )
        await scheduler.add_interval_job(
            func=my_async_function,
            job_id="health-check",
            minutes=5,
        )
        await scheduler.pause_job("custom-job")
        assert (await scheduler.get_job("custom-job"))["status"] == "paused"
        await scheduler.resume_job("custom-job")
        assert (await scheduler.run_now("custom-job"))["result"] == "done"
        await scheduler.remove_job("custom-job")
        async with asyncio.timeout(SECONDS):
            await beats.wait()
        jobs = await scheduler.get_jobs()
        orjson.dumps(jobs)
        assert [(job["id"].rpartition(".")[2], job["trigger"]) for job in jobs] == [
            ("heartbeat", "every 1 second"),
            ("check_status", "every 5 minutes"),
            ("daily_backup", "every day at 02:00"),
            ("daily_too", "every day at 02:00"),
            ("weekly_report", "every monday at 09:00"),
            ("monthly_cleanup", "1st of the month at 00:00"),
            ("new_years_countdown", "once at 2024-12-31T23:59:00-05:00"),
            ("health-check", "every 5 minutes"),
        ]
        assert {job["max_instances"] for job in jobs} == {3}
        past = next(job["id"] for job in jobs if job["id"].endswith("countdown"))
        [run] = await until(lambda: rows(scheduler, past))
        assert run.status.value == "missed"
        await scheduler.shutdown()

    asyncio.run(program())


def test_the_documented_helpers() -> None:
    is_valid, error = validate_cron_expression("0 2 * * *")
    assert (is_valid, error) == (True, None)
    args = parse_cron_expression("0 2 * * *")
    assert args == {"minute": "0", "hour": "2", "day": "*", "month": "*", "day_of_week": "*"}
    assert JobStatus.PENDING.value == "pending"
    assert {status.value for status in JobStatus} == {
        "pending", "running", "completed", "failed", "paused", "disabled",
    }  # fmt: skip
    assert [status.value for status in TaskStatus] == ["todo", "in_progress", "in_review", "done", "cancelled"]


def test_coroutines_run_on_the_programs_loop_and_functions_in_threads() -> None:
    scheduler = TaskScheduler()

    async def where() -> bool:
        return asyncio.get_running_loop() is loop and threading.current_thread() is threading.main_thread()

    class Callable_:
        async def __call__(self) -> int:
            return 7

    async def program() -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        async with scheduler:
            await scheduler.add_interval_job(where, "coroutine", hours=1)
            await scheduler.add_interval_job(lambda: threading.current_thread().name, "plain", hours=1)
            await scheduler.add_interval_job(Callable_(), "object", hours=1)
            await scheduler.add_interval_job(functools.partial(Callable_()), "partial object", hours=1)
            await scheduler.add_interval_job(lambda: where(), "function that returns a coroutine", hours=1)
            await scheduler.add_interval_job(functools.partial(divmod, 7, 2), "partial", hours=1)
            assert (await scheduler.run_now("coroutine"))["result"] is True
            assert (await scheduler.run_now("plain"))["result"].startswith("worker-")
            assert (await scheduler.run_now("object"))["result"] == 7
            assert (await scheduler.run_now("partial object"))["result"] == 7
            assert (await scheduler.run_now("function that returns a coroutine"))["result"] is True
            assert (await scheduler.run_now("partial"))["result"] == [3, 1]

    loop: asyncio.AbstractEventLoop | None = None
    asyncio.run(program())


def test_a_coroutine_over_its_time_is_cancelled_and_tried_again_when_it_has_ended() -> None:
    scheduler = TaskScheduler()
    going, most, ended = 0, 0, 0

    async def stubborn() -> None:
        nonlocal going, most, ended
        going += 1
        most = max(most, going)
        try:
            await asyncio.sleep(SECONDS)
        finally:
            await asyncio.sleep(0.05)  # it takes its time to end
            going, ended = going - 1, ended + 1

    async def program() -> None:
        async with scheduler:
            await scheduler.add_interval_job(
                stubborn, "stubborn", hours=1, timeout_seconds=0.1, max_retries=1, retry_delay_seconds=0
            )
            run = await scheduler.run_now("stubborn")
            assert (run["status"], run["attempt"]) == ("timeout", 2)
            assert run["reason"] == "it was ended after 0.1 s"
            assert (most, ended) == (1, 2)

    asyncio.run(program())


def test_a_generator_fails_since_nobody_runs_its_body() -> None:
    scheduler = TaskScheduler()

    async def several() -> AsyncIterator[int]:
        yield 1

    async def program() -> None:
        async with scheduler:
            for generator in (several, functools.partial(several), lambda: (number for number in range(3))):
                await scheduler.add_interval_job(generator, "generator", hours=1)
                run = await scheduler.run_now("generator")
                assert run["status"] == "failed"
                assert "without 'yield'" in str(run["reason"])

    asyncio.run(program())


def test_cancel_cancels_the_coroutine() -> None:
    scheduler = TaskScheduler()

    async def program() -> None:
        begun, ended = asyncio.Event(), asyncio.Event()

        async def long() -> None:
            begun.set()
            try:
                await asyncio.sleep(SECONDS)
            finally:
                ended.set()

        async with scheduler, asyncio.timeout(SECONDS):
            await scheduler.add_interval_job(long, "long", hours=1)
            waiting = asyncio.create_task(scheduler.run_now("long"))
            await begun.wait()
            await asyncio.to_thread(scheduler.inner.cancel_job_runs, "long")
            run = await waiting
            assert ended.is_set()
            assert (run["status"], run["reason"]) == ("cancelled", "cancelled")

    asyncio.run(program())


def test_shutdown_ends_coroutines_as_interrupted(folder: Path) -> None:
    (folder / "state").mkdir()
    config = SchedulerConfig(database_url=sqlite_url(folder / "state"), namespace="x", stop_grace_seconds=0)
    scheduler = TaskScheduler(config)

    async def program() -> None:
        begun = asyncio.Event()

        async def long() -> None:
            begun.set()
            await asyncio.sleep(SECONDS)

        async with asyncio.timeout(SECONDS):
            await scheduler.start()
            await scheduler.add_date_job(long, "long")
            await begun.wait()
            await scheduler.shutdown()
            await scheduler.remove_job("long")  # not to be given again
            await scheduler.start()
            [run] = await rows(scheduler, "long")
            assert run.status.value == "interrupted"
            await scheduler.shutdown()

    asyncio.run(program())


def test_an_exception_lands_in_the_run() -> None:
    scheduler = TaskScheduler()

    @scheduler.at(datetime.now(UTC) + timedelta(hours=1), job_id="fails")
    async def fails() -> None:
        raise ValueError("boom")

    async def program() -> None:
        async with scheduler:
            run = await scheduler.run_now("fails")
            assert (run["status"], run["reason"]) == ("failed", "ValueError: boom")

    asyncio.run(program())


def test_it_can_be_started_again_with_the_same_jobs(folder: Path) -> None:
    (folder / "state").mkdir()
    scheduler = TaskScheduler(SchedulerConfig(database_url=sqlite_url(folder / "state"), namespace="again"))
    scheduler.interval(hours=1, job_id="kept")(nothing)

    async def program() -> None:
        for number in range(2):
            await scheduler.start()
            await scheduler.start()
            if number == 0:
                await scheduler.pause_job("kept")
            [job] = await scheduler.get_jobs()
            assert (job["id"], job["status"]) == ("kept", "paused")  # the same definition leaves it as it was
            await scheduler.shutdown()
            await scheduler.shutdown()

    asyncio.run(program())


def test_coroutines_go_on_with_the_next_loop_where_theirs_has_ended() -> None:
    scheduler = TaskScheduler()
    loops: list[asyncio.AbstractEventLoop] = []

    @scheduler.interval(hours=1, job_id="work")
    async def work() -> bool:
        return asyncio.get_running_loop() is loops[-1]

    async def elsewhere() -> None:
        await scheduler.start()  # while the loop that coroutines run on goes on

    async def program() -> None:
        loops.append(asyncio.get_running_loop())
        await scheduler.start()
        await asyncio.to_thread(asyncio.run, elsewhere())
        assert (await scheduler.run_now("work"))["result"] is True

    for _ in range(2):
        asyncio.run(program())
    asyncio.run(scheduler.shutdown())


def test_a_moment_that_passes_before_the_start_is_no_error() -> None:
    scheduler = TaskScheduler()
    scheduler.at(datetime.now(UTC) + timedelta(milliseconds=50), job_id="soon")(nothing)

    async def program() -> None:
        await asyncio.sleep(0.1)
        async with scheduler:
            [run] = await until(lambda: rows(scheduler, "soon"))
            assert run.status.value == "missed"  # nothing was planned before the start

    asyncio.run(program())


def test_a_date_is_its_midnight() -> None:
    scheduler = TaskScheduler(SchedulerConfig(timezone="Europe/Berlin"))
    day = datetime.now(UTC).date() + timedelta(days=30)
    scheduler.at(day, job_id="once")(nothing)
    scheduler.interval(hours=1, start_date=day, job_id="hourly")(nothing)

    async def program() -> None:
        async with scheduler:
            for job in await scheduler.get_jobs():
                assert str(job["next_run_time"]).startswith(f"{day}T00:00:00")

    asyncio.run(program())


def test_two_functions_of_one_name_need_ids() -> None:
    scheduler = TaskScheduler()

    async def program() -> None:
        for _ in range(2):  # before the start and after
            await scheduler.add_interval_job(functools.partial(divmod, 7, 2), hours=1)
            await scheduler.add_interval_job(functools.partial(divmod, 7, 2), hours=2)
            with pytest.raises(Conflict, match="give this one a job_id="):
                await scheduler.add_interval_job(functools.partial(divmod, 7, 3), hours=1)
            await scheduler.add_interval_job(functools.partial(divmod, 7, 3), "named", hours=1)
            await scheduler.add_interval_job(functools.partial(divmod, 7, 4), "named", hours=1)
            await scheduler.start()
        assert [job["id"] for job in await scheduler.get_jobs()] == ["builtins.divmod", "named"]
        assert (await scheduler.run_now("builtins.divmod"))["result"] == [3, 1]
        assert (await scheduler.run_now("named"))["result"] == [1, 3]
        await scheduler.shutdown()

    asyncio.run(program())


def test_calls_at_the_wrong_time_say_so() -> None:
    scheduler = TaskScheduler()
    scheduler.interval(hours=1, job_id="one")(nothing)
    with pytest.raises(Conflict, match="job_id="):
        scheduler.interval(hours=1, job_id="one")(lambda: None)
    with pytest.raises(Conflict, match=r"await scheduler.start\(\) first"):
        asyncio.run(scheduler.pause_job("one"))
    with pytest.raises(NotFound, match="Did you mean 'one'"):
        asyncio.run(scheduler.remove_job("on"))

    async def program() -> None:
        async with scheduler:
            with pytest.raises(Conflict, match="add_cron_job"):
                scheduler.interval(hours=1)(nothing)
            with pytest.raises(NotFound, match="Did you mean 'one'"):
                await scheduler.pause_job("on")

    asyncio.run(program())
