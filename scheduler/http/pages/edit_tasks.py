"""Edit many tasks at once: ask what shall change, show what that changes, carry it out, and undo it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response

from scheduler.errors import SchedulerError
from scheduler.http.pages.edit_tasks_view import (
    INPUTS,
    Chosen,
    Done,
    Edit,
    read_chosen,
    read_seen,
    read_undo,
    told,
    undo_of,
    why,
)
from scheduler.http.pages.page import Visit
from scheduler.http.pages.task_fields import FIELDS
from scheduler.http.peer import caller
from scheduler.http.rest.etags import at_revision
from scheduler.models import Priority
from scheduler.standing import Planned
from scheduler.wording import say_count


def edit_tasks(visit: Visit, ids: Sequence[str], back: str) -> Response:
    """Answer the form of an edit: with itself, with what it would change, or, where that was seen, with what it did."""
    chosen = read_chosen(visit.fields)
    if "seen" in visit.fields and "again" not in visit.fields:
        return _carry_out(visit, chosen, back)
    if "check" not in visit.fields:
        return _show(visit, "ask", ids, back)
    if not chosen:
        return _show(visit, "ask", ids, back, error="Say what shall change: all fields are empty.", status=400)
    found = _foresee(visit, ids, chosen)
    if found.edits:
        seen = json.dumps({edit.task_id: edit.revision for edit in found.edits})
        return _show(visit, "look", ids, back, found=found, seen=seen)
    error = "Nothing would change." if found.refused else "Nothing would change: all of it is so already."
    return _show(visit, "ask", ids, back, found=found, error=error, status=400)


def undo_edit(visit: Visit, back: str) -> Response:
    """Make tasks what they were before an edit."""
    refused, steps = [], read_undo(visit.fields.get("undo", ""))
    for step in steps:
        try:
            _update(visit, step.task_id, step.values, step.revision, step.given_at)
        except SchedulerError as error:
            refused.append(f"'{step.task_id}': {why(error)}")
    done = len(steps) - len(refused)
    said = f"{say_count(done, 'task')} {'is' if done == 1 else 'are'} as before."
    return visit.go(back, " ".join([said, *refused][0 if done else 1 :]), "bad" if refused else "good")


def _foresee(visit: Visit, ids: Sequence[str], chosen: Chosen) -> Done:
    found = Done()
    for task_id in ids:
        try:
            before = visit.scheduler.get_job(task_id).stored
            changes = chosen.changes_of(before)
            planned = visit.scheduler.check_update(task_id, changes) if changes else None
        except SchedulerError as error:
            found.refuse(task_id, error)
            continue
        if planned is None or planned.change == "unchanged":
            found.same.append(task_id)
        else:
            found.edits.append(Edit(task_id, before.revision, told(before, planned.info.stored)))
    return found


def _carry_out(visit: Visit, chosen: Chosen, back: str) -> Response:
    """Change those tasks of which a change was shown, each unless somebody else has changed it since."""
    done, undo = Done(), []
    for task_id, revision in read_seen(visit.fields["seen"]).items():
        try:
            before = visit.scheduler.get_job(task_id).stored
            changes = chosen.changes_of(before)
            after = _update(visit, task_id, changes, revision).info.stored
        except SchedulerError as error:
            done.refuse(task_id, error)
            continue
        done.edits.append(Edit(task_id, after.revision, told(before, after)))
        undo.append(undo_of(before, after, list(changes)))
    return _show(visit, "done", [], back, found=done, undo=json.dumps(undo))


def _update(
    visit: Visit, task_id: str, changes: Mapping[str, Any], revision: int, given_at: datetime | None = None
) -> Planned:
    """Change a task as PATCH with If-Match does."""
    by = caller(visit.scheduler, visit.request)
    return at_revision(visit.scheduler, task_id, revision).update_job(task_id, changes, by=by, given_at=given_at)


def _show(
    visit: Visit,
    step: str,
    ids: Sequence[str],
    back: str,
    found: Done | None = None,
    status: int = 200,
    **values: Any,
) -> Response:
    return visit.show(
        "edit_tasks.html",
        title="Edit tasks",
        status=status,
        step=step,
        ids=ids,
        back=back,
        found=found or Done(),
        texts={name: visit.fields.get(name, "") for name in INPUTS},
        fields=FIELDS,
        priorities=[each.value for each in Priority],
        **values,
    )
