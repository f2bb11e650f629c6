"""Tell when runs have ended, whichever process carries them out."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from scheduler.errors import Unavailable
from scheduler.events import Event, Events, RunFinished
from scheduler.store import Database, underway

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.05


@dataclass(slots=True)
class _Waiter:
    left: set[str]
    deadline: float
    tell: Callable[[bool], None]

    def answer(self, ended: bool) -> None:
        """Tell whoever waits; what goes wrong with one is nothing to the others."""
        try:
            self.tell(ended)
        except Exception:
            log.exception("somebody could not be told of the end of runs")


class LedgerWatch:
    """One thread for all who wait: it looks at the ledger while somebody does, and sleeps otherwise.

    Runs that end in this process are noticed at once, those of another within LOOK_AGAIN_SECONDS.
    """

    def __init__(self, store: Database, events: Events) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._waiters: list[_Waiter] = []
        self._ended_here = False
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="ledger-watch", daemon=True)
        self._unsubscribe = events.subscribe(self._hear)
        self._thread.start()

    def when_ended(self, run_ids: Collection[str], seconds: float, tell: Callable[[bool], None]) -> None:
        """Call `tell` once, in the watch's thread: True when all these runs have ended, False after `seconds`.

        A run that is to be tried again has ended when its last attempt has.

        `tell` must neither raise nor wait. Where the watch is closed it is told False at once.
        """
        if self._store.is_inherited:  # its thread is the parent's
            self._store.check_usable()
        waiter = _Waiter(set(run_ids), time.monotonic() + seconds, tell)
        with self._changed:
            if not self._closing:
                self._waiters.append(waiter)
                self._changed.notify()
                return
        waiter.answer(False)

    def wait(self, run_ids: Collection[str], seconds: float) -> bool:
        """Wait for the end of all these runs; False where they have not ended after `seconds`, or it was closed."""
        answered = threading.Event()
        outcome: list[bool] = []

        def tell(ended: bool) -> None:
            outcome.append(ended)
            answered.set()

        self.when_ended(run_ids, seconds, tell)
        answered.wait()
        return outcome[0]

    @property
    def is_own_thread(self) -> bool:
        """Whether it is somebody who is told that asks."""
        return threading.current_thread() is self._thread

    def close(self) -> None:
        """Tell all who still wait that it is over."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        self._unsubscribe()

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished) and self._waiters:
            with self._changed:
                self._ended_here = True
                self._changed.notify()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                if not self._ended_here:
                    self._changed.wait(LOOK_AGAIN_SECONDS if self._waiters else None)
                self._ended_here = False
                waiters = list(self._waiters)
            try:
                self._look(waiters)
            except Exception:
                log.exception("the ledger could not be watched; it is tried again")
        for waiter in self._waiters:
            waiter.answer(False)

    def _look(self, waiters: list[_Waiter]) -> None:
        wanted = {run_id for waiter in waiters for run_id in waiter.left}
        if wanted:
            going = self._going(wanted)
            for waiter in waiters:
                waiter.left &= going
        now = time.monotonic()
        for waiter in waiters:
            if not waiter.left or now >= waiter.deadline:
                with self._changed:
                    self._waiters.remove(waiter)
                waiter.answer(not waiter.left)

    def _going(self, wanted: set[str]) -> set[str]:
        try:
            return self._store.read(lambda connection: underway.unsettled(connection, wanted))
        except Unavailable:
            # Nobody can say, so all go on as far as is known; who waits is told so when his time is over.
            return wanted
