"""Errors: what they say of wrong values; and they can be sent to another process, and copied."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from scheduler.errors import (
    Conflict,
    InvalidRequest,
    LimitReached,
    NotAllowed,
    NotFound,
    Problem,
    SchedulerError,
    Unavailable,
    Unusable,
)
from scheduler.models import read_job

ERRORS = [
    SchedulerError("it failed", code="broken", where="here"),
    InvalidRequest([]),
    InvalidRequest([Problem("a", "'a' is empty", "", code="missing_field")], example={"action": "create"}),
    InvalidRequest(
        [Problem("a", "'a' is empty", accepted=["b"]), Problem("c", "no", suggestion=[1], instead={"d": 2})]
    ),
    NotFound("No task 'a' exists.", "task_not_found", "list", suggestion=None),
    Conflict("it exists"),
    NotAllowed("you may not"),
    LimitReached("too many", "too_many_tasks", retry_after=60),
    Unavailable("closed", code="shutting_down"),
    Unusable("damaged"),
]


def pickled(error: SchedulerError) -> SchedulerError:
    """Return what another process is given of an error."""
    received = pickle.loads(pickle.dumps(error))
    assert isinstance(received, SchedulerError)
    return received


@pytest.mark.parametrize("copied", [pickled, copy.copy, copy.deepcopy])
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: f"{type(error).__name__}-{error.code}")
def test_an_error_is_the_same_elsewhere(
    copied: Callable[[SchedulerError], SchedulerError], error: SchedulerError
) -> None:
    received = copied(error)
    assert type(received) is type(error)
    assert (str(received), received.args, vars(received)) == (str(error), error.args, vars(error))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("tags", ("a", "b"), "'tags' must be a list, not a Python tuple"),
        ("tags", {"a"}, "'tags' must be a list, not a Python set"),
        ("tags", {"a": 1}, "'tags' must be a list, not an object"),
        ("name", ["a"], "'name' must be a string, not a list"),
        ("name", b"a", "'name' must be a string, not a Python bytes"),
        ("until", datetime(2027, 1, 1, tzinfo=UTC), "'until' must be a string, not a Python datetime"),
        ("max_runs", "2", "'max_runs' must be a whole number, not the string '2'"),
    ],
)
def test_what_came_is_named_as_what_it_is(name: str, value: Any, said: str) -> None:
    fields = {"task_id": "a", "type": "command", "command": "true", name: value}
    with pytest.raises(InvalidRequest) as caught:
        read_job(fields)
    assert [problem.message for problem in caught.value.problems] == [said]
