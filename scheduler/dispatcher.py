"""Turn fire times that are due into rows of the ledger, and those that shall run into runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from scheduler.clock import Clock
from scheduler.definitions import jitter
from scheduler.executor import Assignment, Executor
from scheduler.ids import new_run_id
from scheduler.models import Job, Origin, Run, RunStatus, utc_now
from scheduler.policy import Decision, FireTime, Verdict, due_at, judge
from scheduler.spellings import Schedule
from scheduler.store import Connection, Database, jobs, runs
from scheduler.store.jobs import Advance, DueJob, Plan
from scheduler.triggers import Trigger

log = logging.getLogger(__name__)

MOST_FIRE_TIMES = 1000


@dataclass(frozen=True, slots=True)
class Rule:
    """A definition made ready to fire, as of one revision of its job."""

    revision: int
    job: Job
    schedule: Schedule
    zone: ZoneInfo

    @property
    def trigger(self) -> Trigger:
        """When the job is due."""
        return self.schedule.trigger

    def due_at(self, moment: datetime) -> datetime:
        """Return when a fire time of the job is due."""
        return due_at(self.job.task_id, moment, jitter(self.job, self.schedule), self.trigger)


@dataclass(slots=True)
class _Outcome:
    """What one unit of work did: rows, plans, and runs to carry out."""

    rows: list[Run] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    claims_left: int = 0
    room: int = 0

    def drop(self, run_ids: set[str]) -> None:
        """Leave out rows that must not be written, and the runs they stand for."""
        self.rows = [run for run in self.rows if run.run_id not in run_ids]
        left_out = [assignment for assignment in self.assignments if assignment.run.run_id in run_ids]
        self.assignments = [assignment for assignment in self.assignments if assignment not in left_out]
        self.claims_left += sum(assignment.run.status is RunStatus.RUNNING for assignment in left_out)

    def within_room(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Return the verdicts, none of them a run that would find neither a worker nor a place in the queue."""
        if self.claims_left or self.room > 0:
            return verdicts
        full = Decision.FULL
        return [Verdict(v.fire_time, full) if v.decision is Decision.RUN else v for v in verdicts]


