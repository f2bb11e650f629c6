"""Show at a glance how all is, and switch the scheduler on and off."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response

from scheduler.http.actions import started, stopped
from scheduler.http.pages.dashboard_view import days_chart, last_line, lateness_chart
from scheduler.http.pages.page import Visit
from scheduler.run import Run, RunStatus
from scheduler.task_scheduler import TaskScheduler
from scheduler.wallclock import first_instant

DAYS = 14
COMING, TROUBLE, LATENESS = 5, 5, 500
_TAIL_BYTES = 4096


def show_dashboard(visit: Visit) -> Response:
    """Show the dashboard."""
    return visit.show("dashboard.html", title="Dashboard", **_now(visit.scheduler), **_figures(visit.scheduler))


def show_dashboard_now(visit: Visit) -> Response:
    """Show the part of the dashboard that changes with every run, for its module to put in place."""
    return visit.show("dashboard_now.html", title="Dashboard", **_now(visit.scheduler))


def start_scheduler(visit: Visit) -> Response:
    """Let tasks run on schedule."""
    return visit.go("/", str(started(visit.scheduler.start())["message"]))


def stop_scheduler(visit: Visit) -> Response:
    """Let no task run on schedule."""
    return visit.go("/", str(stopped(visit.scheduler.stop())["message"]))


def _now(scheduler: TaskScheduler) -> dict[str, Any]:
    found, now = scheduler.status(), scheduler.now()
    zone = scheduler.config.zone
    going = [run for run in found["active"] if run.status is RunStatus.RUNNING]
    waiting = [run for run in found["active"] if run.status is RunStatus.QUEUED]
    since = _start_of(now.astimezone(zone).date() - timedelta(days=1), zone)
    trouble, count = scheduler.timeline.trouble(since, TROUBLE)
    return {
        "now": now,
        "zone": zone,
        "found": found,
        "workers": scheduler.config.max_workers,
        "going": going,
        "waiting": waiting,
        "lines": {run.run_id: _last_line(scheduler, run) for run in going},
        "coming": scheduler.timeline.coming(COMING),
        "trouble": trouble,
        "trouble_count": count,
        "trouble_since": since,
    }


def _figures(scheduler: TaskScheduler) -> dict[str, Any]:
    zone = scheduler.config.zone
    today = scheduler.now().astimezone(zone).date()
    days = [today - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    counts = scheduler.timeline.counts_by_day([_start_of(day, zone) for day in days])
    return {
        "days": days_chart(days, counts),
        "lateness": lateness_chart(scheduler.timeline.lateness_ms(LATENESS)),
    }


def _start_of(day: date, zone: Any) -> datetime:
    return first_instant(datetime.combine(day, time(0)), zone)


def _last_line(scheduler: TaskScheduler, run: Run) -> str:
    """Return the last line that a run has printed, of the end of its output alone."""
    size = scheduler.output_size(run.run_id, "stdout")
    piece = scheduler.read_output_from(run.run_id, "stdout", max(0, size - _TAIL_BYTES), _TAIL_BYTES)
    return last_line(piece.data.decode(errors="replace"))
