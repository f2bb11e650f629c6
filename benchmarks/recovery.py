"""What the ledger costs runs, how soon a long one is open again, and how long it takes to put right what a crash left.

The aims: at most a fifth of the throughput that the same executor has with a store in memory; ready to fire
within 5 s with 100,000 jobs and 1,000,000 runs; 1,000 runs that were cut off put right within 2 s.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path

from benchmarks import ours
from benchmarks.measure import MILLI, folder, in_child, median, seconds
from benchmarks.runs import asked_for
from benchmarks.table import Row
from scheduler.recovery import recover
from scheduler.run import RunStatus
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler

MEMORY = Path("/dev/shm")


def rows(quick: bool) -> list[Row]:
    """Measure."""
    count, rounds = (150, 1) if quick else (600, 3)
    kept, forgotten = [], []
    for _ in range(rounds):
        kept.append(in_child(asked_for, count, "/bin/true"))
        forgotten.append(in_child(_in_memory, count))
    jobs, cut = (10_000, 100) if quick else (100_000, 1_000)
    return [
        Row("runs recorded, the store on the disk", median(kept), "/s", [("in memory", median(forgotten))], "0.8"),
        Row(
            f"open again until ready, with {jobs:,} jobs and {jobs * 10:,} runs",
            in_child(_restart, jobs),
            "s",
            [],
            "5 s",
        ),
        Row(f"{cut:,} runs that were cut off put right", in_child(_put_right, cut) * MILLI, "ms", [], "2,000 ms"),
    ]


def _in_memory(count: int) -> float:
    """Return the rate with a store that needs no disk."""
    if not MEMORY.is_dir():
        raise RuntimeError(f"there is no file system in memory at {MEMORY}")
    tempfile.tempdir = str(MEMORY)
    return asked_for(count, "/bin/true")


def _restart(jobs: int) -> float:
    with folder() as place:
        ours.fill(place, jobs)
        _add_runs(place, "completed", 10)
        scheduler = None

        def open_again() -> None:
            nonlocal scheduler
            scheduler = TaskScheduler(ours.config(place))
            scheduler.open()
            ours.wait_until_ready(scheduler)

        ours.serve_alike(place)
        taken = seconds(open_again)
        assert scheduler is not None
        scheduler.close()
        return taken


def _put_right(count: int) -> float:
    """Return how long recovery takes where a dead server left so many runs of which no process lives."""
    with folder() as place:
        ours.fill(place, count)
        _add_runs(place, "running", 1)
        ours.serve_alike(place)
        scheduler = TaskScheduler(ours.config(place))
        taken = seconds(lambda: recover(scheduler._store, scheduler.now, lambda: None, scheduler._executor.teller))
        left = scheduler.list_runs(RunFilter(status=RunStatus.INTERRUPTED), None, 10 * count)
        assert len(left) == count, f"{len(left)} of {count} were put right"
        scheduler.close()
        return taken


def _add_runs(place: Path, status: str, each: int) -> None:
    """Put `each` rows of every job into the ledger of a scheduler that is closed."""
    connection = sqlite3.connect(place / "data" / "scheduler.db")
    connection.execute(
        "INSERT INTO runs (run_id, job_key, task_id, scheduled_for, attempt, trigger, status, priority, created_at, "
        "due_at, started_at, details) "
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?) "
        "SELECT printf('01abcdefghjkm%013d', key * 1000 + n), key, task_id, n * 1000000, 1, 'schedule', ?, 'medium', "
        "n * 1000000, n * 1000000, n * 1000000, '{}' FROM jobs, numbers",
        (each, status),
    )
    connection.commit()
    connection.close()
