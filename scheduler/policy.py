"""Decide what becomes of fire times and runs. Pure: no clock, no database, no threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from scheduler.models import Priority

MISFIRE_GRACE_SECONDS = 60.0

# How much longer than its better a run waits before it is taken first: an order by priority in
# which nothing starves, because every waiting run rises above all that is asked for later.
_HEAD_START_SECONDS = {Priority.URGENT: 0, Priority.HIGH: 900, Priority.MEDIUM: 1800, Priority.LOW: 2700}


class Decision(Enum):
    """What becomes of a fire time."""

    RUN = "run"
    SKIP = "skip"
    MISSED = "missed"
    COALESCE = "coalesce"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one fire time."""

    fire_time: datetime
    decision: Decision


def decide(late_seconds: float, active: int, max_instances: int, grace: float = MISFIRE_GRACE_SECONDS) -> Decision:
    """Say what becomes of one fire time that came due `late_seconds` ago, while `active` runs wait or go on.

    Lateness is judged before overlap: a run nobody wants any more should not take a place.
    """
    if late_seconds > grace:
        return Decision.MISSED
    return Decision.SKIP if active >= max_instances else Decision.RUN


def judge(
    fire_times: Sequence[datetime],
    now: datetime,
    active: int,
    max_instances: int,
    running_since: datetime,
    grace: float = MISFIRE_GRACE_SECONDS,
) -> list[Verdict]:
    """Judge all fire times of one job that are due, oldest first; each gets exactly one verdict.

    A time before the scheduler was started, at `running_since`, is missed whatever its grace.
    Several within their grace become one run of the newest: they came due together because
    nobody was there to see them, and work that was not done need not be done twice.
    """

    def verdict(fire_time: datetime) -> Verdict:
        late = float("inf") if fire_time < running_since else (now - fire_time).total_seconds()
        return Verdict(fire_time, decide(late, active, max_instances, grace))

    verdicts = [verdict(fire_time) for fire_time in fire_times]
    runs = [verdict for verdict in verdicts if verdict.decision is Decision.RUN]
    merged = {verdict.fire_time for verdict in runs[:-1]}
    return [Verdict(v.fire_time, Decision.COALESCE) if v.fire_time in merged else v for v in verdicts]


def queue_rank(priority: Priority, waiting_since: datetime) -> float:
    """Rank a waiting run: the lowest goes first, by priority, then by age."""
    return waiting_since.timestamp() + _HEAD_START_SECONDS[priority]
