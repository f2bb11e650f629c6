"""The fields of the form of a task: what texts in them mean."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from scheduler.http.pages import task_fields as table
from scheduler.job_defaults import POLICIES
from scheduler.models import Job

READINGS: list[tuple[table.Kind, str, Any]] = [
    ("text", " a ", "a"),
    ("text", "  ", None),
    ("raw", " a\n", " a\n"),
    ("raw", " \n", None),
    ("number", " 5 ", 5),
    ("number", "-1", -1),
    ("number", "+1", 1),
    ("number", "2.5", 2.5),
    ("number", ".5", 0.5),
    ("number", "2.0", 2),
    ("number", "1e3", 1000),
    ("number", "1E-3", 0.001),
    ("number", "", None),
    ("number", "five", "five"),
    ("number", "0x10", "0x10"),
    ("number", "1_000", "1_000"),
    ("number", "1e999", "1e999"),
    ("number", "NaN", "NaN"),
    ("number", "Infinity", "Infinity"),
    ("number", "9" * 40, float("9" * 40)),
    ("flag", "on", True),
    ("flag", "", False),
    ("choice", "low", "low"),
    ("choice", "", None),
    ("words", " a b ,c,, ", ["a b", "c"]),
    ("words", ",", None),
    ("lines", "-v\n\n x \n", ["-v", " x "]),
    ("env", "A=1\nB = x=y\nC", {"A": "1", "B": " x=y", "C": ""}),
    ("env", "\n", None),
    ("ticks", "failure, late", ["failure", "late"]),
    ("ticks", "", []),
    ("paths", "data\n\n my files\n", ["data", " my files"]),
    ("paths", " \n", None),
    ("paths", " [] \n", []),
    ("paths", "[]\nout", ["[]", "out"]),
    ("targets", " ops \nmailto:a@b.c", ["ops", "mailto:a@b.c"]),
    ("targets", ' {"webhook": "https://x.y/z"}\nops', [{"webhook": "https://x.y/z"}, "ops"]),
    ("targets", '{"webhook": ', ['{"webhook":']),
    ("targets", '{"ping": NaN}', ['{"ping": NaN}']),
    ("targets", '["ops"]', ['["ops"]']),
    ("targets", "[]", []),
    ("targets", "", None),
]
"""Texts of the form, by the kind of their field, and what they mean: here and in static/definition.js."""


@pytest.mark.parametrize(("kind", "text", "value"), READINGS)
def test_texts_and_values(kind: table.Kind, text: str, value: Any) -> None:
    read = table.read_value(table.Field("x", "X", kind), text)
    assert (type(read), read) == (type(value), value)


def test_every_field_of_the_form_is_one_of_a_definition() -> None:
    for name in table.FIELDS:
        assert table.spec_of(name)
    assert set(POLICIES) <= set(table.FIELDS)


@pytest.mark.parametrize("whole", table.WHOLE)
def test_what_is_shown_in_parts_is_shown_in_full(whole: str) -> None:
    parts = {name.partition(".")[2] for name in table.FIELDS if name.startswith(f"{whole}.")}
    assert parts == set(table.WHOLE[whole].model_fields)
    assert table.WHOLE[whole] in get_args(Job.model_fields[whole].annotation)


def test_no_two_fields_are_called_the_same() -> None:
    labels = [field.label for field in table.FIELDS.values()]
    assert len(labels) == len(set(labels))


DEFAULTS = table.Defaults(
    {"max_retries": 2},
    "UTC",
    {"notify.on": ("failure", "missed"), "notify.to": ["ops", "hook at x.y"], "sandbox.memory_mb": 2048},
)


@pytest.mark.parametrize(
    ("name", "text", "unusual", "said"),
    [
        ("max_retries", "", False, "retries 2"),
        ("max_retries", "2", False, "retries 2"),
        ("max_retries", "3", True, "retries 3"),
        ("coalesce", "on", False, "coalesce yes"),
        ("coalesce", "", True, "coalesce no"),
        ("catch_up", "", False, "catch up no"),
        ("env", "A=1\nB=2", True, "environment 2"),
        ("sandbox.network", "", False, "network as the server allows"),
        ("sandbox.network", "none", True, "network none"),
        ("sandbox.memory_mb", "", False, "memory 2048 MB"),
        ("sandbox.cpu_seconds", "", False, "CPU time –"),
        ("sandbox.cpu_seconds", "5", True, "CPU time 5 s"),
        ("sandbox.write", "a\nb", True, "paths to change a, b"),
        ("sandbox.write", "[]", True, "paths to change []"),
        ("expect.every", "", False, "expected every –"),
        ("expect.min_runs", "", False, "successes in that span 1"),
        ("notify.to", "", False, "who is told ops, hook at x.y"),
        ("notify.to", "[]", True, "who is told []"),
        ("notify.on", "failure, missed", False, "what is told failure, missed"),
        ("notify.on", "", True, "what is told nothing"),
        ("notify.body", "", False, "message the usual"),
        ("notify.body", "a\nb", True, "message its own"),
    ],
)
def test_what_is_folded_away_is_said_in_short(name: str, text: str, unusual: bool, said: str) -> None:
    assert table.is_unusual(name, text, DEFAULTS) == unusual
    assert table.in_short(table.FIELDS[name], text, DEFAULTS) == said
