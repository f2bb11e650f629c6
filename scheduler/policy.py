"""Decide what becomes of fire times and runs. Pure: no clock, no database, no threads."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from hashlib import blake2b
from typing import NamedTuple

from scheduler.models import Job, Overlap, Priority
from scheduler.moments import LATEST
from scheduler.run import RunStatus
from scheduler.triggers import Interval, Trigger, upcoming

MOST_CAUGHT_UP = 100
MOST_WALKED = 2000
"""How far `max_runs` is looked for: a limit that is more runs away is taken as none."""
LEAST_GRACE_SECONDS = 1.0
"""What is noticed within this is on time, whatever its grace: no fire time is noticed in the very moment it is due."""
LONGEST_RETRY_SECONDS = 3600.0
RETRY_JITTER = 0.1
"""The share of a retry's delay that is added at most, so that what failed together is not retried together."""

_FAR = datetime(LATEST, 1, 1, tzinfo=UTC)

# How much longer than its better a run waits before it is taken first: an order by priority in
# which nothing starves, because every waiting run rises above all that is asked for later.
_HEAD_START_SECONDS = {Priority.URGENT: 0, Priority.HIGH: 900, Priority.MEDIUM: 1800, Priority.LOW: 2700}

_RETRIED = {RunStatus.FAILED, RunStatus.TIMEOUT}


class Decision(Enum):
    """What becomes of a fire time."""

    RUN = "run"
    QUEUE = "queue"
    CATCH_UP = "catch_up"
    SKIP = "skip"
    MISSED = "missed"
    COALESCE = "coalesce"
    FULL = "full"
    FORGONE = "forgone"

    @property
    def runs(self) -> bool:
        """Whether the fire time gets a run, now or when there is room for it."""
        return self in (Decision.RUN, Decision.QUEUE, Decision.CATCH_UP)

    @property
    def promises(self) -> bool:
        """Whether the fire time gets a run, or is part of one."""
        return self.runs or self is Decision.COALESCE


