"""Tell what ran, runs and will run as it lies on a line of time, and what of it somebody should look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scheduler.models import JobStatus
from scheduler.policy import last_allowed
from scheduler.store import Connection, Database, jobs, planning, runs, state, stats, timeline, underway
from scheduler.store.jobs import JobFilter
from scheduler.store.timeline import Bar, Lane, Trouble
from scheduler.stored_job import StoredJob

MOST_PLANNED = 60
"""How many fire times of a task are told at most; where more fall into a span, some of them, evenly."""
FIRST = 50
"""How many tasks are drawn where none are named."""
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, cut in equal slots."""

    since: datetime
    until: datetime
    slots: int

    @property
    def slot(self) -> timedelta:
        """How long one slot is."""
        return max((self.until - self.since) / self.slots, _TICK)


@dataclass(slots=True)
class Drawn:
    """What lies on the line of one task: bars of its runs, and the moments that it fires next."""

    task_id: str
    bars: list[Bar] = field(default_factory=list)
    planned: list[datetime] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Coming:
    """What fires next, first things first."""

    job: StoredJob
    at: datetime


class Timeline:
    """Read the ledger and the plans of one database."""

    def __init__(self, store: Database, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def lanes(self, span: Span) -> list[tuple[Lane, JobStatus]]:
        """Return all tasks, with where each stands: `completed` where its rule has ended, however its last run was."""

        def unit(connection: Connection) -> list[tuple[Lane, JobStatus]]:
            going = underway.running_jobs(connection)
            return [(lane, _status(lane, going)) for lane in timeline.lanes(connection, span.since, span.until)]

        return self._store.read(unit)

    def draw(self, task_ids: Sequence[str] | None, span: Span) -> list[Drawn]:
        """Return what lies on the lines of those of the tasks that exist, in the order given, or of the first tasks."""
        now = self._now()

        def unit(connection: Connection) -> tuple[list[StoredJob], list[Bar], bool]:
            stored = (
                jobs.list_jobs(connection, JobFilter(), 0, FIRST)
                if task_ids is None
                else jobs.find_jobs(connection, task_ids)
            )
            names = [job.task_id for job in stored]
            found = timeline.bars(connection, names, span.since, span.until, span.slot)
            return stored, found, bool(state.is_running(connection))

        stored, bars, fires = self._store.read(unit)
        drawn = {job.task_id: Drawn(job.task_id) for job in stored}
        for job in stored if fires else ():
            drawn[job.task_id].planned += _planned(job, span, now)
        for bar in bars:
            drawn[bar.task_id].bars.append(bar)
        return [drawn[name] for name in (dict.fromkeys(task_ids) if task_ids is not None else drawn) if name in drawn]

    def coming(self, limit: int) -> list[Coming]:
        """Return what fires next; nothing while the scheduler is stopped."""

        def unit(connection: Connection) -> list[StoredJob]:
            return planning.next_planned(connection, self._now(), limit) if state.is_running(connection) else []

        return [Coming(job, job.due_at) for job in self._store.read(unit) if job.due_at is not None]

    def trouble(self, since: datetime, limit: int) -> tuple[list[Trouble], int]:
        """Return the tasks with runs since then that did not go as they should, and how many such runs there are."""
        return self._store.read(lambda connection: timeline.trouble(connection, since, limit))

    def counts_by_day(self, days: Sequence[datetime]) -> Sequence[Mapping[str, int]]:
        """Return the runs of each day by how they ended, each day given by its first moment."""
        return self._store.read(lambda connection: stats.count_by_day(connection, days))

    def lateness_ms(self, limit: int) -> list[float]:
        """Return by how many milliseconds the last runs on schedule started late, newest first."""
        return [
            micros / 1000 for micros in self._store.read(lambda connection: runs.recent_lateness(connection, limit))
        ]


def _status(lane: Lane, going: set[int]) -> JobStatus:
    if lane.key in going:
        return JobStatus.RUNNING
    if not lane.enabled:
        return JobStatus.DISABLED
    if lane.paused:
        return JobStatus.PAUSED
    return JobStatus.COMPLETED if lane.ended else JobStatus.PENDING


def _planned(job: StoredJob, span: Span, now: datetime) -> Iterator[datetime]:
    """Yield the fire times of a job that are ahead, at most one a slot."""
    following = job.next_fire_time if job.planned else None
    if following is None or following >= span.until:
        return
    trigger = job.read_schedule().trigger
    ahead = max(now, span.since)
    step = max(span.slot, (span.until - ahead) / MOST_PLANNED)
    moment: datetime | None = following if following > ahead else trigger.utc_after(ahead)
    last = last_allowed(trigger, following, job.runs_left)
    while moment is not None and moment < span.until and (last is None or moment <= last):
        yield moment
        moment = trigger.utc_after(moment + step - _TICK)
