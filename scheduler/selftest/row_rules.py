"""Rules: one row for each planned fire time, each row for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from scheduler.models import Job
from scheduler.run import Origin, Run, RunStatus
from scheduler.selftest.facts import SECOND, Facts, by_time
from scheduler.selftest.planned import TICK, Era
from scheduler.selftest.record import Finding

_BY_SCHEDULE = (Origin.SCHEDULE, Origin.CATCH_UP)


def find_lost_fire_times(facts: Facts) -> Iterator[Finding]:
    """Find planned fire times without a row."""
    for key, planned in facts.planned.items():
        rows = facts.rows_of[key]
        exact = {row.scheduled_for for row in rows}
        for time in planned:
            if time.required and time.moment not in exact and not any(_covers(row, time.moment) for row in rows):
                yield facts.lost_time(facts.jobs[key], time)


def _covers(row: Run, moment: object) -> bool:
    until = row.scheduled_until
    return until is not None and row.scheduled_for <= moment <= until  # type: ignore[operator]


def find_unplanned_rows(facts: Facts) -> Iterator[Finding]:
    """Find rows of fire times that were not planned, and rows made when the task was planned no more."""
    for key, rows in facts.rows_of.items():
        eras: dict[datetime, list[Era]] = {}
        for time in facts.planned.get(key, ()):
            eras.setdefault(time.moment, []).append(time.era)
        for row in rows:
            if row.attempt == 1 and row.trigger in _BY_SCHEDULE:
                if row.scheduled_for not in eras:
                    yield facts.row_fault("unaccounted", "no such fire time was planned", row)
                elif not _made_in_time(facts, row, eras[row.scheduled_for]):
                    yield facts.row_fault("unaccounted", "its row was made when it was planned no more", row)


def _made_in_time(facts: Facts, row: Run, eras: list[Era]) -> bool:
    planned = any(row.created_at <= era.end.ended + TICK for era in eras)
    return planned and any(era.may_hold(row.created_at) for era in facts.planner.running)


def find_repeated_rows(facts: Facts) -> Iterator[Finding]:
    """Find attempts with more than one row."""
    known: dict[tuple[int, object, int], Run] = {}
    for row in facts.record.rows:
        key = (row.job_key, row.scheduled_for, row.attempt)
        if key in known:
            yield facts.row_fault("doubled", f"this attempt has another row, {known[key].run_id}", row)
        known[key] = row


def find_unfinished_rows(facts: Facts) -> Iterator[Finding]:
    """Find rows that were left waiting or running."""
    for row in facts.record.rows:
        if not row.status.is_final:
            yield facts.row_fault("unaccounted", f"its row was left '{row.status.value}'", row)


def find_odd_ends(facts: Facts) -> Iterator[Finding]:
    """Find rows that say how a run ended, or did not begin, without a reason for it."""
    for row in facts.record.rows:
        odd = _odd_end(facts, row)
        if odd is not None:
            yield facts.row_fault("unaccounted", odd, row)


def _odd_end(facts: Facts, row: Run) -> str | None:
    began, ended = row.created_at - SECOND, (row.finished_at or row.created_at) + SECOND
    disturbances = facts.disturbances(began, ended)
    reason = str(row.details.get("reason") or "")
    match row.status:
        case RunStatus.INTERRUPTED:
            return None if any(d.cuts_off for d in disturbances) else "it was cut off, and no server was ended"
        case RunStatus.FAILED if row.details.get("signal"):
            return f"it was ended by {row.details['signal']}, which nobody sent"
        case RunStatus.FAILED if row.details.get("exit_code") is None:
            return None if disturbances else f"it could not be started: {reason}"
        case RunStatus.CANCELLED:
            asked = facts.requests_for(row.task_id, "cancel", "remove")
            return None if any(r.when.began <= ended for r in asked) else "it was cancelled, and nobody asked for that"
        case RunStatus.MISSED:
            return _early_miss(facts, row)
        case RunStatus.SKIPPED if not reason:
            return "it was skipped without a reason"
        case RunStatus.SKIPPED if reason.startswith("scheduler stopped"):
            asked = facts.requests_for(None, "stop")
            return None if any(r.when.began <= ended for r in asked) else "skipped for a stop that nobody asked for"
    return None


def _early_miss(facts: Facts, row: Run) -> str | None:
    """Say that a fire time is called missed within its grace; a one-shot is missed also by a `start` after it."""
    job = facts.jobs[row.job_key]
    assert row.finished_at is not None
    late = (row.finished_at - (row.due_at or row.scheduled_for)).total_seconds()
    moment, noticed = row.scheduled_for, row.finished_at
    passed_stopped = job.schedule["kind"] == "once" and any(
        era.begin.ended >= moment and era.begin.began <= noticed for era in facts.planner.running
    )
    if late > job.job.misfire_grace_time or passed_stopped:
        return None
    return f"it is called missed {late:.3f} s after its time, within its grace"


def find_odd_attempts(facts: Facts) -> Iterator[Finding]:
    """Find attempts that should not be, and attempts that should be and are not."""
    for key, rows in facts.rows_of.items():
        job = facts.jobs[key].job
        attempts = {(row.scheduled_for, row.attempt): row for row in rows}
        for row in by_time(rows):
            before = attempts.get((row.scheduled_for, row.attempt - 1))
            after = attempts.get((row.scheduled_for, row.attempt + 1))
            if row.attempt > 1 and before is None:
                yield facts.row_fault("unaccounted", "the attempt before this one has no row", row)
            allowed = _may_be_tried_again(job, row)
            if after is not None and not allowed:
                yield facts.row_fault("doubled", f"it was tried again as {after.run_id}, against its terms", row)
            if after is None and allowed and _goes_on(facts, row):
                yield facts.row_fault("lost", "it should have been tried again, and was not", row)


def _may_be_tried_again(job: Job, row: Run) -> bool:
    """Say what the terms of a task mean, without asking the code that is tested."""
    if row.status is RunStatus.INTERRUPTED and job.at_least_once:
        return True
    failed = row.status in (RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED)
    return failed and row.attempt <= job.max_retries


def _goes_on(facts: Facts, row: Run) -> bool:
    """Whether further attempts were surely wanted when a run ended."""
    ended = row.finished_at or row.created_at
    removed = any(r.when.began <= ended for r in facts.requests_for(row.task_id, "remove", "cancel"))
    running = any(era.surely_after_begin(ended) and ended < era.end.began for era in facts.planner.running)
    return not removed and (running or facts.origin(row) is Origin.MANUAL)


def find_unwanted_starts(facts: Facts) -> Iterator[Finding]:
    """Find runs that came about and started after their task was removed or the scheduler was stopped."""
    for row in facts.record.rows:
        if row.started_at is None:
            continue
        for request in facts.requests_for(row.task_id, "remove"):
            if request.outcome == "done" and row.created_at > request.when.ended:
                yield facts.row_fault("unaccounted", "it was started after its task was removed", row)
        stopped = not any(era.may_hold(row.created_at) for era in facts.planner.running)
        if stopped and facts.origin(row) is not Origin.MANUAL:
            yield facts.row_fault("unaccounted", "it was started while the scheduler was stopped", row)
