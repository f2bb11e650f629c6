"""Turn fire times that are due into rows of the ledger, and those that shall run into runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial

from scheduler.attempts import Assignment
from scheduler.clock import Clock
from scheduler.executor import Executor
from scheduler.fire_times import Portion, Rule, are_one, collapsed, told, without_run
from scheduler.ids import new_run_id
from scheduler.logs import Outage
from scheduler.models import utc_now
from scheduler.policy import Backlog, Decision, FireTime, Verdict, forgone, judge, within_room, within_runs
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, Database, glances, is_trouble, jobs, planning, runs
from scheduler.store.planning import Advance, DueJob, Plan
from scheduler.store.taken import taken_times
from scheduler.store.writer import cause_of
from scheduler.stored_job import StoredJob

log = logging.getLogger(__name__)

Taken = Callable[[Sequence[datetime]], Set[datetime]]
"""Says which of a job's fire times, given oldest first, have their rows already."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """What is left of a backlog: its fire times from `next_fire_time` on, by one revision of their job."""

    revision: int
    next_fire_time: datetime
    backlog: Backlog


@dataclass(slots=True)
class _Outcome:
    """What one unit of work did: rows, plans, and runs to carry out.

    `rules` are those by which jobs advanced; `moved` are jobs that were due at other times than the clock knew.
    `rests` are backlogs of which more is to be judged. `never_late` says that no fire time is past its grace, however
    long ago it was due.
    """

    rows: list[Run] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    rules: dict[int, Rule] = field(default_factory=dict)
    rests: dict[int, _Rest] = field(default_factory=dict)
    moved: list[Plan] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    claims_left: int = 0
    room: int = 0
    never_late: bool = False

    def go_on(self, row: DueJob, rule: Rule, following: FireTime | None, fired: int, backlog: Backlog) -> None:
        """Note what a job fires for next; that is due already where it belongs to the backlog, too."""
        moment, due = following or (None, None)
        self.advances.append(Advance(row.key, moment, due, fired))
        self.rules[row.key] = rule
        if following is not None and following.due_at <= backlog.noticed_at and backlog.promised:
            self.rests[row.key] = _Rest(row.revision, following.moment, backlog)


