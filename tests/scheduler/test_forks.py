"""What belongs to a process is not shared with those that are forked off from it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from scheduler import Job, RunStatus, SchedulerConfig, TaskScheduler, forks
from scheduler.errors import Unusable
from scheduler.lease import FileLease, open_lease
from scheduler.locks import lock_file, try_lock
from scheduler.metrics.book import Book
from scheduler.metrics.counts import Counts
from scheduler.store import Database, jobs
from tests.postgres import Cluster
from tests.server import wait_until

ROOT = Path(__file__).parents[2]
SECONDS = 20.0


@contextmanager
def forked() -> Iterator[None]:
    """Have a process that was forked off from this one, and lives as long as the block."""
    ended, end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(end)
        os.read(ended, 1)
        os._exit(0)
    try:
        yield
    finally:
        os.close(end)
        os.close(ended)
        os.waitpid(child, 0)


def test_a_lease_that_is_given_up_is_free_though_a_child_lives(tmp_path: Path) -> None:
    first, second = FileLease(tmp_path / "lease"), FileLease(tmp_path / "lease")
    assert first.try_acquire()
    with forked():
        assert second.is_held()
        first.release()
        assert not second.is_held()
        assert second.try_acquire()
    assert not first.try_acquire()
    second.release()


def test_a_lock_is_let_go_though_a_child_lives(tmp_path: Path) -> None:
    with suppress(RuntimeError), lock_file(tmp_path / "lock") as file:
        assert try_lock(file)
        forking = forked()
        forking.__enter__()
        raise RuntimeError
    with lock_file(tmp_path / "lock") as file:
        assert try_lock(file)
    forking.__exit__(None, None, None)


def test_what_was_closed_before_the_fork_takes_nothing_from_the_child(tmp_path: Path) -> None:
    mine = socket.socket(socket.AF_UNIX)
    forks.keep(mine)
    number = mine.fileno()
    mine.close()
    file = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    assert file == number  # given anew
    child = os.fork()
    if child == 0:
        os.write(file, b"the child's")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.pread(file, 100, 0) == b"the child's"
    os.close(file)


_HOLDER = """
import os, sys, time
from pathlib import Path
from scheduler.errors import Unusable
from scheduler.lease import open_lease
from scheduler.store import Database, jobs
from tests.postgres import Cluster

lease, bell = open_lease(Database(sys.argv[1], Path(sys.argv[2])), Path(sys.argv[2]))
assert lease.try_acquire()
bell.listen()
if child := os.fork():
    print(child, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    database = Database(database_url, tmp_path)
    yield database
    database.close()


def test_the_lease_of_a_killed_process_is_free_though_a_child_of_it_lives(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, database_url, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdin
    assert holder.stdout
    child = int(holder.stdout.readline())
    lease, bell = open_lease(database, tmp_path)
    assert not lease.try_acquire()
    holder.kill()
    holder.wait(SECONDS)
    wait_until(lease.try_acquire, what="the lease of a process that is dead")
    os.kill(child, 0)
    lease.release()
    bell.close()
    holder.stdin.close()  # which ends the child, too
    holder.stdout.close()


def test_cycles_go_on_though_a_job_has_forked(config: SchedulerConfig) -> None:
    forking = forked()
    scheduler = TaskScheduler(config)
    scheduler.add_callable(forking.__enter__, task_id="fork", schedule_type="manual")
    scheduler.add_job(Job(id="true", command="true", schedule_type="manual"))
    for task_id in ("fork", "true", "true"):
        scheduler.run_now(task_id)
        assert [(run.task_id, run.status) for run in scheduler.run_once()] == [(task_id, RunStatus.COMPLETED)]
    forking.__exit__(None, None, None)
    scheduler.close()


def test_a_scheduler_that_is_closed_is_succeeded_though_a_child_of_its_process_lives(config: SchedulerConfig) -> None:
    first = TaskScheduler(config)
    first.start()
    wait_until(first.has_clock, what="the first one firing")
    with forked():
        first.close()
        with TaskScheduler(config) as second:
            wait_until(second.has_clock, what="the next one firing")
            second.add_job(Job(id="true", command="true", schedule_type="manual"))
            run = second.run_now("true")
            assert second.watch.wait([run.run_id], SECONDS)


def test_counts_are_written_though_a_child_lives(tmp_path: Path) -> None:
    book = Book(tmp_path)
    with book._locked():
        forking = forked()
        forking.__enter__()
    book.add(Counts())
    forking.__exit__(None, None, None)


def url_of(path: Path) -> str:
    """Return the URL of a database in a file."""
    return f"sqlite:///{path}"


def in_child(try_it: Callable[[], object]) -> str:
    """Return what an attempt in a process that is forked off comes to: "done", or its error."""
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try_it()
            said = "done"
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(tell, said.encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with os.fdopen(told) as answer:
        return answer.read()


@pytest.mark.parametrize("way", ["same name", "link"])
def test_a_child_opens_no_sqlite_file_that_its_parent_has_open(tmp_path: Path, way: str) -> None:
    path = tmp_path / "jobs.db"
    database = Database(url_of(path), tmp_path)
    if way == "link":
        path = tmp_path / "link.db"
        path.symlink_to(tmp_path / "jobs.db")

    def open_it() -> None:
        Database(url_of(path), tmp_path).close()

    for _ in range(2):
        refused = in_child(open_it)
        assert refused.startswith(f"Unusable: the database {path} was open in the process that this one was forked off")
        assert refused.endswith("multiprocessing.get_context('spawn')")
        open_it()  # which a second one in the same process may always
    assert database.read(jobs.count_jobs) == 0
    database.close()
    assert in_child(open_it) == "done"


def test_a_child_of_a_child_opens_it_no_more_than_the_child(tmp_path: Path) -> None:
    url = url_of(tmp_path / "jobs.db")
    database = Database(url, tmp_path)

    def ask_grandchild() -> None:
        assert in_child(lambda: Database(url, tmp_path)).startswith("Unusable")

    assert in_child(ask_grandchild) == "done"
    database.close()


def test_a_child_opens_a_file_that_took_the_place_of_its_parents(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    database = Database(url_of(path), tmp_path)

    def open_another() -> None:
        for part in tmp_path.glob("jobs.db*"):
            part.rename(tmp_path / part.name.replace("jobs", "old"))
        Database(url_of(path), tmp_path).close()

    assert in_child(open_another) == "done"
    database.close()


def test_a_file_that_could_not_be_opened_is_no_open_one(tmp_path: Path) -> None:
    path = tmp_path / "jobs.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(Unusable, match="cannot be used"):
        Database(url_of(path), tmp_path)
    assert in_child(lambda: Database(url_of(path), tmp_path)).startswith(f"Unusable: the database {path} cannot be")


def test_each_child_may_have_a_database_on_a_server(postgres: Cluster, tmp_path: Path) -> None:
    url = postgres.new_database()
    database = Database(url, tmp_path)
    assert in_child(lambda: Database(url, tmp_path).close()) == "done"
    assert database.read(jobs.count_jobs) == 0
    database.close()
