"""What is kept of a value that a function returned is that value, or nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.results import as_json, storable


@dataclass
class Point:
    x: float
    _private: float = math.nan


class Limit(Enum):
    NONE = math.inf
    SOME = 5


class Big(IntEnum):
    MOST = 2**63 - 1
    MORE = 2**63


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**63 - 1, 2**63 - 1),
        ([-(2**63)], [-(2**63)]),
        ({"share": 1.5}, {"share": 1.5}),
        (Point(0.5), {"x": 0.5}),
        ([Limit.SOME, Big.MOST, None, True], [5, 2**63 - 1, None, True]),
    ],
)
def test_a_value_is_kept(value: Any, kept: Any) -> None:
    assert as_json(value) == (kept, None)
    assert storable(kept) == kept


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (2**63, 2**63),
        ({"count": [2**64 - 1]}, 2**64 - 1),
        (math.nan, "nan"),
        ((1.5, -math.inf), "-inf"),
        ([Point(math.nan)], "nan"),
        ({"limit": Limit.NONE}, "inf"),
        (Big.MORE, 2**63),
    ],
)
def test_a_number_that_would_become_another_value_is_not_kept(value: Any, number: Any) -> None:
    hint = f"what it returned holds the number {number}, which JSON does not keep, and was not kept"
    assert as_json(value) == (None, hint)


@pytest.mark.parametrize("value", [2**64, -(2**63) - 1, [{"n": 10**400}]])
def test_longer_numbers_are_not_kept_either(value: Any) -> None:
    kept, hint = as_json(value)
    assert kept is None
    assert hint is not None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10))
def test_what_is_kept_is_what_was_returned(value: Any) -> None:
    kept, hint = as_json(value)
    if hint is None:
        assert storable(kept) == kept == value
        assert orjson.loads(orjson.dumps(kept)) == value
