"""Let the ledger go of what is kept no longer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, not_, select

from scheduler.store.tables import IS_ACTIVE, jobs, runs

PAGES_A_STEP = 200


def jobs_with_more_than(connection: Connection, count: int) -> list[int]:
    """Return the keys of jobs that have more than `count` runs."""
    query = select(runs.c.job_key).group_by(runs.c.job_key).having(func.count() > count)
    return list(connection.execute(query).scalars())


def beyond(connection: Connection, job_key: int, keep: int, limit: int) -> list[str]:
    """Return up to `limit` ended runs of a job that come behind its newest `keep`, the oldest first."""
    mine = runs.c.job_key == job_key
    newest = select(runs.c.scheduled_for).where(mine).order_by(runs.c.scheduled_for.desc()).offset(keep - 1).limit(1)
    last_kept = connection.execute(newest).scalar()
    if last_kept is None:
        return []
    query = select(runs.c.run_id).where(mine, runs.c.scheduled_for < last_kept, not_(IS_ACTIVE))
    return list(connection.execute(query.order_by(runs.c.scheduled_for).limit(limit)).scalars())


def older_than(connection: Connection, before: str, after: str, limit: int) -> tuple[str | None, list[str]]:
    """Look at up to `limit` runs with an id from `after` to `before`.

    Return the last id seen, None at the end, and the ids of those that have ended and are not the
    last of their job, unless that is removed.
    """
    page = select(runs.c.run_id, runs.c.job_key, runs.c.scheduled_for, IS_ACTIVE.label("active")).where(
        runs.c.run_id > after, runs.c.run_id < before
    )
    rows = connection.execute(page.order_by(runs.c.run_id).limit(limit)).all()
    if not rows:
        return None, []
    newest = (
        select(runs.c.job_key, func.max(runs.c.scheduled_for))
        .join(jobs, jobs.c.key == runs.c.job_key)
        .where(runs.c.job_key.in_({row.job_key for row in rows}), jobs.c.removed_at.is_(None))
    )
    last = {key: moment for key, moment in connection.execute(newest.group_by(runs.c.job_key))}  # noqa: C416
    gone = [row.run_id for row in rows if not row.active and row.scheduled_for != last.get(row.job_key)]
    return rows[-1].run_id, gone


def delete_runs(connection: Connection, run_ids: Sequence[str]) -> None:
    """Delete rows of the ledger for good."""
    connection.execute(delete(runs).where(runs.c.run_id.in_(run_ids), not_(IS_ACTIVE)))


def give_back_space(connection: Connection) -> bool:
    """Let the file shrink by up to PAGES_A_STEP pages that are free; return whether more are.

    In a file that does not give pages back, since it was not made by this service, what is free is written to again.
    """
    if connection.dialect.name != "sqlite":
        return False
    free = _free_pages(connection)
    for _ in range(min(free, PAGES_A_STEP)):
        # The driver takes a single step of a statement without columns, and each step frees one page.
        connection.exec_driver_sql("PRAGMA incremental_vacuum")
    return 0 < _free_pages(connection) < free


def _free_pages(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
