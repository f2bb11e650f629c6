"""On PostgreSQL the lease is a connection's: it ends with it, and whoever lost it starts nothing."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from scheduler.attempts import Assignment
from scheduler.config import SchedulerConfig
from scheduler.errors import Unavailable
from scheduler.ids import new_run_id
from scheduler.lease import LeaseLost, NotifyDoorbell, Ring, SessionLease, open_lease
from scheduler.models import Job, utc_now
from scheduler.recovery import recover
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Database, jobs, patience, runs
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox import KILLED, UNKNOWN
from tests.owned_time import NOON, Time
from tests.postgres import Cluster, name_of
from tests.scheduler.test_dispatcher import Desk
from tests.server import wait_until

Process = tuple[Database, SessionLease, NotifyDoorbell]
OF_LEASE = f"starts_with(application_name, 'task-scheduler {os.getpid()} ')"


@pytest.fixture
def url(postgres: Cluster) -> str:
    return f"{postgres.new_database()}?connect_timeout=2"


@pytest.fixture
def make(url: str, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Make what a process has: a store, a lease and a doorbell."""
    made: list[Process] = []

    def make() -> Process:
        store = Database(url, tmp_path)
        lease, bell = open_lease(store, tmp_path)
        assert isinstance(lease, SessionLease)
        assert isinstance(bell, NotifyDoorbell)
        made.append((store, lease, bell))
        return made[-1]

    yield make
    for store, lease, bell in made:
        lease.release()
        bell.close()
        store.close()


def test_one_holds_it_until_it_gives_it_up(make: Callable[[], Process]) -> None:
    (_, first, _), (_, second, _) = make(), make()
    assert first.holder() is None
    assert not first.is_held()
    assert first.try_acquire()
    assert first.try_acquire()
    assert not second.try_acquire()
    assert (second.held, second.is_held()) == (False, True)
    assert second.holder() == (os.getpid(), socket.gethostname())
    first.release()
    wait_until(second.try_acquire, what="the server noticing that the lease was given up")


def test_another_schema_is_another_scheduler(postgres: Cluster, url: str, tmp_path: Path) -> None:
    postgres.run(name_of(url), "CREATE SCHEMA other")
    stores = [Database(url, tmp_path), Database(f"{url}&options=-csearch_path%3Dother", tmp_path)]
    leases = [open_lease(store, tmp_path)[0] for store in stores]
    assert [lease.try_acquire() for lease in leases] == [True, True]
    for lease, store in zip(leases, stores, strict=True):
        lease.release()
        store.close()


def test_its_loss_is_noticed_at_once_and_another_may_have_it(
    postgres: Cluster, url: str, make: Callable[[], Process]
) -> None:
    (_, first, bell), (_, second, _) = make(), make()
    assert first.try_acquire()
    bell.listen()
    assert postgres.cut(name_of(url), OF_LEASE) == 1
    began = time.monotonic()
    with pytest.raises(LeaseLost):
        bell.wait(10)
    assert time.monotonic() - began < 1
    assert not first.held
    assert second.try_acquire()
    assert not first.try_acquire()


def test_a_lock_that_is_gone_though_the_connection_is_not_is_a_loss(make: Callable[[], Process]) -> None:
    _, lease, bell = make()
    assert lease.try_acquire()
    bell.listen()
    lease.session._connection.exec_driver_sql("SELECT pg_advisory_unlock_all()")
    with pytest.raises(LeaseLost):
        bell.wait(0.1)


def test_a_ring_is_heard_within_fifty_milliseconds(make: Callable[[], Process]) -> None:
    (_, lease, bell), (_, _, other) = make(), make()
    assert lease.try_acquire()
    bell.listen()
    other.ring(Ring.JOBS)
    assert bell.wait(5) == {Ring.JOBS}  # the first ring opens a connection
    took = []
    for _ in range(20):
        began = time.perf_counter()
        other.ring(Ring.JOBS, Ring.RUNS)
        assert bell.wait(5) == {Ring.JOBS, Ring.RUNS}
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.05
    assert bell.wait(0) == frozenset()


def test_ringing_without_a_server_is_no_error(postgres: Cluster, url: str, make: Callable[[], Process]) -> None:
    _, _, bell = make()
    bell.ring(Ring.JOBS)
    postgres.cut(name_of(url))
    bell.ring(Ring.JOBS)


