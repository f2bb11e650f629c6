"""Examples of refusals: whole requests near to what was sent, and about no task that was not named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http.conftest import COMMAND, JSON_TYPE, Api

CHANGING = ("remove", "update", "pause", "resume", "run_now", "cancel")
LIST = {"action": "list"}


@pytest.fixture
def two(api: Api) -> Api:
    """Return the Api with two tasks, of which nobody names the first."""
    api.create("payroll")
    api.create("mine")
    return api


@pytest.mark.parametrize(
    ("sent", "example"),
    [
        ({"action": "update", "type": "test", "command": "true"}, {"type": "test"}),
        ({"action": "cancel", "run_id": "nope"}, {}),
    ],
    ids=str,
)
def test_the_task_that_was_named_is_kept(two: Api, sent: dict[str, Any], example: dict[str, Any]) -> None:
    body = two.post(**sent, task_id="mine").json
    assert body["example"] == {"action": sent["action"], "task_id": "mine", **example}
    assert two.ok(**body["example"])


@pytest.mark.parametrize(
    ("sent", "example"),
    [
        ({"type": "function"}, None),
        ({"type": "script"}, None),
        ({"interval": "whenever you like"}, None),
        ({"retry_backoff": "x", "interval": "whenever you like"}, None),
        ({"retry_backoff": "x"}, None),
        ({"frobnicate": 1}, None),
        ({"max_retries": 3, "interval": "whenever you like"}, {"max_retries": 3}),
        ({"max_retries": 3, "type": "function"}, None),
    ],
    ids=str,
)
def test_an_update_changes_nothing_that_nobody_asked_for(
    two: Api, sent: dict[str, Any], example: dict[str, Any] | None
) -> None:
    before = two.details("mine")
    body = two.post("update", task_id="mine", **sent).json
    assert body["example"]["action"] == ("get" if example is None else "update")
    assert body["example"].items() >= {"task_id": "mine", **(example or {})}.items()
    assert two.ok(**body["example"])
    after = two.details("mine")
    moved = {name for name in after if after[name] != before.get(name)}
    assert moved <= {*(example or {}), "updated_at", "updated_at_iso"}


@pytest.mark.parametrize(
    ("kept", "phrase", "moved"),
    [
        (
            {"until": "2050-12-31"},
            "daily at 9:00 until 2051-01-31",
            {"interval": "daily at 9:00", "until": "2051-01-31"},
        ),
        (
            {"until": "2050-12-31"},
            "daily at 9:00 until 2051-01-31 18:00",
            {"interval": "daily at 9:00", "until": "2051-01-31T18:00:00+01:00"},
        ),
        (
            {"start_at": "2050-01-01"},
            "daily at 9:00 starting 2051-01-01",
            {"interval": "daily at 9:00", "start_at": "2051-01-01T00:00:00+01:00"},
        ),
    ],
)
def test_a_limit_that_the_task_has_already(api: Api, kept: dict[str, Any], phrase: str, moved: dict[str, Any]) -> None:
    api.create("mine", **kept)
    [(name, value)] = kept.items()
    body = api.refused(400, "invalid_field", "update", task_id="mine", interval=phrase)
    told = f"the task has '{name}' '{value}' already: send the new one as '{name}', and the phrase without it"
    assert body["problems"][0]["message"] == told
    assert body["example"] == {"action": "update", "task_id": "mine", **moved}
    assert api.ok(**body["example"])


def test_an_update_that_contradicts_what_is_kept_is_not_put_on_another_task(two: Api) -> None:
    two.create("anchored", start_at="2050-01-01")
    body = two.post("update", task_id="anchored", interval="daily at 9:00 starting 2051-01-01").json
    assert body["example"]["task_id"] == "anchored"
    assert two.ok(**body["example"])


@pytest.mark.parametrize("action", CHANGING)
@pytest.mark.parametrize(
    "named",
    [
        *({name: "mine"} for name in ("id", "job_id", "job", "jobid", "task", "Task_ID", "task_ids", "name")),
        {"task_ids": ["mine"]},
        {"task_id": ["mine"]},
        {"task_id": " mine"},
    ],
    ids=str,
)
def test_an_id_in_another_place_or_form_is_understood(two: Api, action: str, named: dict[str, Any]) -> None:
    if action == "cancel" and "id" in named:
        return  # which of the two ids it is, nobody knows
    example = two.post(action, **named).json["example"]
    assert (example["action"], example["task_id"]) == (action, "mine")


def test_a_number_that_is_an_id(two: Api) -> None:
    two.create("5")
    assert two.post("remove", task_id=5).json["example"] == {"action": "remove", "task_id": "5"}


@pytest.mark.parametrize("action", CHANGING)
@pytest.mark.parametrize(
    "named", [{}, {"task_id": "nobody's", "frobnicate": 1}, {"task_id": 5, "override": "x"}, {"task_id": ["a", "b"]}]
)
def test_where_no_task_is_named_the_list_of_them_is_offered(two: Api, action: str, named: dict[str, Any]) -> None:
    body = two.post(action, **named).json
    assert body["status"] == "error"
    assert body.get("example", LIST) == LIST


def test_whoever_only_reads_is_shown_any_task(two: Api) -> None:
    assert two.post("get").json["example"] == {"action": "get", "task_id": "payroll"}


def test_an_import_is_not_shown_with_a_task_that_exists(two: Api) -> None:
    two.create("nightly")
    [entry] = two.refused(400, "missing_field", "import")["example"]["tasks"]
    assert entry["task_id"] != "nightly"


@pytest.mark.parametrize(
    ("method", "path", "body", "example"),
    [
        (
            "PATCH",
            "/api/tasks/mine",
            {"type": "script"},
            {"method": "GET", "path": "/api/tasks/mine"},
        ),
        ("PATCH", "/api/jobs/mine", [], {"method": "GET", "path": "/api/jobs/mine"}),
        (
            "PATCH",
            "/api/tasks/mine",
            {"type": "command", "command": "ls", "name": 5},
            {"method": "PATCH", "path": "/api/tasks/mine", "body": {"type": "command", "command": "ls", "name": "5"}},
        ),
        ("POST", "/api/tasks/nobody/pause", {"frobnicate": 1}, {"method": "GET", "path": "/api/tasks"}),
        ("POST", "/api/jobs/nobody/run", [], {"method": "GET", "path": "/api/jobs"}),
        ("DELETE", "/api/jobs/nobody?frobnicate=1", None, {"method": "GET", "path": "/api/jobs"}),
    ],
)
def test_rest_calls_stay_with_their_task(two: Api, method: str, path: str, body: Any, example: dict[str, Any]) -> None:
    response = two.client.open(path, method=method, json=body, headers={"Host": "localhost"})
    assert (response.status_code, response.json["example"]) == (400, example)


def test_a_wrong_value_leaves_what_was_only_misnamed(shared: Api) -> None:
    sent = {"task_id": "report", **COMMAND, "cwd": "/tmp", "retries": 2, "environment": {"A": "1"}}
    example = shared.refused(400, "unknown_field", "create", **sent)["example"]
    del example["working_directory"]  # one that is allowed
    assert example == {"action": "create", "task_id": "report", **COMMAND, "max_retries": 2, "env": {"A": "1"}}


@pytest.mark.parametrize(
    ("field", "value", "suggestion"),
    [
        ("retry_backoff", "x", None),
        ("misfire_grace_time", "never", None),
        ("timeout_seconds", 0, None),
        ("max_retries", "many", None),
        ("max_retries", 101, 100),
        ("max_retries", "3", 3),
        ("tags", False, []),
    ],
)
def test_no_default_stands_for_a_value_that_means_something_else(
    shared: Api, field: str, value: Any, suggestion: Any
) -> None:
    sent = {"task_id": "report", **COMMAND}
    body = shared.refused(400, "invalid_field", "create", **sent, **{field: value})
    assert body["problems"][0]["suggestion"] == suggestion
    assert body["example"] == {"action": "create", **sent} | ({} if suggestion is None else {field: suggestion})


@pytest.mark.parametrize("field", ["once", "unit", "min_retries", "frobnicate", "delay", "max", "backup"])
def test_a_field_that_only_looks_like_another_is_left_out(shared: Api, field: str) -> None:
    sent = {"task_id": "report", **COMMAND}
    body = shared.refused(400, "unknown_field", "create", **sent, **{field: 3})
    assert body["problems"][0]["suggestion"] is None
    assert body["example"] == {"action": "create", **sent}


# --- when -----------------------------------------------------------------------------------

EPOCH, ISO, BERLIN = 2_000_000_000, "2033-05-18T03:33:20", "2033-05-18T05:33:20+02:00"
CRON = "0 2 * * *"


@pytest.mark.parametrize(
    ("sent", "suggestion", "meant"),
    [
        ({"trigger": {"hour": 2}}, "cron", {"trigger": {"hour": 2, "type": "cron"}}),
        ({"trigger": {"hours": 2}}, "interval", {"trigger": {"hours": 2, "type": "interval"}}),
        ({"trigger": {"run_date": ISO}}, "date", {"trigger": {"run_date": ISO, "type": "date"}}),
        ({"trigger": {"type": "cron", "cron": CRON}}, None, {"interval": CRON}),
        ({"trigger": {"cron": CRON}}, None, {"interval": CRON}),
        (
            {"trigger": {"type": "cron", "expression": CRON, "timezone": "UTC", "end_date": "2050-01-01"}},
            None,
            {"interval": CRON, "timezone": "UTC", "until": "2050-01-01"},
        ),
        (
            {"trigger": {"type": "date", "run_date": EPOCH}},
            BERLIN,
            {"trigger": {"type": "date", "run_date": BERLIN}},
        ),
        (
            {"schedule_type": "custom", "schedule_config": CRON},
            {"cron_expression": CRON},
            {"schedule_type": "custom", "schedule_config": {"cron_expression": CRON}},
        ),
        (
            {"schedule_type": "daily", "schedule_config": {"time": "09:30"}},
            None,
            {"schedule_type": "daily", "schedule_config": {"hour": 9, "minute": 30}},
        ),
        ({"schedule_type": "custom", "schedule_config": "hourly"}, None, {"interval": "hourly"}),
        ({"schedule_type": "custom", "schedule_config": {"cron_expression": "hourly"}}, None, {"interval": "hourly"}),
        (
            {"schedule_type": "interval", "schedule_config": {"minutes": 5}},
            None,
            {"trigger": {"type": "interval", "minutes": 5}},
        ),
        ({"trigger": {"type": "cron", "hour": [9, 17]}}, "9,17", {"trigger": {"type": "cron", "hour": "9,17"}}),
        ({"schedule": {"cron": CRON}}, CRON, {"schedule": CRON}),
        ({"interval": {"type": "cron", "expression": CRON}}, CRON, {"interval": CRON}),
        ({"interval": {"every": "5 minutes"}}, "every 5 minutes", {"interval": "every 5 minutes"}),
        ({"interval": {"minutes": 5}}, "every 5 minutes", {"trigger": {"type": "interval", "minutes": 5}}),
        ({"schedule": {"hour": 2}}, "every day at 02:00", {"trigger": {"type": "cron", "hour": 2}}),
        ({"interval": {"week": "*/2"}}, None, {"trigger": {"type": "cron", "week": "*/2"}}),
        ({"interval": EPOCH}, BERLIN, {"interval": BERLIN}),
        ({"interval": EPOCH * 1000}, BERLIN, {"interval": BERLIN}),
        ({"interval": "hourly", "start_at": EPOCH}, f"{ISO}+00:00", {"interval": "hourly", "start_at": f"{ISO}+00:00"}),
    ],
    ids=str,
)
def test_what_says_when_in_another_form(
    shared: Api, sent: dict[str, Any], suggestion: Any, meant: dict[str, Any]
) -> None:
    task = {"task_id": "report", "type": "command", "command": "true"}
    body = shared.post("create", **task, **sent).json
    assert [problem["suggestion"] for problem in body["problems"]] == [suggestion]
    assert body["example"] == {"action": "create", **task, **meant}


@pytest.mark.parametrize(
    ("action", "field", "others"),
    [("runs", "since", {}), ("preview", "after", {"interval": "hourly"}), ("explain", "at", {"task_id": "mine"})],
)
def test_moments_as_numbers(two: Api, action: str, field: str, others: dict[str, Any]) -> None:
    sent = {"action": action, **others}
    assert two.post(**sent, **{field: EPOCH}).json["example"] == {**sent, field: f"{ISO}+00:00"}
    assert two.problem("invalid_field", **sent, **{field: str(EPOCH)})["suggestion"].startswith("2033-05-18T05")


def test_a_plus_that_the_query_lost(shared: Api) -> None:
    response = shared.client.get(f"/api/runs?since={ISO}+01:00", headers={"Host": "localhost"})
    [problem] = response.json["problems"]
    assert problem["suggestion"] == f"{ISO}+01:00"
    assert "%2B" in problem["message"]
    assert "%2B01" in response.json["example"]["path"]


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"disabled": True}, {"enabled": False}),
        ({"disabled": False}, {"enabled": True}),
        ({"isActive": True}, {"enabled": True}),
        ({"disabled": "yes"}, {}),
        ({"timeout_ms": 60000}, {"timeout_seconds": 60}),
        ({"timeoutMs": 1500}, {"timeout_seconds": 1.5}),
        ({"timeout_minutes": 5}, {"timeout_seconds": 300}),
        ({"retry_delay_minutes": 1}, {"retry_delay_seconds": 60}),
        ({"timeout_ms": "60000"}, {}),
        ({"once": True}, {}),
        ({"backoff": 2}, {"retry_backoff": 2}),
        ({"retries": 2}, {"max_retries": 2}),
        ({"maxRetries": 2}, {"max_retries": 2}),
    ],
    ids=str,
)
def test_another_unit_or_sense_is_carried_over(shared: Api, sent: dict[str, Any], meant: dict[str, Any]) -> None:
    definition = {"task_id": "report", **COMMAND}
    body = shared.post("create", **definition, **sent).json
    assert body["example"] == {"action": "create", **definition, **meant}
    assert body["problems"][0]["suggestion"] == (next(iter(meant)) if meant else None)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"minutes": 5}, {"interval": "every 5 minutes"}),
        ({"hours": 1}, {"interval": "every 1 hour"}),
        ({"interval_seconds": 3600}, {"interval": "every 3600 seconds"}),
        ({"intervalMinutes": 30}, {"interval": "every 30 minutes"}),
        ({"every_hour": 2}, {"interval": "every 2 hours"}),
        ({"hours": 1, "minutes": 30}, {"trigger": {"type": "interval", "hours": 1, "minutes": 30}}),
        ({"interval": 5, "unit": "minutes"}, {"interval": "every 5 minutes"}),
        ({"interval": "5", "unit": "minutes"}, {"interval": "every 5 minutes"}),
        ({"every": 5, "unit": "minutes"}, {"interval": "every 5 minutes"}),
        ({"every": 1, "units": "Hour"}, {"interval": "every 1 hour"}),
        ({"interval": "daily", "at": "09:00"}, {"interval": "daily at 09:00"}),
        ({"schedule": "daily", "time": "9am"}, {"schedule": "daily at 9am"}),
        ({"frequency": "daily", "time": "09:00"}, {"interval": "daily at 09:00"}),
        ({"every": "day", "at": "09:00"}, {"interval": "every day at 09:00"}),
        ({"frequency": "hourly"}, {"interval": "hourly"}),
        ({"trigger": "daily at 9:00"}, {"interval": "daily at 9:00"}),
        ({"trigger": '{"type": "cron", "hour": 9}'}, {"trigger": {"type": "cron", "hour": 9}}),
        (
            {"trigger": {"type": "cron", "weekday": "mon", "hour": 9}},
            {"trigger": {"type": "cron", "day_of_week": "mon", "hour": 9}},
        ),
        ({"schedule": {"cron": CRON, "timezone": "UTC"}}, {"schedule": CRON, "timezone": "UTC"}),
        ({"interval": {"cron": CRON, "start_date": "2050-01-01"}}, {"interval": CRON, "start_at": "2050-01-01"}),
        ({"interval": {"every": "day", "at": "09:00"}}, {"interval": "every day at 09:00"}),
    ],
    ids=str,
)
def test_when_in_other_fields(shared: Api, sent: dict[str, Any], meant: dict[str, Any]) -> None:
    task = {"task_id": "report", "type": "command", "command": "true"}
    body = shared.post("create", **task, **sent).json
    assert body["status"] == "error"
    assert body["example"] == {"action": "create", **task, **meant}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"type": "command", "shell": "echo hi"}, {"type": "command", "command": "echo hi"}),
        ({"type": "shell", "script": "./backup.sh"}, {"type": "command", "command": "./backup.sh"}),
        ({"type": "bash", "code": "ls\npwd"}, {"type": "command", "command": "ls\npwd"}),
        ({"type": "script", "script": "other.py"}, {"type": "script", "file_path": "other.py"}),
        ({"type": "python", "script": "other.py"}, {"type": "script", "file_path": "other.py"}),
        ({"type": "script", "script": "print(1)"}, {"type": "custom", "custom_script": "print(1)"}),
        ({"type": "python", "code": "print(1)"}, {"type": "custom", "custom_script": "print(1)"}),
        ({"type": "custom", "source": "pass"}, {"type": "custom", "custom_script": "pass"}),
    ],
    ids=str,
)
def test_code_in_another_field_is_the_code_of_the_example(
    shared: Api, sent: dict[str, Any], meant: dict[str, Any]
) -> None:
    body = shared.post("create", task_id="report", interval="hourly", **sent).json
    assert body["example"] == {"action": "create", "task_id": "report", "interval": "hourly", **meant}


def test_the_entries_of_a_document_are_understood_as_requests_are(api: Api) -> None:
    entry = {"task_id": "report", "type": "command", "command": "true"}
    body = api.post("import", tasks=[{**entry, "cron": CRON, "disabled": True}]).json
    assert body["example"]["tasks"] == [{**entry, "interval": CRON, "enabled": False}]
    assert all(problem["message"].startswith("tasks.0: unknown field") for problem in body["problems"][:2])
    body = api.post("import", tasks=[{**entry, "trigger": {"type": "cron", "cron": CRON, "timezone": "UTC"}}]).json
    assert body["example"]["tasks"] == [{**entry, "interval": CRON, "timezone": "UTC"}]


@pytest.mark.parametrize(
    "sent",
    [
        {**COMMAND, "interval": "whenever you like"},
        {"type": "command", "command": 5, "interval": "hourly"},
        {"type": "command", "command": "true", "trigger": {"type": "solar", "event": "sunset"}, "interval": None},
        {**COMMAND, "task_id": "mine", "command": "false", "frobnicate": 1},
    ],
    ids=str,
)
def test_a_task_that_nobody_can_say_was_meant_is_not_created(two: Api, sent: dict[str, Any]) -> None:
    body = two.post("create", **{"task_id": "report", **sent}).json
    assert body["example"]["action"] == "validate"
    assert two.ok(**body["example"])
    assert [task["id"] for task in two.ok("list")["tasks"]] == ["payroll", "mine"]


# --- calls of other shapes ------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["task", "job", "params", "parameters", "arguments", "data", "payload", "body", "input", "config", "whatever"],
)
def test_fields_inside_an_object_belong_at_the_top(shared: Api, name: str) -> None:
    definition = {"task_id": "report", **COMMAND}
    problem = shared.problem("unknown_field", "create", **{name: definition})
    assert problem["field"] == name
    assert "at the top level" in problem["message"]
    body = dict(
        shared.post("create", task_id="report", **{name: {"id": "other", **COMMAND, "interval": "dayly"}}).json or {}
    )
    assert [each["field"] for each in body["problems"]] == [name, "id", "interval"]
    assert body["example"]["task_id"] == "report"
    assert body["example"]["interval"].startswith("daily")


def test_fields_inside_the_text_of_an_object(shared: Api) -> None:
    definition = {"task_id": "report", **COMMAND}
    body = shared.refused(400, "unknown_field", "create", arguments=json.dumps(definition))
    assert "at the top level" in body["problems"][0]["message"]
    assert body["example"] == {"action": "create", **definition}


def test_fields_inside_an_object_of_a_rest_call(shared: Api) -> None:
    definition = {"task_id": "report", **COMMAND}
    response = shared.client.post("/api/tasks", json={"task": definition}, headers={"Host": "localhost", **JSON_TYPE})
    [problem] = response.json["problems"]
    assert "at the top level" in problem["message"]
    assert response.json["example"]["body"] == definition


@pytest.mark.parametrize(
    "sent",
    [
        {"Action": "create"},
        {"ACTION": "Create"},
        {"method": "create"},
        {"command": "create", "type": "test"},
        {"op": "add"},
        {"action": "CREATE"},
    ],
    ids=str,
)
def test_an_action_in_another_place_or_case_is_understood(shared: Api, sent: dict[str, Any]) -> None:
    fields = {"task_id": "report", "type": "test", "interval": "hourly", "file_path": "tests"}
    body = shared.post(**fields | sent).json
    assert (body["problems"][0]["field"], body["problems"][0]["suggestion"]) == ("action", "create")
    assert [each["suggestion"] for each in body["problems"][1:]] == ["action"] * ("action" not in sent)
    assert body["example"] == {"action": "create", **fields}


def test_the_call_of_a_remote_procedure(shared: Api) -> None:
    definition = {"task_id": "report", **COMMAND}
    assert shared.post(method="create", params=definition).json["example"] == {"action": "create", **definition}


def test_the_command_of_a_task_is_no_action(shared: Api) -> None:
    problem = shared.problem("missing_field", **COMMAND | {"command": "export"})
    assert (problem["field"], problem["suggestion"]) == ("action", None)


@pytest.mark.parametrize("field", ["dry_run", "simulate"])
def test_who_only_asks_is_offered_nothing_that_does_it(two: Api, field: str) -> None:
    for action in ("remove", "run_now", "cancel", "pause", "update"):
        fields = {"interval": "hourly"} if action == "update" else {}
        body = two.post(action, task_id="mine", **fields, **{field: True}).json
        assert body["example"] == {"action": "get", "task_id": "mine"}
        assert field in body["message"]
    body = two.post("create", type="command", command="true", interval="hourly", **{field: True}).json
    assert (body["example"]["action"], body["example"]["interval"]) == ("validate", "hourly")
    assert two.post("stop", **{field: True}).json["example"] == {"action": "list"}
    assert two.post("remove", task_id="mine", **{field: False}).json["example"]["action"] == "remove"