class Dispatcher:
    """Stand between clock, ledger and executor.

    A fire time starts at most once: in one transaction its row is written and the job's
    `next_fire_time` moves from that very fire time to the one after; where it stands elsewhere
    already, another process was here first, or somebody changed the job.
    """

    def __init__(self, store: Database, executor: Executor, now: Callable[[], datetime] = utc_now) -> None:
        self._store, self._executor, self._now = store, executor, now
        self._rules: dict[int, Rule] = {}
        self._clock: Clock | None = None

    def attach(self, clock: Clock) -> None:
        """Name the clock whose fire times these are."""
        self._clock = clock

    def on_due(self, due: Sequence[Plan]) -> None:
        """Record fire times that have come due; called by the clock, returns at once."""
        claimed = self._executor.claim(len(due))
        try:
            self._record(due, claimed)
        except BaseException:
            self._executor.release(claimed)
            raise

    def forget(self, keys: Sequence[int]) -> None:
        """Drop what is remembered of jobs that changed."""
        for key in keys:
            self._rules.pop(key, None)

    def rule(self, connection: Connection, key: int, revision: int) -> Rule:
        """Return a job's definition and trigger, read at most once a revision."""
        rule = self._rules.get(key)
        if rule is None or rule.revision != revision:
            stored = jobs.get_job(connection, key)
            rule = Rule(revision, stored.job, stored.read_schedule(), stored.zone)
            self._rules[key] = rule
        return rule

    def _record(self, due: Sequence[Plan], claimed: int, careful: bool = False) -> None:
        def done(outcome: _Outcome | BaseException) -> None:
            if isinstance(outcome, runs.FireTimeTaken) and not careful:
                self._record(due, claimed, careful=True)
            else:
                self._follow(due, claimed, outcome)

        self._store.write_soon(lambda connection: self._fire(connection, due, claimed, careful), done)

    def _follow(self, due: Sequence[Plan], claimed: int, outcome: _Outcome | BaseException) -> None:
        assert self._clock is not None
        if isinstance(outcome, BaseException):
            log.error("fire times could not be recorded; they come again: %s", outcome)
            self._executor.release(claimed)
            self._clock.plan_again(due)
            return
        self._executor.submit(outcome.assignments)
        if outcome.claims_left:
            self._executor.release(outcome.claims_left)
        if outcome.advances:
            self._clock.plan([Plan(advance.key, advance.due_at) for advance in outcome.advances])

    def _fire(self, connection: Connection, due: Sequence[Plan], claimed: int, careful: bool) -> _Outcome:
        """Do all that the fire times that are due ask of the store.

        `careful` looks first whether one has its row already, which can be only where the wall clock
        was set back and the job defined anew: it does not run for the same time again.
        """
        outcome = _Outcome(claims_left=claimed, room=self._executor.room)
        fire_times = dict(due)
        found = [row for row in jobs.due_jobs(connection, list(fire_times)) if row.due_at == fire_times[row.key]]
        for row in found:
            try:
                rule = self.rule(connection, row.key, row.revision)
                self._judge(outcome, row, rule)
            except Exception:
                # One definition that cannot be read must not keep the others from firing.
                log.exception("a task cannot be planned", extra={"task_id": row.task_id})
        if careful:
            outcome.drop(runs.are_taken(connection, outcome.rows))
        runs.add_runs(connection, outcome.rows)
        jobs.advance(connection, outcome.advances)
        return outcome

    def _judge(self, outcome: _Outcome, row: DueJob, rule: Rule) -> None:
        """Give every fire time of a job that is due its row, and say when the job fires next."""
        now = self._now()
        times, following = _due_times(rule, row, now)
        verdicts = outcome.within_room(judge(times, now, row.active, rule.job.max_instances, row.since))
        fired = row.fired + sum(verdict.decision is Decision.RUN for verdict in verdicts)
        if rule.job.max_runs is not None and fired >= rule.job.max_runs:
            following = None
        due = None if following is None else rule.due_at(following)
        outcome.advances.append(Advance(row.key, following, due, fired))
        if len(verdicts) == MOST_FIRE_TIMES and all(v.decision is Decision.MISSED for v in verdicts):
            outcome.rows.append(self._collapsed(row, rule, verdicts, now))
            return
        merged_into = self._run_id_of_newest(verdicts, now)
        for verdict in verdicts:
            outcome.rows.append(self._row(outcome, row, rule, verdict, now, merged_into))

    def _run_id_of_newest(self, verdicts: Sequence[Verdict], now: datetime) -> str | None:
        return new_run_id(now) if any(v.decision is Decision.COALESCE for v in verdicts) else None

    def _row(
        self,
        outcome: _Outcome,
        row: DueJob,
        rule: Rule,
        verdict: Verdict,
        now: datetime,
        merged_into: str | None,
    ) -> Run:
        decision = verdict.decision
        runs_now = decision is Decision.RUN
        run = Run(
            run_id=(runs_now and merged_into) or new_run_id(now),
            job_key=row.key,
            task_id=row.task_id,
            scheduled_for=verdict.fire_time.moment,
            due_at=verdict.fire_time.due_at,
            attempt=1,
            trigger=Origin.SCHEDULE,
            status=_status(decision, outcome.claims_left > 0),
            priority=rule.job.priority,
            created_at=now,
            started_at=now if runs_now and outcome.claims_left else None,
            finished_at=None if runs_now else now,
            details={} if runs_now else {"reason": _reason(decision, verdict.fire_time.due_at, rule, now, merged_into)},
        )
        if runs_now:
            outcome.claims_left -= run.status is RunStatus.RUNNING
            outcome.room -= run.status is RunStatus.QUEUED
            outcome.assignments.append(Assignment(run, rule.job, rule.zone))
        return run

    def _collapsed(self, row: DueJob, rule: Rule, verdicts: Sequence[Verdict], now: datetime) -> Run:
        """Make one row of a thousand missed fire times, so that a long absence does not fill the ledger."""
        return Run(
            run_id=new_run_id(now),
            job_key=row.key,
            task_id=row.task_id,
            scheduled_for=verdicts[0].fire_time.moment,
            due_at=verdicts[0].fire_time.due_at,
            attempt=1,
            trigger=Origin.SCHEDULE,
            status=RunStatus.MISSED,
            priority=rule.job.priority,
            created_at=now,
            finished_at=now,
            scheduled_until=verdicts[-1].fire_time.moment,
            count=len(verdicts),
            details={"reason": _reason(Decision.MISSED, verdicts[0].fire_time.due_at, rule, now, None)},
        )


def _due_times(rule: Rule, row: DueJob, now: datetime) -> tuple[list[FireTime], datetime | None]:
    """Return the fire times of a job that are due, and the one that follows them.

    Times before `row.since`, when the scheduler was stopped, were never planned; only a one-shot,
    which has no other time, is still accounted for.
    """
    moment: datetime | None = row.next_fire_time
    if row.next_fire_time < row.since and rule.trigger.kind != "once":
        moment = rule.trigger.utc_after(row.since)
    times: list[FireTime] = []
    while moment is not None and len(times) < MOST_FIRE_TIMES:
        due = rule.due_at(moment)
        if due > now:
            break
        times.append(FireTime(moment, due))
        moment = rule.trigger.utc_after(moment)
    return times, moment


def _status(decision: Decision, has_worker: bool) -> RunStatus:
    if decision is Decision.RUN:
        return RunStatus.RUNNING if has_worker else RunStatus.QUEUED
    return RunStatus.MISSED if decision is Decision.MISSED else RunStatus.SKIPPED


def _reason(decision: Decision, due: datetime, rule: Rule, now: datetime, merged_into: str | None) -> str:
    if decision is Decision.COALESCE:
        return f"coalesced into {merged_into}"
    if decision is Decision.MISSED:
        return f"noticed {round((now - due).total_seconds())} s after its time, more than its grace"
    if decision is Decision.FULL:
        return "as many runs were waiting as may (SCHEDULER_MAX_QUEUED)"
    return f"as many earlier runs as may (max_instances: {rule.job.max_instances}) still waited or went on"
