"""Say how a run ends where that is not what its attempt tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from scheduler.results import Ending, text_of
from scheduler.run import Run, RunStatus
from scheduler.store import Connection
from scheduler.store.fence import may_fire
from scheduler.tracing import parent_of
from tasks.sandbox import KILLED, UNKNOWN

LEASE_TAKEN = "another server took the lease"
UNKEPT = "what came of it could not be written"


def told_anew(connection: Connection, run: Run) -> Run:
    """Return how a run ended, which is otherwise where another process has taken the lease.

    That one kills what it finds running before it writes that those runs were interrupted. Whoever carried one out
    may write first, and all that he knows is that it was killed.
    """
    was_killed = run.status is RunStatus.FAILED and run.details.get("reason") in (KILLED, UNKNOWN)
    if not was_killed or may_fire(connection):
        return run
    return replace(run, status=RunStatus.INTERRUPTED, details={**run.details, "reason": LEASE_TAKEN})


def broken(run: Run, error: Exception, now: datetime) -> Run:
    """Return the end of a run that could not be carried out by a fault of ours."""
    ending = Ending(RunStatus.FAILED, {"reason": f"internal error: {type(error).__name__}: {text_of(error)}"})
    details = {**parent_of(run), **ending.details}
    return replace(run, status=ending.status, started_at=run.started_at or now, finished_at=now, details=details)


def without_outcome(run: Run) -> Run:
    """Return the end of a run of which the store takes no more than its status."""
    said = "hint" if run.status is RunStatus.COMPLETED else "reason"
    return replace(run, details={**parent_of(run), said: UNKEPT})
