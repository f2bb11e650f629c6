"""/api/tasks/{id}/schedule: when a task runs, in every spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http.conftest import JSON_TYPE
from tests.http.rest.conftest import HOST, Rest

PATH = "/api/tasks/1/schedule"


@pytest.mark.parametrize("as_text", [True, False])
@pytest.mark.parametrize(
    ("kind", "config", "description"),
    [
        ("hourly", {}, "every 1 hour"),
        ("daily", {"hour": 14, "minute": 30}, "every day at 14:30"),
        ("weekly", {"day_of_week": "mon", "hour": 9, "minute": 0}, "every monday at 09:00"),
        ("custom", {"cron_expression": "0 */2 * * *"}, None),
        ("manual", {}, None),
    ],
)
def test_schedule_types(rest: Rest, kind: str, config: Any, description: str | None, as_text: bool) -> None:
    rest.create("1", command="echo kept")
    sent = {"schedule_type": kind, "schedule_config": json.dumps(config) if as_text else config}
    shown = rest.ok("PUT", PATH, sent)
    assert {name: shown[name] for name in sent} == sent
    assert description is None or shown["description"] == description
    assert (shown["next_run"] is None) == (kind == "manual")
    assert rest.ok("GET", PATH) == shown
    task = rest.ok("GET", "/api/tasks/1")
    assert (task["command"], task["interval"]) == ("echo kept", shown["interval"])


@pytest.mark.parametrize(
    "sent", [{"interval": "daily at 02:00"}, {"schedule": "0 2 * * *"}, {"trigger": {"type": "cron", "hour": 2}}]
)
def test_other_spellings(rest: Rest, sent: dict[str, Any]) -> None:
    rest.create("1", schedule_type="hourly", interval=None)
    shown = rest.ok("PUT", PATH, {**sent, "timezone": "Asia/Tokyo"})
    assert shown["next_runs"][0][11:] == "02:00:00+09:00"
    assert "schedule_type" not in shown


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "interval"),
        ({"timezone": "UTC"}, "interval"),
        ({"interval": "dayly at 2"}, "interval"),
        ({"schedule_type": "dayly"}, "schedule_type"),
        ({"schedule_type": "daily", "schedule_config": '{"hour": 25}'}, "schedule_config.hour"),
        ({"interval": "hourly", "command": "x"}, "command"),
        ({"interval": "hourly", "start_at": "2030-01-01"}, "start_at"),
    ],
)
def test_what_is_wrong(rest: Rest, body: dict[str, Any], field: str) -> None:
    rest.create("1")
    error = rest("PUT", PATH, body).json
    assert [problem["field"] for problem in error["problems"]] == [field]
    assert error["example"]["path"] == PATH
    rest.works(error["example"])


def test_a_task_that_is_not_there(rest: Rest) -> None:
    rest.refused(404, "task_not_found", "GET", PATH)
    rest.refused(404, "task_not_found", "PUT", PATH, {"interval": "hourly"})


def test_the_curl_calls_that_others_document_work_as_they_stand(rest: Rest) -> None:
    # They name a user, of whom a server without a token asks nothing.
    user = {"Authorization": "Basic YWRtaW46YWRtaW4xMjM="}
    for number in ("1", "2"):
        rest.create(number)
    hourly = '{\n    "schedule_type": "hourly",\n    "schedule_config": "{}"\n  }'
    daily = '{"schedule_type": "daily", "schedule_config": "{\\"hour\\": 14, \\"minute\\": 30}"}'
    for number, body in (("1", hourly), ("2", daily)):
        put = rest.api.client.put(f"/api/tasks/{number}/schedule", data=body, headers={**HOST, **JSON_TYPE, **user})
        assert put.status_code == 200, put.text
    listed = rest.ok("GET", "/api/tasks/", None, **user)["tasks"]
    assert [task["schedule_description"] for task in listed] == ["every 1 hour", "every day at 14:30"]
    assert rest.ok("GET", "/api/tasks/1/runs", None, **user)["runs"] == []
