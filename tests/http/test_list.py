"""`list`: the documented answer, filters and pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.conftest import Api

CORE = ("type", "interval", "command", "file_path", "custom_script", "next_run", "created_at")


def ids(answer: dict[str, Any]) -> list[str]:
    return [task["id"] for task in answer["tasks"]]


def test_nothing(api: Api) -> None:
    api.ok("start")
    assert api.ok("list") == {"status": "success", "tasks": [], "count": 0}


def test_the_documented_example(api: Api) -> None:
    api.ok("start")
    made = api.create("backup_task", command="python backup.py")
    answer = api.ok("list")
    assert set(answer) == {"status", "tasks", "count"}
    assert (answer["status"], answer["count"]) == ("success", 1)
    [task] = answer["tasks"]
    assert set(task) == {"id", "details"}
    assert task["id"] == "backup_task"
    details = task["details"]
    assert tuple(details)[: len(CORE)] == CORE
    assert {name: details[name] for name in CORE[:6]} == {
        "type": "command",
        "interval": "every 1 hour",
        "command": "python backup.py",
        "file_path": None,
        "custom_script": None,
        "next_run": made["next_run"],
    }
    for people, exact in (
        ("next_run", "next_run_at"),
        ("created_at", "created_at_iso"),
        ("updated_at", "updated_at_iso"),
    ):
        assert details[exact][:19] == details[people].replace(" ", "T")
        assert details[exact][-6:] in ("+01:00", "+02:00")


def test_while_stopped_it_says_so(api: Api) -> None:
    assert set(api.ok("list")) == {"status", "tasks", "count", "hint"}


def test_filters(api: Api) -> None:
    api.create("one", tags=["red", "blue"], name="First of all")
    api.create("two", type="custom", custom_script="1", tags=["red"], description="Second to none")
    api.create("three", enabled=False)
    api.create("fünf%_", type="test")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["one", "two", "three", "fünf%_"]),
        ({"type": "custom"}, ["two"]),
        ({"type": "script"}, []),
        ({"tag": "red"}, ["one", "two"]),
        ({"tag": "re"}, []),
        ({"enabled": False}, ["three"]),
        ({"enabled": True}, ["one", "two", "fünf%_"]),
        ({"search": "first"}, ["one"]),
        ({"search": "SECOND"}, ["two"]),
        ({"search": "hre"}, ["three"]),
        ({"search": "%"}, ["fünf%_"]),
        ({"search": "_"}, ["fünf%_"]),
        ({"tag": "red", "type": "command"}, ["one"]),
        ({"tag": None, "search": None}, ["one", "two", "three", "fünf%_"]),
    ]
    for fields, expected in cases:
        answer = api.ok("list", **fields)
        assert (ids(answer), answer["count"]) == (expected, len(expected)), fields


def test_tasks_of_a_program_are_found_by_their_type(api: Api) -> None:
    api.create("one")
    api.scheduler.add_callable(print, interval="hourly", task_id="of a program")
    assert ids(api.ok("list", type="callable")) == ["of a program"]
    assert ids(api.ok("list", type="command")) == ["one"]
    assert "callable" in api.refused(400, "invalid_field", "list", type="calable")["message"]


def test_pages(api: Api) -> None:
    for number in range(5):
        api.create(f"t{number}", tags=["odd"] if number % 2 else [])
    first = api.ok("list", limit=2)
    assert (ids(first), first["count"]) == (["t0", "t1"], 5)
    second = api.ok("list", limit=2, cursor=first["next_cursor"])
    assert (ids(second), second["count"]) == (["t2", "t3"], 5)
    last = api.ok("list", limit=2, cursor=second["next_cursor"])
    assert (ids(last), last["next_cursor"]) == (["t4"], None)
    odd = api.ok("list", limit=1, tag="odd")
    assert (ids(odd), odd["count"]) == (["t1"], 2)


def test_next_cursor_is_there_whenever_pages_are_asked_for(api: Api) -> None:
    api.create("t")
    for limit in (1, 1000, 10_000):
        assert api.ok("list", limit=limit)["next_cursor"] is None
    assert "next_cursor" not in api.ok("list")


def test_a_page_goes_on_where_a_removed_task_was(api: Api) -> None:
    for number in range(4):
        api.create(f"t{number}")
    first = api.ok("list", limit=2)
    api.ok("remove", task_id="t1")
    assert ids(api.ok("list", limit=2, cursor=first["next_cursor"])) == ["t2", "t3"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 10_001}, "limit"),
        ({"limit": "5"}, "limit"),
        ({"limit": True}, "limit"),
        ({"limit": 5.5}, "limit"),
        ({"cursor": "zz"}, "cursor"),
        ({"cursor": "-1"}, "cursor"),
        ({"cursor": "٣"}, "cursor"),
        ({"cursor": "9" * 19}, "cursor"),
        ({"cursor": 5}, "cursor"),
        ({"type": "shell"}, "type"),
        ({"enabled": "true"}, "enabled"),
        ({"tag": 5}, "tag"),
        ({"search": ["x"]}, "search"),
        ({"search": "x" * 201}, "search"),
    ],
)
def test_wrong_fields(shared: Api, fields: dict[str, Any], field: str) -> None:
    body = shared.refused(400, "invalid_field", "list", **fields)
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["problems"][0]["accepted"]
    assert shared.ok(**body["example"])["status"] == "success"


def test_states(api: Api) -> None:
    api.create("pending")
    api.create("paused")
    api.ok("pause", task_id="paused")
    api.create("disabled", enabled=False)
    api.running("long")
    states = {task["id"]: task["details"]["state"] for task in api.ok("list")["tasks"]}
    assert states == {"pending": "pending", "paused": "paused", "disabled": "disabled", "long": "running"}
