"""Errors: every code that can occur, in one shape, with all that is needed to mend the call."""

from __future__ import annotations

import gzip
import json
import logging
import sqlite3
import unicodedata
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from scheduler.errors import InvalidRequest
from scheduler.http import actions
from scheduler.http.examples import mended_examples
from scheduler.http.guide import CODES
from scheduler.models import read_job
from tests.http.conftest import COMMAND, JSON_TYPE, Api, check_answer

KINDS: list[tuple[int, str, dict[str, Any]]] = [
    (400, "unknown_action", {"action": "creat"}),
    (400, "missing_field", {"task_id": "t"}),
    (400, "missing_field", {"action": "get"}),
    (400, "unknown_field", {"action": "list", "limits": 5}),
    (400, "invalid_field", {"action": "list", "limit": "5"}),
    (400, "invalid_interval", {"action": "create", **COMMAND, "interval": "dayly"}),
    (400, "path_not_allowed", {"action": "create", **COMMAND, "working_directory": "/"}),
    (400, "invalid_request", {"action": "list", "limits": 5, "limit": "5"}),
    (404, "task_not_found", {"action": "get", "task_id": "nope"}),
    (404, "run_not_found", {"action": "output", "run_id": "nope"}),
    (409, "task_exists", {"action": "create", **COMMAND, "task_id": "nightly", "command": "false"}),
]
"""A request for each code that the body alone brings about."""


@pytest.mark.parametrize(("number", "code", "request_"), KINDS)
def test_codes(api: Api, number: int, code: str, request_: dict[str, Any]) -> None:
    api.create("nightly")
    body = api.refused(number, code, **request_)
    assert list(body)[:3] == ["status", "code", "message"]
    assert CODES[code].startswith(f"{number}: ")
    assert ("problems" in body) == ("example" in body) == (number == 400)


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"action": None},
        {"action": 5},
        {"action": ["list"]},
        {"action": {"name": "list"}},
        {"action": ""},
        {"action": "x" * 10_000},
        *({"action": name, "frobnicate": 1} for name in actions.ACTIONS),
        *({"action": name} for name in ("get", "pause", "resume", "remove", "run_now", "cancel", "output", "create")),
        {"action": "create", "type": "test"},
        {"action": "create", "type": "script", "interval": "hourly"},
        {"action": "create", "custom_script": "print(1)"},
        {"action": "create", "task_id": "nightly", "type": "command", "command": "other", "interval": "dayly"},
        {"action": "create", "trigger": {"type": "cron", "hoour": 2}, "command": "true", "type": "command"},
        {"action": "validate", "schedule_type": "daily", "schedule_config": {"hour": 99}, **COMMAND, "interval": None},
        {"action": "update", "task_id": "nightly", "type": "script"},
        {"action": "update", "task_id": "nightly", "timeout_seconds": "5", "interval": "dayly at 10:30"},
        {"action": "update", "task_id": 5, "name": "x"},
        {"action": "run_now", "task_id": "nightly", "wait_seconds": "5"},
        {"action": "run_now", "task_id": "nope", "wait": "yes"},
        {"action": "cancel", "run_id": "a", "task_id": "nightly"},
        {"action": "runs", "task_id": "nope", "limit": 0},
        {"action": "output", "run_id": "nope", "tail": 0},
        {"action": "output", "offset": 5},
        {"action": "preview", "interval": [[1]], "count": 0, "after": "x", "timezone": "Mars/Base"},
        {"action": "help", "topic": "nothing of that kind"},
    ],
    ids=str,
)
def test_the_example_works_when_it_is_sent(api: Api, request_: dict[str, Any]) -> None:
    api.create("nightly")
    api.run("nightly")
    response = api.post(**request_)
    assert response.status_code == 400, response.text
    assert api.ok(**response.json["example"])["status"] in ("success", "info")


