"""Tell of jobs and runs as plain values, fit for JSON, in the words of programs that embed the scheduler."""

from __future__ import annotations

from typing import Any, TypedDict
from zoneinfo import ZoneInfo

from scheduler.moments import iso_or_none
from scheduler.run import Run
from scheduler.standing import JobInfo


class JobDict(TypedDict):
    """What is told of a job: plain values, fit for JSON. Times are ISO 8601."""

    id: str
    name: str
    func: str | None
    trigger: str
    next_run_time: str | None
    status: str
    paused: bool
    priority: str
    max_instances: int
    coalesce: bool
    misfire_grace_time: float | None


class RunDict(TypedDict):
    """What is told of a run: plain values, fit for JSON. Times are ISO 8601."""

    run_id: str
    job_id: str
    status: str
    attempt: int
    scheduled_for: str | None
    started_at: str | None
    finished_at: str | None
    reason: str | None
    result: Any


def job_dict(info: JobInfo) -> JobDict:
    """Return what is told of a job."""
    stored, zone = info.stored, info.stored.zone
    definition = stored.definition
    grace = definition["misfire_grace_time"]
    return {
        "id": stored.task_id,
        "name": definition.get("name") or stored.task_id,
        "func": definition.get("function"),
        "trigger": stored.schedule["description"],
        "next_run_time": iso_or_none(info.next_fire_time, zone),
        "status": info.status.value,
        "paused": stored.paused,
        "priority": definition["priority"],
        "max_instances": definition["max_instances"],
        "coalesce": definition["coalesce"],
        "misfire_grace_time": None if grace < 0 else grace,
    }


def run_dict(run: Run, zone: ZoneInfo) -> RunDict:
    """Return what is told of a run."""
    return {
        "run_id": run.run_id,
        "job_id": run.task_id,
        "status": run.status.value,
        "attempt": run.attempt,
        "scheduled_for": iso_or_none(run.scheduled_for, zone),
        "started_at": iso_or_none(run.started_at, zone),
        "finished_at": iso_or_none(run.finished_at, zone),
        "reason": run.details.get("reason"),
        "result": run.result,
    }
