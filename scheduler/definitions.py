"""Read definitions of jobs: all that is wrong with one told at once, and what follows from a right one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, Problem, as_sent, explain
from scheduler.job_defaults import with_defaults
from scheduler.models import WHEN_FIELDS, CallableJob, Job, read_job, read_when
from scheduler.notify.targets import problems_of, target_problems
from scheduler.phrases import read_zone
from scheduler.policy import FireTime, due_at
from scheduler.spellings import SPELLING_FIELDS, Schedule
from scheduler.stored_job import StoredJob
from scheduler.trigger_objects import trigger_zone
from scheduler.triggers import Trigger
from tasks import TASK_TYPES, FunctionTask
from tasks.base import Refusal, TaskRefused
from tasks.sandbox import AllowedDirs, check_env


@dataclass(frozen=True, slots=True)
class Checked:
    """A job that nothing is wrong with, as it will be kept, and when it is due, counted from `anchor`."""

    job: Job
    schedule: Schedule
    anchor: datetime


def job_of(job: Job | Checked) -> Job:
    """Return the job."""
    return job.job if isinstance(job, Checked) else job


class Definitions:
    """Judge definitions by the settings: zone, policies, allowed directories."""

    def __init__(self, config: SchedulerConfig, now: Callable[[], datetime]) -> None:
        self._config, self._now = config, now
        self._allowed = AllowedDirs(config.allowed_dirs, config.function_packages)

    def moment(self) -> datetime:
        """Return the present in whole milliseconds, which is what times are written with."""
        now = self._now()
        return now.replace(microsecond=now.microsecond // 1000 * 1000)

    def read(self, fields: Mapping[str, Any], anchor: datetime | None = None, model: type[Job] = Job) -> Checked:
        """Make a Job of what was sent, and check it; raise `InvalidRequest` with all that is wrong with it.

        `anchor` stands for the present where the schedule is one that was given earlier.
        """
        try:
            job = read_job(fields, model)
        except InvalidRequest as error:
            raise InvalidRequest([*error.problems, *self._problems_beside(fields, error.problems)]) from error
        return self.check(job, anchor or self.moment())

    def complete(self, job: Job) -> Job:
        """Return the job with the zone and the policies that it has where it names none."""
        job = with_defaults(job, self._config.policies)
        if job.timezone:
            return job
        zone = trigger_zone(job.trigger) or self._config.zone
        return job.model_copy(update={"timezone": zone.key})

    def check(self, job: Job, anchor: datetime) -> Checked:
        """Fill in zone and policies, and refuse what schedule, paths or environment may not be, all at once."""
        problems: list[Problem] = []
        when = job.model_dump(include={*WHEN_FIELDS, "timezone", "jitter_seconds"})
        zone = self._zone_of(when, problems)
        schedule = self._schedule_in(when, zone, anchor, problems)
        problems.extend(self._refusals(job.model_dump(include={"env", "working_directory"}), job))
        problems.extend(problems_of(job.notify, job.expect, self._config))
        if problems or schedule is None:
            raise InvalidRequest(problems)
        return Checked(self.complete(job.model_copy(update={"timezone": zone.key})), schedule, anchor)

    def _problems_beside(self, fields: Mapping[str, Any], known: Sequence[Problem]) -> list[Problem]:
        """Return what else is wrong with a definition that has `known` problems, so that all are told at once."""
        bad = {problem.field.split(".")[0] for problem in known}
        fine = {name: value for name, value in fields.items() if name not in bad}
        if isinstance(fields.get("env"), dict):
            fine["env"] = {name: text for name, text in fields["env"].items() if isinstance(text, str)}
        problems: list[Problem] = []
        zone = self._zone_of(fine, problems)
        if not bad & set(WHEN_FIELDS):
            self._schedule_in(fine, zone, self.moment(), problems)
        notify = fields.get("notify")
        if isinstance(notify, dict) and isinstance(notify.get("to"), list):
            problems.extend(target_problems(notify["to"], self._config))
        return problems + self._refusals(fine, None)

    def _zone_of(self, fields: Mapping[str, Any], problems: list[Problem]) -> ZoneInfo:
        try:
            return zone_of(fields.get("timezone"), fields.get("trigger"), self._config.zone)
        except InvalidRequest as error:
            problems.extend(error.problems)
            return self._config.zone

    def _schedule_in(
        self, fields: Mapping[str, Any], zone: ZoneInfo, now: datetime, problems: list[Problem]
    ) -> Schedule | None:
        try:
            schedule = read_when(fields, zone, now)
        except InvalidRequest as error:
            problems.extend(error.problems)
            return None
        mine, its = fields.get("jitter_seconds"), schedule.jitter_seconds
        if mine and its is not None and mine != its:
            text = f"'jitter_seconds' is {mine:g} and 'trigger.jitter' is {its}: send one of them"
            problems.append(Problem("jitter_seconds", text, mine, suggestion=its))
        return schedule

    def _check_function(self, fields: Mapping[str, Any]) -> None:
        directory = fields.get("working_directory")
        try:
            task = FunctionTask(func=fields["func"])
        except ValidationError as error:
            found = explain(error, FunctionTask)
            raise TaskRefused([Refusal(problem.field, problem.message, problem.got) for problem in found]) from error
        task.check(self._allowed, directory if isinstance(directory, str) else None)

    def _refusals(self, fields: Mapping[str, Any], job: Job | None) -> list[Problem]:
        """Return what the sandbox would not take: names in the environment, and paths outside."""
        refusals = list(check_env(fields.get("env") or {}))
        checks: list[Callable[[], object]] = []
        if job is not None and not isinstance(job, CallableJob):
            checks.append(lambda: job.task.check(self._allowed, job.working_directory))
            if job.sandbox is not None:
                checks.append(partial(job.sandbox.check, self._allowed, self._config.read_dirs))
        elif fields.get("type") == "function" and isinstance(fields.get("func"), str):
            checks.append(partial(self._check_function, fields))
        paths = ("working_directory",) if job is not None else ("working_directory", "file_path")
        checks.extend(
            partial(self._allowed.resolve, fields[name], name) for name in paths if isinstance(fields.get(name), str)
        )
        for check in checks:
            refusals.extend(_refusals_of(check))
        return [as_problem(refusal) for refusal in refusals]


def zone_of(name: str | None, trigger: object, default: ZoneInfo) -> ZoneInfo:
    """Return the zone of a schedule: `timezone`, or that of a trigger object, or else the default.

    InvalidRequest: both name one, and not the same.
    """
    its = trigger_zone(trigger)
    if name is None:
        return its or default
    zone = read_zone(name)
    if its is not None and its.key != zone.key:
        text = f"'timezone' is {zone.key} and 'trigger.timezone' is {its.key}: send one of them"
        raise InvalidRequest([Problem("timezone", text, name, suggestion=its.key)])
    return zone


def as_problem(refusal: Refusal) -> Problem:
    """Return what a task or the sandbox does not take as a Problem."""
    accepted = list(refusal.accepted)
    return Problem(refusal.field, refusal.message, refusal.got, accepted, refusal.suggestion, refusal.code)


def same(stored: StoredJob, job: Job) -> bool:
    """Whether two definitions are equal after defaults, the phrase by its text."""
    return stored.job.definition() == job.definition()


def is_moved(stored: StoredJob, job: Job) -> bool:
    """Whether `job` says another "when" than the stored definition."""
    names = (*WHEN_FIELDS, "timezone")
    return any(getattr(stored.job, name) != getattr(job, name) for name in names)


def says_when(stored: StoredJob, changes: Mapping[str, Any]) -> bool:
    """Whether changes to a definition give it another "when"."""
    names = (*WHEN_FIELDS, "timezone")
    return any(name in changes and changes[name] != stored.definition.get(name) for name in names)


Following = Callable[[Trigger, datetime], datetime | None]
"""Says what a trigger names next after a moment."""


def columns(
    job: Job,
    schedule: Schedule,
    anchor: datetime,
    now: datetime,
    fired: int = 0,
    pending: FireTime | None = None,
    following: Following = Trigger.utc_after,
) -> dict[str, Any]:
    """Return what the store keeps of a definition; `pending` is a fire time of it that is still to be noticed."""
    trigger = schedule.trigger
    return {
        "definition": job.definition(),
        "schedule": {"text": schedule.text, "description": trigger.describe(), "kind": trigger.kind},
        "anchor": anchor,
        "updated_at": now,
        "enabled": job.enabled,
        "fired": fired,
        **next_columns(job, schedule, now, fired, job.enabled, pending, following),
    }


def next_columns(
    job: Job,
    schedule: Schedule,
    now: datetime,
    fired: int,
    planned: bool,
    pending: FireTime | None = None,
    following: Following = Trigger.utc_after,
) -> dict[str, Any]:
    """Return what a job fires for next: `pending`, or what follows `now`; a rule that names no more time has ended.

    `following` says what follows where fire times that are ahead may have rows already.
    """
    over = job.max_runs is not None and fired >= job.max_runs
    found = (pending.moment if pending else following(schedule.trigger, now)) if planned and not over else None
    return {
        "next_fire_time": found,
        "due_at": None if found is None else _due(job, schedule, found, pending, now),
        "ended": planned and found is None and schedule.trigger.kind != "manual",
    }


def paused_columns(stored: StoredJob, paused: bool) -> dict[str, Any]:
    """Return what the store keeps of a job that somebody pauses or resumes.

    Where its entry is gone from its file, that is what the job comes back as with the entry.
    """
    if not stored.is_gone:
        return {"paused": paused}
    return {"paused": paused, "filed": {**(stored.filed or {}), "paused": paused}}


def _due(job: Job, schedule: Schedule, moment: datetime, pending: FireTime | None, now: datetime) -> datetime:
    """Return when a fire time is due. Another jitter makes a pending one neither late nor, if it is due, wait again."""
    due = due_at(job.task_id, moment, jitter(job, schedule), schedule.trigger)
    if pending is None:
        return due
    return pending.due_at if pending.due_at <= now else max(due, now)


def jitter(job: Job, schedule: Schedule) -> float:
    """Return the job's jitter in seconds, which a trigger object may carry, too."""
    return job.jitter_seconds or schedule.jitter_seconds or 0


