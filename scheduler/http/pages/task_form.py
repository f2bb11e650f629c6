"""Make and change tasks by a form: what is wrong is said beside each field, and nobody overwrites another's change."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Response

from scheduler.alerts import USUAL, Notify
from scheduler.config import SchedulerConfig
from scheduler.definitions import kept_fields
from scheduler.errors import Conflict, InvalidRequest, NotFound, Problem, SchedulerError
from scheduler.http.answers import http_status
from scheduler.http.pages import task_fields
from scheduler.http.pages import task_form_view as view
from scheduler.http.pages.local import run_path, task_path
from scheduler.http.pages.page import Visit
from scheduler.http.peer import caller
from scheduler.http.present import NEXT_RUNS, next_runs, schedule_text
from scheduler.http.rest.etags import at_revision
from scheduler.models import WHEN_FIELDS
from scheduler.notify.rules import LATE_AFTER_SECONDS
from scheduler.notify.targets import label
from scheduler.notify.targets import shown as named_target
from scheduler.notify.templates import BODY, SUBJECT
from scheduler.portable import write_fields
from scheduler.standing import JobInfo, Planned
from scheduler.stored_job import StoredJob
from tasks.sandbox import Confinement
from tasks.sandbox.request import MEGABYTE

_UNPROVEN = (
    "Nothing is saved yet: this form was opened before you signed in again, or too long ago. "
    "What you have written is all here: look it over, then save it."
)
_MADE_UP_BYTES = 4
_OF_TIMES = (*WHEN_FIELDS, "max_runs", "jitter_seconds")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form shows: the task that it begins with, texts as they are and as they were, and what is wrong."""

    of: JobInfo | None
    is_edit: bool
    task_id: str
    type: str
    texts: dict[str, str]
    base: dict[str, str]
    problems: list[Problem] = field(default_factory=list)
    error: str | None = None
    merged: view.Merged | None = None
    status: int = 200


def show_new_task(visit: Visit) -> Response:
    """Ask for a new task, or for a copy of one."""
    of = visit.request.args.get("from", "")
    source = visit.scheduler.get_job(of) if of else None
    shown = _shown(visit, source, is_edit=False)
    if source is not None:
        taken = visit.scheduler.jobs.keys()
        shown = replace(shown, task_id=view.free_id(source.stored.task_id, list(taken)))
    return _show(visit, shown)


def show_task_form(visit: Visit, task_id: str) -> Response:
    """Show a task for changing it."""
    return _show(visit, _shown(visit, visit.scheduler.get_job(task_id), is_edit=True))


def show_new_task_again(visit: Visit) -> Response:
    """Show what was sent as a new task, for its sender to look at before it is kept."""
    begun = _sent_new(visit)
    return _show(visit, replace(begun, error=begun.error or _UNPROVEN, status=403))


def create_task_by_form(visit: Visit) -> Response:
    """Keep a new task, or show what is wrong with it."""
    begun = _sent_new(visit)
    if begun.error is not None:
        return _show(visit, begun)
    if (otherwise := _asked_otherwise(visit, begun)) is not None:
        return otherwise
    try:
        planned = _create(visit, begun)
    except SchedulerError as error:
        return _refused(visit, begun, error)
    stored = planned.info.stored
    if planned.change == "unchanged":
        return visit.go(task_path(stored.task_id), f"Task '{stored.task_id}' exists with the same definition.")
    return visit.go(task_path(stored.task_id), f"Task '{stored.task_id}' is to run {schedule_text(planned.info)}.")


def show_task_form_again(visit: Visit, task_id: str) -> Response:
    """Show what was sent as a change of a task, for its sender to look at before it is kept."""
    try:
        begun = _sent_of(visit, visit.scheduler.get_job(task_id))
    except NotFound:
        return _show(visit, _as_new(visit, task_id))
    return _show(visit, replace(begun, error=_UNPROVEN, status=403))


def change_task_by_form(visit: Visit, task_id: str) -> Response:
    """Change the fields that were changed, unless somebody else has changed the task meanwhile, or removed it."""
    try:
        return _change_task(visit, task_id)
    except NotFound:
        return _show(visit, _as_new(visit, task_id))


def _change_task(visit: Visit, task_id: str) -> Response:
    before = visit.scheduler.get_job(task_id)
    begun = _sent_of(visit, before)
    if (otherwise := _asked_otherwise(visit, begun)) is not None:
        return otherwise
    if begun.merged is not None and begun.merged.is_to_be_seen:
        return _show(visit, begun)
    changes = _changes(visit, begun, before.stored)
    try:
        planned = _update(visit, before.stored, changes)
    except Conflict as error:
        if error.code != "precondition_failed":
            return _refused(visit, begun, error)
        now = visit.scheduler.get_job(task_id)
        return _show(visit, _sent_of(visit, now))
    except NotFound:
        raise
    except SchedulerError as error:
        return _refused(visit, begun, error)
    said = "nothing was changed" if planned.change == "unchanged" else f"it is to run {schedule_text(planned.info)}"
    return visit.go(task_path(task_id), f"Task '{task_id}': {said}.")


