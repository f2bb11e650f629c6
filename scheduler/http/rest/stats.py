"""Tell how runs went of late: how many succeeded and how long they took, overall, by day and by task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from pydantic import Field

from scheduler.http import requests
from scheduler.moments import iso
from scheduler.run import RunStatus
from scheduler.store.stats import FAILED, Spread
from scheduler.task_ids import TaskId
from scheduler.task_scheduler import TaskScheduler
from scheduler.wallclock import first_instant


class StatsQuery(requests.Request):
    """Which runs to count."""

    days: int = Field(7, ge=1, le=90, description="How many days back, today included.")
    task_id: TaskId | None = Field(None, description="Only runs of that task.")
    limit: int = Field(50, ge=1, le=200, description="Tasks at most: those that failed most often first.")


def read_stats(service: TaskScheduler, asked: StatsQuery) -> dict[str, Any]:
    """Return the figures."""
    days = _days(service, asked.days)
    found = service.stats([start for _, start in days], asked.task_id, asked.limit)
    overall = sum((Counter(counts) for counts in found.by_day), Counter())
    return {
        "since": iso(days[0][1], service.config.zone),
        "timezone": service.config.timezone,
        **_figures(overall),
        **_durations(found.took),
        "by_day": [{"day": day, **_figures(counts)} for (day, _), counts in zip(days, found.by_day, strict=True)],
        "tasks": [
            {"task_id": name, **_figures(counts), **_durations(found.tasks_took[name])}
            for name, counts in found.tasks.items()
        ],
        "task_count": found.task_count,
    }


def _days(service: TaskScheduler, number: int) -> list[tuple[str, datetime]]:
    """Return the last days of the server's zone, the oldest first, each with its first moment."""
    zone = service.config.zone
    today = service.now().astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in range(number - 1, -1, -1)]
    return [(day.isoformat(), first_instant(datetime.combine(day, time(0)), zone)) for day in dates]


def _figures(counts: Mapping[str, int]) -> dict[str, Any]:
    completed = counts.get(RunStatus.COMPLETED.value, 0)
    judged = completed + sum(counts.get(status.value, 0) for status in FAILED)
    return {
        "runs": sum(counts.values()),
        "by_status": {status.value: counts[status.value] for status in RunStatus if counts.get(status.value)},
        "success_rate": round(completed / judged, 4) if judged else None,
    }


def _durations(spread: Spread) -> dict[str, Any]:
    shown = {"p50": spread.p50, "p95": spread.p95, "max": spread.longest}
    return {"duration_ms": {name: None if micros is None else micros / 1000 for name, micros in shown.items()}}
