"""Answer POST /schedule: per action a request model and a short function.

This is the one place that says *task* where the rest says *job*.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from scheduler.errors import (
    InvalidRequest,
    NotFound,
    Problem,
    SchedulerError,
    Unavailable,
    explain,
    nearest,
    not_one_of,
    shorten,
    unknown_field,
)
from scheduler.http import present, requests
from scheduler.http.accepted import with_accepted
from scheduler.http.body import invalid_json
from scheduler.http.examples import EXAMPLES, mended_examples
from scheduler.http.guide import guide
from scheduler.models import Job, Run, RunStatus, job_fields
from scheduler.moments import iso, iso_or_none, local
from scheduler.phrases import read_zone
from scheduler.spellings import SPELLING_FIELDS, read_schedule
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import CANCEL_SECONDS, Planned, TaskScheduler
from tasks import TASK_TYPES
from tasks.sandbox.output import Stream

Answer = dict[str, Any]
STOPPED = "The scheduler is stopped: nothing runs on schedule until action 'start'."


@dataclass(frozen=True, slots=True)
class Waiting:
    """An answer that is ready when runs have ended; `finish` makes it, told whether they have."""

    run_ids: list[str]
    seconds: float
    finish: Callable[[bool], Answer]


@dataclass(frozen=True, slots=True)
class Action:
    """One verb of POST /schedule."""

    name: str
    model: type[BaseModel]
    function: Callable[[TaskScheduler, Any], Answer | Waiting]
    summary: str


def answer(service: TaskScheduler, body: Any) -> Answer | Waiting:
    """Carry out one request; raise `SchedulerError`, with an example where the request was wrong."""
    sent = _as_object(body)
    action = _action(sent)
    given = {name: value for name, value in sent.items() if value is not None}
    try:
        return action.function(service, _read(service, action, given))
    except InvalidRequest as error:
        named = [_with_known(problem, action, given) for problem in error.problems]
        problems = with_accepted(named, action.model)
        raise InvalidRequest(problems, _example(service, action, given, problems)) from error


def _as_object(body: Any) -> Mapping[str, Any]:
    if isinstance(body, dict):
        return body
    raise invalid_json("the body must be one JSON object", body)


def _action(sent: Mapping[str, Any]) -> Action:
    name = sent.get("action")
    known = list(ACTIONS)
    if name is None:
        problem = Problem(
            "action", f"'action' is required: one of {', '.join(known)}", None, known, code="missing_field"
        )
    elif not isinstance(name, str):
        problem = not_one_of("action", shorten(name), known)
    elif name in ACTIONS:
        return ACTIONS[name]
    else:
        guess = nearest(name, known)
        hint = f" Did you mean '{guess}'?" if guess else ""
        text = f"unknown action '{shorten(name, 60)}'.{hint} Actions: {', '.join(known)}"
        problem = Problem("action", text, shorten(name), known, guess, "unknown_action")
    raise InvalidRequest([problem], EXAMPLES[problem.suggestion or "help"])


def _read(service: TaskScheduler, action: Action, given: Mapping[str, Any]) -> BaseModel | _Definition:
    if action.model in (requests.Create, requests.Update):
        return _read_definition(service, action, given)
    problems: list[Problem] = []
    try:
        request = action.model.model_validate(given)
    except ValidationError as error:
        problems = explain(error, action.model)
    if action.model in (requests.Preview, requests.Runs):
        problems += _problems_of_times(service, given, {problem.field for problem in problems})
    if problems:
        raise InvalidRequest(problems)
    return request


def _problems_of_times(service: TaskScheduler, given: Mapping[str, Any], known: set[str]) -> list[Problem]:
    """Return what is wrong with zone, moments and schedule, beside the `known` faulty fields."""
    fine = {name: value for name, value in given.items() if name not in known}
    zone, problems = fine.get("timezone"), []
    moments = [name for name in ("after", "since") if name in fine]
    checks: list[Callable[[], object]] = [partial(_moment, service, fine[name], name) for name in moments]
    if zone is not None:
        checks.append(partial(read_zone, zone))
    if fine.get("action") == "preview" and not known & set(SPELLING_FIELDS):
        schedule = {name: fine.get(name) for name in SPELLING_FIELDS}
        checks.append(partial(read_schedule, schedule, zone=service.config.zone, now=service.now()))
    for check in checks:
        try:
            check()
        except InvalidRequest as error:
            problems.extend(error.problems)
    return problems


@dataclass(frozen=True, slots=True)
class _Definition:
    """A definition that was sent: the fields of the job, apart from those of the request."""

    fields: dict[str, Any]
    task_id: str
    replace: bool
    job: Job | None


def _read_definition(service: TaskScheduler, action: Action, given: Mapping[str, Any]) -> _Definition:
    """Take the request apart; what the fields of a job may be, the scheduler says for every caller alike."""
    fields = {name: value for name, value in given.items() if name not in ("action", "replace")}
    if action.model is requests.Update:
        return _read_update(service, fields, given)
    job, problems = None, []
    replace = given.get("replace", False)
    if not isinstance(replace, bool):
        problems.append(Problem("replace", f"'replace' must be true or false, not {shorten(replace, 60)!r}", replace))
    kind = given.get("type") if given.get("type") in TASK_TYPES else "task"
    fields.setdefault("task_id", f"{kind}-{secrets.token_hex(4)}")
    try:
        job = service.read_definition(fields)
    except InvalidRequest as error:
        problems = [*error.problems, *problems]
    if problems:
        raise InvalidRequest(problems)
    return _Definition(fields, str(fields["task_id"]), replace, job)


def _read_update(service: TaskScheduler, fields: dict[str, Any], given: Mapping[str, Any]) -> _Definition:
    """Read an update as far as that goes without the task that it is for."""
    problems: list[Problem] = []
    if "replace" in given:
        problems.append(unknown_field("replace", job_fields(), given["replace"]))
    try:
        request = requests.Update.model_validate({name: given[name] for name in ("action", "task_id") if name in given})
    except ValidationError as error:
        problems += explain(error, requests.Update)
    if problems:
        raise InvalidRequest(problems + _problems_of_changes(service, fields))
    assert isinstance(request, requests.Update)
    return _Definition(fields, request.task_id, False, None)


def _problems_of_changes(service: TaskScheduler, fields: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with changes whatever task they are for."""
    changes = {name: value for name, value in fields.items() if name != "task_id"}
    try:
        service.read_definition({"task_id": "any", **changes})
    except InvalidRequest as error:
        return [
            problem
            for problem in error.problems
            if problem.code != "missing_field"
            and not (problem.code == "unknown_field" and problem.field in job_fields())
        ]
    return []


