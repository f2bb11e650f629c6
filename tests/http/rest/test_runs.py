"""Runs: start them, wait for them, end them, list them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.rest.conftest import Rest


def test_run_answers_at_once_and_says_where_the_run_is(rest: Rest) -> None:
    rest.create(command="echo hi")
    response = rest("POST", "/api/tasks/nightly/run")
    run_id = response.json["run_id"]
    assert (response.status_code, response.headers["Location"]) == (202, f"/api/runs/{run_id}")
    assert response.json["status"] == "queued"
    rest.api.scheduler.watch.wait([run_id], 20)
    run = rest.ok("GET", f"/api/runs/{run_id}")
    assert (run["status"], run["stdout"], run["exit_code"]) == ("completed", "hi\n", 0)
    assert set(response.json) == set(run)
    assert run == rest.api.ok("runs")["runs"][0]


def test_wait_answers_the_finished_run(rest: Rest) -> None:
    rest.create(command="exit 3")
    response = rest("POST", "/api/tasks/nightly/run", {"wait": True})
    assert (response.status_code, response.json["status"], response.json["exit_code"]) == (200, "failed", 3)


def test_wait_that_is_too_short_says_that_it_goes_on(rest: Rest) -> None:
    run_id = rest.api.running("long", max_instances=2)
    response = rest("POST", "/api/tasks/long/run", {"wait": True, "wait_seconds": 0.01})
    assert response.status_code == 202
    assert response.json["status"] in ("queued", "running")
    error = rest.refused(409, "already_running", "POST", "/api/tasks/long/run")
    assert set(error["run_ids"]) == {run_id, response.json["run_id"]}


def test_cancel(fresh_rest: Rest) -> None:
    run_id = fresh_rest.api.running("long")
    assert fresh_rest.ok("POST", f"/api/runs/{run_id}/cancel") == {"cancelled": [run_id]}
    assert fresh_rest.ok("POST", f"/api/runs/{run_id}/cancel") == {"cancelled": []}
    assert fresh_rest.ok("POST", "/api/tasks/long/cancel", {}) == {"cancelled": []}
    unknown = run_id[:-1] + ("1" if run_id.endswith("0") else "0")
    fresh_rest.refused(404, "run_not_found", "POST", f"/api/runs/{unknown}/cancel")
    fresh_rest.refused(404, "task_not_found", "POST", "/api/tasks/lonk/cancel")


def test_cancel_of_a_task_ends_all_its_runs(rest: Rest) -> None:
    run_id = rest.api.running("long", max_instances=2)
    other = rest.ok("POST", "/api/tasks/long/run")["run_id"]
    assert set(rest.ok("POST", "/api/tasks/long/cancel")["cancelled"]) == {run_id, other}


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/tasks/nightly/run", {"wait": "yes"}, "wait"),
        ("/api/tasks/nightly/run", {"wait_seconds": 301}, "wait_seconds"),
        ("/api/tasks/nightly/run", {"task_id": "other"}, "task_id"),
        ("/api/tasks/nightly/run?wait=true", None, "wait"),
        ("/api/tasks/nightly/cancel", {"run_id": "x"}, "run_id"),
    ],
)
def test_what_is_wrong_with_a_request(rest: Rest, path: str, body: Any, field: str) -> None:
    rest.create()
    error = rest("POST", path, body).json
    assert [problem["field"] for problem in error["problems"]] == [field]
    rest.works(error["example"])


def test_a_run_that_is_not_there(rest: Rest) -> None:
    rest.refused(404, "run_not_found", "GET", "/api/runs/01j9zq3k6e8r4m2v7x5t0c1b9d")
    rest.refused(404, "run_not_found", "GET", "/api/runs/..%2F..%2Fetc%2Fpasswd")
    rest.refused(400, "invalid_field", "GET", f"/api/runs/{'x' * 65}")
    rest.refused(400, "invalid_field", "GET", "/api/runs?run_status=done")
