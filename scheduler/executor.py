"""Carry runs out: a thread pool that takes them by priority, then by age."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from scheduler.attempts import Assignment, Attempts, log_dir
from scheduler.config import SchedulerConfig
from scheduler.endings import broken, told_anew, without_outcome
from scheduler.errors import Unavailable
from scheduler.events import Events, RunFinished, RunStarted
from scheduler.ids import new_run_id
from scheduler.models import Job, utc_now
from scheduler.notify.teller import Teller
from scheduler.policy import queue_rank, retry_delay
from scheduler.results import Ending
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, Database, is_trouble, planning, runs, state, underway
from scheduler.stored_job import StoredJob
from scheduler.tracing import OFF, VARIABLE, Tracing, end_run, parent_of

log = logging.getLogger(__name__)

_BEFORE_ALL = float("-inf")
RETRY_SECONDS = 1.0


class Executor:
    """Run up to `max_workers` processes at a time; whoever asks never waits.

    A place can be claimed beforehand: the row of a run that has one is written as `running` at
    once, which spares it a second commit between its fire time and its start.
    """

    def __init__(
        self,
        store: Database,
        events: Events,
        config: SchedulerConfig,
        attempts: Attempts,
        now: Callable[[], datetime] = utc_now,
        tracing: Tracing = OFF,
    ) -> None:
        self._store, self._events, self._config, self._now = store, events, config, now
        self._tracing = tracing
        self._attempts, self.confinement = attempts, attempts.confinement
        self.teller = Teller(config, log_dir(config), now)
        self._lock = threading.Lock()
        self._work = threading.Condition(self._lock)
        self._heap: list[tuple[float, int, Assignment]] = []
        self._count = itertools.count()
        self._assigned: dict[str, Assignment] = {}
        self._announced: set[str] = set()
        self._going: Counter[int] = Counter()
        self._parked: dict[int, list[tuple[float, int, Assignment]]] = {}
        self.on_retry: Callable[[Assignment], None] | None = None
        self._unwritten: list[Assignment] = []
        self._free = config.max_workers
        self._busy = 0
        self._threads: list[threading.Thread] = []
        self._closing = False
        self._interrupting = False

    def claim(self, wanted: int) -> int:
        """Reserve up to `wanted` free workers and return how many; each must be submitted to or released."""
        with self._lock:
            claimed = 0 if self._heap or self._closing else min(wanted, self._free)
            self._free -= claimed
            return claimed

    def release(self, claimed: int) -> None:
        """Give claimed workers back."""
        with self._work:
            self._free += claimed
            self._work.notify(claimed)

    def submit(self, assignments: Sequence[Assignment]) -> None:
        """Take runs on. One whose row says `running` has a claimed worker, which begins with it at once."""
        with self._work:
            for assignment in assignments:
                run = assignment.run
                self._assigned[run.run_id] = assignment
                claimed = run.status is RunStatus.RUNNING
                self._going[run.job_key] += claimed
                rank = _BEFORE_ALL if claimed else queue_rank(run.priority, run.created_at)
                heapq.heappush(self._heap, (rank, next(self._count), assignment))
            self._add_threads()
            self._work.notify(len(assignments))

    def begin(self, store: Database, ask: Callable[[Connection], tuple[Run, StoredJob]]) -> Run:
        """Keep a run that somebody asks for, `queued`, or `running` where a worker is free, which begins at once.

        For the process that fires. `ask` writes the row that waits, in the transaction that starts it.
        """
        claimed = self.claim(1)
        begun: list[Assignment] = []
        announced: list[str] = []

        def unit(connection: Connection) -> Run:
            run, stored = ask(connection)
            assignment, now = Assignment(run, stored.job, stored.zone), self._now()
            begins = claimed and self.refusal(assignment.job) is None and self._start(assignment, now, connection)
            if begins:
                run = replace(run, status=RunStatus.RUNNING, started_at=now)
            begun[:] = [replace(assignment, run=run)] if begins else []
            announced.extend(self.announce(begun))
            return run

        try:
            run = store.write(unit)
            self.submit(begun)
            claimed -= len(begun)
        finally:
            self.withdraw(announced)
            self.release(claimed)
        return run

    def announce(self, assignments: Sequence[Assignment]) -> list[str]:
        """Know runs whose rows are being written, until `withdraw`; return their ids.

        Another unit of the same transaction sees those rows already, and would take them for left by a dead process.
        """
        run_ids = [assignment.run.run_id for assignment in assignments]
        self._announced.update(run_ids)
        return run_ids

    def withdraw(self, run_ids: Sequence[str]) -> None:
        """Forget what was announced: by now it was submitted, or came to nothing."""
        self._announced.difference_update(run_ids)

    def knows(self, run_id: str) -> bool:
        """Whether the run waits or goes on here, or is about to."""
        return run_id in self._assigned or run_id in self._announced

    def run_ids(self) -> list[str]:
        """Return the ids of all runs that wait or go on here."""
        return list(self._assigned)

    @property
    def room(self) -> int:
        """How many more runs may wait here (`max_queued`)."""
        return self._config.max_queued - len(self._heap) - sum(map(len, self._parked.values()))

    def refusal(self, job: Job) -> str | None:
        """Say why this process can start no run of a job, though another may; None where it can."""
        return self._attempts.refusal(job)

    def cancel(self, run_id: str, reason: str) -> None:
        """End a run and its whole process tree; one that is not here is let alone."""
        assignment = self._assigned.get(run_id)
        if assignment is not None:
            assignment.cancellation.cancel(reason)

    def forget_queued(self) -> None:
        """Drop what waits: its rows were ended by somebody else, or are left to the next holder."""
        with self._lock:
            waiting, self._heap = self._heap + [item for items in self._parked.values() for item in items], []
            self._parked.clear()
            for item in waiting:
                if item[0] == _BEFORE_ALL:
                    heapq.heappush(self._heap, item)
                else:
                    self._assigned.pop(item[2].run.run_id, None)

    def close(self, grace_seconds: float) -> None:
        """Start nothing more, give runs under way a grace, then end them as `interrupted`."""
        with self._work:
            self._closing = True
            self._parked.clear()
            self._heap = [item for item in self._heap if item[0] == _BEFORE_ALL]
            self._work.notify_all()
        if not self._join(grace_seconds):
            self._interrupting = True
            for assignment in list(self._assigned.values()):
                assignment.cancellation.cancel("the server was stopped")
            self._join(None)
        # Tried once more before the store is closed: what it does not take now the next start calls interrupted.
        self.write_again()
        self.confinement.close()

    @property
    def is_own_thread(self) -> bool:
        """Whether it is a run that asks: whoever waits here for the end of all runs waits for itself."""
        return threading.current_thread() in self._threads

    def clear_private_dirs(self) -> None:
        """Remove the private directories that a process which is gone has left."""
        self.confinement.clear_private_dirs(self._attempts.tmp_root)

    def write_again(self) -> None:
        """Write the ends of runs that the store refused before."""
        with self._lock:
            waiting, self._unwritten = self._unwritten, []
        for assignment in waiting:
            self._finish(assignment)

    def _join(self, seconds: float | None) -> bool:
        deadline = None if seconds is None else time.monotonic() + seconds
        for thread in self._threads:
            thread.join(None if deadline is None else max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _add_threads(self) -> None:
        """Have a thread for each run that waits, as far as there may be so many.

        One that was told of a run but has not taken it yet is free for one only.
        """
        room, free = self._config.max_workers - len(self._threads), len(self._threads) - self._busy
        for _ in range(min(room, len(self._heap) - free)):
            thread = threading.Thread(target=self._serve, name=f"worker-{len(self._threads) + 1}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self) -> None:
        while (assignment := self._take()) is not None:
            try:
                self._carry_out(assignment)
            except Unavailable as error:
                log.warning("a run waits for the store: %s", error, extra=_ids(assignment.run))
                self._put_back(assignment)
            except Exception as error:
                log.exception("a run could not be carried out", extra=_ids(assignment.run))
                self._finish(replace(assignment, run=broken(assignment.run, error, self._now())))
            finally:
                self._leave(assignment.run)

    def _take(self) -> Assignment | None:
        with self._work:
            while True:
                self._work.wait_for(lambda: self._ready() or (self._closing and not self._heap))
                if not self._heap:
                    return None
                rank, _, assignment = item = heapq.heappop(self._heap)
                run, job = assignment.run, assignment.job
                if rank == _BEFORE_ALL:
                    self._busy += 1
                    return assignment
                if self._going[run.job_key] < job.max_instances or run.trigger is Origin.MANUAL:
                    self._going[run.job_key] += 1
                    self._free -= 1
                    self._busy += 1
                    return assignment
                self._parked.setdefault(run.job_key, []).append(item)

    def _leave(self, run: Run) -> None:
        """Give the worker back, and let a run of the same job that waited for this one try again."""
        with self._work:
            self._free += 1
            self._busy -= 1
            self._going[run.job_key] -= 1
            if not self._going[run.job_key]:
                del self._going[run.job_key]
            parked = self._parked.pop(run.job_key, ())
            for item in parked:
                heapq.heappush(self._heap, item)
            # Whoever leaves looks for the next run himself: only for more than that, and for the end, others must.
            if self._closing:
                self._work.notify_all()
            else:
                self._work.notify(len(parked))

    def _ready(self) -> bool:
        return bool(self._heap) and (self._heap[0][0] == _BEFORE_ALL or self._free > 0)

    def _put_back(self, assignment: Assignment) -> None:
        again = threading.Timer(RETRY_SECONDS, self.submit, ([assignment],))
        again.daemon = True
        again.start()

    def _carry_out(self, assignment: Assignment) -> None:
        run = assignment.run
        started_at = self._now()
        if run.status is RunStatus.QUEUED:
            if (reason := self.refusal(assignment.job)) is not None:
                details = {"reason": reason}
                never = replace(run, status=RunStatus.SKIPPED, finished_at=started_at, details=details)
                self._finish(replace(assignment, run=never))
                return
            if not self._store.write(partial(self._start, assignment, started_at)):
                self._assigned.pop(run.run_id, None)
                return
            started_at = self._now()
        run = replace(run, status=RunStatus.RUNNING, started_at=started_at)
        self._events.publish(RunStarted(run))
        self._finish(replace(assignment, run=self._attempted(replace(assignment, run=run))))

    def _attempted(self, assignment: Assignment) -> Run:
        """Make an attempt and return how its run ended, told to whoever traces it."""
        run, began = assignment.run, time.monotonic()
        span = self._tracing.begin_run(run, assignment.job)
        if span is None:
            return self._ended(run, self._attempts.make(assignment), began)
        ended = self._ended(run, self._attempts.make(replace(assignment, env={VARIABLE: span.traceparent})), began)
        end_run(span, ended)
        return ended

    def _start(self, assignment: Assignment, started_at: datetime, connection: Connection) -> bool:
        if not runs.start_run(connection, assignment.run, started_at):
            return False
        run = replace(assignment.run, status=RunStatus.RUNNING, started_at=started_at)
        self.teller.record(connection, assignment.job, run)
        return True

    def _ended(self, run: Run, ending: Ending, began: float) -> Run:
        status = ending.status
        if status is RunStatus.CANCELLED and self._interrupting:
            status = RunStatus.INTERRUPTED
        finished_at = self._now()
        if run.started_at is not None and finished_at < run.started_at:  # the wall clock was set back meanwhile
            finished_at = run.started_at + timedelta(seconds=time.monotonic() - began)
        return replace(run, status=status, finished_at=finished_at, details={**parent_of(run), **ending.details})

    def _finish(self, assignment: Assignment) -> None:
        """Write how a run ended and, in the same transaction, that it is to be tried again."""
        run, job = assignment.run, assignment.job
        now = self._now()
        output = self.teller.end_of_output(job, run)

        def unit(connection: Connection) -> tuple[Run, Run | None]:
            ended = told_anew(connection, run)
            if not runs.finish_run(connection, ended):
                return ended, None
            follows = next_attempt(connection, job, ended, now)
            runs.add_runs(connection, [follows] if follows else [])
            self.teller.record(connection, job, ended, output, more=follows is not None and not follows.status.is_final)
            if job.remove_when_done:
                planning.remove_done(connection, [run.job_key], now)
            return ended, follows

        def done(outcome: Any) -> None:
            if isinstance(outcome, BaseException):
                self._not_written(assignment, outcome)
                return
            ended, follows = outcome
            self._assigned.pop(run.run_id, None)
            log.info("run %s", ended.status.value, extra={**_ids(run), "status": ended.status.value})
            self._events.publish(RunFinished(ended))
            if follows is not None and not follows.status.is_final and self.on_retry and not self._closing:
                self.on_retry(Assignment(follows, job, assignment.zone))

        self._store.write_soon(unit, done)

    def _not_written(self, assignment: Assignment, error: BaseException) -> None:
        """Write the end of a run again: later where the store is in trouble, else without what it does not take."""
        run = assignment.run
        bare = without_outcome(run)
        if is_trouble(error) or run.details == bare.details:
            log.warning("the end of a run is not on disk yet: %s", error, extra=_ids(run))
            with self._lock:
                self._unwritten.append(assignment)
            return
        log.error("what came of a run cannot be kept", exc_info=error, extra=_ids(run))
        self._finish(replace(assignment, run=bare))


def next_attempt(connection: Connection, job: Job, run: Run, now: datetime) -> Run | None:
    """Return the row of the attempt that follows a run that has ended, or None where none does.

    A run that somebody asked to end is not begun again, however it ended. A stopped scheduler tries nothing again
    but what people asked for: such an attempt is skipped.
    """
    delay = retry_delay(job, run.status, run.attempt, run.run_id)
    if delay is None or underway.was_called_off(connection, run.run_id):
        return None
    follows = Run(
        run_id=new_run_id(now),
        job_key=run.job_key,
        task_id=run.task_id,
        scheduled_for=run.scheduled_for,
        attempt=run.attempt + 1,
        trigger=Origin.RETRY,
        status=RunStatus.QUEUED,
        priority=job.priority,
        created_at=now,
        due_at=now + timedelta(seconds=delay),
        details=parent_of(run),
    )
    if state.is_running(connection) or runs.was_asked_for(connection, run):
        return follows
    return replace(follows, status=RunStatus.SKIPPED, finished_at=now, details={"reason": "scheduler stopped"})


def _ids(run: Run) -> dict[str, str]:
    return {"run_id": run.run_id, "task_id": run.task_id}