def _with_known(problem: Problem, action: Action, given: Mapping[str, Any]) -> Problem:
    """Name the field that was most likely meant by an unknown one, of all that the action takes."""
    if problem.code != "unknown_field" or problem.field not in given or problem.field in job_fields():
        return problem
    known = set(problem.accepted) | ({"replace"} if action.model is requests.Create else set())
    meant = requests.SYNONYMS.get(problem.field.lower())
    if meant in known:
        text = f"unknown field '{problem.field}'; did you mean '{meant}'?"
        return Problem(problem.field, text, problem.got, sorted(known), meant, "unknown_field")
    return unknown_field(problem.field, known, problem.got)


# --- examples that work ------------------------------------------------------------------------


def _example(
    service: TaskScheduler, action: Action, given: Mapping[str, Any], problems: list[Problem]
) -> dict[str, Any]:
    """Return the whole request nearest to the one that was sent that would be carried out now."""
    try:
        plain = _plain_example(service, action)
        found = list(mended_examples(plain, given, problems))
        working = (request for request in found if _works(service, action, request, _try))
        readable = (request for request in found if _works(service, action, request, _read))
        return next(working, None) or next(readable, plain)
    except Unavailable:
        return EXAMPLES[action.name]


def _plain_example(service: TaskScheduler, action: Action) -> dict[str, Any]:
    """Return the example of an action, with ids that exist where they must, and a new one where it must not."""
    plain = dict(EXAMPLES[action.name])
    if action.model is requests.Create:
        if not _works(service, action, plain, _try):
            plain["task_id"] += f"-{secrets.token_hex(2)}"
    elif "task_id" in plain:
        found, _ = service.list_jobs(JobFilter(), 0, 1)
        plain |= {"task_id": found[0].stored.task_id} if found else {}
    elif "run_id" in plain:
        newest = service.list_runs(RunFilter(), None, 1)
        plain |= {"run_id": newest[0].run_id} if newest else {}
    return plain