def test_the_example_is_near_to_what_was_sent(shared: Api) -> None:
    sent = {
        "task_id": "report",
        "type": "script",
        "file_path": "report.py",
        "interval": "dayly at 10:30",
        "timeout": 60,
        "max_instances": "2",
        "enabled": "no",
        "env": {"A": 1, "B": "2"},
        "tags": "x",
        "priority": "HIGH",
        "frobnicate": True,
    }
    body = shared.refused(400, "invalid_request", "create", **sent)
    assert body["example"] == {
        "action": "create",
        "task_id": "report",
        "type": "script",
        "interval": "daily at 10:30",
        "file_path": "report.py",
        "timeout_seconds": 60,
        "max_instances": 2,
        "enabled": False,
        "env": {"A": "1", "B": "2"},
        "tags": ["x"],
        "priority": "high",
    }


@pytest.mark.parametrize(
    ("sent", "field", "meant"),
    [
        ({"sandbox": {"net": "none"}}, "sandbox.net", {"sandbox": {"network": "none"}}),
        ({"sandbox": {"memory": 64, "processes": 5}}, "sandbox.memory", {"sandbox": {"memory_mb": 64, "processes": 5}}),
        ({"notify": {"events": ["failure"]}}, "notify.events", {}),
    ],
)
def test_an_unknown_field_of_an_object_is_told_with_those_of_the_object(
    shared: Api, sent: dict[str, Any], field: str, meant: dict[str, Any]
) -> None:
    definition = {"task_id": "report", **COMMAND}
    body = shared.post("create", **definition, **sent).json
    problem = next(each for each in body["problems"] if each["field"] == field)
    assert problem["got"] == next(iter(sent[field.split(".")[0]].values()))
    assert not set(problem["accepted"]) & {"task_id", "interval"}
    assert body["example"] == {"action": "create", **definition, **meant}


def test_what_was_sent_by_another_name_is_not_missing_any_more() -> None:
    sent = {"task_id": "report", **COMMAND, "expect": {"evry": "1 day"}}
    with pytest.raises(InvalidRequest) as refused:
        read_job(sent)
    assert {problem.field for problem in refused.value.problems} == {"expect.every", "expect.evry"}
    nearest = next(mended_examples(COMMAND, sent, refused.value.problems))
    assert nearest["expect"] == {"every": "1 day"}


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ({"command": ["ls", "-l", "a b"]}, {"command": "ls -l 'a b'"}),
        ({"interval": None, "trigger": {"type": "interval", "minutes": "5"}}, {"trigger": {"minutes": 5}}),
        ({"interval": None, "trigger": {"type": "cron", "hour": 2, "minut": 30}}, {"trigger": {"minute": 30}}),
        ({"interval": None, "run_at": "2050-01-01T10:00"}, {"interval": "2050-01-01T10:00"}),
        ({"interval": None, "cron": "0 2 * * *"}, {"interval": "0 2 * * *"}),
        ({"max_retries": "3", "retry": {"count": 3}}, {"max_retries": 3}),
        (
            {"interval": None, "schedule_type": "weekly", "schedule_config": {"day": "monday", "hour": 9}},
            {"schedule_config": {"day_of_week": "monday", "hour": 9}},
        ),
    ],
    ids=str,
)
def test_what_agents_are_likely_to_send_comes_back_as_they_meant_it(
    shared: Api, sent: dict[str, Any], meant: dict[str, Any]
) -> None:
    body = shared.post("create", task_id="report", **COMMAND | sent).json
    assert body["status"] == "error"
    for name, value in meant.items():
        found = body["example"][name]
        assert (found | value if isinstance(value, dict) else value) == found
    assert body["example"]["task_id"] == "report"


def test_the_output_of_a_task_is_that_of_its_newest_run(api: Api) -> None:
    api.create("mine")
    mine = api.run("mine")
    api.create("other")
    api.run("other")
    example = api.refused(400, "invalid_request", "output", task_id="mine", lines=5)["example"]
    assert example == {"action": "output", "run_id": mine["run_id"], "tail": 5}
    assert api.refused(400, "invalid_request", "output", task_id="nobody's")["example"]["run_id"] != mine["run_id"]


