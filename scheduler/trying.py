"""Try a definition once, before anybody keeps it.

Every run is a row of the ledger, and a row belongs to a job: so the trial has one, which is removed from the moment
that it is made. It is in no list, is never planned, and leaves nothing behind that somebody would have to tidy up,
whatever crashes; its run is found, followed, cancelled and forgotten as any other.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scheduler.alerts import Notify
from scheduler.definitions import columns
from scheduler.manual import ask_for_run
from scheduler.models import Job
from scheduler.run import Run
from scheduler.spellings import Schedule
from scheduler.store import Connection, jobs
from scheduler.stored_job import StoredJob


def trial_of(job: Job) -> Job:
    """Return the job as it is tried: under another id, so that no history is mixed up, once, and without alarm."""
    changed = {
        "task_id": f"try-{secrets.token_hex(4)}",
        "enabled": False,
        "max_retries": 0,
        "notify": Notify.model_validate({"to": []}),
        "expect": None,
    }
    return job.model_copy(update=changed)


def add_trial(
    connection: Connection,
    job: Job,
    schedule: Schedule,
    created_by: str,
    max_queued: int,
    now: datetime,
    details: Mapping[str, Any],
) -> tuple[Run, StoredJob]:
    """Queue the one run of a trial, and return its job, too; raise `LimitReached` where too many wait."""
    values = {**columns(job, schedule, now, now), "created_at": now, "created_by": created_by, "removed_at": now}
    key, revision = jobs.insert_job(connection, job.task_id, values)
    stored = StoredJob(key=key, task_id=job.task_id, paused=False, revision=revision, **values)
    return ask_for_run(connection, stored, False, max_queued, now, details), stored
