"""What the store promises: a schema that is known, and writes that are on disk."""

from __future__ import annotations

import fcntl
import os
import re
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, NullPool, bindparam, create_engine, insert, inspect, select, text
from sqlalchemy.exc import IntegrityError

from scheduler.config import SchedulerConfig
from scheduler.errors import Conflict, SchedulerError, Unavailable, Unusable
from scheduler.models import Job, Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Database, Remembered, events, planning, runs, schema, sqlite_url, state, underway
from scheduler.store.jobs import JobFilter
from scheduler.store.prepared import Prepared
from scheduler.store.runs import RunFilter
from scheduler.store.tables import metadata, micros
from scheduler.store.tables import runs as table
from scheduler.store.tables import state as states
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import NOON, Time
from tests.postgres import Cluster, name_of


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url})


@pytest.fixture
def store(database_url: str, tmp_path: Path) -> Iterator[Database]:
    store = Database(database_url, tmp_path)
    yield store
    store.close()


def pragma(name: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(f"PRAGMA {name}")).scalar()


def test_what_is_acknowledged_is_on_disk_in_sqlite(tmp_path: Path) -> None:
    store = Database(sqlite_url(tmp_path), tmp_path)
    assert store.read(pragma("journal_mode")) == "wal"
    assert store.write(pragma("synchronous")) == 2  # FULL
    assert store.write(pragma("foreign_keys")) == 1
    store.close()


@pytest.mark.parametrize("existing", [False, True])
def test_nobody_else_may_read_the_database_or_hold_its_lock(tmp_path: Path, existing: bool) -> None:
    names = {"scheduler.db", "scheduler.db-wal", "scheduler.db-shm", "schema.lock"}
    opened = []
    before = os.umask(0)
    try:
        opened.append(Database(sqlite_url(tmp_path), tmp_path))
        if existing:  # as earlier versions left them
            for name in names:
                (tmp_path / name).chmod(0o644)
            opened.append(Database(sqlite_url(tmp_path), tmp_path))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
        for store in opened:
            store.close()
    assert modes == dict.fromkeys(names, 0o600)


def test_a_lock_that_is_never_let_go_is_told_and_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("scheduler.store.sqlite.TURN_SECONDS", 0.2)
    with (tmp_path / "schema.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match=r"schema\.lock"):
            Database(sqlite_url(tmp_path), tmp_path)
    assert [record.getMessage() for record in caplog.records] == [
        f"waiting for another process that starts, which holds the lock {tmp_path}/schema.lock"
    ]
    Database(sqlite_url(tmp_path), tmp_path).close()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"/nowhere/scheduler\.db cannot be used: No such file or directory"):
        Database(sqlite_url(tmp_path / "nowhere"), tmp_path)


def setting(name: str) -> Callable[[Connection], object]:
    return lambda connection: connection.execute(text(f"SHOW {name}")).scalar()


def test_what_is_acknowledged_is_on_disk_in_postgresql_and_nobody_waits_for_ever(
    postgres: Cluster, tmp_path: Path
) -> None:
    store = Database(postgres.new_database(), tmp_path)
    assert store.write(setting("synchronous_commit")) == "on"
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert store.write(setting(name)) != "0"
        assert store.read(setting(name)) != "0"
    assert store.read(setting("transaction_isolation")) == "repeatable read"
    store.close()


def test_the_migrations_lead_to_the_tables_that_the_code_knows(database_url: str) -> None:
    with empty(database_url) as connection:
        schema.migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_new_schema_is_the_one_that_the_migrations_lead_to(database_url: str, tmp_path: Path) -> None:
    with empty(database_url) as connection:
        schema.migrate(connection)
        migrated = described(connection)
        connection.rollback()
        everything = MetaData()
        everything.reflect(connection)
        everything.drop_all(connection)
        connection.commit()
        schema.upgrade(connection)
        assert described(connection) == migrated
        assert schema.version(connection) == schema.HEAD


