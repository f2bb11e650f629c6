"""The store fails at one operation, for each operation of a whole scenario: nothing is lost, nothing runs twice.

Time stands still but for the steps of the scenario, so that the fire times are known: those of every tenth
second. What the clock and the holder would try again in a second, they try again at once.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Engine

from scheduler.config import SchedulerConfig
from scheduler.errors import Conflict, NotFound, Unavailable
from scheduler.models import Job
from scheduler.run import Run, RunStatus
from scheduler.store import sqlite_url
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.postgres import Cluster
from tests.server import wait_until

T = TypeVar("T")
SOON = timedelta(milliseconds=20)
EVIDENCE = 'echo "$SCHEDULER_TASK_ID $SCHEDULER_RUN_ID" >> evidence'


class Fault:
    """Fail at the n-th operation on the store: a statement that is about to be sent, or a commit."""

    def __init__(self, scheduler: TaskScheduler, at: int) -> None:
        self._at, self.count = at, 0
        self._lock = threading.Lock()
        self._aside = threading.local()
        for engine in (scheduler._store.backend.readers, scheduler._store.backend.writers):
            for name in ("do_execute", "do_execute_no_params", "do_executemany", "do_commit"):
                self._fail(engine, name)

    @property
    def came(self) -> bool:
        return self.count >= self._at

    def _fail(self, engine: Engine, name: str) -> None:
        call = getattr(engine.dialect, name)

        def operate(driver: Any, *sent: Any) -> None:
            # What an operation begins with, and how it is taken back, is part of it.
            if not (sent and sent[0].startswith(("BEGIN", "ROLLBACK", "SET ", "SHOW"))):
                self._operation(engine)
            call(driver, *sent)

        setattr(engine.dialect, name, operate)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Do not count what this thread asks: a test that waits asks the more often the slower the machine is."""
        self._aside.now = True
        try:
            yield
        finally:
            self._aside.now = False

    def _operation(self, engine: Engine) -> None:
        if getattr(self._aside, "now", False):
            return
        with self._lock:
            self.count += 1
            if self.count != self._at:
                return
        assert engine.dialect.dbapi is not None
        raise engine.dialect.dbapi.OperationalError("no space left, says the test")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything that is tried again after a second be tried again at once."""
    monkeypatch.setattr("scheduler.alarm.HAS_TIMERFD", False)  # the loop's timers go by the time of the test
    monkeypatch.setattr("scheduler.clock.LOOK_AGAIN", SOON)
    for name in ("holder.TRY_AGAIN_SECONDS", "executor.RETRY_SECONDS"):
        monkeypatch.setattr(f"scheduler.{name}", SOON.total_seconds())


def insist(call: Callable[[], T], done: type[Exception] = Unavailable) -> T | None:
    """Ask until the store takes it, as a caller does; a request that took effect before may be refused with `done`."""
    answers: list[T | None] = []

    def ask() -> bool:
        try:
            answers.append(call())
        except Unavailable:
            return False
        except done:
            answers.append(None)
        return True

    wait_until(ask)
    return answers[0]


class Scenario:
    """Tasks that are created, run, changed, asked for by hand, paused and removed; then the scheduler is stopped."""

    def __init__(self, config: SchedulerConfig, time: Time, fail_at: int) -> None:
        self.time, self.scheduler = time, TaskScheduler(config, time)
        self.fault = Fault(self.scheduler, fail_at)
        self.manual: list[str] = []

    def play(self) -> None:
        scheduler = self.scheduler
        scheduler.open()
        for task_id, fields in JOBS.items():
            job = Job(task_id=task_id, type="command", **fields)
            insist(lambda job=job: scheduler.add_job(job))  # type: ignore[misc]
        insist(scheduler.start)
        self.pass_to(10)
        insist(lambda: scheduler.update_job("steady", {"description": "changed"}))
        self.pass_to(20)
        insist(lambda: scheduler.pause_job("pausing"))
        run = insist(lambda: scheduler.run_now("steady"), Conflict)
        self.manual += [run.run_id] if run else []
        self.pass_to(30)
        insist(lambda: scheduler.resume_job("pausing"))
        insist(lambda: scheduler.remove_job("leaving"), NotFound)
        self.pass_to(40)
        insist(scheduler.stop)
        self.settled()

    def pass_to(self, second: float) -> None:
        """Let what goes on end, let time pass, and wait until all that is due by then has its row and its end."""
        wait_until(self.settled)
        self.time.now = NOON + timedelta(seconds=second)
        self.scheduler._holder.clock.look()
        wait_until(lambda: self.is_recorded() and self.settled())

    def is_recorded(self) -> bool:
        with self.fault.aside():
            plans = self.scheduler._store.read(lambda c: list(c.exec_driver_sql(DUE)))
        return all(due > (self.time.now - EPOCH) // timedelta(microseconds=1) for (due,) in plans)

    def settled(self) -> bool:
        """Whether every run has ended, but for attempts that wait for their moment."""
        with self.fault.aside():
            rows = self.scheduler.list_runs(RunFilter(), None, 1000)
        return all(row.status.is_final or (row.due_at or row.scheduled_for) > self.time.now for row in rows)


EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
DUE = "SELECT due_at FROM jobs WHERE removed_at IS NULL AND paused = false AND ended = false AND due_at IS NOT NULL"
JOBS: dict[str, dict[str, Any]] = {
    "steady": {"interval": "every 10 seconds", "command": EVIDENCE},
    "pausing": {"interval": "every 10 seconds", "command": EVIDENCE},
    "leaving": {"interval": "every 10 seconds", "command": EVIDENCE},
    "failing": {
        "interval": "every 20 seconds",
        "command": f"{EVIDENCE}; false",
        "max_retries": 1,
        "retry_delay_seconds": 5,
    },
    "once": {"interval": "in 15 seconds", "command": EVIDENCE},
}
PLANNED = {
    "steady": [10, 20, 30, 40],
    "pausing": [10, 20, 40],
    "leaving": [10, 20, 30],
    "failing": [20, 40],
    "once": [15],
}
"""What must have a row, by second. `pausing` was paused from 20 to 30; `leaving` was removed after 30."""


@contextmanager
def played(config: SchedulerConfig, at: int) -> Iterator[tuple[Scenario, Fault]]:
    scenario = Scenario(config, Time(), at)
    fault = scenario.fault
    try:
        scenario.play()
        yield scenario, fault
    finally:
        fault.count = at  # it has come, or comes no more
        scenario.scheduler.close()


def check(config: SchedulerConfig, scenario: Scenario) -> None:
    """Match the ledger with what was planned, and with what runs wrote themselves."""
    rows = insist(lambda: scenario.scheduler.list_runs(RunFilter(), None, 1000)) or []
    assert all(row.status.is_final for row in rows)
    first = [row for row in rows if row.attempt == 1 and row.trigger.value in ("schedule", "catch_up")]
    seconds = sorted((row.task_id, (row.scheduled_for - NOON).total_seconds()) for row in first)
    assert seconds == sorted((name, float(second)) for name, moments in PLANNED.items() for second in moments)
    evidence = Counter(line.split()[1] for line in (config.allowed_dirs[0] / "evidence").read_text().splitlines())
    started = {row.run_id for row in rows if row.started_at is not None}
    assert set(evidence.values()) == {1}, "a run started twice"
    assert set(evidence) == started - cut_off(rows)
    retried = {row.scheduled_for for row in rows if row.task_id == "failing" and row.attempt == 2}
    assert retried == {NOON + timedelta(seconds=second) for second in PLANNED["failing"]}
    assert set(scenario.manual) <= started


def cut_off(rows: list[Run]) -> set[str]:
    """Return the runs that may have ended before they wrote anything."""
    return {row.run_id for row in rows if row.status is RunStatus.INTERRUPTED}


def settings(folder: Path, url: str) -> SchedulerConfig:
    (folder / "workspace").mkdir(parents=True)
    return SchedulerConfig(
        allowed_dirs=(folder / "workspace",),
        data_dir=folder / "data",
        database_url=url,
        namespace="default",
        timezone="UTC",
        max_workers=4,
        sandbox="off",
        stop_grace_seconds=0,
    )


def play_with_faults(
    tmp_path: Path, database: Callable[[Path], AbstractContextManager[str]], first: int, step: int
) -> None:
    """Play the scenario with a fault at each `step`-th operation, until it is over before that many operations."""
    for at in itertools.count(first, step):
        folder = tmp_path / str(at)
        with database(folder / "data") as url:
            config = settings(folder, url)
            with played(config, at) as (scenario, fault):
                check(config, scenario)
                over = not fault.came
        if over:
            return


def sqlite(data_dir: Path) -> AbstractContextManager[str]:
    return nullcontext(sqlite_url(data_dir))


def test_nothing_fails_and_all_is_as_planned(tmp_path: Path) -> None:
    config = settings(tmp_path, sqlite_url(tmp_path / "data"))
    with played(config, 10**9) as (scenario, fault):
        check(config, scenario)
        assert fault.count > 100


def test_some_operations_fail(tmp_path: Path) -> None:
    play_with_faults(tmp_path, sqlite, 20, 100)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(1, 10))
def test_each_operation_fails_once(tmp_path: Path, first: int) -> None:
    play_with_faults(tmp_path, sqlite, first, 9)


@pytest.mark.soak
@pytest.mark.parametrize("first", [1, 4, 7])
def test_operations_fail_on_postgresql(tmp_path: Path, postgres: Cluster, first: int) -> None:
    play_with_faults(tmp_path, lambda _: postgres.lent_database(), first, 9)
