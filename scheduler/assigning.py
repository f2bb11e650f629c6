"""Assign runs that wait: each with the definition it is a run of; where that cannot be read here, end it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.attempts import Assignment
from scheduler.models import Job
from scheduler.run import Run, RunStatus
from scheduler.store import Connection, Database, is_trouble, jobs, runs
from scheduler.store.fence import may_fire

log = logging.getLogger(__name__)

UNREADABLE = "the process that fires cannot read the definition of this task: its log says why"


class Definition(NamedTuple):
    """What the runs of a job carry out, and the zone that its times are shown in."""

    job: Job
    zone: ZoneInfo


def assign(
    store: Database, wanted: Callable[[Connection], Sequence[Run]], now: Callable[[], datetime]
) -> list[Assignment]:
    """Return the wanted runs, which wait, with the definitions of their jobs.

    Those whose definition this process cannot read are ended: nobody else carries them out, and one of them must not
    keep all others from beginning.
    """

    def unit(connection: Connection) -> tuple[Sequence[Run], dict[int, Definition | None]]:
        waiting = wanted(connection)
        return waiting, read_definitions(connection, {run.job_key for run in waiting})

    waiting, definitions = store.read(unit)
    unreadable = [run for run in waiting if definitions[run.job_key] is None]
    if unreadable:
        _end_where_it_fires(store, unreadable, now())
    known = [(run, definition) for run in waiting if (definition := definitions[run.job_key]) is not None]
    return [Assignment(run, job, zone) for run, (job, zone) in known]


def read_definitions(connection: Connection, keys: Collection[int]) -> dict[int, Definition | None]:
    """Return the definitions of jobs, removed or not; None for one that cannot be read here, which the log tells."""
    return {key: _read(connection, key) for key in keys}


def end_unreadable(connection: Connection, waiting: Sequence[Run], now: datetime) -> None:
    """End runs that wait and of which this process cannot read what they are runs of."""
    for run in waiting:
        runs.end_queued(connection, runs.is_run(run.run_id), RunStatus.SKIPPED, UNREADABLE, now)


def _end_where_it_fires(store: Database, unreadable: Sequence[Run], now: datetime) -> None:
    """End them, unless another process fires by now, which may be able to read what this one cannot."""

    def unit(connection: Connection) -> None:
        if may_fire(connection):
            end_unreadable(connection, unreadable, now)

    store.write(unit)


def _read(connection: Connection, key: int) -> Definition | None:
    try:
        stored = jobs.get_job(connection, key)
        return Definition(stored.job, stored.zone)
    except Exception as error:
        if is_trouble(error):
            raise
        # Of older data of time zones than the writer's, by another version of a program, or damaged: it is one of many.
        log.exception("the definition of job %d cannot be read: its runs are not carried out", key)
        return None