def _works(
    service: TaskScheduler,
    action: Action,
    request: Mapping[str, Any],
    attempt: Callable[[TaskScheduler, Action, Mapping[str, Any]], object],
) -> bool:
    try:
        attempt(service, action, request)
    except Unavailable:
        raise
    except SchedulerError:
        return False
    return True


def _try(service: TaskScheduler, action: Action, request: Mapping[str, Any]) -> None:
    """Do what can be done of a request without changing anything; raise what it would raise."""
    read = _read(service, action, request)
    if isinstance(read, _Definition):
        if read.job is not None:
            service.check_job(read.job, read.replace)
        else:
            _try_update(service, read)
    elif request.get("run_id") is not None:
        service.get_run(str(request["run_id"]))
    elif request.get("task_id") is not None:
        service.get_job(str(request["task_id"]))
    if action.model in (requests.Preview, requests.Help):
        action.function(service, read)


def _try_update(service: TaskScheduler, update: _Definition) -> None:
    kept = dict(service.get_job(update.task_id).stored.definition)
    if any(name in update.fields for name in SPELLING_FIELDS):
        kept = {name: value for name, value in kept.items() if name not in SPELLING_FIELDS}
    service.read_definition({**kept, **update.fields})


# --- the documented core -----------------------------------------------------------------------


