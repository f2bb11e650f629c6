"""Describe a job as the store keeps it: its definition, where it stands, and when it is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from scheduler.models import CallableJob, Job, Priority, read_when
from scheduler.phrases import read_zone
from scheduler.spellings import Schedule


class StoredJob(NamedTuple):
    """A job as the store keeps it.

    `key` is the internal id that runs refer to: a task removed and created anew has another one.
    `schedule` is how its schedule is shown (`text`, `description`, `kind`), so that lists need not read it anew.
    `anchor` is the moment that intervals count from. `next_fire_time` is the earliest fire time
    that has no row in the ledger yet, or None where none is planned; `due_at` is that moved by the
    job's jitter. `fired` counts the runs that its schedule has made: one that waits counts already, and
    still where it is ended before it begins, so that there are never more than `max_runs`. `origin` is the file that
    defines it, or None, and `filed` what that said last. `revision` is another one after every change that
    somebody makes.
    """

    key: int
    task_id: str
    definition: Mapping[str, Any]
    schedule: Mapping[str, Any]
    anchor: datetime
    created_at: datetime
    created_by: str
    updated_at: datetime
    enabled: bool
    paused: bool
    ended: bool
    next_fire_time: datetime | None
    due_at: datetime | None
    fired: int
    origin: str | None = None
    filed: Mapping[str, Any] | None = None
    removed_at: datetime | None = None
    revision: int = 0

    @property
    def job(self) -> Job:
        """The definition as a Job."""
        kind = CallableJob if self.definition["type"] == "callable" else Job
        return kind.model_validate({"task_id": self.task_id, **self.definition})

    @property
    def max_instances(self) -> int:
        """How many of its runs may wait or go on at a time."""
        return int(self.definition.get("max_instances", Job.model_fields["max_instances"].default))

    @property
    def jitter_seconds(self) -> float:
        """The jitter that its fire times are moved by, be it a field of its own or of a trigger object."""
        its = (self.definition.get("trigger") or {}).get("jitter")
        return float(self.definition.get("jitter_seconds") or its or 0)

    @property
    def runs_left(self) -> int | None:
        """How many runs its schedule may still make; None where `max_runs` sets no limit."""
        most = self.definition.get("max_runs")
        return None if most is None else max(0, most - self.fired)

    @property
    def priority(self) -> Priority:
        """How soon its runs are taken."""
        return Priority(self.definition.get("priority", Job.model_fields["priority"].default))

    def read_schedule(self) -> Schedule:
        """Read when it is due."""
        return read_when(self.definition, self.zone, self.anchor)

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the job's times are shown in."""
        return read_zone(self.definition["timezone"])

    @property
    def file(self) -> str | None:
        """The file that defines it at present; None where its entry is gone, too."""
        return None if self.removed_at or self.is_gone else self.origin

    @property
    def is_gone(self) -> bool:
        """Whether its entry is gone from its file: it is paused for that until somebody resumes it."""
        return bool((self.filed or {}).get("gone"))

    @property
    def stays_paused(self) -> bool:
        """Whether somebody has paused it; False where only its entry is gone."""
        return self.paused and (not self.is_gone or bool((self.filed or {})["paused"]))

    @property
    def planned(self) -> bool:
        """Whether the clock should fire it."""
        return self.enabled and not self.paused and not self.ended
