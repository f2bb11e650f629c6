"""What the process that fires looks at, and when it may spare itself a look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import pytest

from scheduler import holder as module
from scheduler.attempts import Assignment
from scheduler.errors import Unavailable
from scheduler.lease import EVERYTHING, Ring
from scheduler.models import Job
from scheduler.run import Run, RunStatus
from scheduler.store import runs
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Answering, Time
from tests.server import wait_until


@pytest.fixture
def looks(scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch) -> list[frozenset[Ring]]:
    """Return what the holder has looked at."""
    seen: list[frozenset[Ring]] = []
    monkeypatch.setattr(scheduler._holder, "_look", seen.append)
    return seen


def look_around(scheduler: TaskScheduler, is_rung: bool = False) -> None:
    scheduler._holder._look_around(is_rung)


@pytest.fixture(autouse=True)
def settled(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    """See all that there is, and again: a connection that is opened may count as a commit."""
    for _ in range(2):
        scheduler.is_running()
        look_around(scheduler)
    looks.clear()


def test_nothing_is_looked_at_while_nobody_writes(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    look_around(scheduler)
    look_around(scheduler)
    assert looks == []


def test_what_this_process_writes_is_looked_at_without_a_ring(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job]
) -> None:
    scheduler.add_job(job())
    look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_what_another_process_writes_is_looked_at_without_a_ring(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job], time: Time
) -> None:
    other = Answering(scheduler.config, time)
    other.add_job(job())
    other.close()
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_whoever_rings_is_believed(scheduler: TaskScheduler, looks: list[frozenset[Ring]]) -> None:
    look_around(scheduler, is_rung=True)
    assert looks == [EVERYTHING]


def test_a_look_that_failed_is_made_again(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], job: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler.add_job(job())

    def fail(_: frozenset[Ring]) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(scheduler._holder, "_look", fail)
        with pytest.raises(OSError, match="gone"):
            look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_from_time_to_time_it_looks_whatever_is_known(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_ANYWAY_SECONDS", 0.0)
    look_around(scheduler)
    assert looks == [EVERYTHING]


def test_where_commits_are_not_counted_each_look_is_made(
    scheduler: TaskScheduler, looks: list[frozenset[Ring]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler._store, "version", lambda: None)
    look_around(scheduler)
    look_around(scheduler)
    assert looks == [EVERYTHING, EVERYTHING]


def test_a_store_out_of_reach_is_told_once_and_once_that_it_is_back(
    scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    holder = scheduler._holder
    faults = ["full", "full", "locked", "", "", "full"]

    def look(_: bool) -> None:
        if not faults:
            holder._closing.set()
        elif (fault := faults.pop(0)) != "":
            raise Unavailable(fault)

    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(holder, "_look_around", look)
    monkeypatch.setattr(holder, "_doorbell", SimpleNamespace(wait=lambda _: frozenset()))
    monkeypatch.setattr(holder, "_closing", threading.Event())
    holder._follow_until_closed()
    failed, back = "the store cannot be followed; it is tried again and again: ", "the store is followed again"
    told = [record.getMessage() for record in caplog.records]
    assert told == [f"{failed}full", f"{failed}locked", back, f"{failed}full", back]
    assert not any(record.exc_info for record in caplog.records)


# --- a further attempt that is written while the scheduler is stopped or started ------------------


@pytest.fixture
def handed_over(scheduler: TaskScheduler, monkeypatch: pytest.MonkeyPatch) -> list[Run]:
    """Return what the workers are given, by a clock that goes by the time of the test."""
    given: list[Run] = []
    submit = lambda assignments: given.extend(item.run for item in assignments)  # noqa: E731
    monkeypatch.setattr(scheduler._executor, "submit", submit)
    scheduler._holder.clock.start()
    return given


@pytest.fixture
def fail(scheduler: TaskScheduler, job: Callable[..., Job], time: Time) -> Callable[[], None]:
    """Let a run that somebody asked for begin, and return what lets it fail; it is to be tried again in 10 seconds."""
    stored = scheduler.add_job(job(max_retries=1)).info.stored
    run = scheduler.run_now("job")
    scheduler._store.write(lambda connection: runs.start_run(connection, run, time()))
    begun = Assignment(run, stored.job, stored.zone)
    scheduler._executor.announce([begun])

    def end() -> None:
        ended = replace(run, status=RunStatus.FAILED, started_at=time(), finished_at=time())
        scheduler._executor._finish(replace(begun, run=ended))
        scheduler._store.probe()  # what was queued before is done

    return end


def attempts_begun_later(scheduler: TaskScheduler, time: Time, handed_over: list[Run]) -> list[int]:
    """Return the attempts that the workers are given when the delay of the second one is over."""
    [again] = scheduler.list_runs(RunFilter(status=RunStatus.QUEUED), None, 10)
    done_so_far = threading.Event()
    scheduler._holder.clock._call(done_so_far.set)
    assert done_so_far.wait(20)
    time.move(seconds=12)
    scheduler._holder.clock.look()
    wait_until(lambda: again in handed_over)
    return [run.attempt for run in handed_over]


def after(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, then: Callable[[], None]) -> None:
    """Let something happen in the moment after a call."""
    call = getattr(owner, name)
    monkeypatch.setattr(owner, name, lambda *args: (call(*args), then())[0])


def once(function: Callable[[], None]) -> Callable[[], None]:
    """Return a function that does something at its first call, also where that calls it again."""
    calls = [function]
    return lambda: calls.pop()() if calls else None


@pytest.mark.parametrize("behind", [None, "clear", "forget_queued", "forget_runs", "write"])
def test_an_attempt_that_follows_after_a_stop_is_made_once_whenever_the_stop_is_noticed(
    scheduler: TaskScheduler,
    time: Time,
    fail: Callable[[], None],
    handed_over: list[Run],
    monkeypatch: pytest.MonkeyPatch,
    behind: str | None,
) -> None:
    holder = scheduler._holder
    scheduler.start()
    holder._follow_state()
    scheduler.stop()
    if behind is None:
        fail()
    else:
        owners = {"clear": holder.clock, "forget_queued": holder._executor, "forget_runs": holder._dispatcher}
        with monkeypatch.context() as patch:
            after(patch, owners.get(behind, scheduler._store), behind, once(fail))
            holder._follow_state()
    holder._follow_state()
    assert attempts_begun_later(scheduler, time, handed_over) == [2]


def test_an_attempt_that_follows_during_a_start_is_made(
    scheduler: TaskScheduler,
    time: Time,
    fail: Callable[[], None],
    handed_over: list[Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holder = scheduler._holder
    scheduler.start()
    load = holder.clock.load
    monkeypatch.setattr(holder.clock, "load", lambda plans: (fail(), load(plans)))
    holder._follow_state()
    assert attempts_begun_later(scheduler, time, handed_over) == [2]


def test_an_attempt_that_follows_while_taking_over_fails_is_left_to_the_next_try(
    scheduler: TaskScheduler,
    time: Time,
    fail: Callable[[], None],
    handed_over: list[Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holder = scheduler._holder

    def break_down(_: frozenset[Ring]) -> None:
        fail()
        raise Unavailable("full")

    assert scheduler._lease.try_acquire()
    with monkeypatch.context() as broken:
        broken.setattr(holder, "_look", break_down)
        with pytest.raises(Unavailable):
            holder._take_over()
    holder._step_down()
    holder._take_over()
    assert attempts_begun_later(scheduler, time, handed_over) == [2]
