"""Turn fire times that are due into rows of the ledger, and those that shall run into runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from scheduler.attempts import Assignment
from scheduler.clock import Clock
from scheduler.executor import Executor
from scheduler.fire_times import Rule, are_one, collapsed, told, without_run
from scheduler.ids import new_run_id
from scheduler.logs import Outage
from scheduler.models import utc_now
from scheduler.policy import Decision, Verdict, forgone, judge, within_runs
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import Connection, Database, glances, is_trouble, jobs, planning, runs
from scheduler.store.planning import Advance, DueJob, Plan
from scheduler.store.writer import cause_of
from scheduler.stored_job import StoredJob

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Outcome:
    """What one unit of work did: rows, plans, and runs to carry out.

    `rules` are those by which jobs advanced; `moved` are jobs that were due at other times than the clock knew.
    `never_late` says that no fire time is past its grace, however long ago it was due.
    """

    rows: list[Run] = field(default_factory=list)
    advances: list[Advance] = field(default_factory=list)
    rules: dict[int, Rule] = field(default_factory=dict)
    moved: list[Plan] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    claims_left: int = 0
    room: int = 0
    never_late: bool = False

    def drop(self, run_ids: set[str]) -> None:
        """Leave out rows that must not be written, and the runs they stand for."""
        self.rows = [run for run in self.rows if run.run_id not in run_ids]
        left_out = [assignment for assignment in self.assignments if assignment.run.run_id in run_ids]
        self.assignments = [assignment for assignment in self.assignments if assignment not in left_out]
        self.claims_left += sum(assignment.run.status is RunStatus.RUNNING for assignment in left_out)

    def within_room(self, verdicts: list[Verdict]) -> list[Verdict]:
        """Return the verdicts, none of them a run that would find neither a worker nor a place in the queue."""
        room = self.room + self.claims_left
        kept = []
        for verdict in verdicts:
            if verdict.decision.runs:
                room -= 1
            if room < 0 and (verdict.decision.runs or verdict.decision is Decision.COALESCE):
                verdict = replace(verdict, decision=Decision.FULL)
            kept.append(verdict)
        return kept


class Dispatcher:
    """Stand between clock, ledger and executor.

    A fire time starts at most once: in one transaction its row is written and the job's
    `next_fire_time` moves from that very fire time to the one after; where it stands elsewhere
    already, another process was here first, or somebody changed the job.
    """

    def __init__(self, store: Database, executor: Executor, now: Callable[[], datetime] = utc_now) -> None:
        self._store, self._executor, self._now = store, executor, now
        self._rules: dict[int, Rule] = {}
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

    def fire_cycle(self, due: Sequence[Plan]) -> tuple[list[Assignment], bool]:
        """Record what came due since the last cycle; return the runs, for the caller to pass on, and whether a job
        advanced."""
        outcome = self._store.write(lambda connection: self._fire(connection, due, 0, careful=True, never_late=True))
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

    def forget_all(self) -> None:
        """Drop what is remembered of all jobs, since what it was made of has changed."""
        self._rules.clear()

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
            outcome = self._fire(connection, due, claimed, careful)
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
        self._executor.submit(outcome.assignments)
        if outcome.claims_left:
            self._executor.release(outcome.claims_left)
        # A job that was changed since has been planned by whoever noticed that.
        unchanged = [row for row in outcome.advances if self._rules.get(row.key) is outcome.rules[row.key]]
        plans = [Plan(row.key, row.due_at) for row in unchanged] + outcome.moved
        if plans:
            self._clock.plan(plans)

    def _fire(
        self, connection: Connection, due: Sequence[Plan], claimed: int, careful: bool, never_late: bool = False
    ) -> _Outcome:
        """Do all that the fire times that are due ask of the store.

        `careful` looks first whether one has its row already, which can be only where the wall clock
        was set back and the job defined anew: it does not run for the same time again.
        """
        outcome = _Outcome(claims_left=claimed, room=self._executor.room, never_late=never_late)
        due_at_of = {plan.key: plan.due_at for plan in due if isinstance(plan.key, int)}
        rows = planning.due_jobs(connection, list(due_at_of))
        definitions = self._definitions(connection, rows)
        for row in rows:
            if row.due_at != due_at_of[row.key]:
                # Not left to whoever moved it: a fire time that comes again may have taken the new one's place.
                outcome.moved.append(Plan(row.key, row.due_at))
                continue
            try:
                self._judge(outcome, row, self.rule(connection, row, definitions))
            except Exception as error:
                if is_trouble(error):
                    raise
                # One definition that cannot be read must not keep the others from firing.
                log.exception("a task cannot be planned", extra={"task_id": row.task_id})
        if careful:
            outcome.drop(runs.are_taken(connection, outcome.rows))
        runs.add_runs(connection, outcome.rows)
        for run in outcome.rows:
            if run.status in (RunStatus.MISSED, RunStatus.RUNNING):
                self._executor.teller.record(connection, outcome.rules[run.job_key].job, run)
        planning.advance(connection, outcome.advances)
        going = {run.job_key for run in outcome.rows if not run.status.is_final}
        over = [row.key for row in outcome.advances if row.due_at is None and row.key not in going]
        planning.remove_done(connection, over, self._now())
        return outcome

    def _judge(self, outcome: _Outcome, row: DueJob, rule: Rule) -> None:
        """Give every fire time of a job that is due its row, and say when the job fires next."""
        now = self._now()
        times, following = rule.due_times(row.next_fire_time, row.since, now)
        more = following is not None and rule.due_at(following) <= now
        terms = rule.job.model_copy(update={"misfire_grace_time": -1}) if outcome.never_late else rule.job
        verdicts = judge(terms, times, now, row.active, row.since, more)
        refusal = self._executor.refusal(rule.job)
        verdicts = outcome.within_room(verdicts) if refusal is None else forgone(verdicts)
        left = None if rule.job.max_runs is None else rule.job.max_runs - row.fired
        verdicts = within_runs(verdicts, left)
        fired = row.fired + sum(verdict.decision.runs for verdict in verdicts)
        if rule.job.max_runs is not None and fired >= rule.job.max_runs:
            following, more = None, False
        due = None if following is None else rule.due_at(following)
        outcome.advances.append(Advance(row.key, following, due, fired))
        outcome.rules[row.key] = rule
        merged_into = None if more else _merged_into(verdicts, now)
        reason = refusal or f"coalesced into {merged_into or 'the run of a later fire time'}"
        if are_one(verdicts):
            outcome.rows.append(collapsed(row.key, rule, verdicts, told(verdicts[0], rule, now, reason), now))
            return
        for verdict in verdicts:
            if verdict.decision.runs:
                outcome.rows.append(self._run(outcome, row, rule, verdict, now, merged_into))
            else:
                outcome.rows.append(without_run(row.key, rule, verdict, told(verdict, rule, now, reason), now))

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
    """Return the id for the run that others become part of, if any do."""
    return new_run_id(now) if any(verdict.decision is Decision.COALESCE for verdict in verdicts) else None