class FireTime(NamedTuple):
    """A moment that a trigger names, and when it is due: the same, but for jitter."""

    moment: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision on one fire time; `late` says that it was past its grace."""

    fire_time: FireTime
    decision: Decision
    late: bool = False


@dataclass(frozen=True, slots=True)
class Backlog:
    """How fire times of one job that are due together were found, by which all portions of them are judged.

    `noticed_at` is when that was, `active` how many runs of the job waited or went on then. `promised` says that
    earlier ones of them have runs, or are told to be part of one that is still to come.
    """

    noticed_at: datetime
    active: int
    promised: bool = False

    def after(self, job: Job, verdicts: Sequence[Verdict]) -> Backlog:
        """Return the backlog for the portion that follows one with these verdicts.

        Where each gets a run, one that found no room still has its turn before those that follow.
        """
        promises = any(verdict.decision.promises for verdict in verdicts)
        refused = not job.coalesce and any(verdict.decision is Decision.FULL for verdict in verdicts)
        return replace(self, promised=self.promised or promises or refused)


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
    return moment + timedelta(milliseconds=span / timedelta(milliseconds=1) * _share(task_id) // 1)


def last_allowed(trigger: Trigger, following: datetime, left: int | None) -> datetime | None:
    """Return the fire time that gets the last of `left` runs, if each from `following` on gets one; None: no limit.

    A limit that the rule does not reach is none; nor is one that is only reached after MOST_WALKED runs, but for
    intervals, of which arithmetic tells it.
    """
    if left is not None and left > 0 and isinstance(trigger, Interval):
        return _last_step(trigger, following, left)
    if left is None or left > MOST_WALKED:
        return None
    times = [following, *upcoming(trigger, following, left - 1)]
    return times[-1].astimezone(UTC) if len(times) == left else None


def ended_by_runs(trigger: Trigger, following: datetime | None, left: int | None) -> tuple[Trigger, int | None]:
    """Return an interval as it ends with the last of `left` runs, from `following` on, and None for these.

    Of other rules the runs have to be counted out.
    """
    if following is None or not left or not isinstance(trigger, Interval):
        return trigger, left
    last = _last_step(trigger, following, left)
    return (trigger if last is None else replace(trigger, bounds=replace(trigger.bounds, until=last))), None


def _last_step(trigger: Interval, following: datetime, left: int) -> datetime | None:
    """Return the moment of the last of `left` steps, of which `following` is the first; None where it never comes."""
    if (left - 1) * trigger.step > (_FAR - following).total_seconds():
        return None
    last = following.astimezone(UTC) + timedelta(seconds=(left - 1) * trigger.step)
    return None if trigger.bounds.until is not None and last > trigger.bounds.until else last


def decide(job: Job, late_seconds: float, active: int) -> Decision:
    """Say what becomes of one fire time that was due `late_seconds` ago, while `active` runs wait or go on.

    Lateness is judged before overlap: a run nobody wants any more should not take a place.
    """
    if is_late(job, late_seconds):
        return Decision.CATCH_UP if job.catch_up else Decision.MISSED
    if active >= job.max_instances:
        return Decision.QUEUE if job.overlap is Overlap.QUEUE else Decision.SKIP
    return Decision.RUN


def look_ahead(job: Job) -> int:
    """Say how many of the fire times that follow a portion bear on what becomes of its own."""
    return 1 if job.coalesce else MOST_CAUGHT_UP


def is_late(job: Job, late_seconds: float) -> bool:
    """Whether a fire time that was due `late_seconds` ago is past its grace."""
    return job.misfire_grace_time >= 0 and late_seconds > max(job.misfire_grace_time, LEAST_GRACE_SECONDS)


def judge(
    job: Job, fire_times: Sequence[FireTime], backlog: Backlog, running_since: datetime, ahead: Sequence[FireTime] = ()
) -> list[Verdict]:
    """Judge fire times of one job that are due, oldest first; each gets exactly one verdict.

    Lateness counts from the moment a fire time is due. A time before the scheduler was started, at
    `running_since`, is missed whatever its terms. Several came due together because nobody was
    there to see them: with `coalesce` they become one run of the newest, since work that was not
    done need not be done twice; without it each runs, one after the other where they overlap, of
    those past their grace the newest MOST_CAUGHT_UP. So many that they are judged in portions fare no
    otherwise: `ahead` are the next `look_ahead` of those that follow this portion, as far as there are any.
    """
    verdicts = [_alone(job, fire_time, backlog, running_since) for fire_time in (*fire_times, *ahead)]
    wanted = [number for number, verdict in enumerate(verdicts) if verdict.decision.runs]
    if job.coalesce:
        _decide_anew(verdicts, wanted[:-1], Decision.COALESCE)
    else:
        late = [number for number in wanted if verdicts[number].decision is Decision.CATCH_UP]
        _decide_anew(verdicts, late[:-MOST_CAUGHT_UP], Decision.MISSED)
        behind = wanted if backlog.promised else wanted[1:]
        _decide_anew(verdicts, [n for n in behind if verdicts[n].decision is Decision.RUN], Decision.QUEUE)
    return verdicts[: len(fire_times)]


def _decide_anew(verdicts: list[Verdict], numbers: Iterable[int], decision: Decision) -> None:
    for number in numbers:
        verdicts[number] = replace(verdicts[number], decision=decision)


def within_room(job: Job, verdicts: Sequence[Verdict], workers: int, room: int, backlog: Backlog) -> list[Verdict]:
    """Return the verdicts, none of them a run that would find neither a free worker nor a place in the queue.

    What was to become part of a run that cannot be made is none either. A run that earlier portions were told to be
    part of is made all the same.
    """
    if job.coalesce:  # there is one run, if any
        fits = backlog.promised or workers > 0 or room > 0
        return [verdict if fits or not verdict.decision.promises else _full(verdict) for verdict in verdicts]
    kept = []
    for verdict in verdicts:
        if verdict.decision is Decision.RUN and workers > 0:
            workers -= 1
        elif verdict.decision.runs and room <= 0:
            verdict = _full(verdict)
        else:
            room -= verdict.decision.runs
        kept.append(verdict)
    return kept


def _full(verdict: Verdict) -> Verdict:
    return replace(verdict, decision=Decision.FULL)


def within_runs(verdicts: Sequence[Verdict], left: int | None) -> list[Verdict]:
    """Return the verdicts up to the one that takes the last of the runs that are left to the job (`max_runs`).

    With that run the job is over, so later times that were due together are no fire times of it.
    """
    if left is None:
        return list(verdicts)
    taken = itertools.accumulate(verdict.decision.runs for verdict in verdicts)
    return [verdict for verdict, so_far in zip(verdicts, taken, strict=True) if so_far - verdict.decision.runs < left]


def forgo(job: Job, fire_times: Sequence[FireTime], now: datetime, running_since: datetime) -> list[Verdict]:
    """Judge fire times that are due and will get no run any more, since the job is planned no longer.

    Those that would have been missed anyway are missed; what the others were kept from, whoever asks knows.
    """
    judged = [_alone(job, fire_time, Backlog(now, 0), running_since) for fire_time in fire_times]
    return [
        verdict if verdict.decision is Decision.MISSED else replace(verdict, decision=Decision.FORGONE)
        for verdict in judged
    ]


def forgone(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Return the verdicts where no run can be made here: what would have become a run, or part of one, is none."""
    return [
        replace(verdict, decision=Decision.FORGONE) if verdict.decision.promises else verdict for verdict in verdicts
    ]


def retry_delay(job: Job, status: RunStatus, attempt: int, run_id: str) -> float | None:
    """Return after how many seconds another attempt follows the one that ended so, or None.

    `retry_delay_seconds` times `retry_backoff` to the power of the retries so far, at most an hour;
    lengthened by up to a tenth, by an amount that is the run's own.
    """
    if status is RunStatus.INTERRUPTED:
        allowed = job.at_least_once or attempt <= job.max_retries
    else:
        allowed = status in _RETRIED and attempt <= job.max_retries
    if not allowed:
        return None
    delay = job.retry_delay_seconds * job.retry_backoff ** min(attempt - 1, 64)
    return min(delay, LONGEST_RETRY_SECONDS) * (1 + RETRY_JITTER * _share(run_id))


def queue_rank(priority: Priority, waiting_since: datetime) -> float:
    """Rank a waiting run: the lowest goes first, by priority, then by age."""
    return waiting_since.timestamp() + _HEAD_START_SECONDS[priority]


def _alone(job: Job, fire_time: FireTime, backlog: Backlog, running_since: datetime) -> Verdict:
    if fire_time.moment < running_since:
        return Verdict(fire_time, Decision.MISSED, late=True)
    late_seconds = (backlog.noticed_at - fire_time.due_at).total_seconds()
    return Verdict(fire_time, decide(job, late_seconds, backlog.active), is_late(job, late_seconds))


def _share(text: str) -> float:
    """Return a number from 0 up to 1 that is always the same for a text and spread evenly over texts."""
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big") / (1 << 56)
