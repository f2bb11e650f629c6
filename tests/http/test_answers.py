"""Answers are JSON texts, whatever their values are made of."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from scheduler.http.answers import Joined, dump, text

VALUES: list[list[Any]] = [[], [1], [{"id": "a"}, {"id": "ü\"'\n"}, None]]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("before", [{}, {"status": "success"}, {"a": 1, "b": {"c": []}}])
@pytest.mark.parametrize("after", [{}, {"count": 3}, {"next_cursor": None, "hint": "x"}])
def test_joined_texts_are_an_array_wherever_they_stand(
    values: list[Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    texts = [text(value) for value in values]
    pieces = Joined((one[:1], memoryview(one)[1:]) for one in texts)
    plain = {**before, "tasks": values, **after}
    assert dump({**before, "tasks": pieces, **after}) == dump(plain) == orjson.dumps(plain) + b"\n"


@pytest.mark.parametrize("value", [{1: 2}, 2**70, "\ud800", {"a": [2**70]}])
def test_values_that_the_fast_way_does_not_take(value: Any) -> None:
    told = dump({"got": value})
    assert told.endswith(b"\n")
    assert dump({"got": value, "tasks": Joined([[text(value)]])}).startswith(told[:-2])
