"""What jobs cost that are not due: memory, idle CPU time, and the time to add, list, remove and reload them.

Idle CPU time is measured over some seconds and scaled to a minute.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from apscheduler.job import Job as ApsJob
from apscheduler.schedulers.background import BackgroundScheduler

from benchmarks import aps, ours
from benchmarks.limit import BareJobs
from benchmarks.measure import (
    MICRO,
    MILLI,
    cpu_a_minute,
    durations,
    folder,
    in_child,
    median,
    per_second,
    resident_bytes,
    seconds,
)
from benchmarks.table import Row
from scheduler.store.jobs import JobFilter
from scheduler.task_scheduler import TaskScheduler

CALLERS = 8
PAGE = 1000
MOST_OF_A_PAGE = 10_000
NOT_MEASURED = float("nan")
FAR = datetime(2090, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Costs:
    """What one contender needs with so many jobs; not a number where it was not measured."""

    memory: float = NOT_MEASURED
    idle: float = NOT_MEASURED
    add: float = NOT_MEASURED
    add_of_8: float = NOT_MEASURED
    list_all: float = NOT_MEASURED
    list_page: float = NOT_MEASURED
    remove: float = NOT_MEASURED
    reload: float = NOT_MEASURED


_TEXTS = {
    "memory": ("memory a job", "B", "1,200 B"),
    "idle": ("CPU seconds of an idle minute", "s", "0.02 s"),
    "add": ("add one, durable", "us", "150 us"),
    "add_of_8": (f"add one, durable, {CALLERS} callers: a call's share", "us", "50 us"),
    "list_all": ("list all", "ms", "100 ms of 100,000"),
    "list_page": (f"list the first {PAGE:,}", "ms", "10 ms"),
    "remove": ("remove one, durable", "ms", "0.7 ms"),
    "reload": ("open again until ready to fire", "ms", "500 ms with 100,000"),
}


def rows(quick: bool) -> list[Row]:
    """Measure."""
    sizes = (10_000,) if quick else (1000, 10_000, 100_000)
    return [row for size in sizes for row in _rows(size, 1.0 if quick else 3.0, 0.2 if quick else 0.6)]


def _rows(size: int, idle_span: float, span: float) -> list[Row]:
    contenders = {
        "APScheduler 3, memory": _aps_memory,
        "APScheduler 3, SQLite": _aps_sqlite,
        "limit: heap + sqlite3": _bare,
    }
    if size > 10_000:
        del contenders["APScheduler 3, SQLite"]
    found = [in_child(contender, size, span, idle_span) for contender in (_ours, *contenders.values())]
    return [_row(size, field.name, found, list(contenders)) for field in fields(Costs)]


def _row(size: int, name: str, found: list[Costs], names: list[str]) -> Row:
    what, unit, aim = _TEXTS[name]
    mine, *others = (getattr(costs, name) for costs in found)
    beside = [(other, value) for other, value in zip(names, others, strict=True) if value == value]
    return Row(f"{size:,} jobs: {what}", mine, unit, beside, aim)


def _idle(span: float) -> float:
    time.sleep(2.0)  # what was done before is looked at within a second
    return cpu_a_minute(span)


def _changes(costs: Costs, span: float, add: Callable[[int], object], remove: Callable[[int], object]) -> None:
    """Add for a while, by one caller and by many, then remove what was added."""
    alone = durations(add, 1, span)
    costs.add = median(alone) * MICRO
    costs.add_of_8 = MICRO / per_second(lambda number: add(10**7 + number), CALLERS, span)
    costs.remove = median([seconds(partial(remove, number)) for number in range(min(len(alone), 200))]) * MILLI


def _ours(size: int, span: float, idle_span: float) -> Costs:
    costs = Costs()
    with folder() as place:
        with ours.opened(place / "empty"):  # so that all that comes with a first job is there
            pass
        ours.fill(place, size)
        before = resident_bytes()
        begun = time.perf_counter()
        with ours.opened(place) as scheduler:
            costs.reload = (time.perf_counter() - begun) * MILLI
            while len(scheduler._holder.clock) < size:
                time.sleep(0.01)
            costs.memory = (resident_bytes() - before) / size
            costs.idle = _idle(idle_span)
            costs.list_page = seconds(lambda: scheduler.list_jobs(JobFilter(), 0, PAGE)) * MILLI
            costs.list_all = seconds(lambda: _list_all(scheduler)) * MILLI
            _changes(
                costs,
                span,
                lambda number: scheduler.add_job(ours.command(f"new-{number}", ours.FAR)),
                lambda number: scheduler.remove_job(f"new-{number}"),
            )
    return costs


def _list_all(scheduler: TaskScheduler) -> None:
    after = 0
    while page := scheduler.list_jobs(JobFilter(), after, MOST_OF_A_PAGE)[0]:
        after = page[-1].stored.key


def _aps_memory(size: int, span: float, idle_span: float) -> Costs:
    return _aps(None, size, span, idle_span)


def _aps_sqlite(size: int, span: float, idle_span: float) -> Costs:
    with folder() as place:
        return _aps(place / "jobs.db", size, span, idle_span)


def _aps(database: Path | None, size: int, span: float, idle_span: float) -> Costs:
    costs = Costs()
    scheduler = aps.started(database)

    def add(number: int) -> ApsJob:
        return scheduler.add_job(aps.nothing, "date", run_date=FAR, id=f"new-{number}")

    add(-1)
    before = resident_bytes()
    if database is None:
        for _ in range(size):
            scheduler.add_job(aps.nothing, "date", run_date=FAR)
        costs.memory = (resident_bytes() - before) / size
    else:
        _fill(scheduler, database, size)
        scheduler.shutdown()
        begun = time.perf_counter()
        scheduler = aps.started(database)
        costs.reload = (time.perf_counter() - begun) * MILLI
        costs.memory = (resident_bytes() - before) / size
    costs.idle = _idle(idle_span)
    costs.list_all = seconds(scheduler.get_jobs) * MILLI
    _changes(costs, span, add, lambda number: scheduler.remove_job(f"new-{number}"))
    scheduler.shutdown()
    return costs


def _fill(scheduler: BackgroundScheduler, database: Path, size: int) -> None:
    """Copy the one job that is there, as adding so many one by one would take minutes."""
    scheduler.pause()
    with sqlite3.connect(database) as connection:
        (_, due, state) = connection.execute("SELECT id, next_run_time, job_state FROM apscheduler_jobs").fetchone()
        rows = [(f"bulk-{number}", due, state) for number in range(size)]
        connection.executemany("INSERT INTO apscheduler_jobs VALUES (?, ?, ?)", rows)
    connection.close()


def _bare(size: int, span: float, idle_span: float) -> Costs:
    costs = Costs()
    with folder() as place:
        path = place / "jobs.db"
        BareJobs(path).fill(size)
        before = resident_bytes()
        begun = time.perf_counter()
        jobs = BareJobs(path)
        costs.reload = (time.perf_counter() - begun) * MILLI
        costs.memory = (resident_bytes() - before) / size
        costs.idle = _idle(idle_span)
        costs.list_page = seconds(lambda: jobs.list(PAGE)) * MILLI
        costs.list_all = seconds(jobs.list) * MILLI
        _changes(costs, span, lambda number: jobs.add(10**8 + number), lambda number: jobs.remove(10**8 + number))
    return costs