@pytest.mark.parametrize(
    ("action", "sent", "field", "suggestion", "meant"),
    [
        *(("create", {"type": word}, "type", "command", {}) for word in ("shell", "bash", "sh")),
        ("create", {"type": "python", "command": None}, "type", "script", {"file_path": "report.py"}),
        ("create", {"type": "python", "command": None, "custom_script": "1"}, "type", "custom", {}),
        ("create", {"type": "pytest", "command": None}, "type", "test", {"file_path": "tests"}),
        ("create", {"priority": "critical"}, "priority", "urgent", {}),
        ("create", {"priority": "normal"}, "priority", "medium", {}),
        ("create", {"end_at": "2050-01-01"}, "end_at", "until", {"until": "2050-01-01"}),
        ("create", {"tags": [str(number) for number in range(51)]}, "tags", [str(number) for number in range(50)], {}),
        ("create", {"args": "x"}, "args", ["x"], {}),
        ("create", {"tags": False}, "tags", [], {}),
        ("runs", {"run_status": "success"}, "run_status", "completed", {}),
        ("runs", {"run_status": "error"}, "run_status", "failed", {}),
        ("export", {"task_id": "nightly"}, "task_id", "tasks", {"tasks": ["nightly"]}),
        ("list", {"tags": ["x"]}, "tags", "tag", {"tag": "x"}),
        ("update", {"task_id": "nightly", "overide": True}, "overide", "override", {"override": True}),
    ],
    ids=str,
)
def test_words_and_fields_of_other_schedulers_are_understood(
    api: Api, action: str, sent: dict[str, Any], field: str, suggestion: Any, meant: dict[str, Any]
) -> None:
    api.create("nightly")
    definition = {"task_id": "report", **COMMAND} if action == "create" else {}
    body = api.post(action, **definition | sent).json
    problem = next(each for each in body["problems"] if each["field"] == field)
    assert problem["suggestion"] == suggestion
    assert (meant or {field: suggestion}).items() <= body["example"].items()
    assert api.ok(**body["example"])


@pytest.mark.parametrize(
    ("sent", "field", "message", "accepted"),
    [
        (
            {"tags": ["x"] * 51},
            "tags",
            "'tags' must have at most 50 items, not 51",
            ["a list of at most 50 items, each item a string of at most 64 characters"],
        ),
        (
            {"notify": {"on": ["failure"] * 7}},
            "notify.on",
            "'notify.on' must have at most 6 items, not 7",
            [
                "a list of at most 6 items, each item failure or recovery or success or missed or late or timeout",
            ],
        ),
        (
            {"notify": {"to": 5}},
            "notify.to",
            "'notify.to' must be a list, not the number 5",
            ["a list of at most 20 items, each item a string of at most 2000 characters or an object"],
        ),
        ({"args": 5}, "args", "'args' must be a list, not the number 5", ["a list"]),
        (
            {"priority": False},
            "priority",
            "'priority' must be one of 'urgent', 'high', 'medium', 'low', not false",
            ["urgent", "high", "medium", "low"],
        ),
        (
            {"interval": None, "schedule_type": "manual", "schedule_config": {"x": 1}},
            "schedule_config.x",
            "unknown field 'schedule_config.x'; none is known here",
            [],
        ),
    ],
    ids=str,
)
def test_messages_are_in_the_words_of_json(
    shared: Api, sent: dict[str, Any], field: str, message: str, accepted: list[str]
) -> None:
    [problem] = shared.post("create", task_id="report", **COMMAND | sent).json["problems"]
    assert (problem["field"], problem["message"].rstrip("."), problem["accepted"]) == (field, message, accepted)


def test_an_unknown_field_of_an_update_is_told_with_all_that_is_known(api: Api) -> None:
    api.create("nightly")
    problem = api.problem("unknown_field", "update", task_id="nightly", frobnicate=1)
    assert "override" in problem["accepted"]


def test_what_is_too_long_is_repeated_as_json(shared: Api) -> None:
    problem = shared.problem("invalid_field", "list", tag=[False] * 100)
    assert problem["got"] == "[" + ", ".join(["false"] * 100)[:199] + "…"


def test_an_unknown_action_names_the_nearest(shared: Api) -> None:
    problem = shared.problem("unknown_action", "craete")
    assert problem["suggestion"] == "create"
    assert "Did you mean 'create'?" in problem["message"]
    assert problem["accepted"] == list(actions.ACTIONS)


