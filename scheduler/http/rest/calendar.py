"""Answer the routes of a task's past and future: its year by days, and the changes of its definition."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import Field

from scheduler.calendar_year import CalendarYear, YearDay
from scheduler.clock_changes import ClockChange
from scheduler.http import requests
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.http.rest.paging import with_links
from scheduler.moments import iso
from scheduler.run import RunStatus
from scheduler.store.changes import KEPT, Change
from scheduler.task_scheduler import TaskScheduler


class CalendarQuery(requests.OneTask):
    """A task, and a year of its zone."""

    year: int | None = Field(None, ge=1970, le=2199, description="Which year. Default: the present one of its zone.")


class HistoryQuery(requests.OneTask):
    """A task, and which changes of it."""

    limit: int = Field(KEPT, ge=1, le=KEPT, description="How many at most.")
    cursor: int | None = Field(None, ge=1, description="`next_cursor` of the page before.")


def get_calendar(call: Call) -> Answer:
    """Show a year of a task by days."""

    def get(service: TaskScheduler, asked: CalendarQuery) -> Answer:
        zone = service.get_job(asked.task_id).stored.zone
        year = asked.year or service.now().astimezone(zone).year
        return Answer(200, {"task_id": asked.task_id, **shown(service.calendar(asked.task_id, year))})

    return call.perform(get)


def list_history(call: Call) -> Answer:
    """Page through the changes of a task's definition, newest first."""

    def get(service: TaskScheduler, asked: HistoryQuery) -> Answer:
        found = service.list_changes(asked.task_id, asked.cursor, asked.limit + 1)
        page = found[: asked.limit]
        following = page[-1].id if len(found) > len(page) else None
        zone = service.config.zone
        return with_links(call, {"changes": [_change(one, zone) for one in page], "next_cursor": following})

    return call.perform(get)


def shown(year: CalendarYear) -> dict[str, Any]:
    """Return a year as the route answers it."""
    return {
        "year": year.year,
        "timezone": year.zone.key,
        "today": year.today.isoformat(),
        "created_at": iso(year.created_at, year.zone),
        "kept_since": iso(year.kept_since, year.zone),
        "days": [_day(day) for day in year.days],
        "clock_changes": [_clock_change(change, year) for change in year.changes],
    }


def _day(day: YearDay) -> dict[str, Any]:
    return {
        "day": day.day.isoformat(),
        "runs": sum(day.counts.values()),
        "by_status": {status.value: day.counts[status.value] for status in RunStatus if day.counts.get(status.value)},
        "duration_ms": {
            "mean": round(day.took / day.timed / 1000, 3) if day.timed else None,
            "max": day.longest / 1000 if day.timed else None,
        },
        "planned": day.planned,
        "planned_more": day.more,
    }


def _clock_change(change: ClockChange, year: CalendarYear) -> dict[str, Any]:
    return {
        "day": change.day.isoformat(),
        "at": iso(change.at, year.zone),
        "minutes": (change.after - change.before) / timedelta(minutes=1),
    }


def _change(change: Change, zone: Any) -> dict[str, Any]:
    return {
        "at": iso(change.at, zone),
        "by": change.by,
        "kind": change.kind.removeprefix("task."),
        "fields": [{"field": name, "old": old, "new": new} for name, (old, new) in change.fields.items()],
    }
