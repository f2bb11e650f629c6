"""Runs that somebody asks for, in the process that fires: they begin at once, where a worker is free."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scheduler import recovery
from scheduler.config import SchedulerConfig
from scheduler.endings import UNKEPT
from scheduler.errors import Conflict, Unavailable
from scheduler.lease import Ring
from scheduler.models import Job
from scheduler.results import Ending
from scheduler.run import Run, RunStatus
from scheduler.store import Connection, events
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time
from tests.refusing import busy, refusing
from tests.server import wait_until

MakeJob = Callable[..., Job]


@pytest.fixture
def config(config: SchedulerConfig, database_url: str) -> SchedulerConfig:
    return config.model_copy(update={"database_url": database_url, "sandbox": "off", "max_workers": 1})


@pytest.fixture
def scheduler(config: SchedulerConfig, time: Time) -> Iterator[TaskScheduler]:
    with TaskScheduler(config, time) as scheduler:
        wait_until(lambda: scheduler._holder.is_ready)
        yield scheduler


@pytest.fixture
def rung(scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch) -> list[Ring]:
    """What the process that fires is told to look at, by its own calls."""
    told: list[Ring] = []
    ring = scheduler._doorbell.ring

    def note(*what: Ring) -> None:
        told.extend(what)
        ring(*what)

    monkeypatch.setattr(scheduler._doorbell, "ring", note)
    return told


def ended(scheduler: TaskScheduler, run: Run) -> Run:
    assert scheduler.watch.wait([run.run_id], 20)
    return scheduler.get_run(run.run_id)


def told_of(scheduler: TaskScheduler, run: Run) -> list[str]:
    found = scheduler._store.read(lambda connection: events.after(connection, 0, 1000))
    return [event.kind.value for event in found if event.run_id == run.run_id]


def test_one_begins_in_the_transaction_that_writes_it(scheduler: TaskScheduler, job: MakeJob, rung: list[Ring]) -> None:
    scheduler.add_job(job("a"))
    run = scheduler.run_now("a")
    assert run.status is RunStatus.RUNNING
    assert ended(scheduler, run).status is RunStatus.COMPLETED
    assert told_of(scheduler, run) == ["run.queued", "run.started", "run.finished"]
    assert Ring.RUNS not in rung


def test_one_waits_where_no_worker_is_free(
    scheduler: TaskScheduler, config: SchedulerConfig, job: MakeJob, rung: list[Ring]
) -> None:
    let_go = config.allowed_dirs[0] / "let-go"
    scheduler.add_job(job("long", command="until test -e let-go; do sleep 0.02; done"))
    scheduler.add_job(job("a"))
    long, short = scheduler.run_now("long"), scheduler.run_now("a")
    assert (long.status, short.status) == (RunStatus.RUNNING, RunStatus.QUEUED)
    assert rung[-1] is Ring.RUNS
    let_go.touch()
    assert ended(scheduler, short).status is ended(scheduler, long).status is RunStatus.COMPLETED


def test_one_that_is_refused_takes_no_worker(scheduler: TaskScheduler, config: SchedulerConfig, job: MakeJob) -> None:
    scheduler.add_job(job("long", command="until test -e let-go; do sleep 0.02; done", max_instances=1))
    run = scheduler.run_now("long")
    for _ in range(3):
        with pytest.raises(Conflict, match="already has 1 of at most 1"):
            scheduler.run_now("long")
    (config.allowed_dirs[0] / "let-go").touch()
    ended(scheduler, run)
    wait_until(lambda: scheduler._executor._free == 1)
    assert scheduler.run_now("long").status is RunStatus.RUNNING


def test_one_that_the_store_refuses_takes_no_worker(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    with refusing(scheduler._store), pytest.raises(Unavailable):
        scheduler.run_now("a")
    assert scheduler._executor._free == 1
    assert ended(scheduler, scheduler.run_now("a")).status is RunStatus.COMPLETED


def test_one_whose_outcome_cannot_be_written_ends(
    scheduler: TaskScheduler, job: MakeJob, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It would go on for ever otherwise, and its job would never run again."""
    scheduler.add_job(job("a", max_instances=1))
    endings = [Ending(RunStatus.FAILED, {}), Ending(RunStatus.COMPLETED, {})]
    for ending in endings:
        object.__setattr__(ending, "details", {"result": object()})
    monkeypatch.setattr(scheduler._executor._attempts, "make", lambda _: endings.pop(0))
    failed, completed = (ended(scheduler, scheduler.run_now("a")) for _ in range(2))
    assert (failed.status, failed.details) == (RunStatus.FAILED, {"reason": UNKEPT})
    assert (completed.status, completed.details) == (RunStatus.COMPLETED, {"hint": UNKEPT})
    assert "what came of a run cannot be kept" in caplog.text


def test_one_that_breaks_by_a_fault_of_ours_ends(
    scheduler: TaskScheduler, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: Any) -> Any:
        raise LookupError("a fault")

    scheduler.add_job(job("a", max_instances=1))
    with monkeypatch.context() as changed:
        changed.setattr(scheduler._executor._attempts, "make", fail)
        run = ended(scheduler, scheduler.run_now("a"))
    assert (run.status, run.details) == (RunStatus.FAILED, {"reason": "internal error: LookupError: a fault"})
    assert run.started_at is not None
    assert ended(scheduler, scheduler.run_now("a")).status is RunStatus.COMPLETED


