"""Say what is known of a run, in the words of the contract: once, for all who tell it to programs."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from scheduler.moments import iso_or_none
from scheduler.run import Run


def run_facts(run: Run, zone: tzinfo) -> dict[str, Any]:
    """Return the facts of a run; those to come are None."""
    return {
        "run_id": run.run_id,
        "task_id": run.task_id,
        "scheduled_for": iso_or_none(run.scheduled_for, zone),
        "started_at": iso_or_none(run.started_at, zone),
        "finished_at": iso_or_none(run.finished_at, zone),
        "lateness_ms": run.lateness_ms,
        "duration_ms": run.duration_ms,
        "attempt": run.attempt,
        "trigger": run.trigger.value,
        "status": run.status.value,
        "exit_code": run.details.get("exit_code"),
        "signal": run.details.get("signal"),
        "reason": run.details.get("reason"),
    }
