"""Put the ledger right after a process that held the lease is gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from scheduler.assigning import end_unreadable, read_definitions
from scheduler.executor import next_attempt
from scheduler.models import Job
from scheduler.notify.teller import Teller
from scheduler.policy import Decision, decide
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, Database, planning, runs, underway
from tasks.sandbox import kill_leftovers

log = logging.getLogger(__name__)

DIED = "the server died under it"


@dataclass(frozen=True, slots=True)
class Found:
    """What a start found: runs that were cut off, and runs that still wait for a worker."""

    interrupted: list[str]
    waiting: list[Run]


def recover(
    store: Database,
    now: Callable[[], datetime],
    clear_private_dirs: Callable[[], None],
    teller: Teller,
    is_ours: Callable[[str], bool] = lambda _: False,
    never_late: bool = False,
) -> Found:
    """End what a dead holder left: its processes first, then its rows.

    Rows that say `running` become `interrupted`: the work may have been done in part, so it is begun
    again only where the task allows. Rows that wait are kept if it is not too late for them, as with
    `never_late` it is for none. Runs that go on in this process, which held the lease before, are let alone.
    """
    active = store.read(underway.active_runs)
    going = [run.run_id for run in active if run.status is RunStatus.RUNNING and not is_ours(run.run_id)]
    if going:
        log.warning("%d runs were cut off, %d processes of theirs ended", len(going), kill_leftovers(going))
    if not any(is_ours(run.run_id) for run in active):
        clear_private_dirs()
    moment = now()
    return store.write(lambda connection: _put_right(connection, moment, teller, is_ours, never_late))


def _put_right(
    connection: Connection, now: datetime, teller: Teller, is_ours: Callable[[str], bool], never_late: bool
) -> Found:
    interrupted = runs.interrupt_running(connection, DIED, now, is_ours)
    waiting = underway.queued_runs(connection)
    definitions = read_definitions(connection, {run.job_key for run in interrupted + waiting})
    for run in interrupted:
        if (known := definitions[run.job_key]) is not None:
            retry = next_attempt(connection, known.job, run, now)
            runs.add_runs(connection, [retry] if retry else [])
            # Reading a file is no write: it does no harm where this is done a second time.
            output = teller.end_of_output(known.job, run)
            teller.record(connection, known.job, run, output, more=retry is not None)
    planning.remove_done(connection, list({run.job_key for run in interrupted}), now)
    end_unreadable(connection, [run for run in waiting if definitions[run.job_key] is None], now)
    for run in waiting:
        known = definitions[run.job_key]
        if known is not None and not never_late and _is_too_late(known.job, run, now):
            reason = "it still waited for a worker when the server died, and its grace has passed"
            runs.end_queued(connection, runs.is_run(run.run_id), RunStatus.MISSED, reason, now)
            missed = replace(run, status=RunStatus.MISSED, finished_at=now, details={"reason": reason})
            teller.record(connection, known.job, missed)
    # What goes on here is not among them: by the time that they are assigned it may have ended, and would start anew.
    return Found([run.run_id for run in interrupted], underway.queued_runs(connection))


def _is_too_late(job: Job, run: Run, now: datetime) -> bool:
    if run.trigger is not Origin.SCHEDULE:
        return False
    late = (now - (run.due_at or run.scheduled_for)).total_seconds()
    return decide(job, late, 0) is Decision.MISSED