def test_what_is_remembered_is_read_anew_after_a_commit_of_any_process(
    store: Database, database_url: str, tmp_path: Path
) -> None:
    asked: list[bool | None] = []

    def unit(connection: Connection) -> bool | None:
        asked.append(state.is_running(connection))
        return asked[-1]

    remembered = Remembered(store, unit)
    assert [remembered.read(), remembered.read()] == [None, None]
    assert len(asked) == (1 if store.kind == "sqlite" else 2)  # PostgreSQL counts no commits
    store.write(lambda connection: state.set_running(connection, True, NOON))
    assert remembered.read() is True
    other = Database(database_url, tmp_path)
    other.write(lambda connection: state.set_running(connection, False, NOON))
    assert remembered.read() is False
    other.close()


def test_a_commit_while_something_is_read_is_not_overlooked(store: Database) -> None:
    def unit(connection: Connection) -> bool | None:
        found = state.is_running(connection)
        if not found:
            store.write(lambda c: state.set_running(c, True, NOON))
        return found

    remembered = Remembered(store, unit)
    assert not remembered.read()
    assert remembered.read() is True


def empty(url: str) -> AbstractContextManager[Connection]:
    """Connect to an empty database."""
    return create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool).connect()


def described(connection: Connection) -> dict[str, object]:
    """Return all that a database says of its tables; columns in any order."""
    found = inspect(connection)

    def options(index: Any) -> dict[str, Any]:
        return {"unique": index["unique"], **index.get("dialect_options", {})}

    def table(name: str) -> object:
        columns = [{key: str(value) for key, value in column.items()} for column in found.get_columns(name)]
        return {
            "rows": connection.execute(text(f"SELECT * FROM {name}")).all(),
            "columns": sorted(columns, key=lambda column: column["name"]),
            "primary key": found.get_pk_constraint(name),
            "indexes": {
                str(index["name"]): (index["column_names"], {key: str(rule) for key, rule in options(index).items()})
                for index in found.get_indexes(name)
            },
            "foreign keys": found.get_foreign_keys(name),
            "unique": found.get_unique_constraints(name),
            "checks": found.get_check_constraints(name),
        }

    return {name: table(name) for name in found.get_table_names()}


def test_the_head_that_spares_a_start_the_migrations_is_the_head_of_the_migrations() -> None:
    script = ScriptDirectory(str(Path(schema.__file__).parent / "migrations"))
    assert script.get_current_head() == schema.HEAD


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str, tmp_path: Path) -> None:
    store = Database(database_url, tmp_path)
    store.write(lambda connection: connection.execute(text("UPDATE alembic_version SET version_num='9999'")) and None)
    store.close()
    before = contents(database_url)
    with pytest.raises(Unavailable, match="newer version"):
        Database(database_url, tmp_path)
    assert contents(database_url) == before


def contents(url: str) -> object:
    """Return what is in a database, as its own program would."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).read_bytes()
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), poolclass=NullPool)
    with engine.connect() as connection:
        names = sorted(inspect(connection).get_table_names())
        return {name: connection.execute(text(f"SELECT * FROM {name}")).all() for name in names}


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@host/db",
        "postgresql+psycopg2://me:secret@host/db",
        "postgresql://me:secret@host",
        "postgresql://me:secret@host:port/db",
        "secret",
        "postgresql//me:secret@host/db",
    ],
)
def test_other_databases_are_refused_with_what_to_do(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="sqlite:///PATH") as refused:
        Database(url, tmp_path)
    assert "secret" not in str(refused.value)


def test_a_database_that_refuses_is_told_without_the_password(postgres: Cluster, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="does not exist") as refused:
        Database(f"postgresql://me:secret@127.0.0.1:{postgres.port}/none?password=secret", tmp_path)
    assert "secret" not in str(refused.value)
    assert "SCHEDULER_DATABASE_URL" in str(refused.value)


def test_without_the_driver_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Unavailable, match=re.escape("[postgres]")):
        Database("postgresql://me@host/db", tmp_path)


def test_it_says_which_it_is(database_url: str, store: Database) -> None:
    assert store.kind == database_url.partition(":")[0]


def a_run(key: int, number: int = 0) -> Run:
    """Return a waiting run of a job."""
    moment = NOON + timedelta(seconds=number)
    return Run(
        run_id=f"{number:026d}",
        job_key=key,
        task_id="job",
        scheduled_for=moment,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus.QUEUED,
        priority=Priority.HIGH,
        created_at=moment,
    )


@pytest.fixture
def key(scheduler: TaskScheduler, job: Callable[..., Job]) -> int:
    """Return the key of a job in the scheduler's store."""
    return scheduler.add_job(job()).info.stored.key


