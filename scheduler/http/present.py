"""Write jobs and runs as the JSON that the contract promises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from scheduler.http.answers import problem_body, text
from scheduler.jobsfiles import FileProblem
from scheduler.jumps import Jump
from scheduler.listing import Texts
from scheduler.models import Priority
from scheduler.moments import both, iso, iso_or_none, local
from scheduler.notify.targets import shown
from scheduler.run import Run, RunStatus
from scheduler.run_facts import run_facts
from scheduler.standing import JobInfo
from scheduler.store.deliveries import WAITING, Delivery
from scheduler.task_scheduler import TaskScheduler
from scheduler.version import VERSION

NEXT_RUNS = 5
ENDS = 16 * 1024
LIST_OUTPUT = 4 * 1024
"""Bytes of each stream that one run, and each run of a list, is shown with."""


def counted(number: int, noun: str) -> str:
    """Return "1 run", "2 runs"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def schedule_text(info: JobInfo) -> str:
    """Return how a schedule is shown: a phrase as it was sent, anything else in words."""
    return str(info.stored.schedule["text"])


def task(info: JobInfo) -> dict[str, Any]:
    """Return a task as `list` and `get` show it."""
    return {"id": info.stored.task_id, "details": _details(info)}


def task_texts(info: JobInfo) -> Texts:
    """Return the id and the details of a task as JSON text, for lists of many."""
    return text(info.stored.task_id), text(_details(info))


_DETAILS: dict[str, Any] = dict.fromkeys(
    ("type", "interval", "command", "file_path", "custom_script", "next_run", "created_at", "next_run_at",
     "created_at_iso", "updated_at", "updated_at_iso", "created_by", "state", "schedule_description", "kind", "name",
     "description", "args", "working_directory")
)  # fmt: skip
"""What every task is shown with, in this order."""


def _details(info: JobInfo) -> dict[str, Any]:
    stored, zone = info.stored, info.stored.zone
    details = {**_DETAILS, **stored.definition}
    details["interval"] = schedule_text(info)
    details["next_run"], details["next_run_at"] = both(info.next_fire_time, zone)
    details["created_at"], details["created_at_iso"] = created = both(stored.created_at, zone)
    changed = stored.updated_at != stored.created_at
    details["updated_at"], details["updated_at_iso"] = both(stored.updated_at, zone) if changed else created
    details["created_by"] = stored.created_by
    details["jitter_seconds"] = stored.jitter_seconds
    details["state"] = info.status.value
    details["schedule_description"] = stored.schedule["description"]
    details["kind"] = stored.schedule["kind"]
    if stored.file is not None:
        details["origin"] = stored.file
    return details


def task_whole(service: TaskScheduler, info: JobInfo) -> dict[str, Any]:
    """Return a task with its last run and the times it fires next."""
    last = service.last_run(info)
    shown = task(info)
    shown["last_run"] = None if last is None else run(service, last, info.stored.zone)
    shown["next_runs"] = next_runs(info)
    return shown


def next_runs(info: JobInfo) -> list[str]:
    """Return the next times that a job fires; none where it is paused, disabled or over."""
    return [iso(moment, info.stored.zone) for moment in info.next_fire_times(NEXT_RUNS)]


def run_row(run: Run, zone: tzinfo) -> dict[str, Any]:
    """Return a run without its output."""
    details = run.details
    shown = run_facts(run, zone) | {
        "hint": details.get("hint"),
        "truncated": details.get("truncated", False),
        "sandbox": details.get("sandbox"),
        "usage": details.get("usage"),
    }
    if "tests" in details:
        shown["tests"] = details["tests"]
    if "outcome" in details:
        shown |= {name: details["outcome"].get(name) for name in ("result", "exception")}
    if run.count is not None:
        shown |= {"scheduled_until": iso_or_none(run.scheduled_until, zone), "count": run.count}
    return shown


def run(service: TaskScheduler, run: Run, zone: tzinfo, most: int = ENDS) -> dict[str, Any]:
    """Return a run with its output: head and tail where a stream is longer than `most` bytes."""
    started = run.started_at is not None
    return run_row(run, zone) | {
        "stdout": service.output_ends(run, "stdout", most) if started else "",
        "stderr": service.output_ends(run, "stderr", most) if started else "",
    }


def delivery(found: Delivery, zone: tzinfo) -> dict[str, Any]:
    """Return a delivery, its target without what may be secret."""
    return {
        "delivery_id": found.delivery_id,
        "task_id": found.task_id,
        "run_id": None if found.event.startswith("expect:") else found.event,
        "kind": found.kind,
        "target": shown(found.target),
        "subject": found.message["subject"],
        "count": found.count,
        "state": found.state,
        "attempts": found.attempts,
        "created_at": iso_or_none(found.created_at, zone),
        "next_attempt_at": iso_or_none(found.next_attempt_at, zone) if found.state == WAITING else None,
        "finished_at": iso_or_none(found.finished_at, zone),
        "error": found.error,
    }


def _notifications(found: Mapping[str, Any] | None, zone: tzinfo) -> dict[str, Any] | None:
    if found is None:
        return None
    last: Delivery | None = found["last_error"]
    return {**found, "last_error": last and delivery(last, zone)}


def status(service: TaskScheduler) -> dict[str, Any]:
    """Return how the scheduler is doing."""
    found = service.status()
    zone = service.config.zone
    active: list[Run] = found["active"]
    going = [run for run in active if run.status is RunStatus.RUNNING]
    queued = [run for run in active if run.status is RunStatus.QUEUED]
    state = None if found["running"] is None else "running" if found["running"] else "stopped"
    tasks = found["tasks"]
    total = f"{tasks['total']} tasks, " if tasks else ""
    return {
        "status": "success",
        "message": f"Scheduler is {state or 'degraded'}: {total}{len(going)} running, {len(queued)} waiting",
        "state": state,
        "counts": {"tasks": tasks},
        "queue": {
            "waiting": len(queued),
            "limit": service.config.max_queued,
            "by_priority": {level.value: sum(run.priority is level for run in queued) for level in Priority},
        },
        "running": [
            {"run_id": run.run_id, "task_id": run.task_id, "started_at": iso_or_none(run.started_at, zone)}
            for run in going
        ],
        "workers": service.config.max_workers,
        "lateness": found["lateness_ms"],
        "notifications": _notifications(found["notifications"], zone),
        "sandbox": service.describe_sandbox(),
        "store": found["store"],
        "holder": found["holder"],
        "clock": found["clock"] and found["clock"] | {"last_jump": _jump(found["clock"]["last_jump"], zone)},
        "jobs_files": found["jobs_files"] and _jobs_files(found["jobs_files"], zone),
        "timezone": service.config.timezone,
        "warnings": service.warnings(),
        "version": VERSION,
    }


def _jump(jump: Jump | None, zone: tzinfo) -> dict[str, Any] | None:
    if jump is None:
        return None
    return {"kind": jump.kind, "seconds": jump.seconds, "noticed_at": iso(jump.noticed_at, zone)}


def _jobs_files(report: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    read_at, problems = report["read_at"], [_file_problem(problem) for problem in report["problems"]]
    times = {"read_at": read_at and local(read_at, zone), "read_at_iso": iso_or_none(read_at, zone)}
    return report | times | {"problems": problems}


def _file_problem(found: FileProblem) -> dict[str, Any]:
    return {"file": str(found.file), "line": found.line, "task_id": found.task_id, **problem_body(found.problem)}
