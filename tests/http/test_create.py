"""`create`: the documented answer, every field, and every refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.http.conftest import COMMAND, Api, watch_for

NEXT_YEAR = datetime.now(ZoneInfo("Europe/Berlin")).year + 1
KEYS = {"status", "message", "task_id", "next_run"}
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
"""Fields that are promised; those that do not work yet are not taken."""


@pytest.fixture
def api(api: Api) -> Api:
    """Return the one Api of this file."""
    return api


def test_the_documented_example(api: Api) -> None:
    api.ok("start")
    answer = api.ok(
        "create", task_id="backup_task", type="command", interval="every 1 hour", command="python backup.py"
    )
    assert set(answer) == KEYS
    assert answer["status"] == "success"
    assert answer["message"] == "Task 'backup_task' scheduled to run every 1 hour"
    assert answer["task_id"] == "backup_task"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", answer["next_run"])
    now = datetime.now(ZoneInfo("Europe/Berlin")).replace(tzinfo=None)
    ahead = datetime.fromisoformat(answer["next_run"]) - now
    assert timedelta(minutes=59, seconds=55) < ahead <= timedelta(hours=1)


def test_a_stopped_scheduler_takes_it_and_says_so(api: Api) -> None:
    answer = api.create()
    assert set(answer) == {*KEYS, "hint"}
    assert "stopped" in answer["hint"]
    assert "'start'" in answer["hint"]


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("command", {"command": "tar -czf backup.tar.gz ."}),
        ("command", {"command": "echo $1", "args": ["a b"]}),
        ("test", {}),
        ("test", {"file_path": "./tests/"}),
        ("test", {"file_path": "tests/test_a.py::test_b", "args": ["-x"]}),
        ("script", {"file_path": "report.py", "args": ["--fast"]}),
        ("custom", {"custom_script": "print('hello')"}),
    ],
)
def test_each_type_with_its_fields(api: Api, kind: str, fields: dict[str, Any]) -> None:
    assert api.create("t", type=kind, **fields)["status"] == "success"
    details = api.details("t")
    assert details["type"] == kind
    for name in ("command", "file_path", "custom_script", "args"):
        assert details[name] == fields.get(name)


@pytest.mark.parametrize(
    "phrase",
    [
        *(f"every {number} {unit}" for unit in ("seconds", "minutes", "hours", "days") for number in (2, 30)),
        "every 1 hour",
        "hourly",
        "daily",
        "daily at 2:00",
        "daily at 10:30",
        *(f"{day} at 09:00" for day in DAYS),
        "in 20 minutes",
        "0 2 * * *",
    ],
)
def test_documented_phrases_are_shown_as_sent(api: Api, phrase: str) -> None:
    answer = api.create("t", interval=phrase)
    assert answer["message"] == f"Task 't' scheduled to run {phrase}"
    assert answer["next_run"]
    assert api.details("t")["interval"] == phrase


def test_an_iso_time_runs_once(api: Api) -> None:
    answer = api.create("t", interval=f"{NEXT_YEAR}-12-24T18:00:00")
    assert answer["next_run"] == f"{NEXT_YEAR}-12-24 18:00:00"
    assert api.ok("get", task_id="t")["task"]["next_runs"] == [f"{NEXT_YEAR}-12-24T18:00:00+01:00"]


@pytest.mark.parametrize(
    ("spelling", "shown"),
    [
        ({"schedule": "daily at 02:00"}, "daily at 02:00"),
        ({"schedule": "0 2 * * *"}, "0 2 * * *"),
        ({"trigger": {"type": "cron", "hour": 2}}, "every day at 02:00"),
        ({"trigger": {"type": "interval", "minutes": 5}}, "every 5 minutes"),
        ({"schedule_type": "daily", "schedule_config": {"hour": 2, "minute": 0}}, "every day at 02:00"),
        ({"schedule_type": "manual"}, None),
    ],
)
def test_other_spellings_of_when(api: Api, spelling: dict[str, Any], shown: str | None) -> None:
    answer = api.create("t", **spelling)
    details = api.details("t")
    if shown is None:
        assert answer["next_run"] is None
        assert details["kind"] == "manual"
    else:
        assert answer["message"] == f"Task 't' scheduled to run {shown}"
        assert details["interval"] == shown


def test_exactly_one_spelling(api: Api) -> None:
    body = api.refused(400, "invalid_field", "create", task_id="t", **COMMAND, schedule="hourly")
    assert "'interval' and 'schedule'" in body["message"]
    body = api.refused(400, "missing_field", "create", task_id="t", type="command", command="true")
    assert body["problems"][0]["field"] == "interval"
    assert body["example"]["interval"]


def test_the_time_is_shown_in_the_tasks_zone(api: Api) -> None:
    answer = api.create("t", interval=f"{NEXT_YEAR}-07-01T09:00", timezone="asia/tokyo")
    assert answer["next_run"] == f"{NEXT_YEAR}-07-01 09:00:00"
    details = api.details("t")
    assert (details["timezone"], details["next_run_at"]) == ("Asia/Tokyo", f"{NEXT_YEAR}-07-01T09:00:00+09:00")


TOKYO = {"type": "cron", "hour": 9, "timezone": "Asia/Tokyo"}


def test_the_zone_of_a_trigger_is_the_tasks(api: Api) -> None:
    fields = {"trigger": TOKYO, "start_at": f"{NEXT_YEAR}-07-01", "type": "command", "command": "true"}
    answer = api.create("t", **fields)
    details = api.details("t")
    assert answer["next_run"] == details["next_run"] == f"{NEXT_YEAR}-07-01 09:00:00"
    assert (details["timezone"], details["next_run_at"]) == ("Asia/Tokyo", f"{NEXT_YEAR}-07-01T09:00:00+09:00")
    assert details["schedule_description"] == f"every day at 09:00 starting {NEXT_YEAR}-07-01 00:00"
    assert api.ok("validate", **fields)["next_runs"] == api.ok("get", task_id="t")["task"]["next_runs"]
    assert api.ok("create", task_id="t", **fields)["status"] == "info"
    assert api.ok("create", task_id="t", **fields, timezone="asia/tokyo")["status"] == "info"


@pytest.mark.parametrize(
    ("changes", "zone"),
    [
        ({"priority": "high"}, "Asia/Tokyo"),
        ({"trigger": {**TOKYO, "timezone": "Asia/Kathmandu"}}, "Asia/Kathmandu"),
        ({"trigger": {"type": "cron", "hour": 9}}, "Europe/Berlin"),
        ({"interval": "daily at 09:00"}, "Europe/Berlin"),
        ({"interval": "daily at 09:00", "timezone": "UTC"}, "UTC"),
    ],
)
def test_the_zone_of_a_trigger_comes_and_goes_with_it(api: Api, changes: dict[str, Any], zone: str) -> None:
    api.create("t", trigger=TOKYO)
    api.ok("update", task_id="t", **changes)
    assert api.details("t")["timezone"] == zone


@pytest.mark.parametrize("action", ["create", "validate", "update"])
@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"trigger": TOKYO, "timezone": "Europe/London"}, "timezone"),
        ({"trigger": {"type": "interval", "minutes": 5, "jitter": 3}, "jitter_seconds": 0.5}, "jitter_seconds"),
        ({"trigger": {"type": "cron", "hour": 9, "jitter": 0}, "jitter_seconds": 5}, "jitter_seconds"),
    ],
)
def test_what_is_said_in_a_trigger_and_beside_it_may_not_differ(
    api: Api, action: str, fields: dict[str, Any], field: str
) -> None:
    if action == "update":
        api.create("t")
    task = {} if action == "update" else {"type": "command", "command": "true"}
    body = api.refused(400, "invalid_field", action, task_id="t", **task, **fields)
    [problem] = body["problems"]
    assert problem["field"] == field
    assert "send one of them" in problem["message"]
    assert api.ok(**body["example"])["status"] == "success"


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({}, 0.0),
        ({"jitter_seconds": 0.5}, 0.5),
        ({"jitter_seconds": 3}, 3.0),
        ({"jitter": 3}, 3.0),
        ({"jitter": 0}, 0.0),
    ],
)
def test_the_jitter_that_applies_is_shown(api: Api, fields: dict[str, Any], seconds: float) -> None:
    its = {name: value for name, value in fields.items() if name == "jitter"}
    mine = {name: value for name, value in fields.items() if name != "jitter"}
    api.create("t", trigger={"type": "interval", "minutes": 5, **its}, **mine)
    assert api.details("t")["jitter_seconds"] == seconds


def test_every_field_is_kept(api: Api) -> None:
    fields = {
        "name": "Backup",
        "description": "Saves the day",
        "tags": ["a", "b"],
        "enabled": False,
        "timezone": "America/New_York",
        "priority": "urgent",
        "timeout_seconds": 12.5,
        "max_instances": 3,
        "args": ["x"],
        "env": {"A": "1", "PATH": "/opt/bin", "PYTHONPATH": "lib"},
        "working_directory": "sub",
    }
    api.create("t", **fields)
    details = api.details("t")
    assert {name: details[name] for name in fields} == fields


def test_defaults(api: Api) -> None:
    api.create("t")
    details = api.details("t")
    expected = {
        "enabled": True,
        "timezone": "Europe/Berlin",
        "priority": "medium",
        "timeout_seconds": 300,
        "max_instances": 1,
        "tags": [],
        "env": {},
        "name": None,
        "description": None,
        "working_directory": None,
        "state": "pending",
    }
    assert {name: details[name] for name in expected} == expected


def test_without_an_id_one_is_made(api: Api) -> None:
    first, second = (api.ok("create", **COMMAND)["task_id"] for _ in range(2))
    assert first != second
    assert first.startswith("command-")
    assert api.ok("get", task_id=first)["task"]["id"] == first


def test_disabled_is_not_planned(api: Api) -> None:
    assert api.create("t", enabled=False)["next_run"] is None
    assert api.details("t")["state"] == "disabled"


def test_the_same_definition_again_is_info(api: Api) -> None:
    first = api.create("t")
    again = api.create("t", enabled=True, timezone="Europe/Berlin", priority="medium", name=None)
    assert again["status"] == "info"
    assert again["message"] == "Task 't' exists with the same definition"
    assert set(again) == {*KEYS, "hint"}
    assert again["next_run"] == first["next_run"]


@pytest.mark.parametrize("change", [{"command": "false"}, {"interval": "every 60 minutes"}, {"tags": ["x"]}])
def test_another_definition_is_a_conflict_unless_replaced(api: Api, change: dict[str, Any]) -> None:
    api.create("t")
    body = api.refused(409, "task_exists", "create", **{**COMMAND, "task_id": "t", **change})
    assert "'t'" in body["message"]
    assert '"replace": true' in body["message"]
    assert "'update'" in body["message"]
    answer = api.create("t", replace=True, **change)
    assert answer["status"] == "success"
    assert api.create("t", **change)["status"] == "info"
    assert api.ok("list")["count"] == 1


def test_replace_of_nothing_and_of_the_same(api: Api) -> None:
    assert api.create("t", replace=True)["status"] == "success"
    assert api.create("t", replace=True)["status"] == "info"
    assert api.create("t", replace=False)["status"] == "info"


def test_ids_are_compared_in_nfc(api: Api) -> None:
    assert api.create("cafe\u0301")["task_id"] == "caf\u00e9"
    assert api.create("caf\u00e9")["status"] == "info"
    assert api.ok("get", task_id="cafe\u0301")["task"]["id"] == "caf\u00e9"


def test_a_removed_id_can_be_used_again(api: Api) -> None:
    api.create("t")
    api.ok("remove", task_id="t")
    assert api.create("t", command="false")["status"] == "success"


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("intervall", "interval"),
        ("timeout", "timeout_seconds"),
        ("cmd", "command"),
        ("cwd", "working_directory"),
        ("cron", "interval"),
        ("tz", "timezone"),
        ("tag", "tags"),
        ("id", "task_id"),
        ("Replace", "replace"),
        ("environment", "env"),
        ("instances", "max_instances"),
    ],
)
def test_an_unknown_field_names_the_one_meant(shared: Api, field: str, meant: str) -> None:
    problem = shared.problem("unknown_field", "create", task_id="t", **COMMAND, **{field: "x"})
    assert problem["suggestion"] == meant
    assert f"'{field}'" in problem["message"]
    assert f"'{meant}'" in problem["message"]
    assert meant in problem["accepted"]


@pytest.mark.parametrize(
    ("kind", "own", "strange"),
    [
        ("command", {"command": "true"}, "file_path"),
        ("command", {"command": "true"}, "custom_script"),
        ("test", {}, "command"),
        ("test", {}, "custom_script"),
        ("script", {"file_path": "a.py"}, "command"),
        ("script", {"file_path": "a.py"}, "custom_script"),
        ("custom", {"custom_script": "1"}, "command"),
        ("custom", {"custom_script": "1"}, "file_path"),
    ],
)
def test_fields_of_another_type_are_refused(shared: Api, kind: str, own: dict[str, Any], strange: str) -> None:
    problem = shared.problem(
        "unknown_field", "create", task_id="t", type=kind, interval="hourly", **own, **{strange: "x"}
    )
    assert problem["field"] == strange
    assert f"'{kind}'" in problem["message"]
    assert strange not in problem["accepted"]
    assert problem["accepted"]


@pytest.mark.parametrize(
    ("kind", "field"), [("command", "command"), ("script", "file_path"), ("custom", "custom_script")]
)
@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_what_a_type_needs(shared: Api, kind: str, field: str, value: str | None) -> None:
    code = "missing_field" if value is None else "invalid_field"
    body = shared.refused(400, code, "create", task_id="t", type=kind, interval="hourly", **{field: value})
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["example"]["type"] == kind
    assert body["example"][field]


def test_the_type_is_required_and_one_of_those_that_there_are(shared: Api) -> None:
    kinds = ["command", "test", "script", "custom", "function"]
    missing = shared.problem("missing_field", "create", task_id="t", interval="hourly", command="true")
    assert (missing["field"], missing["accepted"]) == ("type", kinds)
    wrong = shared.problem("invalid_field", "create", task_id="t", type="comand", interval="hourly", command="true")
    assert (wrong["field"], wrong["accepted"], wrong["suggestion"]) == ("type", kinds, "command")


@pytest.mark.parametrize(
    ("field", "value", "suggestion"),
    [
        ("timeout_seconds", "5", 5),
        ("timeout_seconds", True, None),
        ("timeout_seconds", 0, None),
        ("timeout_seconds", -1, None),
        ("timeout_seconds", 31 * 86400 + 1, 31 * 86400),
        ("max_instances", "2", 2),
        ("max_instances", 2.5, None),
        ("max_instances", True, None),
        ("max_instances", 0, 1),
        ("max_instances", 1001, 1000),
        ("enabled", 1, True),
        ("enabled", "false", False),
        ("enabled", "maybe", None),
        ("replace", 1, True),
        ("replace", "yes", True),
        ("tags", "x", ["x"]),
        ("tags", [1], None),
        ("tags", [""], None),
        ("args", "x", ["x"]),
        ("args", [True], None),
        ("args", [5], "5"),
        ("env", "A=1", None),
        ("env", {"A": 1}, "1"),
        ("name", 5, None),
        ("name", "x" * 201, None),
        ("description", ["x"], None),
        ("priority", 1, None),
        ("priority", "hgih", "high"),
        ("priority", "HIGH", "high"),
        ("timezone", 1, None),
        ("timezone", "Berlin", "Europe/Berlin"),
        ("working_directory", 1, None),
        ("command", 5, None),
        ("command", ["ls", "-l"], None),
        ("interval", 5, None),
        ("interval", ["hourly"], None),
        ("interval", {}, None),
        ("task_id", 5, "5"),
        ("task_id", True, None),
    ],
)
def test_wrong_types_and_ranges(shared: Api, field: str, value: Any, suggestion: Any) -> None:
    response = shared.post("validate", **{**COMMAND, "task_id": "t", field: value})
    assert response.status_code == 400, response.text
    [problem] = response.json["problems"]
    assert problem["field"].split(".")[0] == field
    assert problem["accepted"], problem
    if suggestion is not None:
        assert problem["suggestion"] == suggestion
    example = response.json["example"]
    assert shared.ok(**example)["status"] == "success"
    assert example["action"] == "validate"


@pytest.mark.parametrize(
    "name", ["LD_PRELOAD", "LD_LIBRARY_PATH", "BASH_ENV", "SCHEDULER_TOKEN", "HOME", "A=B", "", "1A"]
)
def test_variables_that_would_change_the_sandbox(shared: Api, name: str) -> None:
    problem = shared.problem("invalid_field", "create", task_id="t", **COMMAND, env={name: "x"})
    assert problem["field"] == f"env.{name}"


@pytest.mark.parametrize(
    ("kind", "field"), [("script", "file_path"), ("test", "file_path"), ("command", "working_directory")]
)
@pytest.mark.parametrize("path", ["/etc/passwd", "../x.py", "sub/../../x.py", "~root/x.py", "/", "link/x.py"])
def test_paths_outside_are_refused(api: Api, kind: str, field: str, path: str) -> None:
    (api.workspace / "link").symlink_to("/etc")
    own = {"command": "true"} if kind == "command" else {}
    problem = api.problem(
        "path_not_allowed", "create", task_id="t", type=kind, interval="hourly", **own, **{field: path}
    )
    assert problem["field"] == field
    assert str(api.workspace) in problem["message"]
    assert problem["accepted"] == [str(api.workspace)]
    assert problem["got"] == path


def test_a_path_is_never_an_option(api: Api) -> None:
    api.create("t", type="test", file_path="--rootdir=/")
    run = api.run("t")
    assert run["status"] == "failed"
    assert "--rootdir" in run["reason"]


def test_every_problem_at_once(shared: Api) -> None:
    body = shared.refused(
        400,
        "invalid_request",
        "create",
        task_id=" x",
        type="script",
        interval="every 5 minuets",
        file_path="/etc/passwd",
        timezone="Mars/Base",
        timeout_seconds="5",
        enabled=1,
        retries=3,
        env={"LD_PRELOAD": "x"},
        replace="yes",
    )
    fields = {problem["field"] for problem in body["problems"]}
    assert fields == {
        "task_id",
        "interval",
        "file_path",
        "timezone",
        "timeout_seconds",
        "enabled",
        "retries",
        "env.LD_PRELOAD",
        "replace",
    }
    for word in ("minuets", "/etc/passwd", "Mars/Base", "retries", "LD_PRELOAD"):
        assert word in body["message"]


def test_no_more_tasks_than_allowed(make_api: Callable[..., Api]) -> None:
    api = make_api(max_tasks=2)
    api.create("a")
    api.create("b")
    response = api.post("create", task_id="c", **COMMAND)
    assert (response.status_code, response.json["code"]) == (429, "too_many_tasks")
    assert int(response.headers["Retry-After"]) >= 1
    assert "SCHEDULER_MAX_TASKS" in response.json["message"]
    assert api.create("a")["status"] == "info"
    assert api.create("b", command="false", replace=True)["status"] == "success"
    api.ok("remove", task_id="a")
    api.create("c")
    assert api.ok("list")["count"] == 2


def test_only_one_of_many_that_create_at_once_wins(api: Api) -> None:
    def create(number: int) -> int:
        return api.post("create", **{**COMMAND, "task_id": "t", "command": f"echo {number}"}).status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(16)))
    assert sorted(answers) == [200] + [409] * 15


def test_a_one_shot_whose_time_has_passed_is_still_the_same_definition(api: Api) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    task = {"task_id": "once", "type": "command", "command": "true", "interval": soon.isoformat()}
    api.ok("create", **task)
    api.ok("start")
    watch_for(lambda: api.ok("get", task_id="once")["task"]["details"]["next_run"] is None)
    assert api.ok("create", **task)["status"] == "info"
    assert api.ok("update", task_id="once", name="a name")["status"] == "success"
    assert api.post("create", **{**task, "task_id": "other"}).status_code == 400
