"""Show one task: what it is, when it runs, how it went through the year, and why it did not run; change it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from flask import Response
from markupsafe import Markup, escape

from scheduler.errors import InvalidRequest, NotFound, SchedulerError
from scheduler.explain import Explanation
from scheduler.given_moments import read_moment
from scheduler.http.actions import STOPPED
from scheduler.http.pages.chart_view import draw_durations
from scheduler.http.pages.elements import moment
from scheduler.http.pages.heat_view import lay_out_heat
from scheduler.http.pages.local import run_path, task_path
from scheduler.http.pages.page import Visit
from scheduler.http.pages.run import run_task
from scheduler.http.pages.runs import read_page
from scheduler.http.pages.task_view import link_of, view_change, view_definition
from scheduler.http.peer import caller
from scheduler.http.reading import read
from scheduler.http.rest.calendar import CalendarQuery
from scheduler.standing import JobInfo
from scheduler.store.runs import RunFilter

ROWS = 20
CHARTED = 200
CHANGES = 20
NEXT_RUNS = 10
_SAID = re.compile(r"(\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d\b|\b01[0-9a-hjkmnp-tv-z]{24}\b)")
"""Moments and ids of runs, as explanations name them."""


def show_task(visit: Visit, task_id: str) -> Response:
    """Show a task; of one that was removed, its runs."""
    service, asked = visit.scheduler, visit.request.args
    try:
        info = service.get_job(task_id)
    except NotFound:
        return _gone(visit, task_id)
    stored, zone, now = info.stored, info.stored.zone, service.now()
    year, shade = _year(visit, info), "duration" if asked.get("shade") == "duration" else "runs"
    cursor = {"cursor": asked["cursor"]} if asked.get("cursor") else {}
    page = read_page(service, {"task": task_id, **cursor}, task_path(task_id), ROWS)
    explanation, problem = _explain(visit, info)
    return visit.show(
        "task.html",
        title=stored.definition.get("name") or task_id,
        info=info,
        stored=stored,
        zone=zone,
        now=now,
        definition=view_definition(stored),
        next_runs=info.next_fire_times(NEXT_RUNS),
        heat=lay_out_heat(service.calendar(task_id, year), shade),  # type: ignore[arg-type]
        shade=shade,
        this_year=now.astimezone(zone).year,
        page=page,
        cursor=bool(cursor),
        chart=draw_durations(service.list_runs(RunFilter(task_id), None, CHARTED)),
        changes=[view_change(change) for change in service.list_changes(task_id, None, CHANGES)],
        explanation=explanation,
        explanation_text=_linked(explanation, info) if explanation else "",
        explanation_link=link_of(explanation.next_call) if explanation else None,
        problem=problem,
        at=asked.get("at", ""),
        keep_days=service.config.keep_days,
        keep_runs=service.config.keep_runs,
        stopped=None if service.is_running() else STOPPED,
        is_paused=stored.paused or not stored.enabled,
    )


def run_task_now(visit: Visit, task_id: str) -> Response:
    """Run a task at once."""
    return run_task(visit, task_id, task_path(task_id))


def pause_task(visit: Visit, task_id: str) -> Response:
    """Plan no fire times of a task."""
    return _change(visit, task_id, "pause", visit.scheduler.pause_job, "The task is paused.")


def resume_task(visit: Visit, task_id: str) -> Response:
    """Plan a task again."""
    return _change(visit, task_id, "resume", visit.scheduler.resume_job, "The task is planned again.")


def remove_task(visit: Visit, task_id: str) -> Response:
    """Remove a task and end its runs."""
    said = f"Task '{task_id}' is removed; its past runs stay readable."
    return _change(visit, task_id, "remove", visit.scheduler.remove_job, said, "/tasks")


def _change(
    visit: Visit, task_id: str, did: str, act: Callable[[str, bool, str], object], said: str, then: str | None = None
) -> Response:
    """Do something to a task and say so; of one that a file defines, ask first whether that is meant."""
    try:
        act(task_id, visit.fields.get("override") == "on", caller(visit.scheduler, visit.request))
    except SchedulerError as error:
        if error.code == "managed_by_file":
            file = error.details["file"]
            return visit.show("task_of_file.html", title=f"{did} {task_id}", task_id=task_id, did=did, file=file)
        return visit.go(task_path(task_id), error.message, "bad")
    return visit.go(then or task_path(task_id), said)


def _gone(visit: Visit, task_id: str) -> Response:
    """Lead to the runs of a task that was removed; raise `NotFound` where there never was one."""
    visit.scheduler.check_known(task_id)
    return visit.show("task_gone.html", title=task_id, task_id=task_id,
                      changes=[view_change(one) for one in visit.scheduler.list_changes(task_id, None, 1)],
                      zone=visit.scheduler.config.zone, status=404)  # fmt: skip


def _year(visit: Visit, info: JobInfo) -> int:
    text = visit.request.args.get("year", "").strip()
    given = {"year": int(text) if text.isdecimal() else text} if text else {}
    asked = read(visit.scheduler, CalendarQuery, {"action": "get", "task_id": info.stored.task_id, **given})
    assert isinstance(asked, CalendarQuery)
    return asked.year or visit.scheduler.now().astimezone(info.stored.zone).year


def _linked(explanation: Explanation, info: JobInfo) -> Markup:
    """Return what an explanation says, its moments as every moment is shown, its runs as links."""
    parts = []
    for place, text in enumerate(_SAID.split(explanation.text)):
        if place % 2 == 0:
            parts.append(escape(text))
        elif text[4:5] == "-":
            parts.append(moment(datetime.fromisoformat(text), info.stored.zone))
        else:
            parts.append(Markup('<a href="{}">{}</a>').format(run_path(text), text))
    return Markup("").join(parts)


def _explain(visit: Visit, info: JobInfo) -> tuple[Explanation | None, str]:
    """Return why the task did or did not run, now or at the moment that is asked for; or what is wrong with that."""
    text = visit.request.args.get("at", "").strip()
    try:
        at = read_moment(text, "at", info.stored.zone) if text else None
    except InvalidRequest as error:
        return None, error.message
    return visit.scheduler.explain(info.stored.task_id, at), ""