class Dispatcher:
    """Stand between clock, ledger and executor.

    A fire time starts at most once: in one transaction its row is written and the job's
    `next_fire_time` moves from that very fire time to the one after; where it stands elsewhere
    already, another process was here first, or somebody changed the job.
    """

    def __init__(self, store: Database, executor: Executor, now: Callable[[], datetime] = utc_now) -> None:
        self._store, self._executor, self._now = store, executor, now
        self._rules: dict[int, Rule] = {}
        self._rests: dict[int, _Rest] = {}
        self._retries: dict[str, Assignment] = {}
        self._outage = Outage(log, "fire times are recorded again")
        self._clock: Clock | None = None

    def attach(self, clock: Clock) -> None:
        """Name the clock whose fire times these are."""
        self._clock = clock

    def on_due(self, due: Sequence[Plan]) -> None:
        """Record fire times that have come due, and pass on retries; called by the clock, returns at once."""
        retries = [self._retries.pop(plan.key, None) for plan in due if isinstance(plan.key, str)]
        self._executor.submit([assignment for assignment in retries if assignment is not None])
        due = [plan for plan in due if isinstance(plan.key, int)]
        if not due:
            return
        claimed = self._executor.claim(len(due))
        try:
            self._record(due, claimed)
        except BaseException:
            self._executor.release(claimed)
            raise

    def fire_cycle(self, due: Sequence[Plan], waiting: int) -> tuple[list[Assignment], bool]:
        """Record what came due since the last cycle; return the runs, for the caller to pass on, and whether a job
        advanced. `waiting` is how many runs the caller has not passed on yet."""

        def unit(connection: Connection) -> _Outcome:
            planning.mind_start(connection, self._now())
            room = self._executor.room - waiting
            return self._fire(connection, due, _Outcome(room=room, never_late=True), careful=True)

        outcome = self._store.write(unit)
        self._keep_rests(outcome)
        return outcome.assignments, bool(outcome.advances)

    def plan_runs(self, assignments: Sequence[Assignment]) -> None:
        """Pass on runs that wait: those with a moment in the future when it has come."""
        assert self._clock is not None
        now = self._now()
        later = [item for item in assignments if item.run.due_at is not None and item.run.due_at > now]
        self._retries.update({item.run.run_id: item for item in later})
        self._clock.plan([Plan(item.run.run_id, item.run.due_at) for item in later])
        self._executor.submit([item for item in assignments if item not in later])

    def is_planned(self, run_id: str) -> bool:
        """Whether a run waits for its moment here."""
        return run_id in self._retries

    def waiting_plans(self) -> list[Plan]:
        """Return when the runs that wait for their moment are due."""
        return [Plan(run_id, item.run.due_at) for run_id, item in list(self._retries.items())]

    def forget_runs(self) -> None:
        """Drop the runs that wait for their moment: their rows were ended."""
        self._retries.clear()

    def forget(self, keys: Sequence[int | str]) -> None:
        """Drop what is remembered of jobs that changed."""
        for key in keys:
            if isinstance(key, int):
                self._rules.pop(key, None)
                self._rests.pop(key, None)

    def forget_all(self) -> None:
        """Drop what is remembered of all jobs, since what it was made of has changed."""
        self._rules.clear()
        self._rests.clear()

    def _known_rule(self, row: DueJob) -> Rule | None:
        rule = self._rules.get(row.key)
        return rule if rule is not None and rule.revision == row.revision else None

    def _definitions(self, connection: Connection, rows: Sequence[DueJob]) -> dict[int, StoredJob]:
        """Return the definitions of those jobs whose rules are not known in their present revision.

        Empty where one of them cannot be read: then each is read by itself, and that one is told.
        """
        unknown = [row.key for row in rows if self._known_rule(row) is None]
        try:
            return {stored.key: stored for stored in glances.whole(connection, unknown)}
        except Exception as error:
            if is_trouble(error):
                raise
            return {}

    def rule(self, connection: Connection, row: DueJob, definitions: Mapping[int, StoredJob]) -> Rule:
        """Return a job's definition and trigger, read at most once a revision."""
        rule = self._known_rule(row)
        if rule is None:
            stored = definitions.get(row.key) or jobs.get_job(connection, row.key)
            rule = self._rules[row.key] = Rule.of(stored, row.revision)
        return rule

    def _record(self, due: Sequence[Plan], claimed: int, careful: bool = False) -> None:
        announced: list[str] = []

        def unit(connection: Connection) -> _Outcome:
            room = self._executor.room
            outcome = self._fire(connection, due, _Outcome(claims_left=claimed, room=room), careful)
            announced.extend(self._executor.announce(outcome.assignments))
            return outcome

        def done(outcome: _Outcome | BaseException) -> None:
            try:
                if isinstance(outcome, runs.FireTimeTaken) and not careful:
                    self._record(due, claimed, careful=True)
                else:
                    self._follow(due, claimed, outcome)
            finally:
                self._executor.withdraw(announced)

        self._store.write_soon(unit, done)

    def _follow(self, due: Sequence[Plan], claimed: int, outcome: _Outcome | BaseException) -> None:
        assert self._clock is not None
        if isinstance(outcome, BaseException):
            self._outage.tell(f"fire times cannot be recorded; they come again and again: {cause_of(outcome)}")
            self._executor.release(claimed)
            self._clock.plan_again(due)
            return
        self._outage.end()
        self._keep_rests(outcome)
        self._executor.submit(outcome.assignments)
        if outcome.claims_left:
            self._executor.release(outcome.claims_left)
        # A job that was changed since has been planned by whoever noticed that.
        unchanged = [row for row in outcome.advances if self._rules.get(row.key) is outcome.rules[row.key]]
        plans = [Plan(row.key, row.due_at) for row in unchanged] + outcome.moved
        if plans:
            self._clock.plan(plans)

    def _fire(self, connection: Connection, due: Sequence[Plan], outcome: _Outcome, careful: bool) -> _Outcome:
        """Do all that the fire times that are due ask of the store.

        `careful` looks first whether one has its row already, which can be only where the wall clock
        was set back and the job defined anew: it does not run for the same time again, and counts for nothing.
        """
        due_at_of = {plan.key: plan.due_at for plan in due if isinstance(plan.key, int)}
        rows = planning.due_jobs(connection, list(due_at_of), self._now())
        definitions = self._definitions(connection, rows)
        for row in rows:
            if row.due_at != due_at_of[row.key]:
                # Not left to whoever moved it: a fire time that comes again may have taken the new one's place.
                outcome.moved.append(Plan(row.key, row.due_at))
                continue
            try:
                taken = partial(taken_times, connection, row.key) if careful else None
                self._judge(outcome, row, self.rule(connection, row, definitions), taken)
            except Exception as error:
                if is_trouble(error):
                    raise
                # One definition that cannot be read must not keep the others from firing.
                log.exception("a task cannot be planned", extra={"task_id": row.task_id})
        runs.add_runs(connection, outcome.rows)
        for run in outcome.rows:
            if run.status in (RunStatus.MISSED, RunStatus.RUNNING):
                self._executor.teller.record(connection, outcome.rules[run.job_key].job, run)
        planning.advance(connection, outcome.advances)
        going = {run.job_key for run in outcome.rows if not run.status.is_final}
        over = [row.key for row in outcome.advances if row.due_at is None and row.key not in going]
        planning.remove_done(connection, over, self._now())
        return outcome

    def _judge(self, outcome: _Outcome, row: DueJob, rule: Rule, taken: Taken | None) -> None:
        """Give every fire time of a job that is due its row, but for those that are `taken`, and say when the job fires
        next."""
        now = self._now()
        backlog = self._backlog(row, now)
        due = rule.portion(FireTime(row.next_fire_time, row.due_at), row.since, backlog.noticed_at)
        if taken is not None:
            due = due.without(taken(due.moments))
        following = due.following
        refusal = self._executor.refusal(rule.job)
        verdicts = self._verdicts(outcome, row, rule, backlog, due, refusal is None)
        fired = row.fired + sum(verdict.decision.runs for verdict in verdicts)
        if rule.job.max_runs is not None and fired >= rule.job.max_runs:
            following = None
        outcome.go_on(row, rule, following, fired, backlog.after(rule.job, verdicts))
        merged_into = _merged_into(verdicts, now)
        reason = refusal or f"coalesced into {merged_into or 'the run of a later fire time'}"
        if are_one(verdicts):
            outcome.rows.append(collapsed(row.key, rule, verdicts, told(verdicts[0], rule, now, reason), now))
            return
        for verdict in verdicts:
            if verdict.decision.runs:
                outcome.rows.append(self._run(outcome, row, rule, verdict, now, merged_into))
            else:
                outcome.rows.append(without_run(row.key, rule, verdict, told(verdict, rule, now, reason), now))

    def _backlog(self, row: DueJob, now: datetime) -> Backlog:
        """Return how what is due of a job was found: just now, or when the portion before was judged."""
        rest = self._rests.get(row.key)
        if rest is None or (rest.revision, rest.next_fire_time) != (row.revision, row.next_fire_time):
            return Backlog(now, row.active)
        # The clock may have been set back since: what is no more due waits for its time.
        return replace(rest.backlog, noticed_at=min(rest.backlog.noticed_at, now))

    def _keep_rests(self, outcome: _Outcome) -> None:
        """Remember how to go on with jobs of which more is due; only now, since what they rest on is on disk."""
        for row in outcome.advances:
            self._rests.pop(row.key, None)
        self._rests.update(outcome.rests)

    def _verdicts(
        self,
        outcome: _Outcome,
        row: DueJob,
        rule: Rule,
        backlog: Backlog,
        due: Portion,
        can_run: bool,
    ) -> list[Verdict]:
        """Say what becomes of fire times, within the room there is and the runs that are left to the job."""
        job = rule.job.model_copy(update={"misfire_grace_time": -1}) if outcome.never_late else rule.job
        verdicts = judge(job, due.times, backlog, row.since, due.ahead)
        room = outcome.claims_left, outcome.room
        verdicts = within_room(job, verdicts, *room, backlog) if can_run else forgone(verdicts)
        return within_runs(verdicts, None if job.max_runs is None else job.max_runs - row.fired)

    def _run(
        self, outcome: _Outcome, row: DueJob, rule: Rule, verdict: Verdict, now: datetime, run_id: str | None
    ) -> Run:
        """Make the row of a fire time that gets a run, and assign that."""
        has_worker = verdict.decision is Decision.RUN and outcome.claims_left > 0
        run = Run(
            run_id=run_id or new_run_id(now),
            job_key=row.key,
            task_id=row.task_id,
            scheduled_for=verdict.fire_time.moment,
            due_at=verdict.fire_time.due_at,
            attempt=1,
            trigger=Origin.CATCH_UP if verdict.late else Origin.SCHEDULE,
            status=RunStatus.RUNNING if has_worker else RunStatus.QUEUED,
            priority=rule.job.priority,
            created_at=now,
            started_at=now if has_worker else None,
        )
        outcome.claims_left -= has_worker
        outcome.room -= not has_worker
        outcome.assignments.append(Assignment(run, rule.job, rule.zone))
        return run


def _merged_into(verdicts: Sequence[Verdict], now: datetime) -> str | None:
    """Return the id for the run that others become part of, if both are among these."""
    runs_one = any(verdict.decision.runs for verdict in verdicts)
    merges = any(verdict.decision is Decision.COALESCE for verdict in verdicts)
    return new_run_id(now) if runs_one and merges else None