def test_an_action_by_another_name(api: Api) -> None:
    api.create("nightly")
    body = api.refused(400, "unknown_action", "delete", task_id="nightly")
    assert body["example"] == {"action": "remove", "task_id": "nightly"}
    body = api.refused(400, "unknown_action", "craete", type="test", interval="hourly")
    assert body["example"] == {"action": "create", "type": "test", "interval": "hourly", "file_path": "tests"}


@pytest.mark.parametrize("action", ["explain", "export", "import", "START", "shutdown"])
def test_actions_that_do_not_work_are_unknown(shared: Api, action: str) -> None:
    if action not in actions.ACTIONS:
        shared.refused(400, "unknown_action", action)


@pytest.mark.parametrize("name", sorted(actions.ACTIONS))
def test_null_is_the_same_as_absent(api: Api, name: str) -> None:
    with_null = {
        field: None for field in actions.ACTIONS[name].model.model_json_schema()["properties"] if field != "action"
    }
    absent, null = api.post(name), api.post(name, **with_null)
    assert absent.status_code == null.status_code
    if absent.status_code == 400:
        assert [p["field"] for p in absent.json["problems"]] == [p["field"] for p in null.json["problems"]]
    assert api.post(name, **with_null, frobnicate=None).status_code == absent.status_code


# --- ids ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "task_id",
    [
        "a",
        "x" * 128,
        "with blanks inside",
        "Ünïcödé-ß",
        "日本語のタスク",
        "مهمة النسخ",
        "משימה",
        "🚀",
        "🚀" * 128,
        "'; DROP TABLE tasks; --",
        "../../etc/passwd",
        "a/b?c=d#e%20",
        "<script>alert(1)</script>",
        "{{7*7}} %s %(x)s {0}",
        "\\n",
        '"quoted"',
        "null",
        "-rf",
        "a\u0301" * 128,
    ],
)
def test_ids_that_are_taken(api: Api, task_id: str) -> None:
    normal = unicodedata.normalize("NFC", task_id)
    assert api.create(task_id)["task_id"] == normal
    assert api.ok("get", task_id=task_id)["task"]["id"] == normal
    assert api.run(task_id)["task_id"] == normal
    assert [task["id"] for task in api.ok("list")["tasks"]] == [normal]
    assert api.ok("remove", task_id=task_id)["message"] == f"Task '{normal}' removed"


@pytest.mark.parametrize(
    ("task_id", "suggestion"),
    [
        ("", None),
        (" ", None),
        (" a", "a"),
        ("a ", "a"),
        ("a\n", "a"),
        ("\ta", "a"),
        ("a\u00a0", "a"),
        ("\u2003a", "a"),
        ("a\nb", "ab"),
        ("a\0b", "ab"),
        ("a\x1b[31mb", "a[31mb"),
        ("a\x7fb", "ab"),
        ("a\u0085b", "ab"),
        ("a\u200bb", "ab"),
        ("a\u202eb", "ab"),
        ("a\u2028b", "ab"),
        ("\ufeffa", "a"),
        ("a\ufffe", "a"),
        ("a\ue000", "a"),
        ("x" * 129, None),
        ("🚀" * 129, None),
        (5, "5"),
        (True, None),
        (["a"], "a"),
        ({"a": 1}, None),
        (1.5, "1.5"),
    ],
)
@pytest.mark.parametrize("action", ["create", "get", "update"])
def test_ids_that_are_refused(shared: Api, action: str, task_id: Any, suggestion: str | None) -> None:
    fields = COMMAND if action == "create" else {}
    problem = shared.problem("invalid_field", action, **fields, task_id=task_id)
    assert problem["field"] == "task_id"
    assert problem["suggestion"] == suggestion
    assert problem["accepted"]


