"""Say where a job stands: its status, and when it fires next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scheduler.models import JobStatus
from scheduler.stored_job import StoredJob
from scheduler.triggers import Trigger, upcoming


class JobInfo(NamedTuple):
    """A job with all that is told about it: where it stands, and when it fires."""

    stored: StoredJob
    status: JobStatus
    next_fire_time: datetime | None

    @property
    def trigger(self) -> Trigger:
        """When it is due, read anew."""
        return self.stored.read_schedule().trigger

    def next_fire_times(self, most: int) -> list[datetime]:
        """Return the next times that it fires: at most `most`, and as many as `max_runs` still allows."""
        if self.next_fire_time is None:
            return []
        left = self.stored.runs_left
        count = most if left is None else min(most, left)
        return [self.next_fire_time, *upcoming(self.trigger, self.next_fire_time, count - 1)]


@dataclass(frozen=True, slots=True)
class Planned:
    """What a create or update did, or would do. `change` is `created`, `replaced`, `updated` or `unchanged`.

    `running` says whether any job fires, the scheduler having been started.
    """

    change: str
    info: JobInfo
    running: bool


def described(stored: StoredJob, going: bool, failed: bool, now: datetime) -> JobInfo:
    """Return a job with where it stands; `going` says that a run goes on, `failed` that its last one failed."""
    following = stored.next_fire_time if stored.planned else None
    if following is not None and following <= now:
        following = stored.read_schedule().trigger.utc_after(now)
    return JobInfo(stored, _job_status(stored, going, failed), following)


def _job_status(stored: StoredJob, going: bool, failed: bool) -> JobStatus:
    if going:
        return JobStatus.RUNNING
    if not stored.enabled:
        return JobStatus.DISABLED
    if stored.paused:
        return JobStatus.PAUSED
    if stored.ended:
        return JobStatus.FAILED if failed else JobStatus.COMPLETED
    return JobStatus.PENDING
