"""Say why a job did or did not run. Pure: everything that is known is handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scheduler.models import JobStatus, Run, RunStatus, StoredJob
from scheduler.moments import iso, iso_or_none
from scheduler.triggers import last_before

Call = dict[str, Any]


_NOTICED_WITHIN = timedelta(seconds=2)
"""How long it may take, with room to spare, that a fire time which is due has its row."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at the moment of asking.

    `running_since` is None while the scheduler is stopped, `holder_alive` says whether a process
    holds the lease, `runs` are the job's newest rows, newest first, `waiting` counts all runs that
    wait for a worker. Of a question about a moment, `at_run` is the row of that fire time and
    `is_fire_time` says whether the rule names that moment at all.
    """

    stored: StoredJob
    status: JobStatus
    next_fire_time: datetime | None
    now: datetime
    running_since: datetime | None
    holder_alive: bool
    runs: Sequence[Run]
    waiting: int
    workers: int
    at: datetime | None = None
    at_run: Run | None = None
    is_fire_time: bool = False
    nearest: tuple[datetime | None, datetime | None] = (None, None)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why, in words and as facts, and the request to send next."""

    text: str
    facts: dict[str, Any]
    next_call: Call


def explain(known: Known) -> Explanation:
    """Explain a job's last or next run, or its run for the moment `known.at`."""
    text, call = _about_moment(known) if known.at is not None else _about_now(known)
    return Explanation(text, _facts(known), call)


def _about_now(known: Known) -> tuple[str, Call]:
    for reason in (_of_scheduler, _of_job, _of_overdue, _of_active_runs, _of_last_run):
        found = reason(known)
        if found is not None:
            return found
    when = _when(known, known.next_fire_time)
    return f"All is well: it has not been due yet, and runs next at {when}.", _get(known)


def _of_scheduler(known: Known) -> tuple[str, Call] | None:
    if known.running_since is None:
        return "The scheduler is stopped, so nothing runs on schedule.", {"action": "start"}
    if not known.holder_alive:
        text = "No process holds the lease, so nobody fires: the server that did is gone and none has taken over yet."
        return text, {"action": "status"}
    return None


def _of_job(known: Known) -> tuple[str, Call] | None:
    task_id, stored = known.stored.task_id, known.stored
    if known.status is JobStatus.DISABLED:
        return "The task is disabled.", {"action": "resume", "task_id": task_id}
    if known.status is JobStatus.PAUSED:
        return "The task is paused.", {"action": "resume", "task_id": task_id}
    if stored.schedule["kind"] == "manual":
        return "The task has no schedule: it runs only when it is asked to.", _run_now(known)
    if known.status in (JobStatus.COMPLETED, JobStatus.FAILED):
        text = f"The task's rule ({stored.schedule['text']}) names no further time."
        return text, {"action": "update", "task_id": task_id, "interval": "daily at 09:00"}
    return None


def _of_overdue(known: Known) -> tuple[str, Call] | None:
    moment, due = known.stored.next_fire_time, known.stored.due_at
    if moment is None or due is None or known.now - due < _NOTICED_WITHIN:
        return None
    text = f"The fire time {_when(known, moment)} is due and has no row yet: it gets one as soon as the store takes it."
    return text, {"action": "status"}


def _of_active_runs(known: Known) -> tuple[str, Call] | None:
    going = next((run for run in known.runs if run.status is RunStatus.RUNNING), None)
    if going is not None:
        text = f"It is running now, since {_when(known, going.started_at)}."
        return text, {"action": "output", "run_id": going.run_id}
    queued = next((run for run in known.runs if run.status is RunStatus.QUEUED), None)
    if queued is None:
        return None
    if queued.due_at is not None and queued.due_at > known.now:
        return f"Attempt {queued.attempt} waits until {_when(known, queued.due_at)}.", _runs(known)
    text = f"A run waits for a worker: {known.waiting} wait, {known.workers} may run at a time."
    return text, {"action": "status"}


def _of_last_run(known: Known) -> tuple[str, Call] | None:
    if not known.runs:
        return None
    last = known.runs[0]
    text = f"Its last fire time, {_when(known, last.scheduled_for)}, {_fate(last)}."
    if known.next_fire_time is not None:
        text += f" It runs next at {_when(known, known.next_fire_time)}."
    return text, _call_for(known, last)


