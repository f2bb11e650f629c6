"""Gather the writes of many threads into few commits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from sqlalchemy import Connection, Engine, Transaction
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from scheduler.errors import Unavailable
from scheduler.run import Run
from scheduler.store.ended import take_ended

log = logging.getLogger(__name__)
T = TypeVar("T")
MOST_A_COMMIT = 256
LONG_SECONDS = 0.01
"""How long a transaction may have taken for one more unit to be put into it: whoever comes next waits for its end."""


def is_trouble(error: BaseException) -> bool:
    """Whether an error is the store's own (locked, full, gone, damaged), not that of what was asked of it."""
    asked_wrong = isinstance(error, IntegrityError | ProgrammingError | DataError)
    return isinstance(error, Unavailable) or (isinstance(error, DBAPIError) and not asked_wrong)


def cause_of(error: BaseException) -> str:
    """Return what the database itself said, in one line."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


class Work(Generic[T]):
    """A unit of work on its way to the disk."""

    __slots__ = ("_ended", "done", "outcome", "unit")

    def __init__(self, unit: Callable[[Connection], T], done: Callable[[Any], None] | None) -> None:
        self.unit, self.done = unit, done
        self.outcome: Any = None
        self._ended = threading.Lock()  # held until it is: a tenth of what a Future costs
        self._ended.acquire()

    def result(self, seconds: float = -1) -> T:
        """Wait until it is on disk and return what the unit did, or raise the error; `TimeoutError` after so long."""
        if not self._ended.acquire(timeout=seconds):
            raise TimeoutError
        self._ended.release()
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        result: T = self.outcome
        return result

    def deliver(self) -> None:
        """Let those go on who wait for the outcome, and tell it to `done`."""
        self._ended.release()
        if self.done is not None:
            try:
                self.done(self.outcome)
            except Exception:
                log.exception("what should follow a write failed")


class Writer:
    """One thread that runs units of work, as many to a commit as are waiting.

    A commit costs a write to the disk whatever it holds; sharing it is what makes many small
    writers fast. A unit that fails takes nothing with it: the others are run again, each alone.
    """

    def __init__(
        self,
        engine: Engine,
        prove: Callable[[Connection], object],
        check: Callable[[], None] = lambda: None,
        limit: Callable[[Connection], AbstractContextManager[None]] = lambda _: nullcontext(),
    ) -> None:
        self._engine, self._connection = engine, engine.connect()
        self._prove, self._check, self._limit = prove, check, limit
        self.trouble: str | None = None
        """Why the store took nothing when it was last written to; None where it did."""
        self.observer: Callable[[float, list[Run]], None] | None = None
        """Told after each commit, in the writer's thread, how long its transaction took and which runs it ended."""
        self.on_commit: Callable[[], None] = lambda: None
        """Called after each commit, in the writer's thread; it must neither raise nor wait."""
        self.closed = False
        """Whether it has written its last."""
        self.doubts = 0
        """How many commits there were of which nobody knows whether they were kept."""
        self._queue: SimpleQueue[Work[Any] | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, unit: Callable[[Connection], T], done: Callable[[Any], None] | None = None) -> Work[T]:
        """Queue a unit, which has its result once it is on disk. `done` is called with the result or error."""
        work = Work(unit, done)
        with self._closing:
            if self._closed:
                raise Unavailable("the scheduler is shutting down", code="shutting_down")
            self._queue.put(work)
        return work

    def close(self) -> None:
        """Write what is queued, then end the thread."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        self.closed = True
        self._connection.close()

    def _run(self) -> None:
        closing = False
        while not closing:
            batch, closing = self._gather()
            while batch:
                done = self._commit(batch)
                self.on_commit()
                for work in batch[:done]:
                    work.deliver()
                batch = batch[done:]

    def _gather(self) -> tuple[list[Work[Any]], bool]:
        batch: list[Work[Any]] = []
        work = self._queue.get()
        while work is not None:
            batch.append(work)
            if len(batch) == MOST_A_COMMIT or self._queue.empty():
                return batch, False
            work = self._queue.get()
        return batch, True

    def _commit(self, batch: list[Work[Any]]) -> int:
        """Carry units out and commit; return how many, from the first on."""
        try:
            done = self._transact(batch)
            self.trouble = None
        except Exception as error:
            in_trouble = is_trouble(error)
            if in_trouble:
                self.trouble = cause_of(error)
            if in_trouble or len(batch) == 1:
                for work in batch:
                    work.outcome = error
                return len(batch)
            for work in batch:
                self._commit([work])
            return len(batch)
        return done

    def _transact(self, batch: list[Work[Any]]) -> int:
        self._check()
        done, committing, begun = 0, False, time.perf_counter()
        try:
            with self._limited(), self._begin():
                entered = time.perf_counter()  # the wait for other processes is no work that anybody waits for here
                take_ended(self._connection)  # of a transaction that was rolled back
                for work in batch:
                    work.outcome = work.unit(self._connection)
                    done += 1
                    if time.perf_counter() - entered > LONG_SECONDS:
                        break
                if self.trouble is not None:  # a unit that changes nothing would pass for a store that takes it
                    self._prove(self._connection)
                ended = take_ended(self._connection)
                committing = True
        except DBAPIError as error:
            if committing and not error.connection_invalidated:
                # Its transaction may still be open: the next one would go on with it, and commit what was told to fail.
                self._connection.invalidate()
            if not (committing and error.connection_invalidated):
                raise
            self.doubts += 1
            raise Unavailable(
                f"the connection to the store was lost: {cause_of(error)}. It is not known whether this was kept: "
                "look before you try again."
            ) from error
        self._tell(time.perf_counter() - begun, ended)
        return done

    def _tell(self, seconds: float, ended: list[Run]) -> None:
        try:
            if self.observer is not None:
                self.observer(seconds, ended)
        except Exception:
            # The commit stands: what is only told of it must not turn it into a failure.
            log.exception("what should hear of a commit failed")

    def _limited(self) -> AbstractContextManager[None]:
        return self._limit(self._connected())

    def _begin(self) -> Transaction:
        """Begin a transaction; on a new connection where this one was cut, since nothing was asked of it yet."""
        try:
            return self._connected().begin()
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise
            return self._connected().begin()

    def _connected(self) -> Connection:
        if self._connection.invalidated or self._connection.closed:
            self._connection.close()
            self._connection = self._engine.connect()
        return self._connection
