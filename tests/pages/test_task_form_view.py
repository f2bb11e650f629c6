"""What the form of a task shows and means: nothing is lost by it, and two people's changes come together."""

from __future__ import annotations

from typing import Any

import pytest

from scheduler.errors import Problem
from scheduler.http.pages import task_fields as table
from scheduler.http.pages import task_form_view as view

DEFAULTS = table.Defaults({"timeout_seconds": 600}, "Europe/Berlin")

UNHELD: list[dict[str, Any]] = [
    {"command": "a\r\nb"},
    {"command": "a\0b"},
    {"file_path": "a\nb"},
    {"args": ["a\nb"]},
    {"args": ["a\rb"]},
    {"args": ["a", " "]},
    {"tags": ["a, b"]},
    {"tags": ["a\nb"]},
    {"env": {"A": "x\ny"}},
    {"env": {"A": "x\ry"}},
    {"env": {" A": "x"}},
]
"""Definitions with one value each that a browser would not give back as it is."""


@pytest.mark.parametrize("definition", UNHELD, ids=str)
def test_what_the_form_cannot_hold_is_left_as_it_is(definition: dict[str, Any]) -> None:
    [name] = definition
    texts = view.texts_of({**definition, "name": "fine"}, "hourly", DEFAULTS)
    assert name not in texts
    assert texts["name"] == "fine"
    assert view.beyond_the_form(definition, texts) == [name]


def test_defaults_are_empty_fields_and_taking_a_value_away_brings_them_back() -> None:
    texts = view.texts_of({"timeout_seconds": 600.0, "max_retries": 3, "timezone": "Europe/Berlin"}, "hourly", DEFAULTS)
    assert (texts["timeout_seconds"], texts["max_retries"], texts["timezone"], texts["coalesce"]) == ("", "3", "", "on")
    sent = texts | {"max_retries": "", "timeout_seconds": "5", "coalesce": "", "until": ""}
    changes = view.changes_of("command", "command", sent, texts, DEFAULTS)
    assert changes == {"max_retries": 0, "timeout_seconds": 5, "coalesce": False}


def test_what_no_call_can_take_away_is_none() -> None:
    texts = view.texts_of({"until": "2030-01-01", "name": "x"}, "hourly", DEFAULTS)
    changes = view.changes_of("command", "command", texts | {"until": "", "name": ""}, texts, DEFAULTS)
    assert changes == {"until": None, "name": ""}


def test_fields_of_another_type_are_not_sent() -> None:
    texts = view.texts_of({}, "", DEFAULTS)
    sent = texts | {"command": "true", "custom_script": "print()", "file_path": "a.py"}
    assert view.changes_of("custom", None, sent, texts, DEFAULTS) == {"type": "custom", "custom_script": "print()"}


def test_two_changes_are_brought_together() -> None:
    base = {"name": "a", "command": "x", "interval": "hourly", "tags": ""}
    mine = base | {"name": "mine", "command": "mine too"}
    theirs = base | {"name": "theirs", "interval": "daily at 10:00"}
    merged = view.merge(base, mine, theirs)
    assert merged.texts == {"name": "mine", "command": "mine too", "interval": "daily at 10:00", "tags": ""}
    assert (merged.taken, merged.contested) == (["When"], {"Name for people": "theirs"})
    assert not view.merge(base, mine, base).is_to_be_seen
    assert not view.merge(base, mine, mine).is_to_be_seen


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"nothing": "x"}', "null"])
def test_what_a_form_carries_along_is_not_trusted(text: str) -> None:
    assert view.read_base(text) == {}


def test_problems_stand_beside_their_fields() -> None:
    mine, others = view.by_field(
        [Problem("env.LD_X", "a"), Problem("schedule_config.hour", "b"), Problem("notify.to", "c")]
    )
    assert {name: [problem.message for problem in some] for name, some in mine.items()} == {
        "env": ["a"],
        "interval": ["b"],
    }
    assert [problem.field for problem in others] == ["notify.to"]
