"""Call functions of the program that embeds the scheduler in a worker's thread; what has to be awaited, on its loop."""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import select
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from scheduler.errors import Conflict, InvalidRequest, Problem, shorten
from scheduler.models import CallableJob, read_job
from scheduler.namespaces import module_name
from scheduler.results import as_json, text_of
from tasks.base import Status, TaskResult
from tasks.sandbox import Cancellation

Function = Callable[[], Any]
LOOK_AGAIN_SECONDS = 1.0
STANDS_STILL_SECONDS = 3.0
"""How long a loop that is not closed may stand still before its coroutines are given up."""
_PARTS = ("__code__", "__defaults__", "__kwdefaults__", "__closure__")
"""What a function is made of: where all are equal, it does the same."""


@dataclass(frozen=True, slots=True)
class Called:
    """What came of a call: its result, and the traceback where it raised."""

    result: TaskResult
    traceback: str = ""


class Callables:
    """The functions that this process has registered, by the ids of their jobs.

    A function says nothing of itself to another process: only where it is registered can it be called.
    """

    def __init__(self) -> None:
        self._functions: dict[str, Function] = {}
        self.loop: asyncio.AbstractEventLoop | None = None
        """The program's own loop, where its coroutines run."""

    def get(self, task_id: str) -> Function | None:
        """Return the function of a job, or None where this process has registered none."""
        return self._functions.get(task_id)

    @contextmanager
    def registered(self, task_id: str, function: Function) -> Iterator[None]:
        """Let a job call a function in this process from now on, unless an error comes out of the block."""
        before = self.get(task_id)
        self._functions[task_id] = function
        try:
            yield
        except BaseException:
            self.forget(task_id)
            if before is not None:
                self._functions[task_id] = before
            raise

    def forget(self, task_id: str) -> None:
        """Take a function back."""
        self._functions.pop(task_id, None)

    def move_to(self, loop: asyncio.AbstractEventLoop) -> None:
        """Run coroutines on another loop from now on, unless theirs runs."""
        if self.loop is None or not self.loop.is_running():
            self.loop = loop

    def __contains__(self, task_id: str) -> bool:
        return task_id in self._functions

    def call(self, task_id: str, timeout_seconds: float, cancellation: Cancellation) -> Called:
        """Call a job's function and wait for its end; never raise for its failing."""
        function = self.get(task_id)
        if cancellation.reason is not None:
            return Called(_result("cancelled", cancellation.reason))
        if function is None:
            return Called(TaskResult.not_started("the program took the function back as its run began"))
        began = time.monotonic()
        try:
            value = function()
        except BaseException as error:  # sys.exit() in a job ends the job, not the worker
            return _in_time(_raised(error), began, timeout_seconds, cancellation)
        if inspect.isawaitable(value):
            return self._await(value, began, timeout_seconds, cancellation)
        return _in_time(_returned(value), began, timeout_seconds, cancellation)

    def _await(self, value: Awaitable[Any], began: float, timeout_seconds: float, cancellation: Cancellation) -> Called:
        if self.loop is not None:
            return _Awaited(self.loop, value).call(began, timeout_seconds, cancellation)
        _give_up(value)
        text = "it gave something to await, which needs the loop of scheduler.aio.TaskScheduler"
        return Called(TaskResult.not_started(text))


def name_of(function: Callable[..., Any]) -> str:
    """Return where a function stands, as its module and name."""
    inner = inspect.unwrap(getattr(function, "func", function))
    named = inner if hasattr(inner, "__qualname__") else type(inner)
    return f"{module_name(named.__module__)}.{named.__qualname__}"


def _in_time(called: Called, began: float, timeout_seconds: float, cancellation: Cancellation) -> Called:
    """Judge a call that has ended by itself. Nothing could stop it, so how it went is only told now."""
    took = time.monotonic() - began
    if took > timeout_seconds:
        text = f"it took {took:.1f} s, more than its {timeout_seconds:g} s; a plain function cannot be ended"
        return Called(_result("timeout", text), called.traceback)
    if cancellation.reason is not None and called.result.status == "failed":
        return Called(_result("cancelled", cancellation.reason), called.traceback)
    return called


