"""Queue runs that somebody asks for."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from scheduler.errors import Conflict, LimitReached
from scheduler.ids import new_run_id
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, runs, underway
from scheduler.stored_job import StoredJob


def ask_for_run(
    connection: Connection,
    stored: StoredJob,
    force: bool,
    max_queued: int,
    now: datetime,
    details: Mapping[str, Any],
) -> Run:
    """Queue a run of a job and return it; raise `Conflict` at its `max_instances` unless `force`, `LimitReached`."""
    active = [] if force else underway.active_ids(connection, stored.key)
    if len(active) >= stored.max_instances and not force:
        raise Conflict(
            f"Task '{stored.task_id}' already has {len(active)} of at most {stored.max_instances} runs "
            f'waiting or going on: {", ".join(active)}. Wait for it, cancel it, or send "force": true.',
            code="already_running",
            run_ids=active,
        )
    if underway.count_queued(connection) >= max_queued:
        raise LimitReached(
            f"{max_queued} runs are waiting, which is the limit (SCHEDULER_MAX_QUEUED): try later",
            code="queue_full",
            retry_after=5,
        )
    return runs.add_manual_run(connection, _manual_run(stored, now, details))


def _manual_run(stored: StoredJob, now: datetime, details: Mapping[str, Any]) -> Run:
    # Fire times are whole milliseconds; an odd microsecond keeps a manual run from taking the place of one.
    moment = now.replace(microsecond=now.microsecond // 1000 * 1000) + timedelta(
        microseconds=1 + secrets.randbelow(999)
    )
    return Run(
        run_id=new_run_id(now),
        job_key=stored.key,
        task_id=stored.task_id,
        scheduled_for=moment,
        attempt=1,
        trigger=Origin.MANUAL,
        status=RunStatus.QUEUED,
        priority=stored.priority,
        created_at=now,
        details=details,
    )