def test_one_during_which_the_clock_was_set_back_took_as_long_as_it_did(
    scheduler: TaskScheduler, config: SchedulerConfig, job: MakeJob, time: Time
) -> None:
    scheduler.add_job(job("a", command="until test -e let-go; do sleep 0.02; done"))
    run = scheduler.run_now("a")
    wait_until(lambda: scheduler.get_run(run.run_id).status is RunStatus.RUNNING)
    time.move(hours=-1)
    (config.allowed_dirs[0] / "let-go").touch()
    duration = ended(scheduler, run).duration_ms
    assert duration is not None
    assert 0 <= duration < 20_000


def test_one_of_a_function_that_is_not_registered_here_is_skipped(scheduler: TaskScheduler) -> None:
    def count() -> None:
        raise AssertionError("it is not registered any more")

    scheduler.add_callable(count, interval="every 1 hour", task_id="count")
    scheduler.callables.forget("count")
    run = scheduler.run_now("count")
    assert ended(scheduler, run).status is RunStatus.SKIPPED


def test_one_that_is_asked_for_inside_a_transaction_begins_only_after_it(
    scheduler: TaskScheduler, job: MakeJob
) -> None:
    scheduler.add_job(job("a"))
    asked: list[Run] = []

    class Undone(Exception):
        pass

    def unit(connection: Connection) -> Any:
        asked.append(scheduler.on(connection).run_now("a"))
        raise Undone

    with pytest.raises(Undone):
        scheduler._store.write(unit)
    assert {run.status for run in asked} == {RunStatus.QUEUED}
    assert scheduler.get_runs([run.run_id for run in asked]) == []
    assert scheduler._executor._free == 1


def test_one_that_is_kept_with_its_answer_begins_at_once(scheduler: TaskScheduler, job: MakeJob) -> None:
    scheduler.add_job(job("a"))
    shown: list[object] = []

    def around(connection: Connection, unit: Callable[[Connection], Any]) -> Any:
        shown[:] = [unit(connection)]
        return shown[0]

    run = scheduler.within(around).run_now("a")
    assert shown == [run]
    assert run.status is RunStatus.RUNNING
    assert ended(scheduler, run).status is RunStatus.COMPLETED


def test_a_thread_that_has_not_taken_its_run_yet_is_not_counted_on_for_another(
    config: SchedulerConfig, time: Time, job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs that wait for each other, asked for while the only thread is slow to wake."""
    with TaskScheduler(config.model_copy(update={"max_workers": 2}), time) as scheduler:
        wait_until(lambda: scheduler._holder.is_ready)
        for mine, other in (("a", "b"), ("b", "a")):
            scheduler.add_job(job(mine, command=f"touch {mine}; until test -e {other}; do sleep 0.02; done"))
        scheduler.add_job(job("first"))
        ended(scheduler, scheduler.run_now("first"))
        executor = scheduler._executor
        wait_until(lambda: len(executor._work._waiters) == 1)  # type: ignore[attr-defined]
        assert len(executor._threads) == 1
        with monkeypatch.context() as patch:
            patch.setattr(executor._work, "notify", lambda _=1: None)
            both = [scheduler.run_now("a"), scheduler.run_now("b")]
        with executor._work:
            executor._work.notify()
        assert {ended(scheduler, run).status for run in both} == {RunStatus.COMPLETED}


def put_right(scheduler: TaskScheduler) -> Callable[[Connection], object]:
    """What a holder does first that starts over: end the rows of runs that nobody here knows."""
    executor, now = scheduler._executor, scheduler.now()
    return lambda connection: recovery._put_right(connection, now, executor.teller, executor.knows)


def test_one_that_shares_a_transaction_with_a_start_over_is_not_taken_for_cut_off(
    scheduler: TaskScheduler, job: MakeJob
) -> None:
    scheduler.add_job(job("a"))
    with ThreadPoolExecutor(1) as pool:
        with busy(scheduler._store):
            asked = pool.submit(scheduler.run_now, "a")
            wait_until(lambda: scheduler._store._writer._queue.qsize() == 1)
            scheduler._store.write_soon(put_right(scheduler), lambda _: None)
        run = asked.result(20)
    assert ended(scheduler, run).status is RunStatus.COMPLETED
    assert scheduler._executor._announced == set()


def test_a_fire_time_that_shares_a_transaction_with_a_start_over_is_not_taken_for_cut_off(
    scheduler: TaskScheduler, time: Time, job: MakeJob
) -> None:
    scheduler.start()
    scheduler.add_job(job("a", interval="in 5 seconds"))
    wait_until(lambda: len(scheduler._holder.clock) == 1)
    with busy(scheduler._store):
        time.move(seconds=5)
        scheduler._holder.clock.look()
        wait_until(lambda: scheduler._store._writer._queue.qsize() == 1)
        scheduler._store.write_soon(put_right(scheduler), lambda _: None)
    [run] = wait_until(lambda: scheduler.list_runs(RunFilter(), None, 10))
    assert ended(scheduler, run).status is RunStatus.COMPLETED
    assert scheduler._executor._announced == set()
