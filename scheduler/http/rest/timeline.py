"""Answer the routes of the timeline: all tasks with what became of them in a span, and what lies on their lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import Field

from scheduler.errors import InvalidRequest, Problem
from scheduler.http import requests
from scheduler.http.reading import moment
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.moments import iso, iso_or_none
from scheduler.store.timeline import Bar
from scheduler.task_ids import TaskId
from scheduler.task_scheduler import TaskScheduler
from scheduler.timelines import Drawn, Span

DAY = timedelta(days=1)
LONGEST = 400 * DAY


class TimelineQuery(requests.Request):
    """Which stretch of time."""

    since: str | None = Field(None, max_length=64, description="ISO 8601 time it begins at. Default: a day ago.")
    until: str | None = Field(None, max_length=64, description="ISO 8601 time it ends at. Default: 6 hours ahead.")


class LanesQuery(TimelineQuery):
    """Which stretch of time, and which tasks."""

    task_ids: list[TaskId] | None = Field(
        None,
        max_length=100,
        description='Which tasks, in that order: ["backup", "report"]. Default: the first 50. As many as fit into an '
        "address of 8,000 characters.",
    )
    slots: int = Field(
        600, ge=10, le=5000, description="In how many slots it is cut; runs of a task in one slot become one bar."
    )


def get_timeline(call: Call) -> Answer:
    """Show all tasks with what became of them in a span."""
    return Answer(200, call.perform(read_timeline))


def get_lanes(call: Call) -> Answer:
    """Show what lies on the lines of some tasks."""
    return Answer(200, call.perform(read_lanes))


def read_timeline(service: TaskScheduler, asked: TimelineQuery) -> dict[str, Any]:
    """Return all tasks with what became of them in a span."""
    span = _span(service, asked, 1)
    tasks = [
        {
            "task_id": lane.task_id,
            "tags": list(lane.tags),
            "state": status.value,
            "runs": lane.runs,
            "troubled": lane.troubled,
        }
        for lane, status in service.timeline.lanes(span)
    ]
    return {**_told(service, span), "tasks": tasks}


def read_lanes(service: TaskScheduler, asked: LanesQuery) -> dict[str, Any]:
    """Return what lies on the lines of some tasks."""
    span = _span(service, asked, asked.slots)
    return {**_told(service, span), "lanes": [_lane(drawn) for drawn in service.timeline.draw(asked.task_ids, span)]}


def _span(service: TaskScheduler, asked: TimelineQuery, slots: int) -> Span:
    now = service.now()
    since = moment(service, asked.since, "since") or now - DAY
    until = moment(service, asked.until, "until") or max(now, since) + DAY / 4
    if not timedelta(0) < until - since <= LONGEST:
        text = f"'until' must be later than 'since', by {LONGEST.days} days at most"
        raise InvalidRequest([Problem("until", text, asked.until, suggestion=iso(since + DAY, UTC))])
    return Span(since.astimezone(UTC), until.astimezone(UTC), slots)


def _told(service: TaskScheduler, span: Span) -> dict[str, Any]:
    return {"since": _exact(span.since), "until": _exact(span.until), "now": _exact(service.now())}


def _lane(drawn: Drawn) -> dict[str, Any]:
    return {
        "task_id": drawn.task_id,
        "bars": [_bar(bar) for bar in drawn.bars],
        "planned": [_exact(moment) for moment in drawn.planned],
    }


def _bar(bar: Bar) -> dict[str, Any]:
    return {
        "start": _exact(bar.start),
        "end": iso_or_none(bar.end, UTC),
        "status": bar.status.value,
        "run_id": bar.run_id,
        "count": bar.count,
    }


def _exact(moment: datetime) -> str:
    return iso(moment, UTC)
