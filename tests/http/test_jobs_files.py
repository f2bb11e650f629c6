"""Tasks of files over HTTP: their origin is shown, they are changed with `override` only, `status` tells of files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conftest import Api, watch_for
from tests.http.rest.conftest import Rest

JOB = "id: mine\ncommand: sleep 600\nschedule: hourly\n"
CHANGES: dict[str, dict[str, Any]] = {
    "create": {"type": "command", "command": "id", "interval": "hourly"},
    "update": {"command": "id"},
    "remove": {},
    "pause": {},
}


@pytest.fixture
def filed(make_api: Callable[..., Api], tmp_path: Any) -> Api:
    """Return an Api with a task that a file defines."""
    path = tmp_path / "jobs.yaml"
    path.write_text(JOB)
    api = make_api(jobs_file=path)
    watch_for(lambda: api.scheduler.status()["jobs_files"]["jobs"])
    watch_for(lambda: api.ok("list")["count"])
    return api


def test_origin_is_shown(filed: Api, tmp_path: Any) -> None:
    assert filed.details("mine")["origin"] == str(tmp_path / "jobs.yaml")
    assert filed.ok("list")["tasks"][0]["details"]["origin"] == str(tmp_path / "jobs.yaml")
    filed.create("other")
    assert "origin" not in filed.details("other")


@pytest.mark.parametrize("action", CHANGES)
def test_change_is_refused_naming_the_file_and_the_way_out(filed: Api, tmp_path: Any, action: str) -> None:
    body = filed.refused(409, "managed_by_file", action, task_id="mine", **CHANGES[action])
    assert body["file"] == str(tmp_path / "jobs.yaml")
    assert str(tmp_path / "jobs.yaml") in body["message"]
    assert '"override": true' in body["message"]
    more = {"replace": True} if action == "create" else {}
    assert filed.ok(action, task_id="mine", override=True, **CHANGES[action], **more)["status"] == "success"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/tasks/mine", CHANGES["create"]),
        ("PATCH", "/api/tasks/mine", {"command": "id"}),
        ("DELETE", "/api/tasks/mine", None),
        ("PUT", "/api/tasks/mine/schedule", {"interval": "daily at 02:00"}),
        ("POST", "/api/tasks/mine/pause", {}),
    ],
)
def test_change_by_a_route_is_refused_as_it_is_described(filed: Api, method: str, path: str, body: Any) -> None:
    Rest(filed).refused(409, "managed_by_file", method, path, body)


def test_what_is_paused_is_resumed_with_override(filed: Api) -> None:
    filed.ok("pause", task_id="mine", override=True)
    filed.refused(409, "managed_by_file", "resume", task_id="mine")
    filed.ok("start")
    call = filed.ok("explain", task_id="mine")["next_call"]
    assert call == {"action": "resume", "task_id": "mine", "override": True}
    assert filed.ok(**call)["next_run"]


def test_override_of_a_task_with_another_definition_still_needs_replace(filed: Api) -> None:
    filed.refused(409, "task_exists", "create", task_id="mine", override=True, **CHANGES["create"])


def test_import_is_refused_naming_all_such_tasks_and_their_files(filed: Api, tmp_path: Any) -> None:
    entries = filed.ok("export")["document"]["tasks"]
    assert filed.ok("import", tasks=entries)["unchanged"] == 1, "the same definition is left alone"
    sent = [{**entries[0], "command": "id"}, {"task_id": "other", **CHANGES["create"]}]
    for more in ({}, {"replace": True}, {"replace": True, "dry_run": True}):
        body = filed.refused(409, "managed_by_file", "import", tasks=sent, **more)
        assert body["task_ids"] == ["mine"]
        assert body["files"] == {"mine": str(tmp_path / "jobs.yaml")}
        assert f"'mine' (in {tmp_path / 'jobs.yaml'})" in body["message"]
    assert filed.ok("list")["count"] == 1, "all or nothing"
    filed.refused(409, "task_exists", "import", tasks=sent, override=True)
    answer = filed.ok("import", tasks=sent, override=True, replace=True)
    assert (answer["created"], answer["replaced"]) == (1, 1)
    assert filed.details("mine")["command"] == "id"
    assert filed.details("mine")["origin"] == str(tmp_path / "jobs.yaml"), "its file goes on defining it"
    filed.refused(409, "managed_by_file", "import", tasks=[{**sent[0], "paused": True}])


def test_runs_may_be_asked_for_and_ended(filed: Api) -> None:
    run_id = filed.ok("run_now", task_id="mine")["run_id"]
    assert filed.ok("cancel", task_id="mine")["cancelled"] == [run_id]


def test_status_tells_of_the_files(filed: Api, api: Api, tmp_path: Any) -> None:
    assert api.ok("status")["jobs_files"] is None
    path = tmp_path / "jobs.yaml"
    found = filed.ok("status")["jobs_files"]
    assert found["files"] == [{"path": str(path), "state": "read", "jobs": 1}]
    assert (found["jobs"], found["problems"]) == (1, [])
    assert found["read_at"]
    path.write_text(JOB + "tiemout_seconds: 5\n")
    [problem] = watch_for(lambda: filed.ok("status")["jobs_files"]["problems"])
    assert (problem["file"], problem["line"], problem["task_id"]) == (str(path), 4, "mine")
    assert problem["suggestion"] == "timeout_seconds"


@pytest.mark.parametrize("action", ["create", "update", "remove", "pause"])
def test_override_is_true_or_false(api: Api, action: str) -> None:
    api.create("t")
    fields = {"command": "id"} if action == "update" else {}
    kind = CHANGES["create"] if action == "create" else fields
    problem = api.problem("invalid_field", action, task_id="t", override="yes", **kind)
    assert (problem["field"], problem["accepted"], problem["suggestion"]) == ("override", [True, False], True)


def test_jobs_inside_an_allowed_directory_are_told(make_api: Callable[..., Api], tmp_path: Any) -> None:
    api = make_api(jobs_file=tmp_path / "api0/workspace/jobs.yaml")
    assert any("jobs.yaml lie inside the allowed directory" in text for text in api.ok("status")["warnings"])
