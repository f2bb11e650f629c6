"""The arguments that say when: each means what it was given as, or is refused where it is written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from scheduler.aio import SchedulerConfig, TaskScheduler
from scheduler.errors import InvalidRequest
from tests.owned_time import NOON


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the program in a directory of its own."""
    monkeypatch.chdir(tmp_path)


async def nothing() -> None:
    """Do nothing."""


@pytest.mark.parametrize(
    ("give", "message"),
    [
        (lambda s: s.interval(minuts=5), "did you mean 'minutes'"),
        (lambda s: s.interval(minutes=5, max_retrys=1), "did you mean 'max_retries'"),
        (lambda s: s.interval()(nothing), "at least 1"),
        (lambda s: s.cron("61 * * * *"), "'61' in the minute field is out of range"),
        (lambda s: s.cron("0 2 * * *", hour=3), "say the same"),
        (lambda s: s.cron("0 2 * * *", jitter=3, hour=3), "expression and hour say the same"),
        (lambda s: s.cron("0 2 * * *", start_date="2027-01-01", start_at="2027-01-01"), "'start_at' say the same"),
        (lambda s: s.cron("0 2 * * *", end_date="2027-01-01", until="2027-01-02"), "'until' say the same"),
        (lambda s: s.cron("0 2 * * *", jitter=3, jitter_seconds=4), "'jitter_seconds' say the same"),
        (lambda s: s.cron("0 2 * * *", jitter="3")(nothing), "jitter_seconds' must be a number"),
        (lambda s: s.cron(hour=2, start_date="2027-01-01", start_at="2027-01-01")(nothing), "say the same"),
        (lambda s: s.interval(hours=5, trigger={"type": "cron", "hour": 3}), "'trigger' says when"),
        (lambda s: s.cron(hour=5, schedule="hourly"), "'schedule' says when"),
        (lambda s: s.at("2027-01-01", interval="hourly"), "'interval' says when"),
        (lambda s: s.at("2027-01-01", max_retrys=1), "did you mean 'max_retries'"),
        (lambda s: asyncio.run(s.add_date_job(nothing, "bad", schedule_type="hourly")), "'schedule_type' says when"),
        (lambda s: s.interval(hours=5, job_id="a", task_id="b")(nothing), "'task_id' and 'job_id' say the same"),
        (lambda s: s.interval(hours=5, type="command")(nothing), "'type' is always 'callable'"),
        (lambda s: s.cron(hour=25)(nothing), "hour"),
        (lambda s: s.at("tomorrowish")(nothing), "run_date"),
        (lambda s: s.at(0)(nothing), "run_date' must be an ISO 8601 date or time.*, not 0"),
        (lambda s: s.at(time(9))(nothing), 'run_date\' .*, not "09:00:00"'),
        (
            lambda s: asyncio.run(s.add_date_job(nothing, "bad", 0)),
            "run_date' must be an ISO 8601 date or time.*, not 0",
        ),
        (lambda s: asyncio.run(s.add_date_job(nothing, "bad", b"2027-01-01")), "date or time.*b'2027-01-01'"),
        (lambda s: s.interval(minutes=5, command="true")(nothing), "takes 'function'"),
        (lambda s: s.interval(minutes=5)("worker.ping"), "a function of this program, not 'worker.ping'"),
        (lambda s: asyncio.run(s.add_cron_job(None, "bad", hour=2)), "a function of this program, not None"),
    ],
)
def test_what_is_wrong_is_told_where_it_is_written(give: Callable[[TaskScheduler], Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        give(TaskScheduler())


def test_a_cron_expression_may_be_limited_and_spread() -> None:
    scheduler = TaskScheduler(SchedulerConfig(timezone="Europe/Berlin"))
    scheduler.cron("0 9 * * *", job_id="limited", start_date=date(2037, 1, 1), end_date=date(2037, 1, 2))(nothing)
    scheduler.cron("0 9 * * *", job_id="spread", jitter=30, start_date=None)(nothing)

    async def program() -> None:
        async with scheduler:
            limited = (await asyncio.to_thread(scheduler.inner.get_job, "limited")).stored
            trigger = limited.read_schedule().trigger
            assert [str(moment.astimezone(UTC)) for moment in islice(trigger.runs_after(NOON), 3)] == [
                "2037-01-01 08:00:00+00:00",
                "2037-01-02 08:00:00+00:00",
            ]
            spread = (await asyncio.to_thread(scheduler.inner.get_job, "spread")).stored
            assert spread.jitter_seconds == 30

    asyncio.run(program())


CLOCKS = [  # wall-clock times of Berlin: the hour that comes twice, the one that never comes, and any other
    ("2027-10-31T02:30:00", 0, "2027-10-31T00:30:00"),
    ("2027-10-31T02:30:00", 1, "2027-10-31T01:30:00"),
    ("2027-03-28T02:30:00", 0, "2027-03-28T01:00:00"),
    ("2027-03-28T02:30:00", 1, "2027-03-28T01:00:00"),
    ("2027-07-01T02:30:00", 1, "2027-07-01T00:30:00"),
]


@pytest.mark.parametrize("zones", [("Europe/Berlin", None), ("UTC", "Europe/Berlin")])
@pytest.mark.parametrize(("shown", "fold", "utc"), CLOCKS)
def test_a_moment_that_the_clocks_show_twice_may_be_the_second(
    shown: str, fold: int, utc: str, zones: tuple[str, str | None]
) -> None:
    moment = datetime.fromisoformat(shown).replace(fold=fold)
    scheduler = TaskScheduler(SchedulerConfig(timezone=zones[0]))
    scheduler.at(moment, job_id="once", timezone=zones[1])(nothing)
    scheduler.interval(hours=1, start_date=moment, job_id="from then on", timezone=zones[1])(nothing)

    async def program() -> None:
        async with scheduler:
            for job_id in ("once", "from then on"):
                stored = (await asyncio.to_thread(scheduler.inner.get_job, job_id)).stored
                assert stored.next_fire_time == datetime.fromisoformat(f"{utc}+00:00")

    asyncio.run(program())
