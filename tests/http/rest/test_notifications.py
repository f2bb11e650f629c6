"""Notifications over REST: the same as the actions."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.http.conftest import Api
from tests.http.rest.conftest import Rest

# Nobody listens there: what is told of it is the same everywhere.
OPS = json.dumps({"ops": {"webhook": "http://127.0.0.1:9/hook", "secret": "of no use"}})


@pytest.fixture
def told(make_api: Callable[..., Api]) -> Rest:
    return Rest(make_api(notify_targets=OPS))


def test_a_target_is_tried(told: Rest) -> None:
    shown = told.ok("POST", "/api/notifications/test", {"target": "ops"})
    assert (shown["target"], shown["delivered"]) == ("ops", False)
    assert shown["answer"]


def test_a_target_that_nobody_named_is_refused_with_one_that_works(told: Rest) -> None:
    error = told.refused(400, "invalid_field", "POST", "/api/notifications/test", {"target": "opps"})
    assert "Did you mean 'ops'?" in error["message"]
    assert told.works(error["example"]).json["target"] == "ops"


def test_what_is_to_be_told_is_listed(told: Rest) -> None:
    told.create("bad", command="false", notify={"to": ["ops"]})
    run = told.ok("POST", "/api/tasks/bad/run", {"wait": True})
    page = told.ok("GET", f"/api/notifications?run_id={run['run_id']}")
    [delivery] = page["deliveries"]
    assert (delivery["task_id"], delivery["kind"], delivery["run_id"]) == ("bad", "failure", run["run_id"])
    assert page["next_cursor"] is None
    told.refused(404, "task_not_found", "GET", "/api/notifications?task_id=other")
    error = told.refused(404, "run_not_found", "GET", "/api/notifications?run_id=other")
    assert error["message"] == "No run 'other' exists. GET /api/runs tells which exist."
    quiet = told.create("good", notify={"to": []})
    run = told.ok("POST", f"/api/tasks/{quiet['id']}/run", {"wait": True})
    assert told.ok("GET", f"/api/notifications?run_id={run['run_id']}")["deliveries"] == []
    told.refused(400, "invalid_field", "GET", "/api/notifications?state=lost")
