"""/api/tasks: create, read, replace, change and remove tasks."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.http.conftest import COMMAND
from tests.http.rest.conftest import Rest

TWO = {"type": "command", "command": "echo 2", "interval": "daily at 02:00"}


def test_create_answers_the_task_and_where_it_is(rest: Rest) -> None:
    rest.ok("POST", "/api/scheduler/start")
    response = rest("POST", "/api/tasks", {**TWO, "task_id": "nightly", "tags": ["x"]})
    assert response.status_code == 201
    assert response.headers["Location"] == "/api/tasks/nightly"
    task = response.json
    assert (task["id"], task["interval"], task["command"], task["tags"]) == (
        "nightly",
        "daily at 02:00",
        "echo 2",
        ["x"],
    )
    assert task["state"] == "pending"
    assert "hint" not in task
    seen = rest.ok("GET", response.headers["Location"])
    assert {name: seen[name] for name in task} == task


def test_a_task_looks_as_it_does_in_list_but_flat(rest: Rest) -> None:
    rest.create()
    [listed] = rest.api.ok("list")["tasks"]
    [shown] = rest.ok("GET", "/api/tasks")["tasks"]
    assert shown == {"id": listed["id"], **listed["details"]}


def test_an_id_is_made_up(rest: Rest) -> None:
    response = rest("POST", "/api/tasks", TWO)
    assert response.status_code == 201
    assert response.headers["Location"] == f"/api/tasks/{response.json['id']}"


def test_the_same_definition_again_is_no_second_task(rest: Rest) -> None:
    rest.create()
    assert rest("POST", "/api/tasks", {**COMMAND, "task_id": "nightly"}).status_code == 200
    rest.refused(409, "task_exists", "POST", "/api/tasks", {**TWO, "task_id": "nightly"})
    response = rest("POST", "/api/tasks", {**TWO, "task_id": "nightly", "replace": True})
    assert (response.status_code, response.json["command"]) == (200, "echo 2")
    assert rest.ok("GET", "/api/tasks")["count"] == 1


def test_while_stopped_it_says_so(rest: Rest) -> None:
    assert "stopped" in rest.create()["hint"]
    assert "stopped" in rest.ok("GET", "/api/tasks/nightly")["hint"]
    assert "stopped" in rest.ok("GET", "/api/tasks")["hint"]


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({}, "missing_field", {"type", "interval"}),
        ({**TWO, "comand": "x"}, "unknown_field", {"comand"}),
        ({**TWO, "action": "remove"}, "unknown_field", {"action"}),
        ({**TWO, "interval": "every 5 minuets"}, "invalid_interval", {"interval"}),
        ({**TWO, "file_path": "x.py"}, "unknown_field", {"file_path"}),
        ({**TWO, "timeout_seconds": "5", "tags": "x"}, "invalid_field", {"timeout_seconds", "tags"}),
        ({**TWO, "working_directory": "/etc"}, "path_not_allowed", {"working_directory"}),
    ],
)
def test_what_is_wrong_is_told_as_the_endpoint_does_with_a_request_that_works(
    rest: Rest, body: dict[str, Any], code: str, fields: set[str]
) -> None:
    error = rest.refused(400, code, "POST", "/api/tasks", body)
    assert {problem["field"] for problem in error["problems"]} == fields
    assert "action" not in error["problems"][0]["accepted"]
    assert (error["example"]["method"], error["example"]["path"]) == ("POST", "/api/tasks")
    assert rest.works(error["example"]).status_code == 201


def test_the_nearest_field_is_named(rest: Rest) -> None:
    error = rest.refused(400, "unknown_field", "POST", "/api/tasks", {**TWO, "cmd": "x", "when": "hourly"})
    assert {problem["field"]: problem["suggestion"] for problem in error["problems"]} == {
        "cmd": "command",
        "when": "interval",
    }


@pytest.mark.parametrize("body", ["[]", "{", "", '{"a": 1, "a": 2}', "nul"])
def test_what_is_no_object_is_refused(rest: Rest, body: str) -> None:
    response = rest.api.raw(body, "/api/tasks")
    assert (response.status_code, response.json["code"]) == (400, "invalid_json")
    assert rest.works(response.json["example"]).status_code == 201


def test_bodies_must_call_themselves_json_and_be_small(rest: Rest) -> None:
    for path in ("/api/tasks", "/api/tasks/nightly/run", "/api/scheduler/start"):
        assert rest.api.raw("{}", path, Content_Type="text/plain").status_code == 415
        assert rest.api.raw("{}", path, Content_Type=None).status_code == 415
        assert rest.api.raw(b" " * 1024 * 1025, path).status_code == 413


# --- put ---------------------------------------------------------------------------------------


def test_put_creates_then_replaces(rest: Rest) -> None:
    created = rest("PUT", "/api/tasks/nightly", COMMAND)
    assert (created.status_code, created.headers["Location"]) == (201, "/api/tasks/nightly")
    assert rest("PUT", "/api/tasks/nightly", COMMAND).status_code == 200
    replaced = rest("PUT", "/api/tasks/nightly", {**TWO, "max_retries": 2})
    assert (replaced.status_code, replaced.json["command"]) == (200, "echo 2")
    rest.ok("PUT", "/api/tasks/nightly", TWO)
    assert rest.ok("GET", "/api/tasks/nightly")["max_retries"] == 0


def test_put_takes_the_id_from_the_path(rest: Rest) -> None:
    assert rest("PUT", "/api/tasks/nightly", {**TWO, "task_id": "nightly"}).status_code == 201
    error = rest.refused(400, "invalid_field", "PUT", "/api/tasks/nightly", {**TWO, "task_id": "daily"})
    assert error["problems"][0]["suggestion"] == "nightly"
    assert rest.works(error["example"])
    error = rest.refused(400, "unknown_field", "PUT", "/api/tasks/nightly", {**TWO, "replace": False})
    assert "replace" not in error["problems"][0]["accepted"]


def test_put_only_creates_or_only_replaces_where_that_is_asked_for(rest: Rest) -> None:
    rest.refused(412, "precondition_failed", "PUT", "/api/tasks/nightly", TWO, If_Match="*")
    assert rest("PUT", "/api/tasks/nightly", TWO, If_None_Match="*").status_code == 201
    rest.refused(412, "precondition_failed", "PUT", "/api/tasks/nightly", COMMAND, If_None_Match="*")
    assert rest.ok("GET", "/api/tasks/nightly")["command"] == "echo 2"
    assert rest("PUT", "/api/tasks/nightly", COMMAND, If_Match="*").status_code == 200


# --- patch and delete --------------------------------------------------------------------------


def test_patch_changes_what_it_names(rest: Rest) -> None:
    rest.create(max_retries=2)
    changed = rest.ok("PATCH", "/api/tasks/nightly", {"command": "echo 3", "max_retries": None})
    assert (changed["command"], changed["max_retries"], changed["interval"]) == ("echo 3", 2, "every 1 hour")
    assert rest.ok("PATCH", "/api/tasks/nightly", {})["command"] == "echo 3"
    rest.refused(404, "task_not_found", "PATCH", "/api/tasks/nightli", {"command": "x"})
    for field in ("replace", "cmd"):
        error = rest.refused(400, "unknown_field", "PATCH", "/api/tasks/nightly", {field: True})
        assert error["example"]["path"] == "/api/tasks/nightly"
        rest.works(error["example"])


def test_delete(rest: Rest) -> None:
    rest.create()
    response = rest("DELETE", "/api/tasks/nightly")
    assert (response.status_code, response.data) == (204, b"")
    rest.refused(404, "task_not_found", "DELETE", "/api/tasks/nightly")


def test_delete_ends_the_runs_under_way(rest: Rest) -> None:
    run_id = rest.api.running("long")
    assert rest("DELETE", "/api/tasks/long").status_code == 204
    assert rest.ok("GET", f"/api/runs/{run_id}")["status"] == "cancelled"


def test_pause_and_resume(rest: Rest) -> None:
    rest.create()
    paused = rest.ok("POST", "/api/tasks/nightly/pause")
    assert (paused["state"], paused["next_run"]) == ("paused", None)
    assert rest.ok("POST", "/api/tasks/nightly/pause", {})["state"] == "paused"
    assert rest.ok("POST", "/api/tasks/nightly/resume")["state"] == "pending"
    rest.refused(404, "task_not_found", "POST", "/api/tasks/nightli/pause")
    error = rest.refused(400, "unknown_field", "POST", "/api/tasks/nightly/pause", {"force": True})
    rest.works(error["example"])


# --- paths -------------------------------------------------------------------------------------

IDS = [
    "a/b",
    "/",
    "a//b/",
    "100%",
    "%2F",
    "a?b#c",
    "ü 🚀",
    "日本 語",
    "a+b",
    "a&b=c;d",
    '"quoted"',
    "tasks",
    "~.-_",
    "\\",
]


@pytest.mark.parametrize("task_id", IDS)
def test_any_id_works_in_a_path(shared_rest: Rest, task_id: str) -> None:
    rest = shared_rest
    path = f"/api/tasks/{quote(task_id, safe='')}"
    created = rest("PUT", path, COMMAND)
    assert (created.status_code, created.json["id"], created.headers["Location"]) == (201, task_id, path)
    for tail in ("", "/", "/schedule", "/runs/"):
        assert rest("GET", path + tail).status_code == 200
    assert rest.ok("GET", "/api/tasks", None)["count"] == 1
    assert rest("DELETE", path + "/").status_code == 204


@pytest.mark.parametrize("task_id", [".", ".."])
def test_an_id_of_dots_has_a_path_that_clients_leave_alone(shared_rest: Rest, task_id: str) -> None:
    rest, path = shared_rest, f"/api/tasks/{task_id}%20"
    created = rest("PUT", path, COMMAND)
    assert (created.status_code, created.json["id"], created.headers["Location"]) == (201, task_id, path)
    assert rest("GET", f"{path}/runs/").status_code == 200
    assert rest("DELETE", path).status_code == 204


def test_an_id_is_normalised_and_a_bad_one_refused(rest: Rest) -> None:
    rest.create("caf\u00e9")
    assert rest.ok("GET", "/api/tasks/cafe%CC%81")["id"] == "caf\u00e9"
    assert rest.ok("POST", "/api/tasks/cafe%CC%81/pause")["state"] == "paused"
    error = rest.refused(400, "invalid_field", "GET", "/api/tasks/%20x")
    assert rest.works(error["example"]).json["id"] == "caf\u00e9"
    rest.refused(400, "invalid_field", "POST", "/api/tasks/%07/pause")
    rest.refused(404, "not_found", "GET", "/api//tasks")


@pytest.mark.parametrize("name", ["tasks", "jobs"])
def test_tasks_are_also_called_jobs_and_a_slash_makes_no_difference(rest: Rest, name: str) -> None:
    created = rest("POST", f"/api/{name}/", {**COMMAND, "task_id": "n"})
    assert created.headers["Location"] == f"/api/{name}/n"
    for path in ("", "/n", "/n/schedule", "/n/runs"):
        assert rest.ok("GET", f"/api/{name}{path}") == rest.ok("GET", f"/api/{name}{path}/")
        assert rest.ok("GET", f"/api/{name}{path}") == rest.ok("GET", f"/api/tasks{path}")
    error = rest.refused(400, "unknown_field", "GET", f"/api/{name}?foo=1")
    assert error["example"]["path"].startswith(f"/api/{name}")


def test_other_paths_and_methods_are_told_what_there_is(rest: Rest) -> None:
    error = rest.refused(404, "not_found", "GET", "/api/taskz")
    assert error["suggestion"] == "/api/tasks"
    assert "/api/tasks/{task_id}/run" in error["message"]
    response = rest("DELETE", "/api/tasks")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert rest.api.client.head("/api/tasks", headers={"Host": "localhost"}).data == b""
    assert rest("OPTIONS", "/api/tasks").status_code == 405
