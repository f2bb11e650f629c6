"""Answer POST /schedule: per action a request model and a short function.

This is the one place that says *task* where the rest says *job*.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import request as asked
from pydantic import BaseModel

from scheduler.auth.scopes import Caller, Scope
from scheduler.definitions import Checked
from scheduler.errors import InvalidRequest, Problem, shorten
from scheduler.http import present, requests
from scheduler.http.action_names import problems_of_action
from scheduler.http.answers import Joined
from scheduler.http.body import invalid_json
from scheduler.http.examples import EXAMPLES
from scheduler.http.guide import guide
from scheduler.http.mending import nearest_request, refusal
from scheduler.http.peer import caller
from scheduler.http.reading import Definition, moment, read
from scheduler.listing import Page
from scheduler.models import Job
from scheduler.moments import iso_or_none, local
from scheduler.run import Origin, RunStatus
from scheduler.spellings import SPELLING_FIELDS
from scheduler.standing import Planned
from scheduler.store.deliveries import DeliveryFilter
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import CANCEL_SECONDS, TaskScheduler
from tasks.sandbox.output import Stream

T = TypeVar("T")
KEY_HEADER = "Idempotency-Key"
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
    scope: Scope
    """What whoever asks for it must have."""


def answer(service: TaskScheduler, body: Any, who: Caller) -> Answer | Waiting:
    """Carry out one request; raise `SchedulerError`, with an example where the request was wrong."""
    given = {name: value for name, value in _as_object(body).items() if value is not None}
    action = _action(service, given)
    who.require(action.scope, f"Action '{action.name}'")
    _check_no_key(service, action, given)
    return perform(service, action, given, action.function)


def answer_query(service: TaskScheduler, given: Mapping[str, Any]) -> Answer:
    """Carry out `help`, which takes its fields in a query, too; raise `SchedulerError`."""
    if "action" in given:
        text = "a GET is answered with 'help' and takes no 'action': send it in the body of a POST"
        raise InvalidRequest([Problem("action", text, given["action"], code="unknown_field")], EXAMPLES["help"])
    return perform(service, ACTIONS["help"], {**given, "action": "help"}, explain_all)


def perform(service: TaskScheduler, action: Action, given: Mapping[str, Any], function: Callable[..., T]) -> T:
    """Hand `function` what an action takes; raise `SchedulerError`, with an example where the request was wrong."""
    try:
        return function(service, read(service, action.model, given))
    except InvalidRequest as error:
        raise refusal(service, action, given, error.problems) from error


def _check_no_key(service: TaskScheduler, action: Action, given: Mapping[str, Any]) -> None:
    """Refuse a key that would promise that what is asked twice happens once: only the routes below /api keep that."""
    if KEY_HEADER in asked.headers and action.scope is not Scope.READ:
        text = (
            f"'{KEY_HEADER}' is honoured by a POST below /api, not here: send the request there, or without it; "
            "to create a task twice under one 'task_id' changes nothing"
        )
        problem = Problem(KEY_HEADER, text, shorten(asked.headers[KEY_HEADER]), code="unknown_field")
        raise InvalidRequest([problem], nearest_request(service, action, given))


def _as_object(body: Any) -> Mapping[str, Any]:
    if isinstance(body, dict):
        return body
    raise invalid_json("the body must be one JSON object", body)


def _action(service: TaskScheduler, given: Mapping[str, Any]) -> Action:
    name = given.get("action")
    if isinstance(name, str) and name in ACTIONS:
        return ACTIONS[name]
    problems = problems_of_action(given, ACTIONS, [name for name in ACTIONS if ACTIONS[name].scope is Scope.READ])
    meant = problems[0].suggestion
    if meant is None:
        raise InvalidRequest(problems, EXAMPLES["help"])
    fields = {field: value for field, value in given.items() if field not in {problem.field for problem in problems}}
    raise InvalidRequest(problems, nearest_request(service, ACTIONS[meant], {"action": meant, **fields}))


# --- the documented core -----------------------------------------------------------------------


def start(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Let tasks run on schedule."""
    return started(service.start())


