"""Fire what is due once and wait for it, for programs that bring the rhythm themselves."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from scheduler.assigning import assign
from scheduler.attempts import Assignment
from scheduler.dispatcher import Dispatcher
from scheduler.errors import Unavailable
from scheduler.events import Event, Events, RunStarted
from scheduler.executor import Executor
from scheduler.lease import Lease, LeaseLost
from scheduler.recovery import recover
from scheduler.run import Run
from scheduler.store import Database, planning, runs
from scheduler.store.planning import Plan

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 1.0
DELIVER_SECONDS = 10.0
"""So long a cycle waits for its notifications; what takes longer, or fails, is tried again in a later one."""
TEND_SECONDS = 2.0
"""So long a cycle lets go of old runs."""


class Cycle:
    """Run all that came due since the last cycle, by priority.

    The time between two cycles is the program's own choice, so nothing that came due in it is late, nor what an
    earlier cycle that was cut off had not begun. A further attempt waits for the first cycle after its moment.
    """

    def __init__(
        self,
        store: Database,
        lease: Lease,
        executor: Executor,
        events: Events,
        deliver: Callable[[float], None],
        tend: Callable[[float], None],
        now: Callable[[], datetime],
    ) -> None:
        """`deliver` sends notifications and `tend` lets go of old runs, for so many seconds at most."""
        self._store, self._lease, self._executor, self._events, self._now = store, lease, executor, events, now
        self._deliver, self._tend = deliver, tend
        self._dispatcher = Dispatcher(store, executor, now)
        self._tested = False

    def run(self) -> list[Run]:
        """Return the runs of this cycle in the order they began; none where another process fires."""
        try:
            if not self._lease.try_acquire():
                log.info("another process fires at present: this cycle is left to it")
                return []
            try:
                return self._carry_out()
            finally:
                self._lease.release()
        except LeaseLost as error:
            raise Unavailable(f"the right to fire was lost: {error}") from error

    def _carry_out(self) -> list[Run]:
        executor = self._executor
        clear, teller = executor.clear_private_dirs, executor.teller
        found = recover(self._store, self._now, clear, teller, executor.knows, never_late=True)
        self._lease.enter()
        self._test_sandbox()
        on_retry, self._executor.on_retry = self._executor.on_retry, None
        try:
            waiting = self._waiting(found.waiting)
            began = self._run_all(waiting + self._due(len(waiting)))
        finally:
            self._executor.on_retry = on_retry
        self._try_to_deliver()
        ended = {run.run_id: run for run in self._store.read(lambda connection: runs.find_runs(connection, began))}
        self._tend(TEND_SECONDS)
        return [ended[run_id] for run_id in began if run_id in ended]

    def _try_to_deliver(self) -> None:
        try:
            self._deliver(DELIVER_SECONDS)
        except Unavailable as error:  # they are on disk, and the runs have ended
            log.warning("notifications wait for a later cycle: %s", error)

    def _test_sandbox(self) -> None:
        if not self._tested:
            self._tested = True
            for fault in self._executor.confinement.self_test():
                log.error("the sandbox does not hold: %s", fault)

    def _waiting(self, waiting: list[Run]) -> list[Assignment]:
        """Return further attempts whose moment has come, and runs that somebody asked for."""
        now = self._now()
        ready = [run for run in waiting if run.due_at is None or run.due_at <= now]
        return assign(self._store, lambda _: ready, self._now)

    def _due(self, waiting: int) -> list[Assignment]:
        found: list[Assignment] = []
        while True:
            now = self._now()
            overdue = self._store.read(lambda connection, now=now: planning.overdue(connection, now))  # type: ignore[misc]
            plans = [Plan(stored.key, stored.due_at) for stored in overdue]
            fired, advanced = self._dispatcher.fire_cycle(plans, waiting + len(found))
            found.extend(fired)
            if not advanced:
                return found

    def _run_all(self, wanted: list[Assignment]) -> list[str]:
        """Let the workers have all of it at once, so that they take it by priority; return what began, in order."""
        began: list[str] = []
        finished = threading.Event()

        def hear(event: Event) -> None:
            if isinstance(event, RunStarted):
                began.append(event.run.run_id)
            else:
                finished.set()

        unsubscribe = self._events.subscribe(hear)
        try:
            self._executor.submit(wanted)
            while any(self._executor.knows(assignment.run.run_id) for assignment in wanted):
                if not finished.wait(LOOK_AGAIN_SECONDS):
                    self._executor.write_again()
                finished.clear()
        finally:
            unsubscribe()
        return began
