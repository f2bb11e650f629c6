"""Show the table of tasks, and do what its buttons say where no module does it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from scheduler.auth.scopes import Scope
from scheduler.errors import SchedulerError
from scheduler.http.pages.edit_tasks import edit_tasks, undo_edit
from scheduler.http.pages.local import local_path
from scheduler.http.pages.page import Visit
from scheduler.http.pages.tasks_view import COLUMNS, ENDINGS, SORT_WORDS, TYPES, mark_of, picked, read_query, strip_of
from scheduler.http.peer import caller
from scheduler.models import JobStatus
from scheduler.store.runs import RunFilter
from scheduler.store.task_table import OUTCOMES
from scheduler.task_scheduler import TaskScheduler
from scheduler.wording import say_count

ROWS = 100
"""Of one page."""
Act = Callable[[TaskScheduler, str, str], object]
ACTS: dict[str, tuple[Scope, Act, str]] = {
    "run": (Scope.RUN, lambda service, task_id, _: service.run_now(task_id), "started"),
    "pause": (Scope.WRITE, lambda service, task_id, by: service.pause_job(task_id, by=by), "paused"),
    "resume": (Scope.WRITE, lambda service, task_id, by: service.resume_job(task_id, by=by), "resumed"),
    "remove": (Scope.WRITE, lambda service, task_id, by: service.remove_job(task_id, by=by), "removed"),
}
"""What a button does: what one must be allowed, how, by whom, and how that is told."""


def show_tasks(visit: Visit) -> Response:
    """Show one page of the table."""
    asked = read_query(visit.request.args)
    found = visit.scheduler.table.read(asked.query, asked.page, ROWS)
    return visit.show(
        "tasks.html",
        title="Tasks",
        asked=asked,
        found=found,
        now=visit.scheduler.now(),
        strip_of=strip_of,
        running=visit.scheduler.is_running(),
        columns=COLUMNS,
        choices={"state": [each.value for each in JobStatus], "last": [each.value for each in ENDINGS], "type": TYPES},
        sort_words=SORT_WORDS,
    )


def show_strip(visit: Visit, task_id: str) -> Response:
    """Show the last runs of a task as marks that lead to them, the oldest first, for its module to put in place."""
    runs = visit.scheduler.list_runs(RunFilter(task_id), None, OUTCOMES)[::-1]
    zone = visit.scheduler.get_job(task_id).stored.zone
    return visit.show("strip.html", title="Last runs", runs=runs, zone=zone, mark_of=mark_of)


def act_on_tasks(visit: Visit) -> Response:
    """Do what was asked of one task, or of all whose boxes were ticked."""
    one, _, task_id = visit.fields.get("one", "").partition(" ")
    name, ids = (one, [task_id]) if one else (visit.fields.get("many", ""), picked(visit.fields))
    back = local_path(visit.fields.get("back"), "/tasks")
    if name == "undo" or (name == "edit" and ids):
        visit.caller.require(Scope.WRITE, "To edit tasks")
        return undo_edit(visit, back) if name == "undo" else edit_tasks(visit, ids, back)
    if name not in ACTS or not ids:
        return visit.go(back, "Choose tasks first: tick the boxes before them.", "bad")
    scope, act, did = ACTS[name]
    visit.caller.require(scope, f"To {name} a task")
    if name == "remove" and not visit.fields.get("sure"):
        return visit.show("remove_tasks.html", title="Remove tasks", ids=ids, back=back)
    return _told(visit, back, did, ids, act)


def _told(visit: Visit, back: str, did: str, ids: list[str], act: Act) -> Response:
    """Do it to each, and say for how many it worked and why not for the others."""
    refused, by = [], caller(visit.scheduler, visit.request)
    for task_id in ids:
        try:
            act(visit.scheduler, task_id, by)
        except SchedulerError as error:
            refused.append(error.message)
    done = len(ids) - len(refused)
    said = f"'{ids[0]}' {did}." if len(ids) == done == 1 else f"{say_count(done, 'task')} {did}."
    return visit.go(back, " ".join([said, *refused][0 if done else 1 :]), "bad" if refused else "good")
