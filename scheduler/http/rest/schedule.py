"""Answer the routes of a task's schedule: when it runs, apart from what it does."""

from __future__ import annotations

from scheduler.errors import InvalidRequest, Problem, unknown_field
from scheduler.http import present, requests
from scheduler.http.peer import caller
from scheduler.http.reading import Definition
from scheduler.http.rest.answer import Answer, Later
from scheduler.http.rest.call import Call
from scheduler.http.rest.changes import change
from scheduler.http.rest.etags import is_known, tag_of
from scheduler.models import WHEN_FIELDS
from scheduler.moments import iso_or_none, local
from scheduler.spellings import SPELLING_FIELDS
from scheduler.standing import JobInfo, Planned
from scheduler.task_scheduler import TaskScheduler

FIELDS = (*SPELLING_FIELDS, "timezone", "override")
"""What the schedule of a task is given by; the limits `start_at` and `until` are fields of the task."""


def get_schedule(call: Call) -> Answer:
    """Show when a task runs."""

    def get(service: TaskScheduler, asked: requests.OneTask) -> Answer:
        answer = _shown(service, service.get_job(asked.task_id))
        return Answer(304, None, answer.headers) if is_known(call.request, answer.headers["ETag"]) else answer

    return call.perform(get)


def put_schedule(call: Call) -> Answer | Later:
    """Give a task another schedule; all else of it stays."""
    _check_fields(call)

    def update(_: TaskScheduler, asked: Definition) -> Answer | Later:
        def show(service: TaskScheduler, planned: Planned) -> Answer:
            return _shown(service, planned.info)

        changes = {name: value for name, value in asked.fields.items() if name in FIELDS}
        by = caller(call.scheduler, call.request)
        return change(call, lambda service: service.update_job(asked.task_id, changes, asked.override, by), show)

    return call.perform(update)


def _check_fields(call: Call) -> None:
    strange = [name for name in call.fields if name not in FIELDS]
    problems = [unknown_field(name, FIELDS, call.fields[name]) for name in strange]
    if not problems and not set(call.fields) & set(SPELLING_FIELDS):
        text = "'interval' is required: when the task runs, or 'schedule_type' with 'schedule_config', or 'trigger'"
        problems = [Problem("interval", text, None, list(SPELLING_FIELDS), code="missing_field")]
    if problems:
        raise InvalidRequest(problems)


def _shown(service: TaskScheduler, info: JobInfo) -> Answer:
    stored, definition = info.stored, info.stored.definition
    body = {
        "task_id": stored.task_id,
        "interval": present.schedule_text(info),
        "description": stored.schedule["description"],
        "kind": stored.schedule["kind"],
        "timezone": definition["timezone"],
        "next_run": local(info.next_fire_time, stored.zone),
        "next_run_at": iso_or_none(info.next_fire_time, stored.zone),
        "next_runs": present.next_runs(info),
        **{name: definition[name] for name in WHEN_FIELDS if name in definition and name != "interval"},
    }
    return Answer(200, body, {"ETag": tag_of(stored, body)})
