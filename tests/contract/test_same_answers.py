"""Both databases answer alike: the same jobs and rows are written to each, and what pages ask of them is compared."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from scheduler.auth.scopes import Caller, Scope
from scheduler.auth.sessions import SessionBook
from scheduler.config import SchedulerConfig
from scheduler.ids import RunIds
from scheduler.models import Job, JobStatus, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import jobs, planning, runs, sqlite_url, stats, tables
from scheduler.store.jobs import JobFilter
from scheduler.store.planning import Advance
from scheduler.store.runs import RunFilter
from scheduler.store.task_table import SORTS, TableQuery
from scheduler.task_scheduler import TaskScheduler
from scheduler.timelines import Span
from tests.owned_time import Answering
from tests.postgres import Cluster

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
"""A week after the clocks of Europe were set, and two days after those of America."""
DAY = timedelta(days=1)
JOBS: dict[str, dict[str, Any]] = {
    "Bravo": {"tags": ["x", "a b,c"], "interval": "every 2 hours"},
    "alpha": {"tags": ["x"], "interval": "daily at 02:30", "timezone": "Europe/Berlin"},
    "äa": {"interval": "every 40 minutes", "timezone": "America/New_York", "name": "STRAẞE 100%"},
    "Äb": {"interval": "every 1 hour", "max_runs": 1, "description": "a_b\\c"},
    "a-2": {"type": "test", "command": None, "enabled": False, "interval": "hourly"},
    "a1": {"interval": "daily at 23:45", "timezone": "Australia/Lord_Howe", "tags": ["\u00e9", "e\u0301"]},
    "_over": {"interval": "every 1 hour", "max_runs": 1},
    "filed": {"interval": "*/20 * * * *"},
    "paused": {"interval": "every 1 hour", "priority": "high"},
    "gone": {"interval": "every 1 hour"},
    "😀/%": {"interval": "monday at 09:00"},
}


@dataclass(frozen=True)
class Both:
    """The same on SQLite and on PostgreSQL."""

    sqlite: TaskScheduler
    postgres: TaskScheduler
    rows: Sequence[Run]

    def say(self, question: Callable[[TaskScheduler], Any]) -> Any:
        """Ask both, compare what they answer, and return it."""
        one, other = question(self.sqlite), question(self.postgres)
        assert one == other
        return one


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> Iterator[Both]:
    """Return both, filled; PostgreSQL sorts and lowers texts as a language does it, as most of its databases do."""
    folder = tmp_path_factory.mktemp("same")
    (folder / "data").mkdir()
    postgres.run("postgres", "CREATE DATABASE same TEMPLATE template0 LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8'")
    rows: list[Run] = []
    made = []
    for url in (sqlite_url(folder / "data"), f"postgresql://postgres@127.0.0.1:{postgres.port}/same"):
        scheduler = Answering(settings(folder, url), lambda: NOW)
        fill(scheduler)
        rows = rows or ledger({name: scheduler.get_job(name).stored.key for name in JOBS if name != "gone"})
        scheduler._store.write(lambda connection, rows=rows: runs.add_runs(connection, rows))
        made.append(scheduler)
    yield Both(made[0], made[1], rows)
    for scheduler in made:
        scheduler.close()


def settings(folder: Path, url: str) -> SchedulerConfig:
    (folder / "work").mkdir(exist_ok=True)
    return SchedulerConfig(data_dir=folder / "data", allowed_dirs=(folder / "work",), timezone="UTC", database_url=url)


def fill(scheduler: TaskScheduler) -> None:
    """Make the jobs, and let something happen to each."""
    for name, fields in JOBS.items():
        scheduler.add_job(Job(**{"task_id": name, "type": "command", "command": "true", **fields}), created_by="ann")
    scheduler.pause_job("paused", by="ann")
    scheduler.update_job("Bravo", {"priority": "low", "env": {"SECRET": "x"}}, by="bob")
    scheduler.update_job("Bravo", {"tags": ["x", "a b,c", "\u20ac"], "description": "d" * 2000}, by="ann")
    scheduler.remove_job("gone", by="ann")
    over = scheduler.get_job("_over").stored.key
    scheduler._store.write(lambda connection: planning.advance(connection, [Advance(over, None, None, 1)]))
    filed = update(tables.jobs).where(tables.jobs.c.task_id == "filed").values(origin="/etc/jobs.yaml")
    scheduler._store.write(lambda connection: connection.execute(filed))


def ledger(keys: dict[str, int]) -> list[Run]:
    """Return 600 rows of twelve days, with attempts, rows that stand for many, and some that go on."""
    chance, made, found = random.Random(11), RunIds().make, []
    moments = sorted(NOW - timedelta(seconds=chance.randrange(12 * 86400)) for _ in range(600))
    for number, moment in enumerate(moments):
        name = chance.choice([each for each in keys if each != "a-2"])
        status = chance.choice(list(RunStatus)) if number > 590 else chance.choice([s for s in RunStatus if s.is_final])
        never = status in (RunStatus.MISSED, RunStatus.SKIPPED, RunStatus.QUEUED)
        took = timedelta(microseconds=chance.randrange(1, 10**10))
        run = Run(
            run_id=made(moment), job_key=keys[name], task_id=name, scheduled_for=moment, attempt=1,
            trigger=chance.choice(list(Origin)), status=status, priority=Priority.MEDIUM, created_at=moment,
            due_at=moment - timedelta(milliseconds=chance.randrange(999)), started_at=None if never else moment,
            finished_at=moment + took if status.is_final else None,
            count=5 if status is RunStatus.MISSED else None,
            scheduled_until=moment + timedelta(hours=4) if status is RunStatus.MISSED else None,
            details={"exit_code": number % 3},
        )  # fmt: skip
        found.append(run)
        if number % 9 == 0 and status.is_final:
            found.append(replace(run, run_id=made(moment), attempt=2, status=RunStatus.COMPLETED))
    return sorted(found, key=lambda run: run.run_id)


FILTERS: list[dict[str, Any]] = [
    {},
    *(
        {"search": text}
        for text in ("", "a", "BRAV", "%", "_", "\\", "ß", "ẞ", "ä", "Ä", "\0", "€", "😀", "a_b\\c", "100%")
    ),
    *({"state": state} for state in JobStatus),
    *({"tag": tag} for tag in ("x", "a b,c", "a b", "%", "\u00e9", "e\u0301", "\0")),
    *({"type": kind} for kind in ("test", "command")),
    *({"origin": origin} for origin in ("api", "/etc/jobs.yaml", "/other", "\0")),
    *({"last": status} for status in RunStatus if status.is_final),
    {"search": "a", "state": JobStatus.PENDING, "tag": "x", "last": RunStatus.COMPLETED},
]


@pytest.mark.parametrize("which", FILTERS, ids=str)
def test_the_table_of_tasks(both: Both, which: dict[str, Any]) -> None:
    for sort, descending in product(SORTS, (False, True)):
        query = TableQuery(**which, sort=sort, descending=descending)
        both.say(lambda scheduler, query=query: scheduler.table.read(query, 1, 50))
    for number in (2, 9):
        both.say(lambda scheduler, number=number: scheduler.table.read(TableQuery(**which), number, 4))


def test_most_of_these_filters_find_something(both: Both) -> None:
    found = [both.sqlite.table.read(TableQuery(**which), 1, 50).count for which in FILTERS]
    assert sum(map(bool, found)) > 25
    assert min(found) == 0


def test_the_table_goes_by_names_as_they_are_written(both: Both) -> None:
    page = both.say(lambda scheduler: scheduler.table.read(TableQuery(), 1, 50))
    expected = ["_over", "a-2", "a1", "alpha", "Bravo", "filed", "paused", "Äb", "äa", "😀/%"]
    assert [row.info.stored.task_id for row in page.rows] == expected
    assert page.facets.origins == ["/etc/jobs.yaml"]
    assert sum(len(row.outcomes) for row in page.rows) > 200
    assert all(row.last for row in page.rows if row.info.stored.task_id != "a-2")


@pytest.mark.parametrize("limit", [1, 3, 50])
def test_figures(both: Both, limit: int) -> None:
    days = [NOW - back * DAY for back in range(9, -1, -1)]
    found = both.say(lambda scheduler: scheduler.stats(days, None, limit))
    assert found.took.longest
    assert found.task_count == 9
    for name in JOBS:
        if name != "gone":
            both.say(lambda scheduler, name=name: scheduler.stats(days, name, limit))
    typical = both.say(lambda scheduler: scheduler._store.read(lambda c: stats.typical_durations(c, JOBS)))
    assert len(typical) == 9
    assert both.say(lambda scheduler: scheduler.timeline.counts_by_day(days))


def test_the_timeline(both: Both) -> None:
    for days, slots in ((1, 600), (7, 60), (12, 5)):
        span = Span(NOW - days * DAY, NOW + DAY, slots)
        assert both.say(lambda scheduler, span=span: scheduler.timeline.lanes(span))
        drawn = both.say(lambda scheduler, span=span: scheduler.timeline.draw(None, span))
        assert sum(bar.count for lane in drawn for bar in lane.bars)
        both.say(lambda scheduler, span=span: scheduler.timeline.draw(["äa", "none", "alpha", "\0"], span))
    trouble, count = both.say(lambda scheduler: scheduler.timeline.trouble(NOW - 12 * DAY, 5))
    assert len(trouble) == 5
    assert count > 100
    assert both.say(lambda scheduler: scheduler.timeline.trouble(NOW + DAY, 5)) == ([], 0)
    assert both.say(lambda scheduler: scheduler.timeline.lateness_ms(500))
    both.say(lambda scheduler: scheduler.timeline.coming(50))


@pytest.mark.parametrize("name", [name for name in JOBS if name != "gone"])
def test_the_calendar(both: Both, name: str) -> None:
    for year in (2025, 2026, 2027):
        found = both.say(lambda scheduler, year=year: scheduler.calendar(name, year))
        counted = sum(sum(day.counts.values()) for day in found.days)
        assert bool(counted) == (year == 2026 and name != "a-2")


def test_the_history_of_changes(both: Both) -> None:
    found = both.say(lambda scheduler: scheduler.list_changes("Bravo", None, 10))
    assert [change.by for change in found] == ["ann", "bob"]
    assert both.say(lambda scheduler: scheduler.list_changes("Bravo", found[0].id, 1)) == found[1:]
    assert both.say(lambda scheduler: scheduler.list_changes("alpha", None, 10)) == []
    assert both.say(lambda scheduler: scheduler.list_changes("paused", None, 10))


def test_the_rehearsal(both: Both) -> None:
    for span, cell in ((DAY, timedelta(hours=1)), (7 * DAY, timedelta(hours=6)), (365 * DAY, DAY)):
        edges = [NOW + number * cell for number in range(span // cell + 1)]
        found = both.say(lambda scheduler, edges=edges: scheduler.rehearsals.play(edges))
        assert found.starts
        assert {one.task_id for one in found.silent} >= {"a-2", "paused", "_over"}


@pytest.mark.parametrize(
    "which",
    [
        RunFilter(),
        RunFilter("äa"),
        RunFilter(None, RunStatus.FAILED),
        RunFilter("alpha", statuses=(RunStatus.MISSED, RunStatus.FAILED)),
        RunFilter("Bravo", since=NOW - 5 * DAY, before=NOW - DAY),
        RunFilter(trigger=Origin.RETRY),
    ],
    ids=str,
)
def test_the_list_of_runs(both: Both, which: RunFilter) -> None:
    before: str | None = None
    while found := both.say(lambda scheduler, before=before: scheduler.list_runs(which, before, 40)):
        before = found[-1].run_id
    assert before is not None
    assert both.say(lambda scheduler: scheduler.list_runs(which, "~", 3))


def test_the_page_of_a_run(both: Both) -> None:
    retried = [run for run in both.rows if run.attempt == 2]
    for run in (*retried[:5], *both.rows[::60]):

        def ask(scheduler: TaskScheduler, run: Run = run) -> Any:
            key, moment = run.job_key, run.scheduled_for
            return scheduler._store.read(lambda c: (
                runs.find_run(c, run.run_id), runs.attempts(c, run), runs.last_attempt(c, run), runs.last_run(c, key),
                runs.run_for(c, key, moment), runs.run_for(c, key, moment + timedelta(hours=1)),
                runs.newest(c, key, 7), jobs.zones(c, {key}),
            ))  # fmt: skip

        found = both.say(ask)
        assert found[0] == run
        assert len(found[1]) > 1 or run not in retried
        both.say(lambda scheduler, run=run: scheduler.explain(run.task_id, run.scheduled_for))


@pytest.mark.parametrize(
    "which", [JobFilter(), JobFilter(search="ä"), JobFilter(tag="x"), JobFilter(enabled=False)], ids=str
)
def test_lists_of_tasks(both: Both, which: JobFilter) -> None:
    def show(info: Any) -> tuple[bytes, bytes]:
        return info.stored.task_id.encode(), repr(info).encode()

    assert both.say(lambda scheduler: scheduler.list_jobs(which, 0, 100))[0]
    assert both.say(lambda scheduler: scheduler.show_jobs(which, 0, 3, show).texts)
    for beyond in (2**31, 10**18 - 1):
        assert both.say(lambda scheduler, beyond=beyond: scheduler.list_jobs(which, beyond, 9))[0] == []
        assert both.say(lambda scheduler, beyond=beyond: scheduler.show_jobs(which, beyond, 9, show).texts) == []


def test_sessions(both: Both) -> None:
    ann = Caller("ann", "user", frozenset({Scope.READ}))
    for scheduler in (both.sqlite, both.postgres):
        secret, other = (scheduler.sessions.begin(ann, b"shown") for _ in range(2))
        assert scheduler.sessions.resume(secret, lambda kind, name: (ann, b"shown")) == ann
        assert scheduler.sessions.resume(secret, lambda kind, name: (ann, b"another")) is None
        scheduler.sessions.end(secret)
        assert scheduler.sessions.resume(secret, lambda kind, name: (ann, b"shown")) is None
        later = SessionBook(scheduler._store, lambda: NOW + timedelta(days=8))
        later.begin(ann, b"shown")
        assert scheduler.sessions.resume(other, lambda kind, name: (ann, b"shown")) is None, "those that are over go"
