"""Reckon which fire times of a job are due, and give those that get no run their rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.definitions import Following, jitter
from scheduler.ids import new_run_id
from scheduler.models import Job
from scheduler.notify.teller import Teller
from scheduler.policy import Decision, FireTime, Verdict, due_at, forgo, is_late, look_ahead
from scheduler.run import Origin, Run, RunStatus
from scheduler.spellings import Schedule
from scheduler.store import Connection, jobs, planning, runs
from scheduler.store.planning import Advance
from scheduler.store.taken import taken_stretches, taken_times
from scheduler.stored_job import StoredJob
from scheduler.triggers import Trigger

log = logging.getLogger(__name__)

MOST_FIRE_TIMES = 1000
END_OF_TIME = datetime.max.replace(tzinfo=UTC)


class Portion(NamedTuple):
    """Fire times of one job that are due, the oldest first, and the one that follows them.

    `ahead` are the next that are due, too, as far as they bear on what becomes of these.
    """

    times: list[FireTime]
    following: FireTime | None
    ahead: list[FireTime]

    @property
    def moments(self) -> list[datetime]:
        """The moments of those that are due."""
        return [time.moment for time in (*self.times, *self.ahead)]

    def without(self, taken: Set[datetime]) -> Portion:
        """Return the portion without fire times of these moments."""
        times, ahead = ([time for time in some if time.moment not in taken] for some in (self.times, self.ahead))
        return Portion(times, self.following, ahead)


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition made ready to fire, as of one revision of its job."""

    revision: int
    job: Job
    schedule: Schedule
    zone: ZoneInfo

    @classmethod
    def of(cls, stored: StoredJob, revision: int = 0) -> Rule:
        """Read the definition of a job."""
        return cls(revision, stored.job, stored.read_schedule(), stored.zone)

    @property
    def trigger(self) -> Trigger:
        """When the job is due."""
        return self.schedule.trigger

    def due_at(self, moment: datetime) -> datetime:
        """Return when a fire time of the job is due."""
        return due_at(self.job.task_id, moment, jitter(self.job, self.schedule), self.trigger)

    def next_after(self, moment: datetime) -> FireTime | None:
        """Return the first fire time of the job after a moment."""
        found = self.trigger.utc_after(moment)
        return None if found is None else FireTime(found, self.due_at(found))

    def portion(self, first: FireTime | None, since: datetime, now: datetime) -> Portion:
        """Return the fire times from `first` on that are due, at most MOST_FIRE_TIMES.

        Times before `since`, when the scheduler was stopped, were never planned; only a one-shot,
        which has no other time, is still accounted for.
        """
        if first is not None and first.moment < since and self.trigger.kind != "once":
            first = self.next_after(since)
        times, following = self._due(first, now, MOST_FIRE_TIMES)
        return Portion(times, following, self._due(following, now, look_ahead(self.job))[0])

    def _due(self, found: FireTime | None, now: datetime, most: int) -> tuple[list[FireTime], FireTime | None]:
        times: list[FireTime] = []
        while found is not None and found.due_at <= now and len(times) < most:
            times.append(found)
            found = self.next_after(found.moment)
        return times, found


def settle(
    connection: Connection, stored: StoredJob, since: datetime | None, reason: str, now: datetime, teller: Teller
) -> Advance:
    """Give every fire time of a job that is due and was not noticed yet its row, and say what the job fires for next.

    Asked in the transaction after which nobody would notice them: the job is paused, removed or
    changed, or the scheduler is stopped. Those past their grace were missed anyway, the others are `skipped` for
    `reason`. `since` is when the scheduler was started; None where it is stopped, and plans nothing.
    """
    rule, first = _readable(stored), pending_time(stored)
    if rule is None:
        return Advance(stored.key, stored.next_fire_time, stored.due_at, stored.fired)
    new: list[Run] = []
    while since is not None and stored.planned and first is not None:
        due = rule.portion(first, since, now)
        free = due.without(taken_times(connection, stored.key, due.moments))
        verdicts = forgo(rule.job, free.times, now, since)
        new.extend(_rows(stored, rule, verdicts, reason, now))
        first = due.following
        if not due.ahead:
            break
    runs.add_runs(connection, new)
    for run in new:
        if run.status is RunStatus.MISSED:
            teller.record(connection, rule.job, run)
    moment, at = first or (None, None)
    return Advance(stored.key, moment, at, stored.fired)


