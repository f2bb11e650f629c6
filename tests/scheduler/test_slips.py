"""Slips of the pen, and words that only look like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.slips import distance, fuller_name, is_typing_slip, slip_of, words_of

FIELDS = (
    "enabled",
    "until",
    "at_least_once",
    "jitter_seconds",
    "max_instances",
    "max_retries",
    "max_runs",
    "start_at",
    "task_id",
    "tags",
)
words = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("enable", "enabled"),
        ("tag", "tags"),
        ("taskId", "task_id"),
        ("TaskID", "task_id"),
        ("task-ids", "task_id"),
        ("taskid", "task_id"),
        ("max_instnaces", "max_instances"),
        ("strat_at", "start_at"),
        ("max_retrys", "max_retries"),
        ("max_retry", "max_retries"),
        ("unit", None),
        ("disabled", None),
        ("min_runs", None),
        ("end_at", None),
        ("once", None),
        ("seconds", None),
        ("min_instances", None),
        ("", None),
        ("7", None),
    ],
)
def test_slip_of(name: str, meant: str | None) -> None:
    assert slip_of(name, FIELDS) == meant


@pytest.mark.parametrize(
    ("name", "known", "meant"),
    [
        ("jitter", FIELDS, "jitter_seconds"),
        ("instances", FIELDS, "max_instances"),
        ("start", FIELDS, "start_at"),
        ("id", FIELDS, "task_id"),
        ("id", [*FIELDS, "run_id"], None),
        ("seconds", FIELDS, None),
        ("once", FIELDS, None),
        ("max", FIELDS, None),
        ("net", ["network"], "network"),
        ("mem", ["memory_mb"], "memory_mb"),
        ("day", ["day_of_week", "hour"], "day_of_week"),
        ("time", ["timezone", "misfire_grace_time"], None),
        ("", ["x"], None),
    ],
)
def test_fuller_name(name: str, known: list[str], meant: str | None) -> None:
    assert fuller_name(name, known) == meant


def test_what_may_be_two_names_is_neither() -> None:
    assert slip_of("hosr", ["host", "hose"]) is None


@pytest.mark.parametrize(
    ("word", "meant", "expected"),
    [
        ("craete", "create", True),
        ("creat", "create", True),
        ("stopp", "stop", True),
        ("strat", "start", True),
        ("remote", "remove", False),
        ("removed", "remove", False),
        ("updates", "update", False),
        ("star", "start", False),
        ("top", "stop", False),
        ("move", "remove", False),
        ("stop", "stop", False),
    ],
)
def test_typing_slips(word: str, meant: str, expected: bool) -> None:
    assert is_typing_slip(word, meant) is expected


@pytest.mark.parametrize("name", ["task_id", "task-id", "task id", "taskId", "TaskID", "TASK_ID", "task.id"])
def test_words_of(name: str) -> None:
    assert words_of(name) == ("task", "id")


@given(one=words, other=words)
def test_distance_is_the_same_both_ways_and_none_only_of_the_same(one: str, other: str) -> None:
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert distance(one, other) <= max(len(one), len(other))