def test_a_run_comes_back_as_it_went(scheduler: TaskScheduler, key: int) -> None:
    run = replace(
        a_run(key), details={"exit_code": 0, "tests": {"failing": ["a::b"]}}, started_at=NOON, cancel_reason="why"
    )
    scheduler._store.write(lambda c: runs.add_runs(c, [run]))
    assert scheduler.get_run(run.run_id) == run


def test_a_fire_time_has_one_row(scheduler: TaskScheduler, key: int) -> None:
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key)]))
    again = replace(a_run(key), run_id="another")
    with pytest.raises(runs.FireTimeTaken):
        scheduler._store.write(lambda c: runs.add_runs(c, [again]))
    assert len(scheduler.list_runs(RunFilter(), None, 10)) == 1


def test_a_task_made_anew_has_a_ledger_of_its_own(scheduler: TaskScheduler, job: Callable[..., Job], key: int) -> None:
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key)]))
    scheduler.remove_job("job")
    new = scheduler.add_job(job()).info.stored.key
    assert new != key
    scheduler._store.write(lambda c: runs.add_runs(c, [replace(a_run(new), run_id="another")]))
    assert len(scheduler.list_runs(RunFilter(task_id="job"), None, 10)) == 2


def test_a_prepared_statement_takes_values_as_any_other(scheduler: TaskScheduler, key: int) -> None:
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key)]))
    made = Prepared(
        select(table.c.run_id, table.c.created_at)
        .where(table.c.created_at == NOON, table.c.attempt == bindparam("n"), table.c.status == "queued")
        .where(table.c.task_id == bindparam("task"))
    )

    def found(task_id: str, attempt: int) -> list[Any]:
        values = {"task": task_id, "n": attempt}
        return scheduler._store.read(lambda c: made.rows(c, values))

    assert found("job", 1) == [(a_run(key).run_id, micros(NOON))]
    assert found("job", 2) == found("jo", 1) == []


def test_what_a_prepared_statement_is_refused_is_told_as_of_any_other(scheduler: TaskScheduler) -> None:
    taken = Prepared(insert(states).values(name="revision", value=1))
    asked = Prepared(select(states.c.value).where(states.c.name == "revision"))

    def unit(connection: Connection) -> int:
        before = int(asked.value(connection))
        with pytest.raises(IntegrityError), connection.begin_nested():
            taken.change(connection)
        return int(asked.value(connection)) - before  # the connection is of use as before

    assert scheduler._store.write(unit) == 0


def test_a_prepared_statement_finds_a_connection_that_was_cut(postgres: Cluster, tmp_path: Path) -> None:
    with postgres.lent_database() as url:
        store = Database(url, tmp_path)
        try:
            held = [store._readers.connect() for _ in range(3)]
            for connection in held:
                assert state.revision(connection) == 0
                connection.close()  # back to where the next reader takes it from
            postgres.cut(name_of(url))
            assert store.read(state.revision) == 0
            assert store.write(state.bump_revision) == 1
        finally:
            store.close()


def test_a_waiting_run_starts_once(scheduler: TaskScheduler, key: int) -> None:
    run = a_run(key)
    scheduler._store.write(lambda c: runs.add_runs(c, [run]))
    started = [scheduler._store.write(lambda c: runs.start_run(c, run, NOON)) for _ in range(3)]
    assert started == [True, False, False]


