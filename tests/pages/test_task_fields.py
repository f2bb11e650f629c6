"""The fields of the form of a task: what texts in them mean."""

from __future__ import annotations

from typing import Any

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
]
"""Texts of the form, by the kind of their field, and what they mean: here and in static/definition.js."""


@pytest.mark.parametrize(("kind", "text", "value"), READINGS)
def test_texts_and_values(kind: table.Kind, text: str, value: Any) -> None:
    read = table.read_value(table.Field("x", "X", kind), text)
    assert (type(read), read) == (type(value), value)


def test_every_field_of_the_form_is_one_of_a_definition() -> None:
    assert set(table.FIELDS) <= set(Job.model_fields)
    assert set(POLICIES) <= set(table.FIELDS)
