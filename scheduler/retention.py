"""Let go of old runs, their output and old idempotency keys, in small steps beside everything else."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from scheduler.attempts import log_dir
from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.events import Event, Events, RunFinished
from scheduler.ids import first_run_id
from scheduler.models import utc_now
from scheduler.store import Database, changes, events, keys, pruning
from tasks.sandbox import remove_output

log = logging.getLogger(__name__)

ROWS_A_STEP = 500
STEP_SECONDS = 0.05
PAUSE_SECONDS = 60.0
EVENTS_A_STEP = 2000
EVENT_HOURS = 72.0
CHANGE_DAYS = 365.0


class Retention:
    """Delete runs beyond `keep_runs` of a task or older than `keep_days`; the last run of a task always stays.

    Changes of definitions are kept for CHANGE_DAYS; their number is bounded where they are written.
    Of events the newest `keep_events` are kept, and of those none older than EVENT_HOURS.

    A step takes a few milliseconds of the store's time, so nobody notices: neither a fire time nor
    a request. Output goes before its row, so that no file is left without one.
    """

    def __init__(
        self, store: Database, told: Events, config: SchedulerConfig, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._store, self._config, self._now = store, config, now
        self._log_dir: Path = log_dir(config)
        self._grown: set[int] = set()
        self._lock = threading.Lock()
        self._looked = False
        self._swept_at, self._until = -math.inf, math.inf
        self._closing = threading.Event()
        self._unsubscribe = told.subscribe(self._hear)
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Begin; tasks that have too many runs from before are found first."""
        self._thread.start()

    def close(self) -> None:
        """End after the step under way."""
        self._closing.set()
        self._unsubscribe()
        if self._thread.is_alive():
            self._thread.join()

    def tend(self, seconds: float) -> None:
        """Sweep for so many seconds at most, unless that was done within the last minute; where it fails, log it.

        For whoever has no thread for it. What is left is found again the next time.
        """
        began = time.monotonic()
        if began - self._swept_at < PAUSE_SECONDS:
            return
        self._swept_at, self._until = began, began + seconds
        self._try()
        if time.monotonic() > self._until:
            self._looked = False

    def sweep(self) -> int:
        """Delete all that may go now, step by step, and return how many runs that were."""
        with self._lock:
            grown, self._grown = self._grown, set()
        removed = sum(self._trim(job_key) for job_key in grown)
        removed += self._drop_old()
        trimmed = self._trim_events()
        if removed or trimmed:
            while self._store.write(pruning.give_back_space) and not self._ends():
                pass
        if removed:
            log.info("%d runs were past their time and are removed", removed)
        self._forget_keys()
        self._forget_changes()
        return removed

    def find_grown(self) -> None:
        """Look through the whole ledger for tasks with more runs than are kept."""
        found = self._store.read(lambda connection: pruning.jobs_with_more_than(connection, self._config.keep_runs))
        with self._lock:
            self._grown.update(found)

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            with self._lock:
                self._grown.add(event.run.job_key)

    def _run(self) -> None:
        while not self._closing.wait(PAUSE_SECONDS):
            self._try()

    def _try(self) -> None:
        try:
            if not self._looked:
                self.find_grown()
                self._looked = True
            self.sweep()
        except SchedulerError as error:
            log.warning("old runs could not be removed, it is tried again: %s", error)
        except Exception:
            log.exception("old runs could not be removed, it is tried again")

    def _ends(self) -> bool:
        """Rest for a moment between two steps, so that others come to their turn; True where this one was the last."""
        return self._closing.wait(STEP_SECONDS) or time.monotonic() > self._until

    def _trim(self, job_key: int) -> int:
        removed = 0
        while True:
            gone = self._store.read(
                lambda connection: pruning.beyond(connection, job_key, self._config.keep_runs, ROWS_A_STEP)
            )
            removed += self._remove(gone)
            if len(gone) < ROWS_A_STEP or self._ends():
                return removed

    def _drop_old(self) -> int:
        removed, after = 0, ""
        before = first_run_id(self._now() - timedelta(days=self._config.keep_days))
        while True:
            seen, gone = self._store.read(partial(pruning.older_than, before=before, after=after, limit=ROWS_A_STEP))
            removed += self._remove(gone)
            if not seen or self._ends():
                return removed
            after = seen

    def _forget_keys(self) -> None:
        """Forget what was answered to keys that count no more."""
        before = self._now() - keys.KEPT_FOR
        while self._store.read(lambda connection: keys.are_older(connection, before)):
            self._store.write(lambda connection: keys.drop_older(connection, before, ROWS_A_STEP))
            if self._ends():
                return

    def _forget_changes(self) -> None:
        before = self._now() - timedelta(days=CHANGE_DAYS)
        while self._store.read(lambda connection: changes.are_older(connection, before)):
            self._store.write(lambda connection: changes.drop_older(connection, before, ROWS_A_STEP))
            if self._closing.wait(STEP_SECONDS):
                return

    def _trim_events(self) -> int:
        removed, keep, before = 0, self._config.keep_events, self._now() - timedelta(hours=EVENT_HOURS)
        while True:
            gone = self._store.write(lambda connection: events.trim(connection, keep, before, EVENTS_A_STEP))
            removed += gone
            if gone < EVENTS_A_STEP or self._ends():
                return removed

    def _remove(self, run_ids: list[str]) -> int:
        for run_id in run_ids:
            remove_output(self._log_dir, run_id)
        if run_ids:
            self._store.write(lambda connection: pruning.delete_runs(connection, run_ids))
        return len(run_ids)
