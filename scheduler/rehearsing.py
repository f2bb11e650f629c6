"""Rehearse a stretch of time with all tasks as they are kept, and with how long their runs took of late."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from scheduler.definitions import jitter
from scheduler.fire_times import Rule
from scheduler.models import Overlap
from scheduler.policy import ended_by_runs
from scheduler.rehearsal import Part, play
from scheduler.rehearsed import Rehearsal, Silent, Why
from scheduler.store import Connection, Database, jobs, stats
from scheduler.store.jobs import JobFilter
from scheduler.stored_job import StoredJob

log = logging.getLogger(__name__)

_TICK = timedelta(microseconds=1)
_A_QUERY = 1000


class Rehearsals:
    """Read the tasks of one database, and play them."""

    def __init__(self, store: Database, workers: int, now: Callable[[], datetime]) -> None:
        self._store, self._workers, self._now = store, workers, now

    def play(self, edges: Sequence[datetime]) -> Rehearsal:
        """Return what the time between the first and the last of the edges brings, counted between each two.

        It is played as though the scheduler ran all the time, and as though nobody changed anything.
        """

        def unit(connection: Connection) -> tuple[list[StoredJob], dict[str, timedelta]]:
            stored = _all_jobs(connection)
            return stored, stats.typical_durations(connection, [job.task_id for job in stored if job.planned])

        now = self._now()
        stored, took = self._store.read(unit)
        parts, silent = [], []
        for job in stored:
            made = _part(job, took.get(job.task_id), now)
            if isinstance(made, Part):
                parts.append(made)
            else:
                silent.append(made)
        return play(parts, edges, self._workers, now, silent)


def _all_jobs(connection: Connection) -> list[StoredJob]:
    found: list[StoredJob] = []
    while some := jobs.list_jobs(connection, JobFilter(), found[-1].key if found else 0, _A_QUERY):
        found += some
    return found


def _part(stored: StoredJob, took: timedelta | None, now: datetime) -> Part | Silent:
    if not stored.enabled or stored.paused:
        return Silent(stored.task_id, Why.PAUSED if stored.enabled else Why.DISABLED)
    if stored.ended:
        return Silent(stored.task_id, Why.ENDED)
    try:
        rule = Rule.of(stored)
    except Exception:
        # One definition that cannot be read must not keep the others from being rehearsed: it is told as such.
        log.exception("a task's fire times cannot be reckoned", extra={"task_id": stored.task_id})
        return Silent(stored.task_id, Why.UNREADABLE)
    job = rule.job
    trigger, left = ended_by_runs(rule.trigger, stored.next_fire_time, stored.runs_left)
    return Part(
        task_id=stored.task_id,
        trigger=trigger,
        # A fire time that is due and has no row yet is still to come.
        after=now if stored.next_fire_time is None else min(now, stored.next_fire_time - _TICK),
        jitter_seconds=jitter(job, rule.schedule),
        max_instances=job.max_instances,
        queues=job.overlap is Overlap.QUEUE,
        left=left,
        took=took,
    )
