"""Say why a job did or did not run. Pure: everything that is known is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from scheduler.models import JobStatus, read_when
from scheduler.moments import iso, iso_or_none
from scheduler.policy import last_allowed
from scheduler.run import Origin, Run, RunStatus
from scheduler.stored_job import StoredJob
from scheduler.triggers import Once, Trigger, last_before
from scheduler.wording import say_count

Call = dict[str, Any]


_NOTICED_WITHIN = timedelta(seconds=2)
"""How long it may take, with room to spare, that a fire time which is due has its row."""
_DAY = timedelta(days=1)
_FORGOTTEN = "or its row is past the time that history is kept"


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at the moment of asking.

    `running_since` is None while the scheduler is stopped, `holder_alive` says whether a process
    holds the lease, `runs` are the job's newest rows, newest first, `waiting` counts all runs that
    wait for a worker. `only_run` is the row of the one fire time of a one-shot. Of a question about a moment,
    `at_run` is the row of that fire time and `is_fire_time` says whether the rule names that moment at all.
    """

    stored: StoredJob
    trigger: Trigger
    status: JobStatus
    next_fire_time: datetime | None
    now: datetime
    running_since: datetime | None
    holder_alive: bool
    runs: Sequence[Run]
    waiting: int
    workers: int
    only_run: Run | None = None
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
    for reason in (_of_end, _of_scheduler, _of_job, _of_overdue, _of_active_runs, _of_last_run):
        found = reason(known)
        if found is not None:
            return found
    when = _when(known, known.next_fire_time)
    return f"All is well: it has not been due yet, and runs next at {when}.", _get(known)


def _of_end(known: Known) -> tuple[str, Call] | None:
    is_over = known.status in (JobStatus.COMPLETED, JobStatus.FAILED)
    return _end(known) if is_over and all(run.status.is_final for run in known.runs) else None


def _end(known: Known) -> tuple[str, Call]:
    """Say why a job has ended, and what makes it go on, or else runs it once more."""
    if isinstance(known.trigger, Once):
        return _end_of_once(known, known.trigger)
    stored = known.stored
    reasons: list[str] = []
    changes: dict[str, Any] = {}
    if stored.runs_left == 0:
        allowed = say_count(stored.definition["max_runs"], "run")
        reasons.append(f"'max_runs' allows {allowed}, and its schedule has made {stored.fired}")
        changes["max_runs"] = stored.fired + 1
    if not reasons or known.trigger.utc_after(known.now) is None:
        last = _when(known, last_before(known.trigger, known.now))
        reasons.append(f"its rule, {known.trigger.describe()}, names no further time, the last was {last}")
        later = _later_end(known)
        changes = {} if later is None else changes | later
    text = f"It has ended: {'; '.join(reasons)}."
    if known.runs:
        text += f" {_last(known)}"
    return text, _changing(known, "update", **changes) if changes else _run_now(known)


def _end_of_once(known: Known, trigger: Once) -> tuple[str, Call]:
    when = f"Its one fire time, {_when(known, trigger.moment)},"
    if known.only_run is not None:
        return f"{when} {_fate(known.only_run)}. It has no other.", _call_for(known, known.only_run)
    text = f"{when} has passed, and no row tells of it: the task was paused or disabled then, {_FORGOTTEN}."
    return text, _run_now(known)


def _later_end(known: Known) -> Call | None:
    """Return the field with which a rule that is over goes on: for a day and for two fire times at least.

    None where no field says when it ends, but a phrase, or years.
    """
    trigger, definition = known.trigger, known.stored.definition
    if replace(trigger, bounds=replace(trigger.bounds, until=None)).utc_after(known.now) is None:
        return None
    ending: Callable[[str | None], Call]
    match definition:
        case {"until": str()}:
            ending = _until
        case {"trigger": {"end_date": str()} as fields}:
            ending = partial(_end_date, fields)
        case _:
            return None
    endless = read_when({**definition, **ending(None)}, known.stored.zone, known.now).trigger
    # What an update changes counts from the moment that it is sent: its first fire time may be later than this one.
    first = endless.utc_after(known.now)
    end = None if first is None else endless.utc_after(max(first, known.now + _DAY))
    return None if end is None else ending(iso(end, known.stored.zone))


def _until(moment: str | None) -> Call:
    return {"until": moment}


def _end_date(fields: Mapping[str, Any], moment: str | None) -> Call:
    return {"trigger": {**fields, "end_date": moment}}


def _of_scheduler(known: Known) -> tuple[str, Call] | None:
    if known.running_since is None:
        return "The scheduler is stopped, so nothing runs on schedule.", {"action": "start"}
    if not known.holder_alive:
        text = "No process holds the lease, so nobody fires: the server that did is gone and none has taken over yet."
        return text, {"action": "status"}
    return None


def _of_job(known: Known) -> tuple[str, Call] | None:
    if known.status is JobStatus.DISABLED:
        return "The task is disabled.", _changing(known, "resume")
    if known.status is JobStatus.PAUSED:
        return "The task is paused.", _changing(known, "resume")
    return _manual(known) if known.trigger.kind == "manual" else None