# --- bodies ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"null", "object"),
        (b"5", "object"),
        (b"true", "object"),
        (b'"status"', "object"),
        (b"[]", "object"),
        (b'[{"action": "status"}]', "object"),
        (b"{", "no JSON"),
        (b"{'action': 'status'}", "no JSON"),
        (b'{"action": "status",}', "no JSON"),
        (b'{"action": "status"} x', "no JSON"),
        (b'{"action": "status"}{"action": "list"}', "no JSON"),
        (b"action=status", "no JSON"),
        (b'{"action": NaN}', "no JSON"),
        (b'{"action": Infinity}', "no JSON"),
        (b'{"action": 1e400}', "no JSON"),
        (b'{"action": ' + b"9" * 5000 + b"}", "no JSON"),
        (b'{"action": 01}', "no JSON"),
        (b'{"action": "\\ud800"}', "no JSON"),
        (b'{"action": "a\nb"}', "no JSON"),
        (b'\xef\xbb\xbf{"action": "status"}', "BOM"),
        ('{"action": "status"}'.encode("utf-16"), "UTF-8"),
        (b'{"action": "\xff"}', "byte 12 is 0xff"),
        (b'{"action": "\xed\xa0\x80"}', "UTF-8"),
        (b'{"action": "status", "action": "list"}', "'action'"),
        (b'{"action": "create", "env": {"A": "1", "A": "2"}}', "'A'"),
        (b"[" * 2000, "no JSON"),
        (b'{"action": ' + b"[" * 900 + b"]" * 900 + b"}", "levels deep"),
        (b'{"action": ' + b'{"a":' * 900 + b"1" + b"}" * 900 + b"}", "levels deep"),
        (b'{"action": "preview", "interval": ' + b"[" * 65 + b"]" * 65 + b"}", "levels deep"),
    ],
)
def test_bodies_that_are_no_json_object(shared: Api, body: bytes, words: str) -> None:
    response = shared.raw(body)
    check_answer(response)
    assert (response.status_code, response.json["code"]) == (400, "invalid_json")
    [problem] = response.json["problems"]
    assert problem["field"] == "body"
    assert words in problem["message"]
    assert shared.ok(**response.json["example"])["status"] == "success"


def test_bodies_that_are_taken(shared: Api) -> None:
    for body in (
        b' \t\r\n{"action": "status"}\n',
        b'{"\\u0061ction": "st\\u0061tus"}',
        b'{"action": "list", "search": "[[[[{{{{' + b"[" * 200 + b'", "limit": null}',
        b'{"action": "list", "search": "\\ud83d\\ude80"}',
    ):
        response = shared.raw(body)
        if b"[[[[" in body:
            assert response.json["code"] in ("invalid_field",), response.text
        else:
            assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "number", ["18446744073709551616", "-9223372036854775809", "1e308", "123456789012345678901234567890"]
)
def test_huge_numbers(shared: Api, number: str) -> None:
    for field, action in (("limit", "list"), ("wait_seconds", "run_now"), ("offset", "output"), ("count", "preview")):
        response = shared.raw(f'{{"action": "{action}", "{field}": {number}}}')
        check_answer(response)
        assert response.status_code == 400
        assert field in [problem["field"] for problem in response.json["problems"]]


def test_numbers_that_a_text_hides(shared: Api) -> None:
    config = '{"hour": 123456789012345678901234567890, "minute": NaN, "second": "\\ud800"}'
    response = shared.post("preview", schedule_type="daily", schedule_config=config)
    assert response.status_code == 400


def test_what_came_is_repeated_but_not_all_of_it(shared: Api) -> None:
    long = shared.refused(400, "invalid_field", "list", search="x" * 100_000)
    assert len(long["problems"][0]["got"]) < 300
    assert len(shared.raw(b'{"a": ' * 50_000).data) < 2_000
    many = shared.post(**{f"field{number}": number for number in range(5_000)}, action="list")
    assert many.status_code == 400


def test_a_compressed_body_is_refused_by_name(shared: Api) -> None:
    response = shared.raw(gzip.compress(b'{"action": "status"}'), Content_Encoding="gzip")
    check_answer(response)
    assert (response.status_code, response.json["code"]) == (415, "unsupported_media_type")
    assert "'gzip'" in response.json["message"]
    assert shared.raw(b'{"action": "status"}', Content_Encoding="identity").status_code == 200


def test_a_query_is_never_dropped(shared: Api) -> None:
    response = shared.raw(b'{"action": "list"}', "/schedule?limit=2")
    check_answer(response)
    [problem] = response.json["problems"]
    assert (response.json["code"], problem["field"], problem["got"]) == ("unknown_field", "limit", "2")


