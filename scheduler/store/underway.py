"""Tell which runs wait or go on, and which of them should not."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import Connection, and_, bindparam, func, or_, select

from scheduler.run import Origin, Run
from scheduler.store.prepared import Prepared
from scheduler.store.runs import ALL_COLUMNS, find_run, stored_run
from scheduler.store.tables import IS_ACTIVE, jobs, runs

_ACTIVE = select(*ALL_COLUMNS).where(IS_ACTIVE).order_by(runs.c.created_at)
_ACTIVE_OF = Prepared(_ACTIVE.where(runs.c.job_key == bindparam("job")))


def active_runs(connection: Connection, job_key: int | None = None) -> list[Run]:
    """Return the runs that wait or go on: of one job, or all; the longest waiting first."""
    found = connection.execute(_ACTIVE) if job_key is None else _ACTIVE_OF.rows(connection, {"job": job_key})
    return [stored_run(row) for row in found]


def queued_runs(connection: Connection) -> list[Run]:
    """Return the runs that wait, the longest waiting first."""
    return [stored_run(row) for row in connection.execute(_ACTIVE.where(runs.c.status == "queued"))]


_ACTIVE_IDS = Prepared(
    select(runs.c.run_id).where(IS_ACTIVE, runs.c.job_key == bindparam("job")).order_by(runs.c.created_at)
)


def active_ids(connection: Connection, job_key: int) -> list[str]:
    """Return the ids of the runs of a job that wait or go on, the longest waiting first."""
    return [run_id for (run_id,) in _ACTIVE_IDS.rows(connection, {"job": job_key})]


_GOING = select(runs.c.job_key).where(IS_ACTIVE, runs.c.status == "running")


_IS_GOING = Prepared(select(_GOING.where(runs.c.job_key == bindparam("job")).exists()))


def is_going(connection: Connection, job_key: int) -> bool:
    """Whether a run of a job goes on."""
    return bool(_IS_GOING.value(connection, {"job": job_key}))


def running_jobs(connection: Connection) -> set[int]:
    """Return the keys of all jobs that have a run going on."""
    return set(connection.execute(_GOING).scalars())


_COUNT_QUEUED = Prepared(select(func.count()).select_from(runs).where(IS_ACTIVE, runs.c.status == "queued"))


def count_queued(connection: Connection) -> int:
    """Count the runs that wait."""
    return int(_COUNT_QUEUED.value(connection))


def count_active(connection: Connection) -> dict[tuple[str, str], int]:
    """Count the runs that wait or go on, by status and priority."""
    query = select(runs.c.status, runs.c.priority, func.count()).where(IS_ACTIVE)
    return {(row[0], row[1]): row[2] for row in connection.execute(query.group_by(runs.c.status, runs.c.priority))}


def unsettled(connection: Connection, run_ids: Collection[str]) -> set[str]:
    """Return those of the runs that wait or go on, or have a further attempt that does."""
    one, other = runs.alias("one"), runs
    same = and_(other.c.job_key == one.c.job_key, other.c.scheduled_for == one.c.scheduled_for, IS_ACTIVE)
    query = select(one.c.run_id).where(one.c.run_id.in_(run_ids), select(other.c.run_id).where(same).exists())
    return set(connection.execute(query).scalars())


_BY_HAND = and_(IS_ACTIVE, runs.c.status == "queued", runs.c.trigger == Origin.MANUAL.value)
_IDS_BY_HAND = Prepared(select(runs.c.run_id).where(_BY_HAND))
FEW = 100
"""How many rows are asked for one by one rather than by reading all that wait."""


def queued_by_hand(connection: Connection, is_known: Callable[[str], bool]) -> list[Run]:
    """Return the runs that people asked for and that wait, but for those that are known already."""
    unknown = {run_id for (run_id,) in _IDS_BY_HAND.rows(connection) if not is_known(run_id)}
    if not unknown:
        return []
    if len(unknown) <= FEW:
        return [run for run_id in sorted(unknown) if (run := find_run(connection, run_id))]
    found = map(stored_run, connection.execute(select(*ALL_COLUMNS).where(_BY_HAND)))
    return sorted((run for run in found if run.run_id in unknown), key=lambda run: run.run_id)


_CANCELS = Prepared(select(runs.c.run_id, runs.c.cancel_reason).where(IS_ACTIVE, runs.c.cancel_reason.is_not(None)))


def cancel_requests(connection: Connection) -> list[tuple[str, str]]:
    """Return id and reason of each run that goes on and should not."""
    return [(run_id, reason) for run_id, reason in _CANCELS.rows(connection)]


_CALLED_OFF = Prepared(
    select(runs.c.run_id)
    .join(jobs, jobs.c.key == runs.c.job_key)
    .where(runs.c.run_id == bindparam("run"), or_(runs.c.cancel_reason.is_not(None), jobs.c.removed_at.is_not(None)))
)


def was_called_off(connection: Connection, run_id: str) -> bool:
    """Whether somebody asked for the end of a run, though it may have ended by itself, or removed its job."""
    return _CALLED_OFF.value(connection, {"run": run_id}) is not None