def _manual(known: Known) -> tuple[str, Call]:
    return "The task has no schedule: it runs only when it is asked to.", _run_now(known)


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
    text = _last(known)
    if known.next_fire_time is not None:
        text += f" It runs next at {_when(known, known.next_fire_time)}."
    return text, _call_for(known, known.runs[0])


def _last(known: Known) -> str:
    last = known.runs[0]
    what = "run, asked for at" if last.trigger is Origin.MANUAL else "fire time,"
    return f"Its last {what} {_when(known, last.scheduled_for)}, {_fate(last)}."


def _about_moment(known: Known) -> tuple[str, Call]:
    assert known.at is not None
    if known.at_run is not None:
        return f"The fire time {_when(known, known.at)} {_fate(known.at_run)}.", _call_for(known, known.at_run)
    if known.trigger.kind == "manual":
        return _manual(known)
    if not known.is_fire_time:
        return _off_the_grid(known, known.at)
    if known.at > known.now:
        return _to_come(known, known.at)
    return _without_row(known, known.at)


def _off_the_grid(known: Known, at: datetime) -> tuple[str, Call]:
    """Say that a moment is no fire time; one after which none comes any more is told as the end is."""
    following = known.nearest[1]
    if following is None or not _never_comes(known, following):
        return _no_fire_time(known, at), _get(known)
    return _to_come(known, following) if following > known.now else _end(known)


def _never_comes(known: Known, following: datetime) -> bool:
    """Whether a moment that the rule names gets no run, since 'max_runs' allows none so late."""
    to_come = following > known.now
    return (to_come and (known.stored.ended or _is_beyond(known, following))) or _is_over(known, following)


def _no_fire_time(known: Known, at: datetime) -> str:
    when, rule, bounds = _when(known, at), known.trigger.describe(), known.trigger.bounds
    before, after = (_when(known, moment) for moment in known.nearest)
    if bounds.until is not None and at > bounds.until:
        return f"{when} is after the end of its rule, {rule}: the last fire time is {before}."
    if bounds.start is not None and at < bounds.start:
        return f"{when} is before the start of its rule, {rule}: the first fire time is {after}."
    text = known.stored.schedule["text"]
    return f"{when} is no fire time of '{text}': the one before is {before}, the one after {after}."


def _to_come(known: Known, at: datetime) -> tuple[str, Call]:
    when = _when(known, at)
    if known.stored.ended:
        return _end(known)
    if known.next_fire_time is None:
        return _about_now(known)
    last = _last_to_come(known)
    if last is None or at <= last:
        return f"{when} has not come yet.", _get(known)
    left = say_count(known.stored.runs_left or 0, "run")
    text = f"{when} will not be reached: 'max_runs' allows {left} more, of which the last is at {_when(known, last)}."
    return text, _get(known)


def _last_to_come(known: Known) -> datetime | None:
    """Return the fire time that gets the last run that 'max_runs' allows; None where that is no limit."""
    following = known.next_fire_time
    return None if following is None else last_allowed(known.trigger, following, known.stored.runs_left)


def _is_beyond(known: Known, at: datetime) -> bool:
    last = _last_to_come(known)
    return last is not None and at > last


def _is_over(known: Known, at: datetime) -> bool:
    """Whether all the runs that 'max_runs' allows were before a moment."""
    return known.stored.ended and known.stored.runs_left == 0 and _is_after_all_runs(known, at)


def _without_row(known: Known, at: datetime) -> tuple[str, Call]:
    when, stored = _when(known, at), known.stored
    if at <= stored.anchor:
        return f"{when} was before the schedule was defined, at {_when(known, stored.anchor)}.", _get(known)
    if _is_over(known, at):
        return _end(known)
    if known.running_since is None:
        return f"The scheduler is stopped; {when} was not planned.", {"action": "start"}
    if at < known.running_since:
        since = _when(known, known.running_since)
        return f"The scheduler was stopped then: it runs since {since}, and {when} was not planned.", _get(known)
    text = f"No row tells of {when}: the task was paused, disabled or defined otherwise then, {_FORGOTTEN}."
    return text, _runs(known)


def _is_after_all_runs(known: Known, at: datetime) -> bool:
    return all(run.scheduled_for < at for run in known.runs if run.trigger is not Origin.MANUAL)


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
        if after is not None and _never_comes(known, after):
            after = None
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


def _changing(known: Known, action: str, **fields: Any) -> Call:
    """Return a request that changes the task, though a file may define it."""
    override = {} if known.stored.file is None else {"override": True}
    return {"action": action, "task_id": known.stored.task_id, **fields, **override}


def around(trigger: Trigger, at: datetime | None) -> tuple[datetime | None, datetime | None, bool]:
    """Return the fire times before and after a moment, and whether it is one itself."""
    if at is None:
        return None, None, False
    is_fire_time = trigger.utc_after(at - timedelta(microseconds=1)) == at
    return last_before(trigger, at), trigger.utc_after(at), is_fire_time