def _defaults(visit: Visit) -> task_fields.Defaults:
    config = visit.scheduler.config
    return task_fields.Defaults(
        config.policies,
        config.timezone or "UTC",
        {**_usual_limits(visit.scheduler.confinement), **_usual_messages(config)},
    )


def _usual_limits(confinement: Confinement) -> dict[str, Any]:
    """Return the limits of runs, where the kernel enforces any."""
    if confinement.rules is None:
        return {}
    policy = confinement.policy
    return {"sandbox.memory_mb": policy.memory // MEGABYTE, "sandbox.processes": policy.processes}


def _usual_messages(config: SchedulerConfig) -> dict[str, Any]:
    """Return who is told what of a task that does not say it: targets as they may be shown, without secrets."""
    usual = Notify(
        on=list(USUAL),
        to=None,
        every_minutes=config.notify_every_minutes,
        late_after_seconds=LATE_AFTER_SECONDS,
        subject=SUBJECT,
        body=BODY,
    )
    if config.notify_default is not None:
        usual = config.notify_default.over(usual)
    told = {f"notify.{name}": value for name, value in usual.model_dump().items()}
    return told | {"notify.to": [named_target(label(written)) for written in usual.to or ()] or None}


def _shown(visit: Visit, info: JobInfo | None, is_edit: bool) -> Shown:
    definition = {} if info is None else info.stored.definition
    when = "" if info is None else schedule_text(info)
    texts = view.texts_of(definition, when, _defaults(visit))
    task_id = "" if info is None else info.stored.task_id
    return Shown(info, is_edit, task_id, str(definition.get("type", "command")), texts, texts)


def _sent(visit: Visit, shown: Shown) -> Shown:
    """Return the form as it was sent."""
    form = visit.fields
    task_id = shown.task_id if shown.is_edit else form.get("task_id", "").strip()
    kind = form.get("type", shown.type)
    return replace(shown, task_id=task_id, type=kind, texts=view.sent_texts(form, shown.base))


def _sent_of(visit: Visit, info: JobInfo) -> Shown:
    """Return the form of a task as it was sent, with what somebody else has made of the task meanwhile."""
    sent = _sent(visit, _shown(visit, info, is_edit=True))
    return sent if visit.fields.get("seen") == str(info.stored.revision) else _merged(visit, sent)


def _sent_new(visit: Visit) -> Shown:
    """Return the form of a new task as it was sent, be it of a copy of one that was removed meanwhile."""
    of = visit.fields.get("from", "")
    try:
        return _sent(visit, _shown(visit, visit.scheduler.get_job(of) if of else None, is_edit=False))
    except NotFound:
        begun = _outliving(visit, of, visit.fields.get("task_id", "").strip())
    return begun if begun.of is not None else replace(begun, error=_said_gone(of, begun), status=404)


def _as_new(visit: Visit, task_id: str) -> Shown:
    """Return the form of a task that was removed meanwhile as that of a new one, for its sender to look at."""
    begun = _outliving(visit, task_id, task_id)
    return replace(begun, error=_said_gone(task_id, begun), status=404)


def _outliving(visit: Visit, gone: str, task_id: str) -> Shown:
    """Return the form of a new task as it was sent, begun from a task that is gone; what that was may be known yet."""
    shown = _shown(visit, visit.scheduler.find_removed(gone), is_edit=False)
    showed = view.read_marks(visit.fields.get("began_with", ""))
    sent = view.sent_texts(visit.fields, {name: text for name, text in shown.base.items() if name in showed})
    kind = visit.fields.get("type", shown.type)
    return replace(shown, task_id=task_id, type=kind, texts={**shown.base, **sent})


def _said_gone(task_id: str, begun: Shown) -> str:
    rest = "" if begun.of is not None else " What this form did not show of it is gone."
    return (
        f"Nothing is saved yet: task '{task_id}' was removed meanwhile. What you have written is all here, "
        f"as a new task: look it over, then create it.{rest}"
    )


def _asked_otherwise(visit: Visit, begun: Shown) -> Response | None:
    """Do what a button asked for instead of keeping the task: to check the form, to take a correction, or to try it."""
    if "try" in visit.fields:
        return _tried(visit, begun)
    taken = next((name for name in visit.fields if name.startswith("take.")), None)
    if taken is None and "check" not in visit.fields:
        return None
    if taken is not None:
        name, text = taken.removeprefix("take."), visit.fields[taken]
        begun = replace(begun, task_id=text) if name == "task_id" else replace(begun, texts=begun.texts | {name: text})
    return _show(visit, begun)


def _changes(visit: Visit, begun: Shown, stored: StoredJob | None) -> dict[str, Any]:
    before = {} if stored is None else {"type": stored.definition["type"], **write_fields(stored.job)}
    return view.changes_of(begun.type, before, begun.texts, begun.base, _defaults(visit))


def _tried(visit: Visit, begun: Shown) -> Response:
    """Run what stands in the form once, and show that run; when it shall run has no part in this."""
    stored = None if begun.of is None else begun.of.stored
    try:
        changes = _changes(visit, begun, stored)
        kept = {} if stored is None else kept_fields(stored, changes)
        tried = {name: value for name, value in {**kept, **changes}.items() if name not in _OF_TIMES}
        job = visit.scheduler.read_definition({**tried, "task_id": "trial", "schedule_type": "manual"})
        run = visit.scheduler.try_job(job, caller(visit.scheduler, visit.request))
    except SchedulerError as error:
        return _refused(visit, begun, error)
    return visit.go(run_path(run.run_id), "It runs once, and no task is kept. Go back to change it or to keep it.")


def _create(visit: Visit, begun: Shown) -> Planned:
    stored = None if begun.of is None else begun.of.stored
    changes = _changes(visit, begun, stored)
    kept = {} if stored is None else kept_fields(stored, changes)
    fields = {**kept, **changes}
    by = caller(visit.scheduler, visit.request)

    def add(task_id: str) -> Planned:
        return visit.scheduler.add_job(visit.scheduler.read_definition({**fields, "task_id": task_id}), created_by=by)

    if begun.task_id:
        return add(begun.task_id)
    try:
        return add(f"{begun.type}-{_made_up(visit)}")
    except Conflict:
        # Of another task, made by the same form before somebody went back to it.
        return add(f"{begun.type}-{_make_up()}")


def _make_up() -> str:
    return secrets.token_hex(_MADE_UP_BYTES)


def _made_up(visit: Visit) -> str:
    """Return the end of an id that is left out: the form has it, so that one that is sent twice makes one task."""
    sent = visit.fields.get("made_up", "")
    return sent if re.fullmatch(rf"[0-9a-f]{{{2 * _MADE_UP_BYTES}}}", sent) else _make_up()


def _update(visit: Visit, stored: StoredJob, changes: dict[str, Any]) -> Planned:
    override = visit.fields.get("override") == "on"
    by = caller(visit.scheduler, visit.request)
    seen = at_revision(visit.scheduler, stored.task_id, stored.revision)
    return seen.update_job(stored.task_id, changes, override, by)


def _merged(visit: Visit, begun: Shown) -> Shown:
    """Return what two have made of the task, for the visitor to look at before it is kept."""
    base = view.read_marks(visit.fields.get("began_with", ""))
    # Also what the form showed when it was sent, and shows no more.
    mine = view.sent_texts(visit.fields, {**base, **begun.base})
    merged = view.merge(base, mine, begun.base)
    kind = begun.type
    if begun.of is not None and kind == visit.fields.get("was_type"):
        kind = str(begun.of.stored.definition["type"])
    return replace(begun, type=kind, texts=merged.texts, merged=merged, status=412)


def _refused(visit: Visit, begun: Shown, error: SchedulerError) -> Response:
    status = http_status(error)
    if isinstance(error, InvalidRequest):
        return _show(visit, replace(begun, problems=list(error.problems), status=status))
    if error.code == "task_exists":
        free = view.free_id(begun.task_id, list(visit.scheduler.jobs.keys()))
        text = f"A task '{begun.task_id}' exists already, with another definition"
        return _show(visit, replace(begun, problems=[Problem("task_id", text, suggestion=free)], status=status))
    return _show(visit, replace(begun, error=error.message, status=status))


def _show(visit: Visit, shown: Shown) -> Response:
    stored = None if shown.of is None else shown.of.stored
    mine, others = view.by_field(shown.problems, shown.base)
    definition = {} if stored is None else stored.definition
    return visit.show(
        "task_form.html",
        title=f"Edit {shown.task_id}" if shown.is_edit else "New task",
        status=shown.status,
        shown=shown,
        stored=stored,
        base=json.dumps(shown.base, ensure_ascii=False),
        began_with=json.dumps(view.marks_of(shown.base)),
        whole=json.dumps({} if stored is None else write_fields(stored.job), ensure_ascii=False),
        beyond=view.beyond_the_form(definition, shown.base),
        wrong=mine,
        others=others,
        defaults=_defaults(visit),
        view=view,
        table=task_fields,
        preview=_preview(visit, shown),
        base_url=visit.request.host_url.rstrip("/"),
        made_up=_made_up(visit),
    )


def _preview(visit: Visit, shown: Shown) -> dict[str, Any] | None:
    """Return when the task runs as it stands, or what a phrase means from now on; a wrong one is told as a problem."""
    when, zone = (shown.texts.get(name, "").strip() for name in ("interval", "timezone"))
    if shown.is_edit and shown.of is not None and all(shown.texts[n] == shown.base[n] for n in task_fields.PREVIEWED):
        return _standing(visit, shown.of)
    if not when:
        return None
    try:
        return visit.scheduler.preview({"interval": when}, zone or None, None, NEXT_RUNS)
    except InvalidRequest:
        return None


def _standing(visit: Visit, info: JobInfo) -> dict[str, Any]:
    stored = info.stored
    return {
        "description": stored.schedule["description"],
        "next_runs": next_runs(info),
        "timezone": stored.zone.key,
        "note": None if stored.planned else f"No run is planned: it is {info.status.value}.",
    }
