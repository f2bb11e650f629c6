"""List the runs of all tasks or of one, newest first, narrowed by what stands in the path's query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Response

from scheduler.calendar_year import first_of
from scheduler.errors import InvalidRequest, NotFound, Problem, nearest, shorten
from scheduler.http import requests
from scheduler.http.pages.page import Visit
from scheduler.http.reading import read
from scheduler.run import Origin, Run, RunStatus
from scheduler.store.runs import RunFilter
from scheduler.store.timeline import TROUBLE
from scheduler.task_scheduler import TaskScheduler

ROWS = 50
ANY_TROUBLE = "trouble"
"""What the page has beside the statuses: whatever somebody should look at."""
_FIELDS = {"status": "run_status", "task": "task_id", "trigger": "run_trigger", "cursor": "cursor"}
"""What the query of the page calls the fields of the action `runs`; `day` is the page's own."""
_CHOICES = {
    "status": [ANY_TROUBLE, *(status.value for status in RunStatus)],
    "trigger": [origin.value for origin in Origin],
}
_NARROWING = ("status", "task", "trigger", "day")


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some runs, each with its task's zone, and the path of the older ones."""

    runs: list[Run]
    zones: Mapping[int, ZoneInfo]
    older: str | None = None


def show_runs(visit: Visit) -> Response:
    """Show the newest runs that match."""
    given = visit.request.args
    asked = {name: text for name in (*_NARROWING, "cursor") if (text := given.get(name, "").strip())}
    # What narrows is called as in the API, too, since links of programs and people come from there.
    if "task" not in asked and given.get("task_id"):
        asked["task"] = given["task_id"]
    problem, page = "", RunPage([], {})
    try:
        page = read_page(visit.scheduler, asked, "/runs")
    except NotFound as error:
        problem = error.message
    narrowing = {name: asked[name] for name in _NARROWING if name in asked}
    return visit.show(
        "runs.html",
        title="Runs",
        page=page,
        asked=asked,
        narrowing=narrowing,
        newest=f"/runs?{urlencode(narrowing)}" if narrowing else "/runs",
        problem=problem,
        statuses=_CHOICES["status"],
        triggers=_CHOICES["trigger"],
        now=visit.scheduler.now(),
    )


def read_page(service: TaskScheduler, asked: Mapping[str, str], path: str, rows: int = ROWS) -> RunPage:
    """Return the runs that match and are older than the cursor; `path` is where the older ones are shown."""
    which = read_filter(service, asked)
    found = service.list_runs(which, asked.get("cursor"), rows + 1)
    page = found[:rows]
    older = None
    if len(found) > rows:
        older = f"{path}?{urlencode({**asked, 'cursor': page[-1].run_id})}"
    return RunPage(page, service.zones(page), older)


def read_filter(service: TaskScheduler, asked: Mapping[str, str]) -> RunFilter:
    """Return which runs are asked for; raise `InvalidRequest` by the rules of the page and of the action `runs`."""
    if problems := [
        _unknown(name, asked[name]) for name in _CHOICES if asked.get(name, "") not in ("", *_CHOICES[name])
    ]:
        raise InvalidRequest(problems)
    any_trouble = asked.get("status") == ANY_TROUBLE
    given = {field: asked[name] for name, field in _FIELDS.items() if name in asked}
    if any_trouble:
        del given["run_status"]
    fields = read(service, requests.Runs, {"action": "runs", **given})
    assert isinstance(fields, requests.Runs)
    which = RunFilter(
        fields.task_id,
        RunStatus(fields.run_status) if fields.run_status else None,
        trigger=Origin(fields.run_trigger) if fields.run_trigger else None,
        statuses=TROUBLE if any_trouble else (),
    )
    if "day" not in asked:
        return which
    try:
        day = date.fromisoformat(asked["day"])
        zone = service.get_job(fields.task_id).stored.zone if fields.task_id else service.config.zone
        return replace(which, since=first_of(day, zone), before=first_of(day + timedelta(days=1), zone))
    except (ValueError, OverflowError) as error:
        message = f"'day' must be a date, not {asked['day'][:40]!r}"
        raise InvalidRequest([Problem("day", message, asked["day"], ["2026-12-24"], "2026-12-24")]) from error


def _unknown(name: str, text: str) -> Problem:
    choices, near = _CHOICES[name], nearest(text, _CHOICES[name])
    message = f"'{name}' must be one of {', '.join(choices)}, not '{shorten(text, 40)}'"
    return Problem(name, message, shorten(text), choices, near)
