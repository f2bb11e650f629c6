"""Functions as jobs: what can be called, and which functions are one job."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scheduler import TaskScheduler
from scheduler import callables as module
from scheduler.callables import Callables
from scheduler.errors import Conflict, InvalidRequest
from tasks.base import TaskResult
from tasks.sandbox import Cancellation


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Start the program in an empty directory."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("worker.ping", r"not 'worker\.ping'\. .* Job\(func='worker\.ping'\), given to add_job"),
        (None, "not None"),
        (5, "not 5"),
    ],
)
def test_what_cannot_be_called_is_refused(function: Any, message: str) -> None:
    with TaskScheduler() as scheduler, pytest.raises(InvalidRequest, match=f"a function of this program, {message}"):
        scheduler.add_callable(function, schedule_type="manual", task_id="bad")


class Greeter:
    """Have a method, and be callable, too."""

    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self) -> str:
        """Greet."""
        return f"hello {self.name}"

    __call__ = greet


def greeting(name: str) -> Callable[[], str]:
    """Make a function that greets somebody."""
    return lambda: f"hello {name}"


def written(body: str) -> Callable[[], Any]:
    """Load a module with one function, as if its file had just been written."""
    module: dict[str, Any] = {"__name__": "module"}
    exec(f"def tidy():\n    {body}", module)
    function: Callable[[], Any] = module["tidy"]
    return function


ANN, BOB = Greeter("Ann"), Greeter("Bob")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (partial(greeting, "Ann"), partial(greeting, "Bob")),
        (greeting("Ann"), greeting("Bob")),
        (lambda: "hello Ann", lambda: "hello Bob"),
        (ANN.greet, BOB.greet),
        (ANN, BOB),
    ],
    ids=["partials", "closures", "lambdas", "methods", "objects"],
)
def test_two_functions_of_one_name_need_ids(one: Callable[[], Any], other: Callable[[], Any]) -> None:
    with TaskScheduler() as scheduler:
        scheduler.add_callable(one, interval="hourly")
        with pytest.raises(Conflict, match="another function: give this one a task_id="):
            scheduler.add_callable(other, interval="hourly")
        scheduler.add_callable(other, interval="hourly", task_id="other")
        with pytest.raises(Conflict, match="another function"):
            scheduler.add_callable(one, interval="hourly", task_id="other", replace=False)
        scheduler.add_callable(one, interval="hourly", task_id="other")
        assert len(scheduler.jobs) == 2


@pytest.mark.parametrize(
    "give",
    [
        lambda: print,
        lambda: partial(greeting, name="Ann"),
        lambda: greeting("Ann"),
        lambda: ANN.greet,
        lambda: ANN,
    ],
    ids=["builtin", "partial", "closure", "method", "object"],
)
def test_a_function_given_again_may_have_another_schedule(give: Callable[[], Callable[[], Any]]) -> None:
    with TaskScheduler() as scheduler:
        scheduler.add_callable(give(), interval="hourly")
        assert scheduler.add_callable(give(), interval="hourly").change == "unchanged"
        assert scheduler.add_callable(give(), interval="every 2 hours").change == "replaced"


def test_a_module_that_is_loaded_again_gives_its_function_again() -> None:
    with TaskScheduler() as scheduler:
        scheduler.add_callable(written("return 1"), interval="hourly")
        assert scheduler.add_callable(written("return 2"), interval="hourly").change == "unchanged"
        run = scheduler.run_now("module.tidy")
        assert scheduler.watch.wait([run.run_id], seconds=20)
        assert scheduler.get_run(run.run_id).result == 2


def test_a_coroutine_is_refused_with_the_function_that_made_it() -> None:
    async def work() -> None: ...

    coroutine = work()
    with TaskScheduler() as scheduler, pytest.raises(InvalidRequest, match="give the function itself, work, without"):
        scheduler.add_callable(coroutine, schedule_type="manual", task_id="bad")
    coroutine.close()


# --- coroutines ------------------------------------------------------------------------------------


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Return a loop that stands still."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(asyncio.sleep(0))  # whatever was left on it
    loop.close()


def called(loop: asyncio.AbstractEventLoop, function: Callable[[], Any], timeout_seconds: float = 60) -> TaskResult:
    """Call a function as a run does, and return its result."""
    callables = Callables()
    callables.move_to(loop)
    with callables.registered("job", function):
        return callables.call("job", timeout_seconds, Cancellation()).result


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a loop that stands still up at once."""
    monkeypatch.setattr(module, "STANDS_STILL_SECONDS", 0.0)
    monkeypatch.setattr(module, "LOOK_AGAIN_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
def test_a_coroutine_never_begins_on_a_loop_that_stands_still(loop: asyncio.AbstractEventLoop) -> None:
    begun = []

    async def begin() -> None:
        begun.append(True)

    result = called(loop, begin)
    assert (result.status, result.reason) == ("failed", "the program's event loop stands still")
    loop.run_until_complete(asyncio.sleep(0))
    assert begun == []


def test_a_coroutine_whose_loop_stops_is_cancelled_when_it_runs_again(
    loop: asyncio.AbstractEventLoop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    async def wait() -> None:
        monkeypatch.setattr(module, "STANDS_STILL_SECONDS", 0.0)
        loop.stop()
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(True)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    result = called(loop, wait)
    thread.join()
    assert (result.status, result.reason) == ("cancelled", "the program's event loop stands still")
    assert ended == []
    # The numbers of the bells are given to others by now.
    files = [(tmp_path / str(number)).open("wb") for number in range(10)]
    loop.run_until_complete(asyncio.sleep(0.01))
    assert ended == [True]
    assert [Path(file.name).read_bytes() for file in files] == [b""] * 10
    for file in files:
        file.close()


def test_a_loop_that_runs_now_and_then_has_not_ended(loop: asyncio.AbstractEventLoop) -> None:
    awaited = module._Awaited(loop, asyncio.sleep(0))
    awaited._ran_at -= 2 * module.STANDS_STILL_SECONDS
    assert awaited._has_ended()
    loop.run_until_complete(asyncio.sleep(0))
    assert not awaited._has_ended()
    module._give_up(awaited._value)


def test_sys_exit_in_a_coroutine_ends_its_run_and_not_the_program(loop: asyncio.AbstractEventLoop) -> None:
    async def leave() -> None:
        await asyncio.sleep(0)
        sys.exit(3)

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    result = called(loop, leave)
    assert loop.is_running()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    assert (result.status, result.reason) == ("failed", "SystemExit: 3")
    assert result.outcome == {"result": None, "exception": {"type": "SystemExit", "message": "3"}}
