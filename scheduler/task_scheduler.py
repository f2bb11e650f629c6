"""The front door: everything that people and programs ask of the scheduler goes through TaskScheduler."""

from __future__ import annotations

import atexit
import copy
import logging
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from scheduler import condition
from scheduler.attempts import Attempts, Execute, log_dir
from scheduler.auth.sessions import SessionBook
from scheduler.auth.tokens import TokenBook
from scheduler.callables import Callables, Function, callable_job, check_function
from scheduler.config import SchedulerConfig
from scheduler.confining import confine
from scheduler.cycle import Cycle
from scheduler.daemon import told_by_signals
from scheduler.definitions import Checked, Definitions, as_problem, job_of
from scheduler.errors import (
    Conflict,
    InvalidRequest,
    Unavailable,
)
from scheduler.events import Events
from scheduler.executor import Executor
from scheduler.feed import Feed
from scheduler.fire_times import settle_all
from scheduler.firing import FiringWatch
from scheduler.holder import Holder
from scheduler.importing import Imported
from scheduler.job_book import JobBook, end_runs, find
from scheduler.job_mapping import JobMapping
from scheduler.jobsfiles import FileProblem, Plan
from scheduler.jobsfiles.following import Follower
from scheduler.jobsfiles.keeping import FiledJobs, usual_dir
from scheduler.lease import Ring, open_lease
from scheduler.listing import Listing, Show
from scheduler.logs import logging_set_up
from scheduler.manual import ask_for_run
from scheduler.metrics.figures import FigureReader
from scheduler.metrics.recorder import Recorder
from scheduler.models import Job, utc_now
from scheduler.namespaces import DEFAULT
from scheduler.notify.targets import problems_of
from scheduler.notify.trial import Outcome, try_target
from scheduler.placing import make_data_dir, note_maker, with_namespace, with_place
from scheduler.questions import Questions, no_run
from scheduler.readiness import Readiness
from scheduler.rehearsing import Rehearsals
from scheduler.results import JobResult
from scheduler.run import Run, RunStatus
from scheduler.standing import Planned
from scheduler.store import (
    Connection,
    Database,
    Remembered,
    events,
    jobs,
    planning,
    runs,
    sqlite_url,
    state,
    underway,
)
from scheduler.store.jobs import JobFilter
from scheduler.store.surrounded import Around, OnConnection, Surrounded
from scheduler.stored_job import StoredJob
from scheduler.task_table import TaskTable
from scheduler.timelines import Timeline
from scheduler.tracing import PARENT, open_tracing
from scheduler.trying import add_trial, trial_of
from scheduler.watch import LedgerWatch
from tasks.base import TaskRefused
from tasks.sandbox.completion import Completions, complete

log = logging.getLogger(__name__)
T = TypeVar("T")

CANCEL_SECONDS = 30.0
BY_PROGRAM = "program"
"""Who has made a job that a program gave by itself, not on behalf of somebody else."""