@pytest.fixture
def config(config: SchedulerConfig, url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": url})


def test_whoever_lost_the_lease_starts_nothing_though_he_does_not_know(
    postgres: Cluster, url: str, scheduler: TaskScheduler, time: Time, job: Callable[..., Job]
) -> None:
    scheduler.start()
    desk = Desk(scheduler, time)
    lease = scheduler._lease
    stored = scheduler.add_job(job()).info.stored
    waiting = Run(
        run_id=new_run_id(NOON), job_key=stored.key, task_id="job", scheduled_for=NOON, attempt=1,
        trigger=Origin.MANUAL, status=RunStatus.QUEUED, priority=stored.job.priority, created_at=NOON,
    )  # fmt: skip
    scheduler._store.write(lambda c: runs.add_runs(c, [waiting]))
    time.move(seconds=10)
    assert lease.try_acquire()
    assert desk.fire() == [waiting]  # held, but not entered yet
    lease.enter()
    postgres.cut(name_of(url), OF_LEASE)
    assert desk.fire() == [waiting]
    assert not scheduler._store.write(lambda c: runs.start_run(c, waiting, NOON))
    assert desk.workers.given == []
    assert desk.workers.free == 10
    with pytest.raises(LeaseLost):
        lease.try_acquire()
    assert lease.try_acquire()
    lease.enter()
    assert len(desk.fire()) == 2
    assert scheduler._store.write(lambda c: runs.start_run(c, waiting, NOON))


@pytest.mark.parametrize("reason", [KILLED, UNKNOWN])
def test_a_run_that_the_next_holder_has_killed_was_interrupted(
    postgres: Cluster, url: str, scheduler: TaskScheduler, job: Callable[..., Job], reason: str
) -> None:
    lease, executor = scheduler._lease, scheduler._executor
    stored = scheduler.add_job(job(at_least_once=True)).info.stored

    def ended(number: int, why: str) -> Run:
        begun = Run(
            run_id=new_run_id(NOON), job_key=stored.key, task_id="job", scheduled_for=NOON + timedelta(seconds=number),
            attempt=1, trigger=Origin.SCHEDULE, status=RunStatus.RUNNING, priority=stored.job.priority,
            created_at=NOON, started_at=NOON,
        )  # fmt: skip
        scheduler._store.write(lambda c: runs.add_runs(c, [begun]))
        failed = replace(begun, status=RunStatus.FAILED, finished_at=NOON, details={"reason": why})
        executor._finish(Assignment(failed, stored.job, stored.zone))
        scheduler._store.probe()  # written after that
        return scheduler.get_run(begun.run_id)

    scheduler.start()
    assert lease.try_acquire()
    lease.enter()
    assert ended(1, reason).status is RunStatus.FAILED  # the kernel or somebody else has killed it
    postgres.cut(name_of(url), OF_LEASE)
    assert ended(2, "exit code 1").status is RunStatus.FAILED
    run = ended(3, reason)
    assert (run.status, run.details) == (RunStatus.INTERRUPTED, {"reason": "another server took the lease"})
    again = scheduler.last_attempt(run.run_id)
    assert (again.attempt, again.status) == (2, RunStatus.QUEUED)


def test_a_connection_cut_while_idle_costs_nobody_an_error(
    postgres: Cluster, url: str, scheduler: TaskScheduler, job: Callable[..., Job]
) -> None:
    scheduler.add_job(job("a"))
    scheduler.get_job("a")
    postgres.cut(name_of(url))
    scheduler.get_job("a")
    postgres.cut(name_of(url))
    scheduler.add_job(job("b"))
    assert scheduler._store.trouble is None


def test_a_commit_whose_answer_is_lost_is_told_as_such(
    postgres: Cluster, url: str, scheduler: TaskScheduler, job: Callable[..., Job]
) -> None:
    store = scheduler._store
    # A deferred trigger runs in the commit itself.
    postgres.run(name_of(url), "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
                 "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'")  # fmt: skip
    postgres.run(name_of(url), "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON jobs DEFERRABLE INITIALLY DEFERRED "
                 "FOR EACH ROW EXECUTE FUNCTION die()")  # fmt: skip
    with pytest.raises(Exception, match="not known whether"):
        scheduler.add_job(job("a"))
    assert store.doubts == 1
    assert store.trouble is not None
    assert store.read(jobs.count_jobs) == 0
    store.probe()
    assert store.trouble is None


def test_a_server_that_stands_still_is_not_waited_for_for_ever(
    postgres: Cluster, scheduler: TaskScheduler, job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "ANSWER_SECONDS", 0.5)
    scheduler.add_job(job("a"))
    lease = scheduler._lease
    assert lease.try_acquire()
    with postgres.frozen():
        for call in (lambda: scheduler.get_job("a"), lambda: scheduler.add_job(job("b")), lease.try_acquire):
            began = time.monotonic()
            with pytest.raises((Unavailable, LeaseLost)):
                call()
            assert time.monotonic() - began < 15
    assert scheduler.add_job(job("b")).change == "created"


def test_a_holder_that_gets_its_lease_back_keeps_its_runs(
    scheduler: TaskScheduler, tmp_path: Path, job: Callable[..., Job]
) -> None:
    stored = scheduler.add_job(job()).info.stored
    store = scheduler._store
    mine, other = (
        Run(run_id=new_run_id(NOON), job_key=stored.key, task_id="job", scheduled_for=NOON, attempt=attempt,
            trigger=Origin.SCHEDULE, status=RunStatus.RUNNING, priority=stored.job.priority, created_at=NOON)
        for attempt in (1, 2)
    )  # fmt: skip
    store.write(lambda c: runs.add_runs(c, [mine, other]))
    (tmp_path / "tmp" / mine.run_id).mkdir(parents=True)
    found = recover(store, utc_now, tmp_path / "tmp", scheduler._executor.teller, lambda run_id: run_id == mine.run_id)
    assert found.interrupted == [other.run_id]
    assert scheduler.get_run(mine.run_id) == mine
    assert (tmp_path / "tmp" / mine.run_id).exists()