def start(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Let tasks run on schedule."""
    if service.start():
        return {"status": "success", "message": "Scheduler started"}
    return {"status": "info", "message": "Scheduler is already running"}


def stop(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Let no task run on schedule."""
    if service.stop():
        return {"status": "success", "message": "Scheduler stopped"}
    return {"status": "info", "message": "Scheduler is not running"}


def create(service: TaskScheduler, request: _Definition) -> Answer:
    """Keep a new task."""
    return _planned(service, service.add_job(_job(request), request.replace))


def list_tasks(service: TaskScheduler, request: requests.List) -> Answer:
    """Page through the tasks."""
    which = JobFilter(request.type, request.tag, request.enabled, request.search)
    found, count = service.list_jobs(which, int(request.cursor or 0), request.limit + 1)
    page = found[: request.limit]
    body: Answer = {
        "status": "success",
        "tasks": [present.task(info) for info in page],
        "count": count,
    }
    if len(found) > len(page) or request.model_fields_set & {"limit", "cursor"}:
        body["next_cursor"] = str(page[-1].stored.key) if len(found) > len(page) else None
    return _hinted(service, body)


def remove(service: TaskScheduler, request: requests.OneTask) -> Answer | Waiting:
    """Remove a task and end its runs."""
    ending = service.remove_job(request.task_id)

    def finish(ended: bool) -> Answer:
        body = {"status": "success", "message": f"Task '{request.task_id}' removed"}
        return body if ended else body | {"hint": f"Runs {', '.join(ending)} are still being ended."}

    return Waiting(ending, CANCEL_SECONDS, finish) if ending else finish(True)


# --- beyond it ---------------------------------------------------------------------------------


def get(service: TaskScheduler, request: requests.OneTask) -> Answer:
    """Show one task."""
    info = service.get_job(request.task_id)
    shown = present.task_whole(service, info)
    upcoming = shown["details"]["next_run"]
    when = f"next run {upcoming}" if upcoming else f"no next run: it is {info.status.value}"
    text = present.schedule_text(info)
    return _hinted(
        service,
        {"status": "success", "message": f"Task '{info.stored.task_id}': {text}, {when}", "task": shown},
    )


def update(service: TaskScheduler, request: _Definition) -> Answer:
    """Change fields of a task."""
    changes = {name: value for name, value in request.fields.items() if name != "task_id"}
    planned = service.update_job(request.task_id, changes)
    if planned.change == "unchanged":
        return _planned(service, planned)
    body = _planned(service, planned)
    text = present.schedule_text(planned.info)
    return body | {"message": f"Task '{planned.info.stored.task_id}' updated; it is scheduled to run {text}"}


def pause(service: TaskScheduler, request: requests.OneTask) -> Answer:
    """Plan no fire times of a task."""
    changed = service.pause_job(request.task_id)
    return _switched(service, request.task_id, changed, "paused", "is already paused")


def resume(service: TaskScheduler, request: requests.OneTask) -> Answer:
    """Plan a task again."""
    changed = service.resume_job(request.task_id)
    return _hinted(service, _switched(service, request.task_id, changed, "resumed", "is not paused"))


def run_now(service: TaskScheduler, request: requests.RunNow) -> Answer | Waiting:
    """Run a task at once."""
    run = service.run_now(request.task_id, request.force)
    started = {
        "status": "success",
        "message": f"Task '{run.task_id}' is run now as {run.run_id}",
        "run_id": run.run_id,
    }
    if not request.wait:
        return started

    def finish(ended: bool) -> Answer:
        shown = service.get_run(run.run_id)
        how = shown.status.value if ended else f"still {shown.status.value} after {request.wait_seconds:g} s"
        zone = service.zones([shown])[shown.job_key]
        return started | {
            "message": f"Task '{run.task_id}' was run as {run.run_id}: {how}",
            "run": present.run(service, shown, zone),
        }

    return Waiting([run.run_id], request.wait_seconds, finish)


def cancel(service: TaskScheduler, request: requests.Cancel) -> Answer | Waiting:
    """End one run, or all runs of a task."""
    if request.run_id is not None:
        ending = service.cancel_run(request.run_id)
        nothing = f"Run '{request.run_id}' has already ended"
    else:
        ending = service.cancel_job_runs(str(request.task_id))
        nothing = f"Task '{request.task_id}' has no run waiting or going on"
    if not ending:
        return {"status": "info", "message": nothing, "cancelled": []}
    return Waiting(ending, CANCEL_SECONDS, lambda ended: _cancelled(service, ending))


def list_runs(service: TaskScheduler, request: requests.Runs) -> Answer:
    """Page through the ledger."""
    which = RunFilter(
        request.task_id,
        RunStatus(request.run_status) if request.run_status else None,
        _moment(service, request.since, "since"),
    )
    found = service.list_runs(which, request.cursor, request.limit + 1)
    page = found[: request.limit]
    zones = service.zones(page)
    return {
        "status": "success",
        "message": f"{present.counted(len(page), 'run')}, newest first",
        "runs": [present.run(service, run, zones[run.job_key], present.LIST_OUTPUT) for run in page],
        "next_cursor": page[-1].run_id if len(found) > len(page) else None,
    }


def output(service: TaskScheduler, request: requests.Output) -> Answer:
    """Read what a run wrote."""
    run = service.get_run(request.run_id)
    names: tuple[Stream, ...] = ("stdout", "stderr") if request.stream == "both" else (request.stream,)
    parts = {name: service.read_output(run.run_id, name, request.tail, request.offset) for name in names}
    offsets = {str(name): part.next_offset for name, part in parts.items()}
    return {
        "status": "success",
        "message": f"Output of run '{run.run_id}', which is {run.status.value}",
        "run_id": run.run_id,
        "stdout": parts["stdout"].text if "stdout" in parts else None,
        "stderr": parts["stderr"].text if "stderr" in parts else None,
        "truncated": any(part.truncated for part in parts.values()),
        "next_offset": offsets if len(offsets) > 1 else offsets[request.stream],
    }


def preview(service: TaskScheduler, request: requests.Preview) -> Answer:
    """Show what a schedule means."""
    after = _moment(service, request.after, "after", request.timezone)
    fields = {name: getattr(request, name) for name in SPELLING_FIELDS}
    schedule, moments = service.preview(fields, request.timezone, after, request.count)
    trigger = schedule.trigger
    description = trigger.describe()
    return {
        "status": "success",
        "message": f"{description}: {_next_text(moments, trigger.zone)}",
        "next_runs": [iso(moment, moment.tzinfo or trigger.zone) for moment in moments],
        "description": description,
        "kind": trigger.kind,
        "timezone": trigger.zone.key,
    }


def validate(service: TaskScheduler, request: _Definition) -> Answer:
    """Say what `create` would do."""
    planned = service.check_job(_job(request), request.replace)
    info = planned.info
    body = _planned(service, planned)
    if planned.change != "unchanged":
        text = present.schedule_text(info)
        body["message"] = f"Task '{info.stored.task_id}' would be {planned.change} and scheduled to run {text}"
    return body | {
        "would": planned.change,
        "description": info.stored.schedule["description"],
        "kind": info.stored.schedule["kind"],
        "next_run_at": iso_or_none(info.next_fire_time, info.stored.zone),
        "next_runs": present.next_runs(info, service.now()),
        "task": present.task(info),
    }


def status(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Tell how the scheduler is doing."""
    return present.status(service)


def explain_all(service: TaskScheduler, request: requests.Help) -> Answer:
    """Explain the actions."""
    return guide(ACTIONS, request.topic)


def _job(request: _Definition) -> Job:
    assert request.job is not None
    return request.job


# --- what several share ------------------------------------------------------------------------


def _planned(service: TaskScheduler, planned: Planned) -> Answer:
    info = planned.info
    task_id, text = info.stored.task_id, present.schedule_text(info)
    same = planned.change == "unchanged"
    message = (
        f"Task '{task_id}' exists with the same definition" if same else f"Task '{task_id}' scheduled to run {text}"
    )
    body = {
        "status": "info" if same else "success",
        "message": message,
        "task_id": task_id,
        "next_run": local(info.next_fire_time, info.stored.zone),
    }
    return _hinted(service, body)


def _hinted(service: TaskScheduler, body: Answer) -> Answer:
    return body if service.is_running() else body | {"hint": STOPPED}


def _switched(service: TaskScheduler, task_id: str, changed: bool, did: str, otherwise: str) -> Answer:
    info = service.get_job(task_id)
    return {
        "status": "success" if changed else "info",
        "message": f"Task '{task_id}' {did if changed else otherwise}",
        "task_id": task_id,
        "next_run": local(info.next_fire_time, info.stored.zone),
        "next_run_at": iso_or_none(info.next_fire_time, info.stored.zone),
    }


def _cancelled(service: TaskScheduler, ending: list[str]) -> Answer:
    """Tell which runs are over; one that ended by itself meanwhile is not among them."""
    found = service.get_runs(ending)
    over = [run.run_id for run in found if run.status is RunStatus.CANCELLED]
    going = [run.run_id for run in found if not run.status.is_final]
    message = f"{present.counted(len(over), 'run')} cancelled"
    if going:
        message += f"; still being ended: {', '.join(going)}"
    return {"status": "success" if over or going else "info", "message": message, "cancelled": over}


def _next_text(moments: list[datetime], zone: Any) -> str:
    return f"next run {local(moments[0], zone)}" if moments else "it never runs by itself"


def _moment(service: TaskScheduler, text: str | None, field: str, timezone: str | None = None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if not 1900 <= moment.year <= 9000:
            raise ValueError(text)
    except ValueError as error:
        now = iso(service.now().replace(microsecond=0), service.config.zone)
        message = f"'{field}' must be an ISO 8601 time of the years 1900 to 9000, such as '{now}'"
        raise InvalidRequest([Problem(field, message, shorten(text), [now], now)]) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=read_zone(timezone) if timezone else service.config.zone)
    return moment


ACTIONS = {
    action.name: action
    for action in (
        Action("start", requests.Nothing, start, "Let tasks run on schedule. Remembered across restarts."),
        Action(
            "stop",
            requests.Nothing,
            stop,
            "Let no new run start; runs under way finish. Remembered across restarts.",
        ),
        Action("create", requests.Create, create, "Create a task and plan it."),
        Action("list", requests.List, list_tasks, "List tasks."),
        Action("remove", requests.OneTask, remove, "Remove a task and end its runs; past runs stay readable."),
        Action("get", requests.OneTask, get, "Show a task with its last run and the next 5 times."),
        Action("update", requests.Update, update, "Change fields of a task; its history stays."),
        Action("pause", requests.OneTask, pause, "Plan no run of a task until `resume`."),
        Action("resume", requests.OneTask, resume, "Plan a paused or disabled task again, from now on."),
        Action("run_now", requests.RunNow, run_now, "Run a task at once, also while the scheduler is stopped."),
        Action("cancel", requests.Cancel, cancel, "End a run, or all runs of a task, with all their processes."),
        Action("runs", requests.Runs, list_runs, "List runs with their output, newest first."),
        Action("output", requests.Output, output, "Read what a run wrote, also while it goes on."),
        Action(
            "preview",
            requests.Preview,
            preview,
            "Show what a schedule means and when it fires; changes nothing.",
        ),
        Action("validate", requests.Create, validate, "Say what `create` would do; changes nothing."),
        Action("status", requests.Nothing, status, "Tell how the scheduler is doing."),
        Action("help", requests.Help, explain_all, "Explain actions, fields, phrases and errors."),
    )
}

__all__ = ["ACTIONS", "Action", "Answer", "Job", "NotFound", "Run", "Waiting", "answer"]
