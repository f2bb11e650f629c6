"""How many rows the ledger takes a second, beside SQLite without anything around it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import ours
from benchmarks.limit import BareWriter, durable
from benchmarks.measure import MILLI, folder, in_child, median, per_second, seconds
from benchmarks.table import Row
from scheduler.ids import new_run_id
from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Database, planning, runs, sqlite_url
from scheduler.task_scheduler import TaskScheduler

CALLERS = 8
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def rows(quick: bool) -> list[Row]:
    """Measure."""
    span, rounds = (0.4, 1) if quick else (0.8, 3)
    ledger, bare = [], []
    for _ in range(rounds):
        ledger.append(in_child(_ledger, span))
        bare.append(in_child(_bare, span))
    one, eight, shared = ([each[place] for each in ledger] for place in range(3))
    bare_one, bare_eight, bare_shared = ([each[place] for each in bare] for place in range(3))
    return [
        Row("ledger rows, one by one", median(one), "/s", [("limit: sqlite3 WAL FULL", median(bare_one))], "8,000"),
        Row(
            f"ledger rows, {CALLERS} callers",
            median(eight),
            "/s",
            [("limit: sqlite3 WAL FULL, one thread gathers", median(bare_eight))],
            "20,000",
        ),
        Row("ledger rows, 100 to a commit", median(shared), "/s", [("limit: sqlite3, the same", median(bare_shared))]),
        *_history(10_000 if quick else 100_000),
    ]


def _history(count: int) -> list[Row]:
    """See what a long ledger of one job costs those who look at it."""
    names = ("`status`", "`get` of that job", "what a fire time asks before it starts")
    empty, full = in_child(_looks, 0), in_child(_looks, count)
    return [
        Row(f"{name}, {count:,} runs in the ledger", mine * MILLI, "ms", [("with none", other * MILLI)])
        for name, mine, other in zip(names, full, empty, strict=True)
    ]


def _looks(count: int) -> list[float]:
    with folder() as place:
        key = _a_job(place)
        store = Database(sqlite_url(place / "data"), place / "data")
        for first in range(0, count, 10_000):
            many = [_run(key, first + each) for each in range(10_000)]
            store.write(lambda connection, many=many: runs.add_runs(connection, many))  # type: ignore[misc]
        store.close()
        scheduler = TaskScheduler(ours.config(place))
        scheduler.start()
        looks: list[Callable[[], object]] = [
            scheduler.status,
            lambda: scheduler.get_job("job"),
            lambda: scheduler._store.read(lambda connection: planning.due_jobs(connection, [key])),
        ]
        found = [median([seconds(look) for _ in range(20)]) for look in looks]
        scheduler.close()
        return found


def _ledger(span: float) -> tuple[float, float, float]:
    with folder() as place:
        key = _a_job(place)
        store = Database(sqlite_url(place / "data"), place / "data")

        def add(number: int) -> None:
            row = _run(key, number)
            store.write(lambda connection: runs.add_runs(connection, [row]))

        def add_many(number: int) -> None:
            many = [_run(key, -1 - number * 100 - each) for each in range(100)]
            store.write(lambda connection: runs.add_runs(connection, many))

        one = per_second(add, 1, span)
        eight = per_second(lambda number: add(10**9 + number), CALLERS, span)
        shared = per_second(add_many, 1, span) * 100
        store.close()
        return one, eight, shared


def _a_job(place: Path) -> int:
    scheduler = TaskScheduler(ours.config(place))
    planned = scheduler.add_job(ours.command("job", ours.FAR))
    scheduler.close()
    return planned.info.stored.key


def _run(key: int, number: int) -> Run:
    moment = EPOCH + timedelta(milliseconds=number)
    return Run(
        run_id=new_run_id(datetime.now(UTC)),
        job_key=key,
        task_id="job",
        scheduled_for=moment,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus.COMPLETED,
        priority=Priority.MEDIUM,
        created_at=moment,
        due_at=moment,
        started_at=moment,
        finished_at=moment,
        details={"exit_code": 0, "usage": {"cpu_seconds": 0.001}, "sandbox": {"level": "none"}},
    )


_INSERT = "INSERT INTO runs VALUES (?, ?, ?, ?, ?)"
_DETAILS = '{"exit_code":0,"sandbox":{"level":"none"},"usage":{"cpu_seconds":0.001}}'


def _bare(span: float) -> tuple[float, float, float]:
    with folder() as place:
        connection = durable(place / "bare.db")
        connection.execute(
            "CREATE TABLE runs (run_id TEXT PRIMARY KEY, job INTEGER, due INTEGER, status TEXT, details TEXT, "
            "UNIQUE (job, due)) WITHOUT ROWID"
        )
        writer = BareWriter(connection)

        def values(number: int) -> tuple[object, ...]:
            return f"01jabcdefghjkm{number:012}", 1, number, "completed", _DETAILS

        def add_many(number: int) -> None:
            first = 2 * 10**9 + number * 100
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_INSERT, [values(first + each) for each in range(100)])
            connection.execute("COMMIT")

        one = per_second(lambda number: connection.execute(_INSERT, values(number)), 1, span)
        eight = per_second(lambda number: writer.execute(_INSERT, values(10**9 + number)), CALLERS, span)
        return one, eight, per_second(add_many, 1, span) * 100
