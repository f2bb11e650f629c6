"""Describe a run, one row of the ledger, and how it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from scheduler.models import Priority


class RunStatus(StrEnum):
    """How one run went."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    SKIPPED = "skipped"
    MISSED = "missed"

    @property
    def is_final(self) -> bool:
        """Whether nothing more will become of the run."""
        return self not in ACTIVE


ACTIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class Origin(StrEnum):
    """What asked for a run (its `trigger` in JSON)."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    RETRY = "retry"
    CATCH_UP = "catch_up"


@dataclass(frozen=True, slots=True)
class Run:
    """One row of the ledger: what became of one fire time, or of one manual request."""

    run_id: str
    job_key: int
    task_id: str
    scheduled_for: datetime
    attempt: int
    trigger: Origin
    status: RunStatus
    priority: Priority
    created_at: datetime
    due_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    cancel_reason: str | None = None
    scheduled_until: datetime | None = None
    count: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def standing_for(self, until: datetime, count: int) -> Run:
        """Return the row as one for `count` fire times with the same fate, the last of them at `until`."""
        return replace(self, scheduled_until=until, count=count)

    @property
    def result(self) -> Any:
        """What a function returned; None where it returned nothing, or none was called."""
        return (self.details.get("outcome") or {}).get("result")

    @property
    def lateness_ms(self) -> float | None:
        """Milliseconds from the moment the run was due (its fire time moved by jitter) to its start."""
        return _milliseconds(self.due_at or self.scheduled_for, self.started_at)

    @property
    def duration_ms(self) -> float | None:
        """Milliseconds from the start to the end."""
        return _milliseconds(self.started_at, self.finished_at)


def _milliseconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return round((end - start).total_seconds() * 1000, 3)
