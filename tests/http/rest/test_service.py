"""The scheduler itself: start and stop, status, previews, and how runs went."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from scheduler.ids import new_run_id
from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs
from tests.http.rest.conftest import Rest


def test_start_and_stop(rest: Rest) -> None:
    for path, first, second in (
        ("/api/scheduler/start", "Scheduler started", "Scheduler is already running"),
        ("/api/scheduler/stop", "Scheduler stopped", "Scheduler is not running"),
    ):
        assert rest.ok("POST", path) == {"status": "success", "message": first}
        assert rest.ok("POST", path + "/", {}) == {"status": "info", "message": second}
    rest.refused(400, "unknown_field", "POST", "/api/scheduler/start", {"now": True})


def test_status_is_that_of_the_action(rest: Rest) -> None:
    shown, action = rest.ok("GET", "/api/status"), rest.api.ok("status")
    assert set(shown) == set(action)
    assert shown["state"] == "stopped"


def test_preview(rest: Rest) -> None:
    query = urlencode({"interval": "daily at 02:00", "timezone": "UTC", "after": "2026-06-01T00:00", "count": 2})
    shown = rest.ok("GET", f"/api/preview?{query}")
    assert shown["next_runs"] == ["2026-06-01T02:00:00+00:00", "2026-06-02T02:00:00+00:00"]
    for sent in (
        {"trigger": '{"type": "cron", "hour": 2}'},
        {"schedule_type": "daily", "schedule_config": '{"hour":2}'},
    ):
        assert rest.ok("GET", f"/api/preview?{urlencode(sent)}")["description"] == "every day at 02:00"
    error = rest.refused(400, "invalid_interval", "GET", "/api/preview?interval=dayly+at+02:00")
    assert rest.works(error["example"]).json["description"] == "every day at 02:00"
    rest.works(rest.refused(400, "invalid_field", "GET", "/api/preview?trigger=x")["example"])


def test_stats_count_what_the_ledger_has(rest: Rest) -> None:
    rest.create("good")
    rest.create("bad", command="exit 1")
    rest.create("idle")
    for task_id in ("good", "good", "good", "bad"):
        rest.ok("POST", f"/api/tasks/{task_id}/run", {"wait": True})
    stats = rest.ok("GET", "/api/stats")
    assert (stats["runs"], stats["by_status"], stats["success_rate"]) == (4, {"completed": 3, "failed": 1}, 0.75)
    assert (len(stats["by_day"]), stats["by_day"][-1]["runs"], stats["task_count"]) == (7, 4, 2)
    assert [(task["task_id"], task["success_rate"]) for task in stats["tasks"]] == [("bad", 0.0), ("good", 1.0)]
    assert 0 < stats["duration_ms"]["p50"] <= stats["duration_ms"]["p95"] <= stats["duration_ms"]["max"]
    one = rest.ok("GET", "/api/stats?task_id=good&days=1")
    assert (one["runs"], len(one["by_day"]), [task["task_id"] for task in one["tasks"]]) == (3, 1, ["good"])
    assert rest.ok("GET", "/api/stats?limit=1")["task_count"] == 2
    assert rest.ok("GET", "/api/stats?task_id=idle")["success_rate"] is None
    rest.refused(404, "task_not_found", "GET", "/api/stats?task_id=godo")
    for query in ("days=0", "days=91", "day=3"):
        rest.works(rest("GET", f"/api/stats?{query}").json["example"])


def test_percentiles_are_times_that_runs_took_and_days_are_those_of_the_zone(fresh_rest: Rest) -> None:
    fresh_rest.create()
    scheduler = fresh_rest.api.scheduler
    stored, now = scheduler.get_job("nightly").stored, scheduler.now()

    def add(number: int, back: timedelta, took: int, status: RunStatus) -> Run:
        at = now - back
        moment = at - timedelta(microseconds=number)
        return Run(
            run_id=new_run_id(at) if not back else new_run_id(at)[:10] + f"{number:016d}",
            job_key=stored.key,
            task_id="nightly",
            scheduled_for=moment,
            attempt=1,
            trigger=Origin.MANUAL,
            status=status,
            priority=Priority.MEDIUM,
            created_at=at,
            started_at=at,
            finished_at=at + timedelta(milliseconds=took),
        )

    ledger = [add(number, timedelta(0), number, RunStatus.COMPLETED) for number in range(1, 101)]
    ledger += [add(200, timedelta(0), 10**6, RunStatus.CANCELLED), add(201, timedelta(0), 0, RunStatus.MISSED)]
    scheduler._store.write(lambda connection: runs.add_runs(connection, ledger))
    stats = fresh_rest.ok("GET", "/api/stats?days=1")
    assert stats["duration_ms"] == {"p50": 50, "p95": 95, "max": 100}
    assert stats["by_status"] == {"completed": 100, "cancelled": 1, "missed": 1}
    assert stats["success_rate"] == 1.0
    assert stats["since"][11:19] == "00:00:00"
    assert stats["by_day"][0]["day"] == stats["since"][:10]


@pytest.mark.parametrize("path", ["/api/tasks", "/api/status", "/openapi.json", "/docs", "/api/runs/x/log"])
def test_the_guard_stands_before_every_path(make_rest: Any, path: str) -> None:
    rest = make_rest(token="secret", rate_limit="6/hour")
    assert rest("GET", path, Host="evil.example").json["code"] == "forbidden_host"
    assert rest("GET", path, Origin="http://evil.example").json["code"] == "forbidden_origin"
    assert rest("GET", path).status_code == 401
    assert rest("GET", path, Authorization="Bearer wrong").json["code"] == "unauthorized"
    assert rest("GET", path, Authorization="Bearer secret").status_code in (200, 404)
    while (response := rest("GET", path, Authorization="Bearer secret")).status_code != 429:
        assert response.status_code in (200, 404)
    assert int(response.headers["Retry-After"]) > 0


def test_the_answers_are_json(rest: Rest) -> None:
    assert json.loads(rest("GET", "/api/status").data)["version"]