def pending_time(stored: StoredJob) -> FireTime | None:
    """Return what a job fires for next; it may be due at another moment than the job's jitter says by now."""
    if stored.next_fire_time is None or stored.due_at is None:
        return None
    return FireTime(stored.next_fire_time, stored.due_at)


def free_after(connection: Connection, stored: StoredJob) -> Following:
    """Return what finds the first fire time of a job after a moment that has no row yet.

    Where the clock stood ahead and was set right, those of the stretch that it jumped over have theirs.
    """

    def find(trigger: Trigger, moment: datetime) -> datetime | None:
        found = trigger.utc_after(moment)
        for first, last in taken_stretches(connection, stored.key, found, END_OF_TIME) if found else ():
            if found is None or found < first:
                break
            if found <= last:
                found = trigger.utc_after(last)
        return found

    return find


def settle_all(connection: Connection, since: datetime | None, reason: str, now: datetime, teller: Teller) -> None:
    """Settle every job that is due, and let each go on from there."""
    advances = [settle(connection, stored, since, reason, now, teller) for stored in planning.overdue(connection, now)]
    planning.advance(connection, advances)
    planning.remove_done(connection, [row.key for row in advances if row.due_at is None], now)


def plan_anew(connection: Connection, now: datetime) -> int:
    """Reckon next fire times again, after the data of time zones has changed; return how many moved.

    Intervals may move as well: those that count in days, or from a local time. One that is due already, or would now
    lie behind, stays: it was planned, and gets its row.
    """
    moved = 0
    for stored in planning.planned_ahead(connection, now):
        rule = _readable(stored)
        if rule is None or rule.trigger.utc_after(now) == stored.next_fire_time:
            continue
        following = free_after(connection, stored)(rule.trigger, now)
        if following is not None and following != stored.next_fire_time:
            due = rule.due_at(following)
            jobs.change_job(connection, stored, {"next_fire_time": following, "due_at": due, "updated_at": now})
            moved += 1
    return moved


def _readable(stored: StoredJob) -> Rule | None:
    try:
        return Rule.of(stored)
    except Exception:
        # One definition that cannot be read must keep nobody from removing it, or from stopping the scheduler.
        log.exception("a task's fire times cannot be reckoned", extra={"task_id": stored.task_id})
        return None


def _rows(stored: StoredJob, rule: Rule, verdicts: Sequence[Verdict], reason: str, now: datetime) -> list[Run]:
    if are_one(verdicts):
        return [collapsed(stored.key, rule, verdicts, told(verdicts[0], rule, now, reason), now)]
    return [without_run(stored.key, rule, verdict, told(verdict, rule, now, reason), now) for verdict in verdicts]


def are_one(verdicts: Sequence[Verdict]) -> bool:
    """Whether so many fire times have one fate that a single row stands for them; a run has a row of its own."""
    decisions = {verdict.decision for verdict in verdicts}
    return len(verdicts) == MOST_FIRE_TIMES and len(decisions) == 1 and not decisions.pop().runs


def collapsed(key: int, rule: Rule, verdicts: Sequence[Verdict], reason: str, now: datetime) -> Run:
    """Make one row of a thousand fire times with one fate, so that a long absence does not fill the ledger."""
    row = without_run(key, rule, verdicts[0], reason, now)
    return row.standing_for(verdicts[-1].fire_time.moment, len(verdicts))


def without_run(key: int, rule: Rule, verdict: Verdict, reason: str, now: datetime) -> Run:
    """Make the row of a fire time that gets no run."""
    return Run(
        run_id=new_run_id(now),
        job_key=key,
        task_id=rule.job.task_id,
        scheduled_for=verdict.fire_time.moment,
        due_at=verdict.fire_time.due_at,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus.MISSED if verdict.decision is Decision.MISSED else RunStatus.SKIPPED,
        priority=rule.job.priority,
        created_at=now,
        finished_at=now,
        details={"reason": reason},
    )


def told(verdict: Verdict, rule: Rule, now: datetime, reason: str = "") -> str:
    """Say why a fire time gets no run; `reason` is what only the caller knows."""
    if verdict.decision is Decision.MISSED:
        late = (now - verdict.fire_time.due_at).total_seconds()
        if not is_late(rule.job, late):
            return "the scheduler was stopped at its time, or before it could be noticed"
        return f"noticed {round(late)} s after its time, more than its grace"
    if verdict.decision is Decision.FULL:
        return "as many runs were waiting as may (SCHEDULER_MAX_QUEUED)"
    if verdict.decision is Decision.SKIP:
        return f"as many earlier runs as may (max_instances: {rule.job.max_instances}) still waited or went on"
    return reason
