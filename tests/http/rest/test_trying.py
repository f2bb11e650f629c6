"""POST /api/try: a definition runs once, and no task is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conftest import watch_for
from tests.http.rest.conftest import Rest


def ended(rest: Rest, place: str) -> Any:
    run: Any = watch_for(lambda: (found := rest.ok("GET", place))["finished_at"] and found)
    return run


def run_ids(rest: Rest) -> list[str]:
    return [run["run_id"] for run in rest.ok("GET", "/api/runs")["runs"]]


def test_it_runs_once_and_is_a_row_of_the_ledger(rest: Rest) -> None:
    before = rest.ok("GET", "/api/status")["counts"]
    definition = {"type": "command", "command": "echo $X; exit 3", "env": {"X": "tried"}, "max_retries": 5}
    response = rest("POST", "/api/try", {**definition, "schedule_type": "manual", "task_id": "nightly"})
    assert response.status_code == 202
    assert response.json["task_id"].startswith("try-")
    run = ended(rest, response.headers["Location"])
    assert (run["status"], run["exit_code"], run["stdout"], run["trigger"]) == ("failed", 3, "tried\n", "manual")
    [row] = rest.ok("GET", f"/api/runs?task_id={run['task_id']}")["runs"]
    assert row["run_id"] == run["run_id"]
    assert rest.ok("GET", "/api/tasks")["tasks"] == []
    assert rest.ok("GET", "/api/status")["counts"] == before
    assert rest("GET", f"/api/tasks/{run['task_id']}").status_code == 404


def test_the_task_of_that_name_has_no_part_in_it(rest: Rest) -> None:
    rest.create("nightly")
    definition = {"task_id": "nightly", "type": "command", "command": "exit 1", "interval": "daily at 02:00"}
    ended(rest, rest("POST", "/api/try", definition).headers["Location"])
    assert rest.ok("GET", "/api/tasks/nightly/runs")["runs"] == []
    assert rest.ok("GET", "/api/tasks/nightly")["command"] == "true"


def test_nobody_is_told_of_a_failure(make_rest: Callable[..., Rest]) -> None:
    rest = make_rest(notify_targets={"hook": {"webhook": "http://127.0.0.1:9/"}}, notify_default={"to": ["hook"]})
    told = {"on": ["failure"], "to": ["hook"]}
    definition = {"type": "command", "command": "exit 1", "schedule_type": "manual", "notify": told}
    run = ended(rest, rest("POST", "/api/try", {**definition, "expect": {"every": "1 day"}}).headers["Location"])
    assert run["status"] == "failed"
    assert rest.ok("GET", "/api/notifications")["deliveries"] == []


def test_it_can_be_cancelled(rest: Rest) -> None:
    begun = rest.api.workspace / "begun"
    definition = {"type": "command", "command": "touch begun; exec sleep 600", "schedule_type": "manual"}
    run_id = rest.ok("POST", "/api/try", definition)["run_id"]
    watch_for(begun.exists)
    assert rest.ok("POST", f"/api/runs/{run_id}/cancel")["cancelled"] == [run_id]


def test_a_key_makes_it_happen_once(rest: Rest) -> None:
    definition = {"type": "command", "command": "true", "schedule_type": "manual"}
    ids = {rest.ok("POST", "/api/try", definition, Idempotency_Key="k")["run_id"] for _ in range(2)}
    assert len(ids) == 1


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"command": "true"}, "invalid_interval", "interval"),
        ({"command": "true", "interval": "dayly"}, "invalid_interval", "interval"),
        ({"command": "", "interval": "hourly"}, "invalid_field", "command"),
        ({"command": "true", "interval": "hourly", "replace": True}, "unknown_field", "replace"),
        ({"command": "true", "interval": "hourly", "working_directory": "/etc"}, "path_not_allowed",
         "working_directory"),
    ],
)  # fmt: skip
def test_what_could_not_be_created_is_not_tried(rest: Rest, fields: dict[str, Any], code: str, field: str) -> None:
    before = run_ids(rest)
    error = rest("POST", "/api/try", {"type": "command", **fields}).json
    assert [problem["field"] for problem in error["problems"]] == [field]
    assert run_ids(rest) == before
    assert rest.works(error["example"]).status_code == 202
