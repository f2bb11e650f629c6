"""Put the ledger right after a process that held the lease is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scheduler.models import Origin, Run, RunStatus
from scheduler.policy import Decision, decide
from scheduler.store import Connection, Database, runs
from tasks.sandbox import kill_leftovers

log = logging.getLogger(__name__)

DIED = "the server died under it"


@dataclass(frozen=True, slots=True)
class Found:
    """What a start found: runs that were cut off, and runs that still wait for a worker."""

    interrupted: list[str]
    waiting: list[Run]


def recover(store: Database, now: Callable[[], datetime], clear_private_dirs: Callable[[], None]) -> Found:
    """End what a dead holder left: its processes first, then its rows.

    Rows that say `running` become `interrupted`: the work may have been done in part, so it is not
    begun again. Rows that wait are kept if it is not too late for them.
    """
    going = [run.run_id for run in store.read(runs.active_runs) if run.status is RunStatus.RUNNING]
    if going:
        log.warning("%d runs were cut off, %d processes of theirs ended", len(going), kill_leftovers(going))
    clear_private_dirs()
    moment = now()
    return store.write(lambda connection: _put_right(connection, moment))


def _put_right(connection: Connection, now: datetime) -> Found:
    interrupted = runs.interrupt_running(connection, DIED, now)
    waiting = []
    for run in runs.active_runs(connection):
        late = (now - run.scheduled_for).total_seconds()
        if run.trigger is Origin.MANUAL or decide(late, 0, 1) is Decision.RUN:
            waiting.append(run)
        else:
            reason = f"still waiting when the server died, {round(late)} s after its time"
            runs.end_queued(connection, runs.is_run(run.run_id), RunStatus.MISSED, reason, now)
    return Found(interrupted, waiting)
