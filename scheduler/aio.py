"""The front door for `async def` programs: decorators, and the same calls awaited.

Thin: all is done by the synchronous TaskScheduler, in threads; coroutines run on the program's own loop.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, Self, TypeVar

from scheduler import called_with, task_scheduler
from scheduler.callables import callable_job, check_function
from scheduler.config import SchedulerConfig
from scheduler.cron import validate_cron_expression
from scheduler.cron_arguments import parse_cron_expression
from scheduler.definitions import Definitions, zone_of
from scheduler.errors import Conflict, NotFound, SchedulerError, Unavailable, nearest
from scheduler.given_moments import read_moment
from scheduler.models import Job, JobStatus, Priority, TaskStatus, utc_now
from scheduler.placing import with_namespace
from scheduler.results import JobResult
from scheduler.run import Run, RunStatus
from scheduler.store.jobs import JobFilter
from scheduler.told import JobDict, RunDict, job_dict, run_dict
from scheduler.turns import Turns

log = logging.getLogger(__name__)

__all__ = [
    "Job",
    "JobResult",
    "JobStatus",
    "Priority",
    "Run",
    "RunStatus",
    "SchedulerConfig",
    "SchedulerError",
    "TaskScheduler",
    "TaskStatus",
    "parse_cron_expression",
    "validate_cron_expression",
]

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A job that the program has asked for, whether the scheduler runs or not."""

    function: Callable[..., Any]
    fields: Mapping[str, Any]
    given_at: datetime | None

    @property
    def job(self) -> Job:
        """The job, as it was given."""
        return callable_job(self.function, self.fields)


@dataclass(frozen=True, slots=True, eq=False)
class _Start:
    """One call of `start`, which whoever awaits it may give up."""

    loop: asyncio.AbstractEventLoop
    given_up: threading.Event = field(default_factory=threading.Event)


