"""`validate`: what `create` would do, without doing it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conftest import COMMAND, Api


def test_what_it_answers(api: Api) -> None:
    answer = api.ok("validate", task_id="t", **COMMAND)
    assert answer["message"] == "Task 't' would be created and scheduled to run every 1 hour"
    assert (answer["status"], answer["would"], answer["task_id"]) == ("success", "created", "t")
    assert (answer["kind"], answer["description"]) == ("interval", "every 1 hour")
    assert len(answer["next_runs"]) == 5
    assert answer["next_runs"][0] == answer["next_run_at"]
    assert answer["next_run"] == answer["next_run_at"][:19].replace("T", " ")
    assert "hint" in answer


def test_it_changes_nothing(api: Api) -> None:
    api.ok("validate", task_id="t", **COMMAND)
    assert api.ok("list")["count"] == 0
    api.create("t")
    before = api.details("t")
    api.ok("validate", task_id="t", **{**COMMAND, "command": "false"}, replace=True)
    assert api.details("t") == before


def test_it_answers_as_create_would(api: Api) -> None:
    fields = {**COMMAND, "task_id": "t", "tags": ["x"], "timezone": "Asia/Tokyo"}
    told = api.ok("validate", **fields)["task"]
    api.ok("create", **fields)
    [made] = api.ok("list")["tasks"]
    moving = ("next_run", "created_at", "updated_at")
    for task in (told, made):
        for name in moving:
            for twin in (name, f"{name}_at", f"{name}_iso"):
                task["details"].pop(twin, None)
    assert told == made


def test_what_exists_counts(api: Api) -> None:
    api.create("t")
    same = api.ok("validate", task_id="t", **COMMAND)
    assert (same["status"], same["would"]) == ("info", "unchanged")
    other = {**COMMAND, "task_id": "t", "command": "false"}
    api.refused(409, "task_exists", "validate", **other)
    assert api.ok("validate", **other, replace=True)["would"] == "replaced"


def test_without_an_id(api: Api) -> None:
    assert api.ok("validate", **COMMAND)["task_id"].startswith("command-")


def test_while_running_there_is_no_hint(api: Api) -> None:
    api.ok("start")
    assert "hint" not in api.ok("validate", task_id="t", **COMMAND)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"type": "command"},
        {**COMMAND, "interval": "dayly"},
        {**COMMAND, "timeout": 5},
        {**COMMAND, "timeout_seconds": "5", "env": {"LD_PRELOAD": "x"}, "working_directory": "/"},
        {**COMMAND, "task_id": " x"},
        {**COMMAND, "file_path": "x"},
    ],
)
def test_it_refuses_what_create_refuses(shared: Api, fields: dict[str, Any]) -> None:
    told, refused = shared.post("validate", **fields), shared.post("create", **fields)
    assert told.status_code == refused.status_code == 400
    for name in ("code", "message", "problems"):
        assert told.json[name] == refused.json[name]
    assert shared.ok(**told.json["example"])["would"] == "created"


def test_a_limit_of_tasks_is_for_create_alone(make_api: Callable[..., Api]) -> None:
    api = make_api(max_tasks=1)
    api.create("a")
    assert api.ok("validate", task_id="a", **COMMAND)["would"] == "unchanged"