@pytest.mark.parametrize(
    ("query", "field"), [("topic=nonsense", "topic"), ("topics=pause", "topics"), ("action=list", "action")]
)
def test_the_query_of_help(shared: Api, query: str, field: str) -> None:
    asked = shared.client.get("/schedule?topic=pause", headers={"Host": "localhost"})
    assert asked.json == shared.ok("help", topic="pause")
    response = shared.client.get(f"/schedule?{query}", headers={"Host": "localhost"})
    check_answer(response)
    assert [problem["field"] for problem in response.json["problems"]] == [field]


def test_a_key_that_is_not_honoured_is_refused(api: Api) -> None:
    body = json.dumps({"action": "create", **COMMAND})
    response = api.raw(body, Idempotency_Key="k")
    check_answer(response)
    assert (response.status_code, response.json["problems"][0]["field"]) == (400, "Idempotency-Key")
    assert response.json["example"] == {"action": "create", **COMMAND}
    assert api.ok("list")["count"] == 0
    assert api.raw('{"action": "list"}', Idempotency_Key="k").status_code == 200


# --- paths and methods ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "number", "code"),
    [
        ("POST", "/", 405, "method_not_allowed"),
        ("POST", "/schedules", 404, "not_found"),
        ("POST", "/Schedule", 404, "not_found"),
        ("POST", "/schedule/x", 404, "not_found"),
        ("GET", "/static/x.js", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("POST", "/%ff%00", 404, "not_found"),
        ("OPTIONS", "/nope", 404, "not_found"),
        ("PUT", "/schedule", 405, "method_not_allowed"),
        ("DELETE", "/schedule", 405, "method_not_allowed"),
        ("PATCH", "/schedule", 405, "method_not_allowed"),
        ("OPTIONS", "/schedule", 405, "method_not_allowed"),
        ("TRACE", "/schedule", 405, "method_not_allowed"),
        ("BREW", "/schedule", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
    ],
)
def test_other_paths_and_methods(shared: Api, method: str, path: str, number: int, code: str) -> None:
    response = shared.client.open(path, method=method, headers={"Host": "localhost", **JSON_TYPE})
    check_answer(response)
    assert (response.status_code, response.json["code"]) == (number, code)
    if number == 405:
        assert "GET" in response.headers["Allow"]
        assert response.json["allowed_methods"] == response.headers["Allow"].split(", ")
    else:
        assert "POST /schedule" in response.json["message"]
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/Schedule", "/schedule"),
        ("/schedules", "/schedule"),
        ("/scheduler", "/schedule"),
        ("/api/schedule", "/schedule"),
        ("/api/v1/schedule", "/schedule"),
        ("/metric", "/metrics"),
        ("/health", "/healthz"),
        ("/api/job", "/api/jobs"),
        ("/api/v1/tasks/U", "/api/tasks/{task_id}"),
        ("/api/job/U/runs", "/api/jobs/{task_id}/runs"),
        ("/api/runs/x/logs", "/api/runs/{run_id}/log"),
        ("/api/tasks/u/unpause", "/api/tasks/{task_id}/resume"),
        ("/api/jobs/u/unpause", "/api/jobs/{task_id}/resume"),
        ("/api/tasks/u/Pause", "/api/tasks/{task_id}/pause"),
        ("/api/runs/x/kill", "/api/runs/{run_id}/cancel"),
        ("/api/tasks/u/puase", None),
        ("/api/tasks/u/resum", None),
        ("/api/scheduler/stopp", None),
        ("/api/import", None),
        ("/api/tries", None),
        ("/nothing", None),
    ],
)
def test_the_path_that_was_meant_and_none_that_acts_for_a_slip_of_the_pen(
    shared: Api, path: str, meant: str | None
) -> None:
    body = shared.raw(b"{}", path).json
    assert body.get("suggestion") == meant
    assert ("Did you mean" in body["message"]) == (meant is not None)


def test_a_slash_at_the_end(shared: Api) -> None:
    assert shared.raw(b'{"action": "status"}', "/schedule/").json["status"] == "success"


