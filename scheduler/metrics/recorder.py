"""Count what this process does, and bring it to the file of all processes, at most once a second."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping

from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.metrics.book import Book, BookBusy, Page, Vitals
from scheduler.metrics.counts import Counts
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Database, jobs

log = logging.getLogger(__name__)

PUBLISH_SECONDS = 1.0
LOOK_SECONDS = 10.0
"""How long where nothing is counted here; what this process tells of itself may change all the same."""
NO_TYPE = "unknown"
OTHERS = ""
"""The `task_id` of all tasks beyond SCHEDULER_METRICS_PER_TASK."""


class Recorder:
    """What costs a run only that it is put into a list: a thread of its own does the rest.

    Runs are counted when the transaction that ends them is on disk, in the process that wrote it, so none is
    counted twice or left out. `vitals` tells how it is, if it is the one that fires.
    """

    def __init__(self, store: Database, config: SchedulerConfig, vitals: Callable[[], Vitals | None]) -> None:
        self._store, self._vitals = store, vitals
        self._book = Book(config.state_dir)
        self._most_tasks = config.metrics_per_task
        self._commits: deque[tuple[float, list[Run]]] = deque()
        self._tallies: list[tuple[str, Callable[[], Mapping[str, int]], dict[str, int]]] = []
        self._counting, self._publishing = threading.Lock(), threading.Lock()
        self._counts = Counts()
        self._told: Vitals | None = None
        self._trouble = ""
        self._tasks = _tasks(self._book.read().counts)
        self._closing, self._counted = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)

    def start(self) -> None:
        """Begin to count, and to publish what is counted."""
        self.observe()
        self._thread.start()

    def observe(self) -> None:
        """Begin to count, where whoever asks for it publishes."""
        self._store.observe_commits(self._put_aside)

    def close(self) -> None:
        """Publish what is left, then end."""
        self._closing.set()
        self._counted.set()
        if self._thread.is_alive():
            self._thread.join()
            self.publish()

    def count(self, name: str, *labels: str) -> None:
        """Raise a counter."""
        with self._counting:
            self._counts.count(name, *labels)
        self._wake()

    def _put_aside(self, seconds: float, ended: list[Run]) -> None:
        self._commits.append((seconds, ended))
        self._wake()

    def _wake(self) -> None:
        if not self._counted.is_set():
            self._counted.set()

    def follow(self, name: str, read: Callable[[], Mapping[str, int]]) -> None:
        """Take over what somebody else counts, by one label."""
        self._tallies.append((name, read, {}))

    def publish(self) -> None:
        """Add what was counted here to the file; where that cannot be, it is logged and done later."""
        try:
            self._publish()
            self._trouble = ""
        except (BookBusy, OSError, SchedulerError) as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("metrics are published later: %s", error)

    def read(self) -> Page:
        """Return what the file says of all processes."""
        return self._book.read()

    def _publish(self) -> None:
        with self._publishing:
            self._gather()
            with self._counting:
                counts, self._counts = self._counts, Counts()
            vitals = self._vitals()
            if not counts and vitals == self._told:
                return
            try:
                page = self._book.add(counts, vitals)
            except BaseException:
                with self._counting:
                    self._counts.add(counts)
                raise
            self._told, self._tasks = vitals, _tasks(page.counts)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._counted.wait(LOOK_SECONDS)
            self._counted.clear()
            try:
                self.publish()
            except Exception:
                log.exception("metrics could not be published")
            self._closing.wait(PUBLISH_SECONDS)

    def _gather(self) -> None:
        """Turn what was only put aside into counts."""
        commits = [self._commits.popleft() for _ in range(len(self._commits))]
        ended = [run for _, runs in commits for run in runs]
        try:
            types = self._types({run.job_key for run in ended})
        except BaseException:
            self._commits.extendleft(reversed(commits))
            raise
        with self._counting:
            for seconds, _ in commits:
                self._counts.observe("store_write_seconds", seconds)
            for run in ended:
                _count_run(self._counts, run, types.get(run.job_key, NO_TYPE))
                if self._most_tasks:
                    self._counts.count("task_runs", self._task(run.task_id), run.status.value, by=run.count or 1)
            for name, read, before in self._tallies:
                _count_growth(self._counts, name, read(), before)

    def _task(self, task_id: str) -> str:
        """Return what a task is called: nothing, like all others, where as many have a name as may."""
        if task_id not in self._tasks and len(self._tasks) >= self._most_tasks:
            return OTHERS
        self._tasks.add(task_id)
        return task_id

    def _types(self, keys: set[int]) -> Mapping[int, str]:
        return self._store.read(lambda connection: jobs.types(connection, keys)) if keys else {}


def _count_run(counts: Counts, run: Run, kind: str) -> None:
    counts.count("runs", run.status.value, kind, by=run.count or 1)
    if run.started_at is None:
        return
    waited_since = max(run.created_at, run.due_at or run.created_at)
    counts.observe("queue_wait_seconds", (run.started_at - waited_since).total_seconds(), run.priority.value)
    if run.finished_at is not None and run.status is not RunStatus.INTERRUPTED:  # when that ended nobody may know
        counts.observe("run_duration_seconds", (run.finished_at - run.started_at).total_seconds(), kind)
    if run.trigger is Origin.SCHEDULE and run.due_at is not None:
        counts.observe("run_lateness_seconds", (run.started_at - run.due_at).total_seconds())


def _tasks(counts: Counts) -> set[str]:
    return {key[1] for key in counts.numbers if key[0] == "task_runs" and key[1] != OTHERS}


def _count_growth(counts: Counts, name: str, now: Mapping[str, int], before: dict[str, int]) -> None:
    for label, number in now.items():
        if label not in before or number != before[label]:
            counts.count(name, label, by=number - before.get(label, 0))
            before[label] = number
