"""Decide what becomes of fire times and runs. Pure: no clock, no database, no threads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

from scheduler.models import Priority
from scheduler.triggers import Trigger

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


class FireTime(NamedTuple):
    """A moment that a trigger names, and when it is due: the same, but for jitter."""

    moment: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one fire time."""

    fire_time: FireTime
    decision: Decision


def due_at(task_id: str, moment: datetime, jitter_seconds: float, trigger: Trigger) -> datetime:
    """Return when the fire time `moment` is due: moved by the task's own share of its jitter.

    The share is always the same for a task, so that its runs keep their distance, and the moved
    moment lies before the next fire time.
    """
    if not jitter_seconds:
        return moment
    following = trigger.utc_after(moment)
    span = timedelta(seconds=jitter_seconds)
    if following is not None:
        span = min(span, following - moment)
    share = int.from_bytes(blake2b(task_id.encode(), digest_size=7).digest(), "big") / (1 << 56)
    return moment + timedelta(milliseconds=span / timedelta(milliseconds=1) * share // 1)


def decide(late_seconds: float, active: int, max_instances: int, grace: float = MISFIRE_GRACE_SECONDS) -> Decision:
    """Say what becomes of one fire time that came due `late_seconds` ago, while `active` runs wait or go on.

    Lateness is judged before overlap: a run nobody wants any more should not take a place.
    """
    if late_seconds > grace:
        return Decision.MISSED
    return Decision.SKIP if active >= max_instances else Decision.RUN


def judge(
    fire_times: Sequence[FireTime],
    now: datetime,
    active: int,
    max_instances: int,
    running_since: datetime,
    grace: float = MISFIRE_GRACE_SECONDS,
) -> list[Verdict]:
    """Judge all fire times of one job that are due, oldest first; each gets exactly one verdict.

    Lateness counts from the moment a fire time is due. A time before the scheduler was started, at
    `running_since`, is missed whatever its grace. Several within their grace become one run of the
    newest: they came due together because nobody was there to see them, and work that was not done
    need not be done twice.
    """

    def verdict(fire_time: FireTime) -> Verdict:
        moment, due = fire_time
        late = float("inf") if moment < running_since else (now - due).total_seconds()
        return Verdict(fire_time, decide(late, active, max_instances, grace))

    verdicts = [verdict(fire_time) for fire_time in fire_times]
    runs = [verdict for verdict in verdicts if verdict.decision is Decision.RUN]
    merged = {verdict.fire_time for verdict in runs[:-1]}
    return [Verdict(v.fire_time, Decision.COALESCE) if v.fire_time in merged else v for v in verdicts]


def queue_rank(priority: Priority, waiting_since: datetime) -> float:
    """Rank a waiting run: the lowest goes first, by priority, then by age."""
    return waiting_since.timestamp() + _HEAD_START_SECONDS[priority]