def test_a_run_ends_once(scheduler: TaskScheduler, key: int) -> None:
    run = replace(a_run(key), status=RunStatus.COMPLETED, finished_at=NOON)
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key)]))
    assert scheduler._store.write(lambda c: runs.finish_run(c, run))
    assert not scheduler._store.write(lambda c: runs.finish_run(c, replace(run, status=RunStatus.FAILED)))
    assert scheduler.get_run(run.run_id).status is RunStatus.COMPLETED


def test_pages_join_without_gap_or_overlap(scheduler: TaskScheduler, key: int) -> None:
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key, number) for number in range(25)]))
    found: list[str] = []
    before = None
    while page := scheduler.list_runs(RunFilter(), before, 10):
        found.extend(run.run_id for run in page)
        before = page[-1].run_id
    assert found == [f"{number:026d}" for number in reversed(range(25))]


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (JobFilter(), ["a_1", "b%2", "c"]),
        (JobFilter(tag="night"), ["a_1"]),
        (JobFilter(tag="nigh"), []),
        (JobFilter(type="test"), ["c"]),
        (JobFilter(enabled=False), ["b%2"]),
        (JobFilter(search="%"), ["b%2"]),
        (JobFilter(search="_"), ["a_1"]),
        (JobFilter(search="ÜBER"), ["c"]),
        (JobFilter(search="backup.py"), ["a_1"]),
    ],
)
def test_filters(scheduler: TaskScheduler, job: Callable[..., Job], which: JobFilter, expected: list[str]) -> None:
    scheduler.add_job(job("a_1", tags=["night", "x"], command="python backup.py"))
    scheduler.add_job(job("b%2", enabled=False))
    scheduler.add_job(job("c", type="test", command=None, name="Über alles"))
    found, count = scheduler.list_jobs(which, 0, 10)
    assert [info.stored.task_id for info in found] == expected
    assert count == len(expected)


def test_a_character_that_postgresql_does_not_take_is_kept(scheduler: TaskScheduler, job: Callable[..., Job]) -> None:
    scheduler.add_job(job("zero", name="a\0b"))
    found, _ = scheduler.list_jobs(JobFilter(), 0, 10)
    assert found[0].stored.job.name == "a\0b"
    assert scheduler.list_jobs(JobFilter(search="a\0b"), 0, 10)[1] == 1
    assert scheduler.list_jobs(JobFilter(tag="a\0b"), 0, 10)[1] == 0


def test_a_manual_run_gives_way_to_one_of_the_same_moment(scheduler: TaskScheduler, key: int) -> None:
    scheduler._store.write(lambda c: runs.add_runs(c, [a_run(key)]))
    again = replace(a_run(key), run_id="another")
    moved = scheduler._store.write(lambda c: runs.add_manual_run(c, again))
    assert moved.scheduled_for == NOON + timedelta(microseconds=1)
    assert len(scheduler.list_runs(RunFilter(), None, 10)) == 2


def test_of_writers_in_many_processes_one_creates_and_one_runs(
    config: SchedulerConfig, job: Callable[..., Job], time: Time
) -> None:
    """Each has a connection of its own that writes, as processes have, on whatever machine."""
    many = [TaskScheduler(config, time) for _ in range(4)]
    try:
        for task_id in ("a", "b", "c"):
            changes = at_once([lambda s=s, t=task_id: s.add_job(job(t)).change for s in many])  # type: ignore[misc]
            assert sorted(map(str, changes)) == ["created", "unchanged", "unchanged", "unchanged"]
            found = at_once([lambda s=s, t=task_id: s.run_now(t) for s in many])  # type: ignore[misc]
            assert sum(isinstance(run, Run) for run in found) == 1
            assert sum(isinstance(refusal, Conflict) for refusal in found) == 3
        keys = [info.stored.key for info in many[0].list_jobs(JobFilter(), 0, 10)[0]]
        assert len(keys) == 3
    finally:
        for scheduler in many:
            scheduler.close()