def _about_moment(known: Known) -> tuple[str, Call]:
    assert known.at is not None
    when = _when(known, known.at)
    if known.at_run is not None:
        return f"The fire time {when} {_fate(known.at_run)}.", _call_for(known, known.at_run)
    if not known.is_fire_time:
        before, after = known.nearest
        around = f"the one before is {_when(known, before)}, the one after {_when(known, after)}"
        return f"{when} is no fire time of '{known.stored.schedule['text']}': {around}.", _preview(known)
    if known.at > known.now:
        text, call = _about_now(known) if known.next_fire_time is None else (f"{when} has not come yet.", _get(known))
        return text, call
    return _without_row(known, when)


def _without_row(known: Known, when: str) -> tuple[str, Call]:
    if known.at is not None and known.at <= known.stored.anchor:
        return f"{when} was before the schedule was defined, at {_when(known, known.stored.anchor)}.", _get(known)
    if known.running_since is None:
        return f"The scheduler is stopped; {when} was not planned.", {"action": "start"}
    if known.at is not None and known.at < known.running_since:
        since = _when(known, known.running_since)
        return f"The scheduler was stopped then: it runs since {since}, and {when} was not planned.", _get(known)
    text = (
        f"No row tells of {when}: the task was paused, disabled or defined otherwise then, "
        "or its row is past the time that history is kept."
    )
    return text, _runs(known)


def _fate(run: Run) -> str:
    reason = run.details.get("reason")
    because = f": {reason}" if reason else ""
    if run.status is RunStatus.SKIPPED:
        return f"was skipped{because}"
    if run.status is RunStatus.MISSED:
        return f"was missed{because}"
    if run.status is RunStatus.QUEUED:
        return "waits for a worker"
    attempt = f" at attempt {run.attempt}" if run.attempt > 1 else ""
    return f"has run as {run.run_id}{attempt} and is {run.status.value}{because}"


def _call_for(known: Known, run: Run) -> Call:
    if run.started_at is not None:
        return {"action": "output", "run_id": run.run_id}
    return _run_now(known) if run.status.is_final else _runs(known)


def _facts(known: Known) -> dict[str, Any]:
    zone = known.stored.zone
    facts: dict[str, Any] = {
        "now": iso(known.now, zone),
        "scheduler": "stopped" if known.running_since is None else "running",
        "running_since": iso_or_none(known.running_since, zone),
        "lease_held": known.holder_alive,
        "state": known.status.value,
        "interval": known.stored.schedule["text"],
        "next_run_at": iso_or_none(known.next_fire_time, zone),
        "waiting_runs": known.waiting,
        "workers": known.workers,
        "last_fire_times": [
            {
                "scheduled_for": iso(run.scheduled_for, zone),
                "status": run.status.value,
                "attempt": run.attempt,
                "run_id": run.run_id,
                "reason": run.details.get("reason"),
            }
            for run in known.runs
        ],
    }
    if known.at is not None:
        before, after = known.nearest
        facts |= {
            "at": iso(known.at, zone),
            "is_fire_time": known.is_fire_time,
            "fire_time_before": iso_or_none(before, zone),
            "fire_time_after": iso_or_none(after, zone),
        }
    return facts


def _when(known: Known, moment: datetime | None) -> str:
    return "none" if moment is None else iso(moment, known.stored.zone)


def _get(known: Known) -> Call:
    return {"action": "get", "task_id": known.stored.task_id}


def _runs(known: Known) -> Call:
    return {"action": "runs", "task_id": known.stored.task_id, "limit": 20}


def _run_now(known: Known) -> Call:
    return {"action": "run_now", "task_id": known.stored.task_id}


def _preview(known: Known) -> Call:
    call: Call = {"action": "preview", "timezone": known.stored.zone.key}
    names: Callable[[str], Any] = known.stored.definition.get
    return call | {
        name: names(name)
        for name in ("interval", "schedule", "trigger", "schedule_type", "schedule_config")
        if names(name) is not None
    }


def around(stored: StoredJob, at: datetime | None) -> tuple[datetime | None, datetime | None, bool]:
    """Return the fire times before and after a moment, and whether it is one itself."""
    if at is None:
        return None, None, False
    trigger = stored.read_schedule().trigger
    is_fire_time = trigger.utc_after(at - timedelta(microseconds=1)) == at
    return last_before(trigger, at), trigger.utc_after(at), is_fire_time