def test_head(shared: Api) -> None:
    for path in ("/schedule", "/healthz"):
        response = shared.client.head(path, headers={"Host": "localhost"})
        assert (response.status_code, response.data) == (200, b"")


def test_a_request_that_breaks_off(shared: Api) -> None:
    response = shared.client.post(
        "/schedule", data=b"{}", headers={"Host": "localhost", **JSON_TYPE}, environ_overrides={"CONTENT_LENGTH": "50"}
    )
    check_answer(response)
    assert response.status_code == 400


# --- faults of ours -------------------------------------------------------------------------


def test_an_internal_error_has_an_id_that_is_in_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("the secret reason")

    monkeypatch.setattr(api.scheduler, "status", fail)
    with caplog.at_level(logging.ERROR):
        response = api.post("status")
    body = response.json
    assert (response.status_code, body["code"]) == (500, "internal_error")
    assert set(body) == {"status", "code", "message", "error_id"}
    assert body["error_id"] in body["message"]
    assert body["error_id"] in caplog.text
    assert "ZeroDivisionError: the secret reason" in caplog.text
    assert "secret" not in response.text
    assert api.ok("list")["status"] == "success"


def test_wrong_settings_are_no_fault_of_the_client(make_api: Callable[..., Api]) -> None:
    from scheduler.errors import InvalidRequest, Problem
    from scheduler.http.app import create_app

    def wrong() -> Any:
        raise InvalidRequest([Problem("SCHEDULER_PORT", "'SCHEDULER_PORT' must be a number")])

    response = create_app(wrong).test_client().post("/schedule", json={"action": "status"})
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert "SCHEDULER_PORT" not in response.text


def test_after_the_end(fresh: Api) -> None:
    fresh.ok("start")
    fresh.close()
    response = fresh.post("status")
    assert (response.status_code, response.json["code"]) == (503, "shutting_down")
    assert response.headers["Retry-After"]
    fresh.close()


def test_a_store_that_does_not_answer(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy.exc import OperationalError

    def fail(*_: Any, **__: Any) -> None:
        raise OperationalError("SELECT 1", {}, Exception("database is locked"))

    api.ok("status")

    def fail_in_the_driver() -> None:
        raise sqlite3.OperationalError("database is locked")

    monkeypatch.setattr(api.scheduler._store._readers, "connect", fail)
    monkeypatch.setattr(api.scheduler._store.backend, "_counter", SimpleNamespace(cursor=fail_in_the_driver))
    response = api.post("list")
    assert (response.status_code, response.json["code"]) == (503, "store_unavailable")
    assert "SELECT" not in response.text
    status = api.ok("status")
    assert (status["state"], status["store"]["state"]) == (None, "degraded")
    assert "locked" in status["store"]["reason"]


def test_every_code_is_explained_and_has_its_number() -> None:
    numbers = {code: int(text.split(":")[0]) for code, text in CODES.items()}
    assert set(numbers.values()) == {400, 401, 403, 404, 405, 409, 412, 413, 415, 416, 429, 500, 503}


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/api/tasks/nobody", "GET /api/tasks"),
        ("/api/jobs/nobody", "GET /api/jobs"),
        ("/api/tasks/nobody/runs", "GET /api/tasks"),
        ("/api/runs/01j9zq3k6e8r4m2v7x5t0c1b9d", "GET /api/runs"),
    ],
)
def test_whoever_calls_rest_is_told_the_path_that_lists_what_exists(api: Api, path: str, where: str) -> None:
    response = api.client.get(path, headers={"Host": "localhost"})
    assert response.status_code == 404
    assert response.json["message"].endswith(f" exists. {where} tells which exist.")


@pytest.mark.parametrize("name", ["timeout_minutes", "timeout_hours", "timeout_ms", "misfire_grace_hours", "seconds"])
@pytest.mark.parametrize("number", ["1e308", "-1e308", "123456789012345678901234567890"])
def test_a_huge_number_in_another_unit(shared: Api, name: str, number: str) -> None:
    response = shared.raw(f'{{"action": "create", "type": "command", "command": "true", "{name}": {number}}}')
    check_answer(response)
    assert response.status_code == 400
