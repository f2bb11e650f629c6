"""`update`: fields change, history and phase stay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Api


def test_it_answers_as_create_does(api: Api) -> None:
    api.ok("start")
    api.create("t")
    answer = api.ok("update", task_id="t", interval="daily at 02:00")
    assert set(answer) == {"status", "message", "task_id", "next_run"}
    assert answer["message"] == "Task 't' updated; it is scheduled to run daily at 02:00"
    assert answer["next_run"].endswith(" 02:00:00")
    api.ok("stop")
    assert "hint" in api.ok("update", task_id="t", interval="daily at 03:00")


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "false"},
        {"interval": "every 2 hours"},
        {"name": "N", "description": "D", "tags": ["x"]},
        {"timezone": "Europe/Paris"},
        {"priority": "low", "timeout_seconds": 5, "max_instances": 2},
        {"args": ["1"], "env": {"A": "b"}, "working_directory": "sub"},
    ],
)
def test_only_what_is_named_changes(api: Api, changes: dict[str, Any]) -> None:
    api.create("t", name="old", tags=["old"])
    before = api.details("t")
    assert api.ok("update", task_id="t", **changes)["status"] == "success"
    after = api.details("t")
    assert {name: after[name] for name in changes} == changes
    moving = {"next_run", "next_run_at", "updated_at", "updated_at_iso", "schedule_description"}
    same = set(before) - set(changes) - moving
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def test_the_phase_stays_unless_the_schedule_changes(api: Api) -> None:
    api.create("t")
    before = api.details("t")["next_run_at"]
    api.ok("update", task_id="t", command="echo other")
    assert api.details("t")["next_run_at"] == before
    api.ok("update", task_id="t", interval="every 3 hours")
    assert api.details("t")["next_run_at"] > before


def test_history_stays(api: Api) -> None:
    api.create("t")
    run_id = api.run("t")["run_id"]
    api.ok("update", task_id="t", command="false")
    assert api.ok("get", task_id="t")["task"]["last_run"]["run_id"] == run_id


def test_nothing_new_is_info(api: Api) -> None:
    api.create("t")
    assert api.ok("update", task_id="t")["status"] == "info"
    assert api.ok("update", task_id="t", command="true", name=None)["status"] == "info"


def test_another_type_takes_its_own_fields(api: Api) -> None:
    api.create("t", args=["a"])
    api.ok("update", task_id="t", type="custom", custom_script="print(1)")
    details = api.details("t")
    assert (details["type"], details["command"], details["args"]) == ("custom", None, None)
    body = api.refused(400, "missing_field", "update", task_id="t", type="script")
    assert body["problems"][0]["field"] == "file_path"


def test_fields_that_two_types_name_alike_mean_something_else_in_each(api: Api) -> None:
    api.create("t", command="echo $1", args=["hello"])
    api.ok("update", task_id="t", type="test")
    assert api.details("t")["args"] is None
    api.ok("update", task_id="t", args=["-x"])
    api.ok("update", task_id="t", type="test", name="the same type")
    assert api.details("t")["args"] == ["-x"]


def test_another_spelling_takes_the_place_of_the_old(api: Api) -> None:
    api.create("t")
    api.ok("update", task_id="t", trigger={"type": "cron", "hour": 4})
    assert api.details("t")["interval"] == "every day at 04:00"
    api.ok("update", task_id="t", interval="hourly")
    assert api.details("t")["interval"] == "hourly"


def test_enabled_is_a_field(api: Api) -> None:
    api.create("t")
    assert api.ok("update", task_id="t", enabled=False)["next_run"] is None
    assert api.details("t")["state"] == "disabled"
    assert api.ok("update", task_id="t", enabled=True)["next_run"]
    assert api.details("t")["state"] == "pending"


def test_a_paused_task_stays_paused(api: Api) -> None:
    api.create("t")
    api.ok("pause", task_id="t")
    assert api.ok("update", task_id="t", interval="every 2 hours")["next_run"] is None
    assert api.details("t")["state"] == "paused"


def test_not_found(api: Api) -> None:
    api.create("nightly")
    assert api.refused(404, "task_not_found", "update", task_id="nigthly", name="x")["suggestion"] == "nightly"


def test_the_id_is_read_as_everywhere(api: Api) -> None:
    api.create("caf\u00e9")
    assert api.ok("update", task_id="cafe\u0301", name="x")["task_id"] == "caf\u00e9"
    assert api.problem("invalid_field", "update", task_id=5, name="x")["field"] == "task_id"
    assert api.problem("invalid_field", "update", task_id=" t", name="x")["suggestion"] == "t"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"replace": True}, "unknown_field", "replace"),
        ({"timeout": 5}, "unknown_field", "timeout"),
        ({"retries": 5}, "unknown_field", "retries"),
        ({"timeout_seconds": "5"}, "invalid_field", "timeout_seconds"),
        ({"interval": "every 5 minuets"}, "invalid_interval", "interval"),
        ({"file_path": "x.py"}, "unknown_field", "file_path"),
        ({"working_directory": "/"}, "path_not_allowed", "working_directory"),
        ({"env": {"LD_PRELOAD": "x"}}, "invalid_field", "env.LD_PRELOAD"),
        ({"trigger": {"type": "cron", "hoour": 1}}, "unknown_field", "trigger.hoour"),
    ],
)
def test_refusals_leave_the_task_alone(api: Api, changes: dict[str, Any], code: str, field: str) -> None:
    api.create("t")
    before = api.details("t")
    body = api.refused(400, code, "update", task_id="t", **changes)
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["example"]["task_id"] == "t"
    assert api.details("t") == before
    assert api.ok(**body["example"])


def test_every_problem_at_once_also_without_an_id(shared: Api) -> None:
    body = shared.refused(400, "invalid_request", "update", timeout_seconds="5", interval="dayly", foo=1, file_path="x")
    assert {problem["field"] for problem in body["problems"]} == {"task_id", "timeout_seconds", "interval", "foo"}