class TaskScheduler:
    """Run functions of this program on schedule: coroutines on its loop, plain functions in threads.

    Jobs may be given before `start` and after. After `shutdown` it can be started again, with the same jobs. For
    one thread and one loop, but for the functions themselves.
    """

    def __init__(self, config: SchedulerConfig | None = None, now: Callable[[], datetime] = utc_now) -> None:
        self.config = with_namespace(config or SchedulerConfig(), self)
        self._now = now
        self._definitions = Definitions(self.config, now)
        self._wanted: dict[str, _Wanted] = {}
        self._giving = threading.Lock()
        """Held while a job is given or taken back, so that what is wanted is what the store has."""
        self._inner: task_scheduler.TaskScheduler | None = None
        self._turns = Turns("scheduler-turns")
        self._starts: set[_Start] = set()
        """What it runs for: the starts that nobody gave up. Only a turn touches them."""
        self._starting = 0

    # --- the service -------------------------------------------------------------------------

    async def start(self) -> None:
        """Let jobs fire from now on, and coroutines run on this loop.

        Where they do already nothing happens, unless their loop runs no more: then they go on here. Whoever gives up
        waiting for it has not started it; what it has opened by then is closed, which `shutdown` waits for.
        """
        start = _Start(asyncio.get_running_loop())
        self._starting += 1
        try:
            await asyncio.wrap_future(self._turns.take(partial(self._begin, start)))
        except BaseException:
            start.given_up.set()
            self._turns.take(partial(self._give_up, start))
            raise
        finally:
            self._starting -= 1

    async def shutdown(self) -> None:
        """Fire no more, give runs under way their grace (`stop_grace_seconds`), then end them."""
        await asyncio.wrap_future(self._turns.take(self._end))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shutdown()

    @property
    def running(self) -> bool:
        """Whether this process takes part."""
        return self._inner is not None

    @property
    def inner(self) -> task_scheduler.TaskScheduler:
        """The synchronous scheduler behind this one, for all that it can do beyond; raise `Conflict` before `start`."""
        if self._inner is None:
            raise Conflict("the scheduler was not started: await scheduler.start() first", code="not_started")
        return self._inner

    def _begin(self, start: _Start) -> None:
        if start.given_up.is_set():
            return
        if self._inner is None:
            self._inner = self._opened(start)
        else:
            self._inner.callables.move_to(start.loop)
        if self._inner is not None:
            self._starts.add(start)

    def _opened(self, start: _Start) -> task_scheduler.TaskScheduler | None:
        """Return a scheduler that fires what is wanted; None where it was given up meanwhile."""
        inner = task_scheduler.TaskScheduler(self.config, self._now)
        inner.callables.loop = start.loop
        try:
            for wanted in list(self._wanted.values()):
                if not inner.is_done(wanted.job):  # else it would begin anew with every start of the program
                    inner.add_callable(wanted.function, given_at=wanted.given_at, **wanted.fields)
            if not start.given_up.is_set():
                inner.start()
                return inner
        except BaseException:
            inner.close()
            raise
        inner.close()
        return None

    def _give_up(self, start: _Start) -> None:
        self._starts.discard(start)
        try:
            if not self._starts:
                self._end()
        except Exception:  # nobody waits for it
            log.exception("what a start had opened that was given up could not be closed")

    def _end(self) -> None:
        self._starts.clear()
        inner, self._inner = self._inner, None
        if inner is not None:
            inner.close()

    async def _after_start(self) -> None:
        """Wait for the end of a start that is under way, however it ends."""
        if self._starting:
            await asyncio.wrap_future(self._turns.take(lambda: None))

    # --- decorators --------------------------------------------------------------------------

    def interval(self, *, job_id: str | None = None, **fields: Any) -> Callable[[Function], Function]:
        """Call the function at every interval: `weeks`, `days`, `hours`, `minutes`, `seconds`, of which some are given.

        `start_date` and `end_date` limit it, `jitter` spreads it by up to so many seconds. Other fields are those of
        a Job, such as `max_retries` or `priority`.
        """
        when, terms = called_with.interval(fields, self.config.zone)
        return self._decorator(when, job_id, terms)

    def cron(
        self, expression: str | None = None, *, job_id: str | None = None, **fields: Any
    ) -> Callable[[Function], Function]:
        """Call the function by a cron expression, or by cron's fields: `hour=2, minute=0`, `day_of_week="mon"`.

        What are no fields of cron are fields of a Job.
        """
        when, terms = called_with.cron(expression, fields, self.config.zone)
        return self._decorator(when, job_id, terms)

    def at(self, moment: date | str, *, job_id: str | None = None, **terms: Any) -> Callable[[Function], Function]:
        """Call the function once, at a moment; one that has passed is a `missed` row, not an error.

        A date without a time is its midnight.
        """
        when, terms = called_with.once(moment, terms, self.config.zone)
        return self._decorator(when, job_id, terms)

    def _decorator(
        self, when: Mapping[str, Any], job_id: str | None, terms: Mapping[str, Any]
    ) -> Callable[[Function], Function]:
        def decorate(function: Function) -> Function:
            if self._inner is not None or self._starting:
                raise Conflict(
                    "decorators are for jobs given before start(); now, await add_cron_job, add_interval_job or "
                    "add_date_job",
                    code="already_running",
                )
            self._want(function, _fields(when, job_id, terms), replace=False)
            return function

        return decorate

    # --- jobs --------------------------------------------------------------------------------

    async def add_interval_job(
        self, func: Callable[..., Any], job_id: str | None = None, *, replace_existing: bool = True, **fields: Any
    ) -> str:
        """Call a function at every interval, as `interval` says; return the job's id."""
        when, terms = called_with.interval(fields, self.config.zone)
        return await self._add(func, _fields(when, job_id, terms), replace_existing)

    async def add_cron_job(
        self,
        func: Callable[..., Any],
        job_id: str | None = None,
        cron_expression: str | None = None,
        *,
        replace_existing: bool = True,
        **fields: Any,
    ) -> str:
        """Call a function by a cron expression or by cron's fields, as `cron` says; return the job's id."""
        when, terms = called_with.cron(cron_expression, fields, self.config.zone)
        return await self._add(func, _fields(when, job_id, terms), replace_existing)

    async def add_date_job(
        self,
        func: Callable[..., Any],
        job_id: str | None = None,
        run_date: date | str | None = None,
        *,
        replace_existing: bool = True,
        **terms: Any,
    ) -> str:
        """Call a function once, at a moment as `at` says, by default now; return the job's id."""
        moment = self._now() if run_date is None else run_date
        when, terms = called_with.once(moment, terms, self.config.zone)
        return await self._add(func, _fields(when, job_id, terms), replace_existing)

    async def pause_job(self, job_id: str) -> bool:
        """Plan no fire times of a job; False where it is paused already."""
        return await asyncio.to_thread(self.inner.pause_job, job_id)

    async def resume_job(self, job_id: str) -> bool:
        """Plan a job again; False where it is planned already."""
        return await asyncio.to_thread(self.inner.resume_job, job_id)

    async def remove_job(self, job_id: str) -> None:
        """Remove a job, and end its runs."""
        await self._after_start()
        if self._inner is not None:
            await asyncio.to_thread(self._take_back, self._inner, job_id)
        elif self._wanted.pop(job_id, None) is None:
            guess = nearest(job_id, list(self._wanted))
            hint = f" Did you mean '{guess}'?" if guess else ""
            raise NotFound(f"No job '{job_id}' exists.{hint}", code="task_not_found", suggestion=guess)

    async def get_jobs(self) -> list[JobDict]:
        """Return all jobs as plain values, in the order they were made."""
        infos, _ = await asyncio.to_thread(self.inner.list_jobs, JobFilter(), 0, self.config.max_tasks)
        return [job_dict(info) for info in infos]

    async def get_job(self, job_id: str) -> JobDict:
        """Return one job as plain values."""
        return job_dict(await asyncio.to_thread(self.inner.get_job, job_id))

    async def run_now(self, job_id: str, *, force: bool = False) -> RunDict:
        """Run a job at once and wait for its end, retries included; return the last attempt as plain values.

        Unavailable: the scheduler was shut down before it had ended.
        """
        inner = self.inner
        run = await asyncio.to_thread(inner.run_now, job_id, force)
        if not await _ended(inner, run.run_id):
            text = f"the scheduler was shut down before run {run.run_id} of '{job_id}' had ended"
            raise Unavailable(text, code="shutting_down", run_id=run.run_id)
        return run_dict(await asyncio.to_thread(inner.last_attempt, run.run_id), self.config.zone)

    def _want(self, function: Callable[..., Any], fields: Mapping[str, Any], replace: bool) -> str:
        """Note that the program wants a job, once it is known to be right."""
        job_id, wanted = self._read(function, fields, replace)
        self._wanted[job_id] = wanted
        return job_id

    def _read(self, function: Callable[..., Any], fields: Mapping[str, Any], replace: bool) -> tuple[str, _Wanted]:
        job = callable_job(function, fields)
        known = self._wanted.get(job.task_id)
        before = None if known is None else known.function
        named = "task_id" in fields
        check_function(job.task_id, before, function, named=named, replace=replace, argument="job_id")
        given_at = self._given_at(job)
        self._definitions.check(job, given_at or self._definitions.moment())
        return job.task_id, _Wanted(function, fields, given_at)

    def _given_at(self, job: Job) -> datetime | None:
        """Return when the moment was given that a job names, if need be one before it; None where it names none."""
        trigger = job.trigger or {}
        if trigger.get("type") != "date":
            return None
        zone = zone_of(job.timezone, trigger, self.config.zone)
        moment = read_moment(trigger["run_date"], "trigger.run_date", zone)
        return min(self._now(), moment - timedelta(milliseconds=1))

    async def _add(self, function: Callable[..., Any], fields: Mapping[str, Any], replace: bool) -> str:
        await self._after_start()
        if self._inner is None:
            return self._want(function, fields, replace)
        return await asyncio.to_thread(self._give, self._inner, function, fields, replace)

    def _give(
        self,
        inner: task_scheduler.TaskScheduler,
        function: Callable[..., Any],
        fields: Mapping[str, Any],
        replace: bool,
    ) -> str:
        with self._giving:
            job_id, wanted = self._read(function, fields, replace)
            if wanted.given_at is None or not inner.is_done(wanted.job):  # a moment does not come again
                inner.add_callable(function, replace=replace, given_at=wanted.given_at, **fields)
            self._wanted[job_id] = wanted
            return job_id

    def _take_back(self, inner: task_scheduler.TaskScheduler, job_id: str) -> None:
        with self._giving:
            try:
                inner.remove_job(job_id)
            except NotFound:  # removed by itself or by somebody else: the next start shall not bring it back
                self._wanted.pop(job_id, None)
                raise
            self._wanted.pop(job_id, None)


def _fields(when: Mapping[str, Any], job_id: str | None, terms: Mapping[str, Any]) -> dict[str, Any]:
    return {**called_with.named(job_id, terms), **when}


async def _ended(inner: task_scheduler.TaskScheduler, run_id: str) -> bool:
    """Wait for the end of a run; False where that can be waited for no more."""
    loop = asyncio.get_running_loop()
    told: asyncio.Future[bool] = loop.create_future()

    def answer(ended: bool) -> None:
        if not told.done():  # else whoever waited gave up
            told.set_result(ended)

    def tell(ended: bool) -> None:
        with suppress(RuntimeError):  # the loop is closed, and nobody waits on it any more
            loop.call_soon_threadsafe(answer, ended)

    inner.watch.when_ended([run_id], math.inf, tell)
    return await told
