"""`help`: all that an agent needs that has only this URL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scheduler.http.accepted import fits
from scheduler.http.actions import ACTIONS
from scheduler.http.examples import EXAMPLES
from scheduler.http.guide import CODES
from tests.http.conftest import COMMAND, Api

PROMISED = {
    *("start", "stop", "create", "list", "remove", "get", "update", "pause", "resume", "run_now", "cancel", "runs"),
    *("output", "preview", "validate", "status", "help"),
}
KEYWORDS = {
    *("$defs", "$ref", "type", "title", "description", "default", "enum", "const", "anyOf", "properties", "required"),
    *("additionalProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
TYPES = {"object", "array", "string", "number", "integer", "boolean", "null"}


def check_schema(schema: Any, root: dict[str, Any]) -> None:
    """Check that a schema is one, by the words of JSON Schema 2020-12 that are used here."""
    assert isinstance(schema, dict)
    assert set(schema) <= KEYWORDS, set(schema) - KEYWORDS
    assert schema.get("type", "string") in TYPES
    assert isinstance(schema.get("description", ""), str)
    for name in ("properties", "$defs"):
        for inner in schema.get(name, {}).values():
            check_schema(inner, root)
    for inner in schema.get("anyOf", []):
        check_schema(inner, root)
    for name in ("items", "additionalProperties"):
        if not isinstance(schema.get(name, True), bool):
            check_schema(schema[name], root)
    if "required" in schema:
        assert set(schema["required"]) <= set(schema["properties"])
    if "enum" in schema:
        assert schema["enum"]
    if "$ref" in schema:
        assert schema["$ref"].rsplit("/", 1)[1] in root["$defs"]
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength"), ("exclusiveMinimum", "maximum")):
        if low in schema and high in schema:
            assert schema[low] <= schema[high]


@pytest.fixture(scope="module")
def told(shared: Api) -> dict[str, Any]:
    """Return the whole help."""
    return shared.ok("help")


def test_it_lists_exactly_the_actions(told: dict[str, Any]) -> None:
    assert set(told) == {"status", "message", "topics", "actions", "phrases", "errors"}
    assert set(told["actions"]) == set(ACTIONS)
    assert set(told["actions"]) >= PROMISED
    assert "POST /schedule" in told["message"]


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_each_action_is_explained(shared: Api, told: dict[str, Any], name: str) -> None:
    action = told["actions"][name]
    assert set(action) == {"summary", "scope", "fields", "example"}
    assert action["summary"].endswith(".")
    schema = action["fields"]
    check_schema(schema, schema)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["properties"]["action"]["const"] == name
    assert "action" in schema["required"]
    for field, inner in schema["properties"].items():
        assert field == "action" or inner.get("description"), f"{name}.{field} is not described"
    alone = shared.ok("help", topic=name)
    assert alone["actions"] == {name: action}


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_each_example_is_accepted(told: dict[str, Any], make_api: Callable[..., Api], name: str) -> None:
    api = make_api(notify_targets={"ops": {"webhook": "http://127.0.0.1:9/", "secret": "of no use: nobody listens"}})
    action = told["actions"][name]
    example, schema = action["example"], action["fields"]
    assert example["action"] == name
    assert set(schema["required"]) <= set(example) <= set(schema["properties"])
    for field, value in example.items():
        assert fits(schema["properties"][field], value)
    if name == "output":
        api.create("nightly")
        example = {**example, "run_id": api.run("nightly")["run_id"]}
    elif "task_id" in example and name not in ("create", "validate"):
        api.create("nightly")
    assert api.ok(**example)["status"] in ("success", "info")


def test_the_schema_takes_what_the_action_takes(told: dict[str, Any], shared: Api) -> None:
    known = set(told["actions"]["create"]["fields"]["properties"]) - {"action"}
    listed = set(shared.problem("unknown_field", "create", **COMMAND, task_id="t", frobnicate=1)["accepted"])
    assert known == listed
    assert set(told["actions"]["update"]["fields"]["properties"]) == known - {"replace"} | {"action"}
    assert told["actions"]["update"]["fields"]["required"] == ["action", "task_id"]


def test_get_answers_help(shared: Api, told: dict[str, Any]) -> None:
    for path in ("/schedule", "/schedule/"):
        response = shared.client.get(path, headers={"Host": "localhost"})
        assert (response.status_code, response.mimetype) == (200, "application/json")
        assert response.json == told


def test_topics(shared: Api, told: dict[str, Any]) -> None:
    assert told["topics"] == [*ACTIONS, "phrases", "errors"]
    for topic in told["topics"]:
        assert shared.ok("help", topic=topic)["topics"] == told["topics"]
    assert shared.ok("help", topic="errors")["errors"] == CODES
    assert shared.ok("help", topic="phrases")["phrases"] == told["phrases"]
    assert told["phrases"]


def test_an_unknown_topic_names_the_nearest(shared: Api) -> None:
    problem = shared.problem("invalid_field", "help", topic="creat")
    assert (problem["field"], problem["suggestion"]) == ("topic", "create")
    assert "phrases" in problem["accepted"]


def test_phrases_that_are_shown_work(shared: Api, told: dict[str, Any]) -> None:
    texts = [text for form in told["phrases"] for text in form["accepted"]]
    assert texts
    for text in texts:
        # At noon: "today at 18:00" is refused in the evening, as it should be.
        assert shared.ok("preview", interval=text, after="2026-06-01T12:00")["status"] == "success"


@pytest.mark.parametrize(("seconds", "taken"), [(-2, False), (-0.5, False), (-1, True), (0, True)])
def test_the_schema_tells_the_least_grace(told: dict[str, Any], shared: Api, seconds: float, taken: bool) -> None:
    shape = told["actions"]["create"]["fields"]["properties"]["misfire_grace_time"]
    assert shape["minimum"] == -1
    sent = {**EXAMPLES["create"], "action": "validate", "misfire_grace_time": seconds}
    if taken:
        shared.ok(**sent)
        return
    problem = shared.problem("invalid_field", **sent)
    assert problem["message"] == f"'misfire_grace_time' must be 0 or more, or -1 for no limit, not {seconds:g}"
    assert problem["accepted"] == ["a number from 0 up to 1000000000", -1]
    assert problem["suggestion"] is None