def kept_fields(stored: StoredJob, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a definition that an update leaves standing.

    Another spelling of "when" takes the place of the old one, and another type the place of the old type's fields.
    A zone that a trigger object names comes and goes with it.
    """
    sent = {name for name, value in changes.items() if value is not None}
    kept = {name: value for name, value in stored.definition.items() if name not in sent}
    if trigger_zone(stored.definition.get("trigger")) or trigger_zone(changes.get("trigger")):
        kept.pop("timezone", None)
    if sent & set(SPELLING_FIELDS):
        kept = {name: value for name, value in kept.items() if name not in SPELLING_FIELDS}
    kind = changes.get("type")
    if isinstance(kind, str) and kind in TASK_TYPES and kind != stored.definition["type"]:
        # Those of one name, too: `args` are words for a shell, options for pytest.
        of_types = {name for task in TASK_TYPES.values() for name in task.model_fields}
        kept = {name: value for name, value in kept.items() if name not in of_types}
    return kept


def told_of_kept(problems: Sequence[Problem], kept: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of an update, those with fields that it `kept` told as what the job has already."""
    return [_of_kept(problem, kept[problem.field]) if problem.field in kept else problem for problem in problems]


def _of_kept(problem: Problem, value: Any) -> Problem:
    has = f"the task has '{problem.field}' {as_sent(value)} already"
    if problem.field in problem.instead:
        return replace(problem, message=f"{has}: send the new one as '{problem.field}', and the phrase without it")
    return replace(problem, message=f"{problem.message}; {has}")


def _refusals_of(check: Callable[[], object]) -> list[Refusal]:
    try:
        check()
    except TaskRefused as error:
        return error.problems
    return []
