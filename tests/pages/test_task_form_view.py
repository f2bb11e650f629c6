"""What the form of a task shows and means: nothing is lost by it, and two people's changes come together."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.alerts import Occasion
from scheduler.errors import Problem
from scheduler.http.pages import task_fields as table
from scheduler.http.pages import task_form_view as view

DEFAULTS = table.Defaults(
    {"timeout_seconds": 600}, "Europe/Berlin", {"notify.on": ("failure", "missed"), "notify.every_minutes": 5}
)
COMMAND = {"type": "command"}
ODD = st.text(alphabet='a[]{}":,= \\\n\r\t\0é', max_size=6)
TARGETS = st.one_of(
    ODD, st.just("[]"), st.dictionaries(st.sampled_from(["webhook", "ping"]), ODD, min_size=1, max_size=1)
)
PARTS: dict[str, st.SearchStrategy[Any]] = {
    "sandbox.network": st.sampled_from(["all", "tcp", "none"]),
    "sandbox.memory_mb": st.integers(16, 10**9),
    "sandbox.cpu_seconds": st.one_of(st.integers(1, 10**9), st.floats(1e-9, 1e9)),
    "sandbox.processes": st.integers(1, 10**9),
    "sandbox.read": st.lists(ODD, max_size=3),
    "sandbox.write": st.lists(ODD, max_size=3),
    "expect.every": st.sampled_from(["1 day", " every 90 minutes "]),
    "expect.min_runs": st.integers(1, 10_000),
    "expect.max_duration_seconds": st.floats(1e-9, 1e6),
    "notify.on": st.lists(st.sampled_from(get_args(Occasion)), max_size=6),
    "notify.to": st.lists(TARGETS, max_size=3),
    "notify.every_minutes": st.floats(0, 10080),
    "notify.late_after_seconds": st.floats(0, 86400),
    "notify.subject": ODD,
    "notify.body": ODD,
}
"""What parts may hold, and what people would hardly write there."""
READ_BACK = [name for name in PARTS if table.FIELDS[name].kind not in ("text", "raw", "ticks")]

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
    {"sandbox": {"read": ["a\nb"]}},
    {"sandbox": {"write": ["a", " "]}},
    {"sandbox": {"write": ["[]"]}},
    {"sandbox": {"network": "some"}},
    {"notify": {"to": [" ops"]}},
    {"notify": {"to": ['{"ping": "x"}']}},
    {"notify": {"subject": "a\nb"}},
    {"notify": {"body": "a\rb"}},
]
"""Definitions with one value each that a browser would not give back as it is."""


@pytest.mark.parametrize("definition", UNHELD, ids=str)
def test_what_the_form_cannot_hold_is_left_as_it_is(definition: dict[str, Any]) -> None:
    [(name, value)] = definition.items()
    if name in table.WHOLE:
        name = f"{name}.{next(iter(value))}"
    texts = view.texts_of({**definition, "name": "fine"}, "hourly", DEFAULTS)
    assert name not in texts
    assert texts["name"] == "fine"
    assert view.beyond_the_form(definition, texts) == [name]


def test_defaults_are_empty_fields_and_taking_a_value_away_brings_them_back() -> None:
    texts = view.texts_of({"timeout_seconds": 600.0, "max_retries": 3, "timezone": "Europe/Berlin"}, "hourly", DEFAULTS)
    assert (texts["timeout_seconds"], texts["max_retries"], texts["timezone"], texts["coalesce"]) == ("", "3", "", "on")
    sent = texts | {"max_retries": "", "timeout_seconds": "5", "coalesce": "", "until": ""}
    changes = view.changes_of("command", COMMAND, sent, texts, DEFAULTS)
    assert changes == {"max_retries": 0, "timeout_seconds": 5, "coalesce": False}


def test_what_no_call_can_take_away_is_none() -> None:
    texts = view.texts_of({"until": "2030-01-01", "name": "x"}, "hourly", DEFAULTS)
    changes = view.changes_of("command", COMMAND, texts | {"until": "", "name": ""}, texts, DEFAULTS)
    assert changes == {"until": None, "name": ""}


def test_fields_of_another_type_are_not_sent() -> None:
    texts = view.texts_of({}, "", DEFAULTS)
    sent = texts | {"command": "true", "custom_script": "print()", "file_path": "a.py"}
    assert view.changes_of("custom", {}, sent, texts, DEFAULTS) == {"type": "custom", "custom_script": "print()"}


# --- fields in parts ----------------------------------------------------------------------------


def sent_by_browser(texts: dict[str, str]) -> dict[str, str]:
    """Return the fields that a browser would send of a form with these texts, as it stands."""
    form: dict[str, str] = {}
    for name, text in texts.items():
        kind = table.FIELDS[name].kind
        if kind == "ticks":
            form |= {f"{name}.{choice}": choice for choice in text.split(", ") if choice}
        elif kind in table.AREAS:
            form[name] = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
        elif kind != "flag" or text:
            form[name] = re.sub(r"[\r\n]", "", text).replace("\0", "\ufffd")
    return form


@given(st.fixed_dictionaries({}, optional=PARTS))
def test_a_definition_shown_and_sent_back_changes_nothing(parts: dict[str, Any]) -> None:
    definition: dict[str, Any] = {"type": "command", "command": "true"}
    for name, value in parts.items():
        whole, _, part = name.partition(".")
        definition.setdefault(whole, {})[part] = value
    texts = view.texts_of(definition, "hourly", DEFAULTS)
    sent = view.sent_texts(sent_by_browser(texts), texts)
    assert view.changes_of("command", definition, sent, texts, DEFAULTS) == {}
    assert set(parts) <= set(texts) | set(view.beyond_the_form(definition, texts))
    others = {name: value for name, value in definition.get("sandbox", {}).items() if name != "processes"}
    changed = view.changes_of("command", definition, sent | {"sandbox.processes": "1e12"}, texts, DEFAULTS)
    assert changed == {"sandbox": {**others, "processes": 10**12}}


@given(st.fixed_dictionaries({}, optional={name: PARTS[name] for name in READ_BACK}))
def test_what_is_shown_of_a_part_says_all_of_it(parts: dict[str, Any]) -> None:
    for name, value in parts.items():
        whole, _, part = name.partition(".")
        text = view.texts_of({whole: {part: value}}, "hourly", DEFAULTS).get(name)
        assert text is None or table.read_value(table.FIELDS[name], text or DEFAULTS.text(name)) == value


FULL: dict[str, Any] = {
    "type": "command",
    "sandbox": {"network": "none", "memory_mb": 100, "read": ["data"], "write": []},
    "expect": {"every": "1 day"},
    "notify": {"to": ["ops", {"ping": "https://x.y"}], "on": ["late", "failure"], "every_minutes": 5},
}


def test_parts_are_shown_as_people_write_them() -> None:
    texts = view.texts_of(FULL, "hourly", DEFAULTS)
    shown = {name: text for name, text in texts.items() if "." in name and text}
    assert shown == {
        "sandbox.network": "none",
        "sandbox.memory_mb": "100",
        "sandbox.read": "data",
        "sandbox.write": "[]",
        "expect.every": "1 day",
        "notify.to": 'ops\n{"ping": "https://x.y"}',
        "notify.on": "failure, late",
    }
    assert view.texts_of({"type": "command"}, "", DEFAULTS)["notify.on"] == "failure, missed"


@pytest.mark.parametrize(
    ("sent", "changes"),
    [
        ({"sandbox.memory_mb": "200"}, {"sandbox": {**FULL["sandbox"], "memory_mb": 200}}),
        ({"sandbox.write": ""}, {"sandbox": {"network": "none", "memory_mb": 100, "read": ["data"]}}),
        ({"sandbox.read": "[]"}, {"sandbox": {**FULL["sandbox"], "read": []}}),
        (
            {"sandbox.network": "", "sandbox.memory_mb": " ", "sandbox.read": "", "sandbox.write": ""},
            {"sandbox": None},
        ),
        ({"expect.every": "", "expect.min_runs": "3"}, {"expect": {"min_runs": 3}}),
        ({"expect.every": ""}, {"expect": None}),
        ({"notify.to": "{\"ping\": \"https://x.y\"}"}, {"notify": {**FULL["notify"], "to": [{"ping": "https://x.y"}]}}),
        ({"notify.on": ""}, {"notify": {**FULL["notify"], "on": []}}),
        (
            {"notify.on": "failure, missed"},
            {"notify": {"to": ["ops", {"ping": "https://x.y"}], "every_minutes": 5}},
        ),
        ({"notify.every_minutes": "many"}, {"notify": {**FULL["notify"], "every_minutes": "many"}}),
    ],
)  # fmt: skip
def test_a_field_in_parts_is_sent_whole(sent: dict[str, str], changes: dict[str, Any]) -> None:
    texts = view.texts_of(FULL, "hourly", DEFAULTS)
    assert view.changes_of("command", FULL, texts | sent, texts, DEFAULTS) == changes


def test_parts_of_nothing_make_a_field_where_they_say_something() -> None:
    texts = view.texts_of({}, "hourly", DEFAULTS)
    sent = texts | {"sandbox.memory_mb": " ", "expect.every": "1 day"}
    assert view.changes_of("command", {"type": "command"}, sent, texts, DEFAULTS) == {"expect": {"every": "1 day"}}


# --- two people, and what is wrong --------------------------------------------------------------


def test_two_changes_are_brought_together() -> None:
    base = {"name": "a", "command": "x", "interval": "hourly", "tags": ""}
    mine = base | {"name": "mine", "command": "mine too"}
    theirs = base | {"name": "theirs", "interval": "daily at 10:00"}
    merged = view.merge(view.marks_of(base), mine, theirs)
    assert merged.texts == {"name": "mine", "command": "mine too", "interval": "daily at 10:00", "tags": ""}
    assert (merged.taken, merged.contested) == (["When"], {"Name for people": "theirs"})
    assert not view.merge(view.marks_of(base), mine, base).is_to_be_seen
    assert not view.merge(view.marks_of(base), mine, mine).is_to_be_seen


def test_two_changes_of_one_field_are_brought_together_by_its_parts() -> None:
    base = {"sandbox.memory_mb": "", "sandbox.network": "none", "notify.on": "failure"}
    mine = base | {"sandbox.memory_mb": "64", "sandbox.network": "tcp"}
    theirs = base | {"sandbox.network": "", "notify.on": "failure, late"}
    merged = view.merge(view.marks_of(base), mine, theirs)
    assert merged.texts == {"sandbox.memory_mb": "64", "sandbox.network": "tcp", "notify.on": "failure, late"}
    assert (merged.taken, merged.contested) == (["What is told"], {"Network": "as the server allows"})


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"nothing": "x"}', "null"])
def test_what_a_form_carries_along_is_not_trusted(text: str) -> None:
    assert view.read_marks(text) == {}


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("env.LD_X", "env"),
        ("schedule_config.hour", "interval"),
        ("task_id", "task_id"),
        ("sandbox.memory_mb", "sandbox.memory_mb"),
        ("sandbox.cpu_seconds.constrained-int", "sandbox.cpu_seconds"),
        ("sandbox.read.0", "sandbox.read"),
        ("sandbox", "sandbox.network"),
        ("sandbox.unknown", "sandbox.network"),
        ("notify.to.0", "notify.to"),
        ("notify.on.1", "notify.on"),
        ("expect", "expect.every"),
        ("kwargs.x", None),
        ("args.0", None),
        ("sandbox.write.0", None),
    ],
)
def test_problems_stand_beside_their_fields(path: str, name: str | None) -> None:
    shown = [each for each in table.FIELDS if each not in ("args", "sandbox.write")]
    problem = Problem(path, "wrong")
    assert view.by_field([problem], shown) == (({name: [problem]}, []) if name else ({}, [problem]))


@pytest.mark.parametrize(
    ("path", "suggestion", "text", "said"),
    [
        ("interval", "daily at 10:30", "daily at 10:30", "daily at 10:30"),
        ("task_id", "x", "x", "x"),
        ("tags", ["a", "b"], "a, b", "a, b"),
        ("sandbox.network", "all", "all", "all"),
        ("expect.min_runs", 1000, "1000", "1000"),
        ("notify.to.1", "ops", 'a\nops\n{"ping": "x"}', "ops"),
        ("notify.to.2", {"webhook": "x"}, 'a\nb\n{"webhook": "x"}', '{"webhook": "x"}'),
        ("sandbox.read.0", "data", "data", "data"),
    ],
)
def test_a_correction_is_all_that_would_stand_there(path: str, suggestion: Any, text: str, said: str) -> None:
    texts = {"notify.to": 'a\n\nb\n{"ping": "x"}', "sandbox.read": "dta"}
    assert view.correction(Problem(path, "wrong", suggestion=suggestion), texts) == view.Correction(text, said)


@pytest.mark.parametrize(
    "path", ["schedule", "env.X", "notify.to.9", "notify.on", "notify.on.0", "expect", "kwargs", "sandbox.read.x"]
)
def test_what_is_not_whole_is_no_correction(path: str) -> None:
    texts = dict.fromkeys(table.FIELDS, "a")
    assert view.correction(Problem(path, "wrong", suggestion="b"), texts) is None