def callable_job(function: Function, fields: Mapping[str, Any]) -> CallableJob:
    """Make the job that calls a function, by default under the function's own name; raise `InvalidRequest`."""
    _check_callable(function)
    name = name_of(function)
    own = {"type": "callable", "function": name}
    if clashing := [field for field, value in own.items() if fields.get(field) not in (None, value)]:
        text = "what is called is the function that is given, so that '{0}' is always '{1}'"
        raise InvalidRequest([Problem(field, text.format(field, own[field]), fields[field]) for field in clashing])
    job = read_job({"task_id": name, **fields, **own}, CallableJob)
    assert isinstance(job, CallableJob)
    return job


def _check_callable(function: object) -> None:
    if callable(function):
        return
    text = f"what is called is a function of this program, not {shorten(repr(function), 60)}"
    if isinstance(function, str):
        text += f". A job that calls one by its path, in a process of its own, is a Job(func={shorten(function, 60)!r})"
        text += ", given to add_job"
    elif inspect.iscoroutine(function):
        text += f": give the function itself, {function.__name__}, without calling it"
    raise InvalidRequest([Problem("func", text, shorten(repr(function)))])


def check_function(
    task_id: str, known: Function | None, function: Function, *, named: bool, replace: bool, argument: str
) -> None:
    """Raise `Conflict` where a job calls another function already, unless it was `named` to be replaced.

    A job that was not named goes by its function's name, and two functions may have one: `argument` tells them apart.
    """
    if known is None or known == function or (replace and (named or _is_same(known, function))):
        return
    text = f"a job '{task_id}' was given before, with another function: give this one a {argument}= of its own"
    raise Conflict(text)


def _is_same(one: Function, other: Function) -> bool:
    """Whether a function stands for one that was given before: by its name in a module, or as made by the same code."""
    if isinstance(one, functools.partial) and isinstance(other, functools.partial):
        return _is_same(one.func, other.func) and (one.args, one.keywords) == (other.args, other.keywords)
    if not (inspect.isfunction(one) and inspect.isfunction(other)):
        return one == other
    if "<" not in one.__qualname__:  # neither a lambda nor local: its module, when it is loaded again, has one of it
        return name_of(one) == name_of(other)
    return all(getattr(one, part) == getattr(other, part) for part in _PARTS)