def at_once(calls: Sequence[Callable[[], object]]) -> list[object]:
    """Make calls at the same time and return what they return or raise."""
    together = threading.Barrier(len(calls))

    def make(call: Callable[[], object]) -> object:
        together.wait(10)
        try:
            return call()
        except SchedulerError as error:
            return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))


def test_changes_are_seen_in_their_order_and_none_twice(
    scheduler: TaskScheduler, job: Callable[..., Job], time: Time
) -> None:
    read = scheduler._store.read
    scheduler.add_job(job("a"))
    revision, plans = read(lambda c: planning.changed_since(c, 0))
    assert len(plans) == 1
    assert read(lambda c: planning.changed_since(c, revision)) == (revision, [])
    scheduler.pause_job("a")
    assert [plan.due_at for plan in read(lambda c: planning.changed_since(c, revision))[1]] == [None]
    scheduler.resume_job("a")
    scheduler.remove_job("a")
    assert [plan.due_at for plan in read(lambda c: planning.changed_since(c, revision))[1]] == [None]
    assert read(state.revision) > revision


def test_the_index_of_active_runs_is_used(scheduler: TaskScheduler) -> None:
    """Between a fire time and its start the ledger is asked what goes on: that must not grow with it."""
    if scheduler._store.read(lambda connection: connection.dialect.name) != "sqlite":
        pytest.skip("this is how SQLite plans")
    query = str(underway._ACTIVE_OF.statement.compile(compile_kwargs={"literal_binds": False}))

    def plan(connection: Connection) -> str:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query.replace(':job', '1')}")
        return " ".join(str(row[-1]) for row in rows)

    assert "runs_active" in scheduler._store.read(plan)


def test_jobs_of_which_something_is_expected_are_found(config: SchedulerConfig, time: Time) -> None:
    named = {"notify_targets": {"hook": {"webhook": "http://localhost/", "secret": "s"}}}
    scheduler = TaskScheduler(SchedulerConfig(**{**dict(config), **named}), time)

    def add(task_id: str, **fields: Any) -> int:
        says = "echo '\"expect\":{'"
        job = Job(task_id=task_id, type="command", command=says, interval="hourly", notify={"to": ["hook"]}, **fields)
        return scheduler.add_job(job).info.stored.key

    try:
        plain, expecting = add("plain"), add("expecting", expect={"every": "1 day"})
        before, found = scheduler._store.read(lambda c: planning.expecting_since(c, -1))
        assert found == {expecting: True}
        scheduler.remove_job("expecting")
        scheduler.pause_job("plain")
        changed = scheduler._store.read(lambda c: planning.expecting_since(c, before))[1]
        assert changed == {expecting: False, plain: False}
        assert scheduler._store.read(lambda c: runs.nth_success(c, plain, 1)) is None
    finally:
        scheduler.close()


def test_events_are_kept_alike_in_either_database(
    scheduler: TaskScheduler, job: Callable[..., Job], time: Time
) -> None:
    scheduler.add_job(job("a"))
    run = scheduler.run_now("a")
    scheduler._store.write(lambda connection: runs.start_run(connection, run, time.now))
    scheduler._store.write(lambda connection: runs.interrupt_running(connection, "it died", time.now))
    found = scheduler._store.read(lambda connection: events.after(connection, 0, 100))
    assert [event.kind for event in found] == ["task.created", "run.queued", "run.started", "run.finished"]
    assert [event.at for event in found] == [NOON] * 4
    assert found[-1].data["reason"] == "it died"
    assert scheduler._store.write(lambda connection: events.trim(connection, 2, NOON - timedelta(days=1), 100)) == 2
    assert scheduler._store.read(state.events_trimmed) == found[1].id
    assert scheduler._store.read(events.newest) == found[-1].id