class TaskScheduler(Questions):
    """Keep jobs, fire them, and answer what became of them.

    Any number of processes may serve one database: each answers everything, one of them
    fires. Thread-safe; every method that changes something returns once the change is on disk.

    A program uses it by `with`, by `start` and `close`, by `run`, or by `run_once` in a rhythm of its own. What a
    subclass makes of `execute_job` decides how runs end.
    """

    def __init__(self, config: SchedulerConfig | None = None, now: Callable[[], datetime] = utc_now) -> None:
        config, self._temporary = with_place(with_namespace(config or SchedulerConfig(), self))
        self.config, self.now = config, now
        _check_default_targets(config)
        data_dir = config.state_dir
        make_data_dir(data_dir)
        self.events = Events()
        url, namespace = config.database_url or sqlite_url(data_dir), config.namespace or DEFAULT
        self._store = Database(url, data_dir, namespace)
        self._counts = Remembered(self._store, condition.count)
        self._definitions = Definitions(config, now)
        self._log_dir = log_dir(config)
        self._lease, self._doorbell = open_lease(self._store, data_dir)
        self.confinement = confine(config)
        self.callables = Callables()
        self.jobs = JobMapping(self._replace_job, self.remove_job, self._stored_job, self._job_names)
        self._attempts = Attempts(config, self.confinement, self.callables, self._own_execution())
        self.tracing = open_tracing(os.environ)
        self._executor = Executor(self._store, self.events, config, self._attempts, now, self.tracing)
        self._book = JobBook(self._store, self._definitions, self._executor.teller, config, now)
        self._holder = Holder(self._store, self._lease, self._doorbell, self._executor, self.events, config, now)
        deliver, tend = self._holder.deliverer.deliver, self._holder.retention.tend
        self._cycle = Cycle(self._store, self._lease, self._executor, self.events, deliver, tend, now)
        self.watch = LedgerWatch(self._store, self.events)
        self.metrics = Recorder(self._store, config, self._holder.vitals)
        self.firing = FiringWatch(self._lease, self._holder.vitals, lambda: self.metrics.read().vitals)
        self.figures, self.timeline = FigureReader(self._store), Timeline(self._store, now)
        self.table = TaskTable(self._store, now)
        self.rehearsals = Rehearsals(self._store, config.max_workers, now)
        self.readiness = Readiness(self._store, self.firing)
        self.feed = Feed(self._store, self._log_dir, config.max_readers, now)
        self.tokens, self.sessions = TokenBook(self._store, now), SessionBook(self._store, now)
        self._listing = Listing()
        mixed_up = note_maker(self._store, config)
        self._more_warnings: list[Callable[[], list[str]]] = [self.tracing.warnings, lambda: mixed_up]
        self.files = FiledJobs(config, self._store, self._definitions, self._executor.teller, now)
        self._follower = Follower(self.files, self.apply_files, self._may_fire, config.poll_interval_seconds, now)
        self._holder.on_ready = self._follower.look_again
        self._made_at = now()
        self._turning = threading.RLock()
        self._opened, self._closed = threading.Event(), threading.Event()
        self._told_to_end = threading.Event()
        self._winding_down, self._wound_down = threading.Lock(), threading.Event()

    def within(self, around: Around) -> TaskScheduler:
        """Return this scheduler with `around` about each change that it makes, in the transaction of the change."""
        return self._with(Surrounded(self._store, around))

    def on(self, connection: Connection) -> TaskScheduler:
        """Return this scheduler as it is seen inside a transaction that is under way."""
        return self._with(OnConnection(self._store, connection))

    def transact(self, unit: Callable[[Connection], T]) -> T:
        """Carry out a unit of a face of the scheduler in one transaction of the store."""
        return self._store.write(unit)

    def _with(self, store: Database) -> TaskScheduler:
        twin = copy.copy(self)
        twin._store = store
        twin._book = replace(self._book, store=store)
        twin._listing = Listing()  # what is read inside a transaction may never come true
        return twin

    # --- the service -------------------------------------------------------------------------

    def open(self) -> None:
        """Take part: try for the lease, and fire while this process has it. Once is enough."""
        if self._opened.is_set() and not self._closed.is_set():
            return
        self._check_outside("be started")
        with self._turning:
            if self._closed.is_set():
                raise Conflict("this scheduler was closed: make another one", code="shutting_down")
            if self._opened.is_set():
                return
            self._store.check_usable()
            if self.config.autostart and self._store.read(state.is_running) is None:
                self._set_running(True)
            self._holder.start()
            if self.files.paths:
                self._follower.start()
            self.metrics.start()
            self.readiness.begin()
            self._opened.set()
            atexit.register(self.close)

    def wind_down(self) -> None:
        """Fire no more, give runs under way their grace, then end them as `interrupted`; all else is still answered.

        For who has to answer meanwhile; `close` does it, too.
        """
        with self._winding_down:
            if not self._wound_down.is_set():
                self._wound_down.set()
                self._follower.close()
                self._holder.close(self.config.stop_grace_seconds)

    def close(self) -> None:
        """Fire no more, give runs under way their grace, then end them as `interrupted`. Once is enough.

        A job that calls this cannot wait for its own end: another thread closes it then, and `close` returns at once.
        In a process that was forked off nothing happens: it has nothing of this but the memory.
        """
        if self._store.is_inherited:
            return
        self._told_to_end.set()
        if self._executor.is_own_thread or self.watch.is_own_thread:
            if not self._closed.is_set():
                threading.Thread(target=self.close, name="closing").start()
            return
        with self._turning:
            if self._closed.is_set():
                return
            self._closed.set()
            atexit.unregister(self.close)
            self.feed.close()
            self.wind_down()
            self.watch.close()
            self.metrics.close()
            self._store.close()
            self._doorbell.close()
            self.tracing.close()
            if self._temporary is not None:
                self._temporary.close()

    def _check_outside(self, what: str) -> None:
        """Refuse what waits for the end of a cycle to a job that is a part of it."""
        if self._executor.is_own_thread:
            raise Conflict(f"this scheduler cannot {what} by a job of its own", code="already_running")

    def _may_fire(self) -> bool:
        return self._holder.is_ready

    def start(self) -> bool:
        """Take part, and let jobs fire from now on; False where they do already."""
        self.open()
        return self._set_running(True)

    def stop(self) -> bool:
        """Let no job fire any more; runs under way finish. False where none fires anyway."""
        return self._set_running(False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self) -> None:
        """Fire until SIGINT or SIGTERM, or until another thread closes this; then close it.

        Meanwhile the program logs as `log_level`, `log_format` and `log_file` of the settings say.
        """
        level, style, file = self.config.log_level, self.config.log_format, self.config.log_file
        with logging_set_up(level, style, file), told_by_signals(self._told_to_end), self:
            self._told_to_end.wait()

    def run_once(self) -> list[Run]:
        """Run all that came due since the last cycle, by priority; return the runs when the last has ended.

        At most `max_workers` go on at a time. What came due before this scheduler was made counts where its jobs
        were kept in a database then.
        """
        self._check_outside("run a cycle")
        with self._turning:
            if self._opened.is_set() or self._closed.is_set():
                what = "was closed" if self._closed.is_set() else "fires by itself, since it was started"
                raise Conflict(f"this scheduler {what}: run_once is for one that was not", code="already_running")
            if self._store.read(state.is_running) is None:
                self._set_running(True, self._made_at)
            self.metrics.observe()
            try:
                return self._cycle.run()
            finally:
                self.metrics.publish()

    def execute_job(self, job: Job) -> JobResult:
        """Carry out one attempt of a job; for subclasses to do more, and to have the last word on how it went.

        Called in a worker's thread, for each attempt, in the process that fires. What it raises fails the run.
        """
        return self._attempts.carry_out(job)

    def _own_execution(self) -> Execute | None:
        if type(self).execute_job is TaskScheduler.execute_job:
            return None
        return lambda job: self.execute_job(self.jobs.own(job))

    def is_running(self) -> bool:
        """Whether jobs fire."""
        return bool(self._store.read(state.is_running))

    def has_running(self) -> bool:
        """Whether any run goes on, or is about to."""
        if self._holder.is_ready:  # then all of them are its own
            return bool(self._executor.run_ids())
        return bool(self._store.read(underway.running_jobs))

    def _set_running(self, running: bool, since: datetime | None = None) -> bool:
        now = since or self.now()

        def unit(connection: Connection) -> bool:
            since = planning.mind_start(connection, now)
            changed = state.set_running(connection, running, now)
            if changed and not running:
                runs.skip_queued(connection, "scheduler stopped", now)
                settle_all(connection, since, "scheduler stopped", now, self._executor.teller)
            if changed:
                events.note_scheduler(connection, running, now)
            return changed

        changed = self._store.write(unit)
        self._doorbell.ring(Ring.STATE, Ring.JOBS)
        return changed

    # --- jobs --------------------------------------------------------------------------------

    def add_job(
        self,
        job: Job | Checked,
        replace: bool = False,
        created_by: str = BY_PROGRAM,
        override: bool = False,
        given_at: datetime | None = None,
    ) -> Planned:
        """Keep a job; an equal one under its id is left alone, another is a Conflict unless `replace`.

        A job that a file defines is changed with `override` only: what is changed so stays until the file's entry
        changes. The same holds for `update_job`, `remove_job`, `pause_job` and `resume_job`. `given_at` is when its
        schedule was given, where that was earlier: a one-shot whose moment has passed since is no error then, and
        gets its row.
        """

        if created_by != BY_PROGRAM:
            planned = self._book.add(job, replace, created_by, override, given_at, lambda _: None)
        else:
            with self.jobs.offered(job_of(job)) as offer:
                planned = self._book.add(job, replace, created_by, override, given_at, offer.expect)
                offer.accept(planned.info.stored)
        self._doorbell.ring(Ring.JOBS)
        return planned

    def add_callable(
        self, function: Function, *, replace: bool = True, given_at: datetime | None = None, **fields: Any
    ) -> Planned:
        """Keep a job that calls a function of this program, by default under the function's own name.

        It is called only in a process that has done this, too: in another one its fire times are `skipped`. `fields`
        are those of a Job that say when, and under which terms. Two functions of one name are a Conflict.
        """
        job = callable_job(function, fields)
        known, named = self.callables.get(job.task_id), "task_id" in fields
        check_function(job.task_id, known, function, named=named, replace=replace, argument="task_id")
        with self.callables.registered(job.task_id, function):
            return self.add_job(job, replace, given_at=given_at)

    def _replace_job(self, job: Job) -> Planned:
        return self.add_job(job, replace=True)

    def _stored_job(self, task_id: str) -> StoredJob:
        return self._store.read(lambda connection: find(connection, task_id))

    def _job_names(self) -> list[str]:
        return self._store.read(jobs.all_names)

    def check_job(
        self, job: Job | Checked, replace: bool = False, created_by: str = BY_PROGRAM, override: bool = False
    ) -> Planned:
        """Say what `add_job` would do, changing nothing; raise what it would raise."""
        return self._book.check(job, replace, created_by, override)

    def update_job(
        self,
        task_id: str,
        changes: Mapping[str, Any],
        override: bool = False,
        by: str = BY_PROGRAM,
        given_at: datetime | None = None,
    ) -> Planned:
        """Change fields of a job; its history stays, and so does its phase unless its schedule changes.

        `by` is who asks for it, here and of the changes below: that is kept with the change. `given_at` is the moment
        that the intervals of another schedule count from, where that was earlier: so a change is undone.
        """
        planned = self._book.update(task_id, changes, override, by, given_at)
        self._doorbell.ring(Ring.JOBS)
        return planned

    def check_update(self, task_id: str, changes: Mapping[str, Any], override: bool = False) -> Planned:
        """Say what `update_job` would do, changing nothing; raise what it would raise."""
        return self._book.check_update(task_id, changes, override)

    def remove_job(self, task_id: str, override: bool = False, by: str = BY_PROGRAM) -> list[str]:
        """Remove a job and ask for the end of its runs; return the ids of those to wait for."""
        ending = self._book.remove(task_id, override, by)
        self.jobs.forget(task_id)
        self.callables.forget(task_id)
        self._doorbell.ring(Ring.JOBS, Ring.CANCELS)
        return ending

    def pause_job(self, task_id: str, override: bool = False, by: str = BY_PROGRAM) -> bool:
        """Plan no fire times of a job; False where it is paused already."""
        changed = self._book.pause(task_id, override, by)
        self._doorbell.ring(Ring.JOBS)
        return changed

    def resume_job(self, task_id: str, override: bool = False, by: str = BY_PROGRAM) -> bool:
        """Plan a job from now on, be it paused or disabled; False where it is planned already."""
        changed = self._book.resume(task_id, override, by)
        self._doorbell.ring(Ring.JOBS)
        return changed

    def prepare_lists(self, show: Show, pause_seconds: float = 0.05) -> None:
        """Make the texts that `show_jobs` keeps, a few at a time with a pause each, as long as they find room.

        Without this the first list of many jobs makes them, which takes it seven times as long as the next.
        """
        self._listing.prepare(
            lambda after, limit: self.show_jobs(JobFilter(), after, limit, show),
            lambda: self._told_to_end.wait(pause_seconds),
        )

    def complete_path(self, begun: str) -> Completions:
        """Return what a path that begins so may become, within the allowed directories; raise `InvalidRequest`."""
        try:
            return complete(self.confinement.allowed, begun)
        except TaskRefused as refused:
            raise InvalidRequest([as_problem(refusal) for refusal in refused.problems]) from refused

    # --- jobs of files -----------------------------------------------------------------------

    def plan_files(self, paths: Sequence[Path] | None = None) -> Plan:
        """Say what files of jobs (those of the settings where none are named) ask for; changes nothing."""
        return self.files.plan(paths)

    def apply_files(self, plan: Plan) -> list[FileProblem]:
        """Do what a plan says, and return what could not be done; a second time, it changes nothing."""
        problems = self.files.apply(plan)
        if not plan.is_empty:
            self._doorbell.ring(Ring.JOBS, Ring.CANCELS)
        return problems

    def load_jobs(self) -> list[FileProblem]:
        """Do at once what files of jobs ask for, and return what is wrong with them, or could not be done.

        Those are the files of the settings, or the directory `jobs` where they name none. A scheduler that was started
        follows the files of the settings by itself.
        """
        plan = self.plan_files(None if self.files.paths else [usual_dir()])
        problems = [*plan.faulty, *self.apply_files(plan)]
        for problem in problems:
            log.warning("%s", problem)
        return problems

    def export_jobs(self, task_ids: Sequence[str] | None = None, progress: bool = False) -> dict[str, Any]:
        """Return the definitions of all jobs, or of these, as one document: the same bytes for the same state.

        With `progress` it tells of each that `max_runs` limits how many runs have been made, too. Jobs that call
        functions are no part of it: only a program can define one.
        """
        return self._book.export(task_ids, progress)

    def import_jobs(
        self, sent: object, replace: bool = False, created_by: str = "program", override: bool = False
    ) -> Imported:
        """Keep all definitions of a document or none; raise `InvalidRequest` with every problem of every one."""
        imported = self._book.import_all(sent, replace, created_by, override)
        self._doorbell.ring(Ring.JOBS)
        return imported

    def check_import(self, sent: object, replace: bool = False, override: bool = False) -> Imported:
        """Say what `import_jobs` would do, changing nothing; raise what it would raise, but for limits."""
        return self._book.check_import(sent, replace, override)

    # --- runs --------------------------------------------------------------------------------

    def run_now(self, task_id: str, force: bool = False) -> Run:
        """Queue a run of a job, whether the scheduler runs or not, and return it."""
        now = self.now()
        details = self._asked_within()

        def ask(connection: Connection) -> tuple[Run, StoredJob]:
            self._check_sandbox()
            stored = find(connection, task_id)
            return ask_for_run(connection, stored, force, self.config.max_queued, now, details), stored

        return self._begin(ask)

    def try_job(self, job: Job | Checked, created_by: str = BY_PROGRAM) -> Run:
        """Queue one run of a job that is not kept, and return it; the run is known as any other."""
        now = self._definitions.moment()
        tried = self._definitions.check(trial_of(job_of(job)), now)
        details = self._asked_within()

        def ask(connection: Connection) -> tuple[Run, StoredJob]:
            self._check_sandbox()
            return add_trial(connection, tried.job, tried.schedule, created_by, self.config.max_queued, now, details)

        return self._begin(ask)

    def _begin(self, ask: Callable[[Connection], tuple[Run, StoredJob]]) -> Run:
        """Keep a run that is asked for, and let it begin: here and now, or whenever the process that fires can."""
        if self._store.commits and self._holder.is_ready:
            run = self._executor.begin(self._store, ask)
        else:
            run = self._store.write(lambda connection: ask(connection)[0])
        if run.status is RunStatus.QUEUED:
            self._doorbell.ring(Ring.RUNS)
        return run

    def _asked_within(self) -> dict[str, Any]:
        """Return what a run that somebody asks for remembers of the trace that it was asked for in."""
        return {PARENT: parent} if (parent := self.tracing.current()) else {}

    def _check_sandbox(self) -> None:
        if self.confinement.refusal is not None:
            raise Unavailable(self.confinement.refusal, code="sandbox_unavailable")

    def cancel_run(self, run_id: str) -> list[str]:
        """Ask for the end of a run; return its id, or nothing where it has ended already.

        Where an attempt has ended and the next one waits or goes on, that one is meant: whoever asks knows the first.
        """

        def unit(connection: Connection) -> list[str]:
            run = runs.find_run(connection, run_id)
            if run is None:
                raise no_run(run_id)
            last = runs.last_attempt(connection, run) if run.status.is_final else run
            return end_runs(connection, [last], "cancelled", self.now())

        ending = self._store.write(unit)
        self._doorbell.ring(Ring.CANCELS)
        return ending

    def cancel_job_runs(self, task_id: str) -> list[str]:
        """Ask for the end of all runs of a job; return their ids."""

        def unit(connection: Connection) -> list[str]:
            stored = find(connection, task_id)
            return end_runs(connection, underway.active_runs(connection, stored.key), "cancelled", self.now())

        ending = self._store.write(unit)
        self._doorbell.ring(Ring.CANCELS)
        return ending

    # --- notifications -----------------------------------------------------------------------

    def test_notification(self, target: Any) -> Outcome:
        """Send a test message to a target at once and say what came of it; raise `InvalidRequest` where it is none."""
        return try_target(target, self.config, self.now())

    # --- answers -----------------------------------------------------------------------------

    def status(self) -> dict[str, Any]:
        """Return how the scheduler is doing, as plain values; what a store in trouble cannot tell is None."""
        files = self._follower.report() if self.files.paths else None
        return condition.status(self._store, self._counts, self._lease, self._holder) | {"jobs_files": files}

    def health(self) -> dict[str, Any]:
        """Return `status` `ok` or `degraded`, and why."""
        return condition.health(self._store, self._holder)

    @property
    def store_kind(self) -> str:
        """Which database it is: `sqlite` or `postgresql`."""
        return self._store.kind

    def has_clock(self) -> bool:
        """Whether this process fires what is due, if it is the one that should; only a restart mends it otherwise."""
        return condition.has_clock(self._holder)

    def describe_sandbox(self) -> dict[str, Any]:
        """Return what confines runs."""
        dirs = {"allowed_dirs": self.config.allowed_dirs, "read_dirs": self.config.read_dirs}
        return self.confinement.describe() | {name: list(map(str, paths)) for name, paths in dirs.items()}

    def also_warn(self, tell: Callable[[], list[str]]) -> None:
        """Let `warnings` say, too, what a face of the scheduler has to tell operators."""
        self._more_warnings.append(tell)

    def warnings(self) -> list[str]:
        """Say what an operator should know of the settings."""
        return condition.warnings(self.config, self.files.paths, self._more_warnings)

    def read_definition(self, fields: Mapping[str, Any]) -> Checked | Job:
        """Make a job of what was sent, for `add_job` and its like; raise `InvalidRequest` with all that is wrong.

        A definition that exists already is not wrong because its time has passed meanwhile: that is the Job that
        was not checked.
        """
        return self._book.read(fields)


def _check_default_targets(config: SchedulerConfig) -> None:
    """Refuse settings by which nobody could be told of a task that names nobody."""
    problems = problems_of(config.notify_default, None, config)
    if problems:
        name = "SCHEDULER_NOTIFY_DEFAULT"
        raise InvalidRequest([replace(found, field=name, message=f"{name}: {found.message}") for found in problems])