def stop(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Let no task run on schedule."""
    return stopped(service.stop())


def create(service: TaskScheduler, request: Definition) -> Answer:
    """Keep a new task."""
    return _planned(service.add_job(_job(request), request.replace, caller(service, asked), request.override))


def list_tasks(service: TaskScheduler, request: requests.List) -> Answer:
    """Page through the tasks."""
    page = listed(service, request)
    tasks = Joined((b'{"id":', task_id, b',"details":', details, b"}") for task_id, details in page.texts)
    body: Answer = {"status": "success", "tasks": tasks, "count": page.total}
    if page.more or request.model_fields_set & {"limit", "cursor"}:
        body["next_cursor"] = next_cursor(page)
    return _hinted(body, service.is_running())


def remove(service: TaskScheduler, request: requests.ChangedTask) -> Answer | Waiting:
    """Remove a task and end its runs."""
    ending = service.remove_job(request.task_id, request.override, caller(service, asked))

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
    message = f"Task '{info.stored.task_id}': {text}, {when}"
    return _hinted({"status": "success", "message": message, "task": shown}, service.is_running())


def update(service: TaskScheduler, request: Definition) -> Answer:
    """Change fields of a task."""
    changes = {name: value for name, value in request.fields.items() if name != "task_id"}
    planned = service.update_job(request.task_id, changes, request.override, caller(service, asked))
    if planned.change == "unchanged":
        return _planned(planned)
    body = _planned(planned)
    text = present.schedule_text(planned.info)
    return body | {"message": f"Task '{planned.info.stored.task_id}' updated; it is scheduled to run {text}"}


def pause(service: TaskScheduler, request: requests.ChangedTask) -> Answer:
    """Plan no fire times of a task."""
    changed = service.pause_job(request.task_id, request.override, caller(service, asked))
    return _switched(service, request.task_id, changed, "paused", "is already paused")


def resume(service: TaskScheduler, request: requests.ChangedTask) -> Answer:
    """Plan a task again."""
    changed = service.resume_job(request.task_id, request.override, caller(service, asked))
    body = _switched(service, request.task_id, changed, "resumed", "is not paused")
    return _hinted(body, service.is_running())


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

    begun = time.monotonic()

    def finish(ended: bool) -> Answer:
        shown = service.last_attempt(run.run_id)
        # A process that stops tells whoever waits before the time is over.
        waited = round(min(time.monotonic() - begun, request.wait_seconds), 2)
        how = shown.status.value if ended else f"still {shown.status.value} after {waited:g} s"
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
    return Waiting(ending, CANCEL_SECONDS, lambda ended: cancelled(service, ending))


def list_runs(service: TaskScheduler, request: requests.Runs) -> Answer:
    """Page through the ledger."""
    which = RunFilter(
        request.task_id,
        RunStatus(request.run_status) if request.run_status else None,
        moment(service, request.since, "since"),
        trigger=Origin(request.run_trigger) if request.run_trigger else None,
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
    # Whether it goes on was asked before its output is read: that of a run that has ended is all there.
    goes_on = not run.status.is_final
    parts = {name: service.read_output(run.run_id, name, request.tail, request.offset, goes_on) for name in names}
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
    after = moment(service, request.after, "after", request.timezone)
    fields = {name: getattr(request, name) for name in SPELLING_FIELDS}
    return service.preview(fields, request.timezone, after, request.count)


def validate(service: TaskScheduler, request: Definition) -> Answer:
    """Say what `create` would do."""
    planned = service.check_job(_job(request), request.replace, caller(service, asked), request.override)
    info = planned.info
    body = _planned(planned)
    if planned.change != "unchanged":
        text = present.schedule_text(info)
        body["message"] = f"Task '{info.stored.task_id}' would be {planned.change} and scheduled to run {text}"
    return body | {
        "would": planned.change,
        "description": info.stored.schedule["description"],
        "kind": info.stored.schedule["kind"],
        "next_run_at": iso_or_none(info.next_fire_time, info.stored.zone),
        "next_runs": present.next_runs(info),
        "task": present.task(info),
    }


def export_tasks(service: TaskScheduler, request: requests.Export) -> Answer:
    """Write definitions down."""
    document = service.export_jobs(request.tasks, request.progress)
    count = len(document["tasks"])
    message = f"The definitions of {present.counted(count, 'task')}"
    answer = {"status": "success", "message": message, "document": document, "count": count}
    if request.tasks is None:
        left = service.list_jobs(JobFilter(type="callable"), 0, 0)[1]
    else:
        left = len(set(request.tasks)) - count
    if not left:
        return answer
    told = f"{present.counted(left, 'task')} left out: what calls a function of a program only that program can define"
    return answer | {"hint": told}


def import_tasks(service: TaskScheduler, request: requests.Import) -> Answer:
    """Keep definitions that were written down."""
    if request.dry_run:
        done = service.check_import(request.tasks, request.replace, request.override)
    else:
        done = service.import_jobs(request.tasks, request.replace, caller(service, asked), request.override)
    counts = {"created": len(done.created), "replaced": len(done.replaced), "unchanged": len(done.unchanged)}
    told = ", ".join(f"{number} {what}" for what, number in counts.items())
    did = "would be imported" if request.dry_run else "imported"
    changed = done.created or done.replaced
    message = f"{present.counted(sum(counts.values()), 'task')} {did}: {told}" if changed else f"Nothing new: {told}"
    ids = {"created": done.created, "replaced": done.replaced}
    made = {"status": "success" if changed else "info", "message": message, **counts, "task_ids": ids}
    changes = {task_id: {name: change._asdict() for name, change in of.items()} for task_id, of in done.changes.items()}
    return _hinted(made | ({"changes": changes} if request.dry_run else {}), service.is_running())


def status(service: TaskScheduler, request: requests.Nothing) -> Answer:
    """Tell how the scheduler is doing."""
    return present.status(service)


def explain(service: TaskScheduler, request: requests.Explain) -> Answer:
    """Say why a task did or did not run."""
    zone = service.get_job(request.task_id).stored.zone.key
    found = service.explain(request.task_id, moment(service, request.at, "at", zone))
    return {
        "status": "success",
        "message": found.text,
        "explanation": found.text,
        "facts": found.facts,
        "next_call": found.next_call,
    }


def list_deliveries(service: TaskScheduler, request: requests.Deliveries) -> Answer:
    """Page through the notifications."""
    which = DeliveryFilter(request.task_id, request.run_id, request.state)
    found = service.list_deliveries(which, request.cursor, request.limit + 1)
    page = found[: request.limit]
    return {
        "status": "success",
        "message": f"{present.counted(len(page), 'notification')}, newest first",
        "deliveries": [present.delivery(delivery, service.config.zone) for delivery in page],
        "next_cursor": page[-1].delivery_id if len(found) > len(page) else None,
    }


def test_notification(service: TaskScheduler, request: requests.TestNotification) -> Answer:
    """Send a test message and say what came of it."""
    outcome = service.test_notification(request.target)
    how = "was delivered to" if outcome.delivered else "could not be delivered to"
    return {
        "status": "success",
        "message": f"The test message {how} '{outcome.target}': {outcome.answer}",
        "delivery_id": outcome.delivery_id,
        "target": outcome.target,
        "delivered": outcome.delivered,
        "answer": outcome.answer,
        "seconds": outcome.seconds,
    }


def explain_all(service: TaskScheduler, request: requests.Help) -> Answer:
    """Explain the actions."""
    return guide(ACTIONS, request.topic, service.config.policies)


def _job(request: Definition) -> Checked | Job:
    assert request.job is not None
    return request.job


# --- what several share ------------------------------------------------------------------------


def started(changed: bool) -> Answer:
    """Say that tasks run on schedule, be it from now on or already."""
    if changed:
        return {"status": "success", "message": "Scheduler started"}
    return {"status": "info", "message": "Scheduler is already running"}


def stopped(changed: bool) -> Answer:
    """Say that no task runs on schedule, be it from now on or anyway."""
    if changed:
        return {"status": "success", "message": "Scheduler stopped"}
    return {"status": "info", "message": "Scheduler is not running"}


def listed(service: TaskScheduler, request: requests.List) -> Page:
    """Return the tasks that are asked for, each as the texts of its id and its details."""
    which = JobFilter(request.type, request.tag, request.enabled, request.search)
    return service.show_jobs(which, int(request.cursor or 0), request.limit, present.task_texts)


def next_cursor(page: Page) -> str | None:
    """Return the cursor of the page after this one; None at the end."""
    return str(page.last) if page.more else None


def _planned(planned: Planned) -> Answer:
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
    return _hinted(body, planned.running)


def _hinted(body: Answer, running: bool) -> Answer:
    return body if running else body | {"hint": STOPPED}


def _switched(service: TaskScheduler, task_id: str, changed: bool, did: str, otherwise: str) -> Answer:
    info = service.get_job(task_id)
    return {
        "status": "success" if changed else "info",
        "message": f"Task '{task_id}' {did if changed else otherwise}",
        "task_id": task_id,
        "next_run": local(info.next_fire_time, info.stored.zone),
        "next_run_at": iso_or_none(info.next_fire_time, info.stored.zone),
    }


def cancelled(service: TaskScheduler, ending: list[str]) -> Answer:
    """Tell which runs are over; one that ended by itself meanwhile is not among them."""
    found = service.get_runs(ending)
    over = [run.run_id for run in found if run.status is RunStatus.CANCELLED]
    going = [run.run_id for run in found if not run.status.is_final]
    message = f"{present.counted(len(over), 'run')} cancelled"
    if going:
        message += f"; still being ended: {', '.join(going)}"
    return {"status": "success" if over or going else "info", "message": message, "cancelled": over}


ACTIONS = {
    action.name: action
    for action in (
        Action("start", requests.Nothing, start, "Let tasks run on schedule. Remembered across restarts.", Scope.ADMIN),
        Action(
            "stop",
            requests.Nothing,
            stop,
            "Let no new run start; runs under way finish. Remembered across restarts.",
            Scope.ADMIN,
        ),
        Action("create", requests.Create, create, "Create a task and plan it.", Scope.WRITE),
        Action("list", requests.List, list_tasks, "List tasks.", Scope.READ),
        Action(
            "remove",
            requests.ChangedTask,
            remove,
            "Remove a task and end its runs; past runs stay readable.",
            Scope.WRITE,
        ),
        Action("get", requests.OneTask, get, "Show a task with its last run and the next 5 times.", Scope.READ),
        Action("update", requests.Update, update, "Change fields of a task; its history stays.", Scope.WRITE),
        Action("pause", requests.ChangedTask, pause, "Plan no run of a task until `resume`.", Scope.WRITE),
        Action(
            "resume", requests.ChangedTask, resume, "Plan a paused or disabled task again, from now on.", Scope.WRITE
        ),
        Action(
            "run_now", requests.RunNow, run_now, "Run a task at once, also while the scheduler is stopped.", Scope.RUN
        ),
        Action(
            "cancel", requests.Cancel, cancel, "End a run, or all runs of a task, with all their processes.", Scope.RUN
        ),
        Action("runs", requests.Runs, list_runs, "List runs with their output, newest first.", Scope.READ),
        Action("output", requests.Output, output, "Read what a run wrote, also while it goes on.", Scope.READ),
        Action(
            "preview",
            requests.Preview,
            preview,
            "Show what a schedule means and when it fires; changes nothing.",
            Scope.READ,
        ),
        Action("validate", requests.Create, validate, "Say what `create` would do; changes nothing.", Scope.READ),
        Action("export", requests.Export, export_tasks, "Write all definitions down as one document.", Scope.READ),
        Action("import", requests.Import, import_tasks, "Keep all definitions of a document, or none.", Scope.WRITE),
        Action(
            "explain", requests.Explain, explain, "Say why a task did or did not run, and what to ask next.", Scope.READ
        ),
        Action(
            "deliveries",
            requests.Deliveries,
            list_deliveries,
            "List notifications and what became of them.",
            Scope.READ,
        ),
        Action(
            "test_notification",
            requests.TestNotification,
            test_notification,
            "Send a test message to a target at once, and say what came of it.",
            Scope.WRITE,
        ),
        Action("status", requests.Nothing, status, "Tell how the scheduler is doing.", Scope.READ),
        Action("help", requests.Help, explain_all, "Explain actions, fields, phrases and errors.", Scope.READ),
    )
}

__all__ = ["ACTIONS", "STOPPED", "Action", "Answer", "Waiting", "answer", "perform"]