class _Awaited:
    """One coroutine, or another awaitable, on the program's loop, seen from a worker's thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, value: Awaitable[Any]) -> None:
        self._loop, self._value = loop, value
        self._task: asyncio.Task[Any] | None = None
        self._left = threading.Lock()
        """Held by whoever rings, and for ever once nobody listens: the number of a bell may be another file's then."""
        self._ran_at = time.monotonic()
        self._given_up = False
        self._exit: SystemExit | None = None

    def call(self, began: float, timeout_seconds: float, cancellation: Cancellation) -> Called:
        """Await it; after its time, or when it is cancelled, end it, and return when it has ended."""
        with _bell() as ended, cancellation.bell() as cancelled:
            try:
                return self._called(ended, cancelled, began, timeout_seconds, cancellation)
            finally:
                self._left.acquire()

    def _called(
        self, ended: int, cancelled: int, began: float, timeout_seconds: float, cancellation: Cancellation
    ) -> Called:
        if not self._tell(self._begin, ended):
            _give_up(self._value)
            return Called(TaskResult.not_started("the program's event loop has ended"))
        rung = self._wait([ended, cancelled], began + timeout_seconds)
        if ended not in rung:
            self._tell(self._cancel)
            if not self._wait([ended], None):
                return self._lost()
        if ended in rung:
            return self._outcome()
        if cancelled in rung:
            return Called(_result("cancelled", str(cancellation.reason)))
        return Called(_result("timeout", f"it was ended after {timeout_seconds:g} s"))

    def _lost(self) -> Called:
        """Say what became of what no loop goes on with."""
        text = f"the program's event loop {'has ended' if self._loop.is_closed() else 'stands still'}"
        if self._task is not None:
            return Called(_result("cancelled", text))
        self._given_up = True
        _give_up(self._value)
        return Called(TaskResult.not_started(text))

    def _begin(self, ended: int) -> None:
        if self._given_up:
            return
        self._task = self._loop.create_task(self._awaited())
        self._task.add_done_callback(lambda _: self._ring(ended))

    def _ring(self, ended: int) -> None:
        """Say that it has ended, unless nobody waits for that any more: the loop stood still, and runs again."""
        if self._left.acquire(blocking=False):
            os.eventfd_write(ended, 1)
            self._left.release()

    async def _awaited(self) -> Any:
        try:
            return await self._value
        except SystemExit as error:  # out of a task it would end the loop, and the program; Ctrl-C shall
            self._exit = error

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _tell(self, function: Callable[..., None], *args: Any) -> bool:
        """Call something in the loop's thread; False where the loop is no more."""
        try:
            self._loop.call_soon_threadsafe(function, *args)
        except RuntimeError:
            return False
        return True

    def _wait(self, bells: list[int], deadline: float | None) -> set[int]:
        """Return which of the bells rang before the deadline; none either where the loop has ended."""
        poll = select.poll()
        for bell in bells:
            poll.register(bell, select.POLLIN)
        while not self._has_ended():
            left = LOOK_AGAIN_SECONDS if deadline is None else deadline - time.monotonic()
            ready = poll.poll(1000 * min(LOOK_AGAIN_SECONDS, max(0.0, left)))
            if ready or left <= 0:
                return {bell for bell, _ in ready}
        return set()

    def _has_ended(self) -> bool:
        """Whether the loop is closed, or nobody has let it run for so long that nobody will."""
        if self._loop.is_running():
            self._beat()
        else:  # it may be one that runs for a moment now and then
            self._tell(self._beat)
        return self._loop.is_closed() or time.monotonic() - self._ran_at > STANDS_STILL_SECONDS

    def _beat(self) -> None:
        self._ran_at = time.monotonic()

    def _outcome(self) -> Called:
        assert self._task is not None
        if self._task.cancelled():
            return Called(_result("failed", "CancelledError: the program cancelled it"))
        if self._exit is not None:
            return _raised(self._exit)
        error = self._task.exception()
        return _returned(self._task.result()) if error is None else _raised(error)


def _give_up(value: Awaitable[Any]) -> None:
    """Let go of what will not be awaited, without the warning that somebody forgot to."""
    if inspect.iscoroutine(value):
        value.close()


@contextmanager
def _bell() -> Iterator[int]:
    bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
    try:
        yield bell
    finally:
        os.close(bell)


def _returned(value: Any) -> Called:
    if inspect.isgenerator(value) or inspect.isasyncgen(value):
        text = "it returned a generator, whose body nobody runs: a job's function does its work without 'yield'"
        return Called(_result("failed", text))
    kept, hint = as_json(value)
    outcome = {"result": kept, "exception": None}
    return Called(TaskResult("completed", exit_code=None, signal=None, reason=None, hint=hint, outcome=outcome))


def _raised(error: BaseException) -> Called:
    text = "".join(traceback.format_exception(error))
    kind, message = type(error).__name__, text_of(error)
    outcome = {"result": None, "exception": {"type": kind, "message": message}}
    failed = replace(_result("failed", f"{kind}: {message}"), outcome=outcome)
    return Called(failed, text)


def _result(status: Status, reason: str) -> TaskResult:
    return TaskResult(status, exit_code=None, signal=None, reason=reason)
