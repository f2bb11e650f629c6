"""The specification of what becomes of fire times, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.models import Priority
from scheduler.phrases import parse_phrase
from scheduler.policy import Decision, FireTime, decide, due_at, judge, queue_rank

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=1)


def on_time(moment: datetime) -> FireTime:
    """Return a fire time that no jitter moves."""
    return FireTime(moment, moment)


@pytest.mark.parametrize(
    ("late", "active", "most", "expected"),
    [
        (0, 0, 1, Decision.RUN),
        (60, 0, 1, Decision.RUN),  # at its grace is not past it
        (60.001, 0, 1, Decision.MISSED),
        (0, 1, 1, Decision.SKIP),
        (0, 1, 2, Decision.RUN),
        (0, 2, 2, Decision.SKIP),
        (61, 1, 1, Decision.MISSED),  # too late to be worth a place
    ],
)
def test_decide(late: float, active: int, most: int, expected: Decision) -> None:
    assert decide(late, active, most) is expected


@pytest.mark.parametrize(
    ("seconds_ago", "active", "expected"),
    [
        ([0], 0, ["run"]),
        ([2, 1, 0], 0, ["coalesce", "coalesce", "run"]),
        ([120, 90, 30, 0], 0, ["missed", "missed", "coalesce", "run"]),
        ([120, 90], 0, ["missed", "missed"]),
        ([2, 1, 0], 1, ["skip", "skip", "skip"]),
        ([90, 0], 1, ["missed", "skip"]),
        ([], 0, []),
    ],
)
def test_judge(seconds_ago: list[float], active: int, expected: list[str]) -> None:
    times = [on_time(NOON - timedelta(seconds=ago)) for ago in seconds_ago]
    verdicts = judge(times, NOON, active, 1, LONG_AGO)
    assert [verdict.fire_time for verdict in verdicts] == times
    assert [verdict.decision.value for verdict in verdicts] == expected


def test_a_time_before_the_start_is_missed_however_fresh() -> None:
    fire_time = on_time(NOON - timedelta(seconds=5))
    [verdict] = judge([fire_time], NOON, 0, 1, running_since=NOON - timedelta(seconds=1))
    assert verdict.decision is Decision.MISSED


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((Priority.URGENT, 0), (Priority.HIGH, 0)),
        ((Priority.HIGH, 0), (Priority.MEDIUM, 0)),
        ((Priority.MEDIUM, 0), (Priority.LOW, 0)),
        ((Priority.LOW, 0), (Priority.LOW, 1)),  # equal priority: by age
        ((Priority.URGENT, 600), (Priority.LOW, 0)),  # a later urgent one still goes first
        ((Priority.LOW, 0), (Priority.URGENT, 3600)),  # but nothing starves
    ],
)
def test_queue_rank(first: tuple[Priority, int], second: tuple[Priority, int]) -> None:
    ranks = [queue_rank(priority, NOON + timedelta(seconds=at)) for priority, at in (first, second)]
    assert ranks[0] < ranks[1]


def test_lateness_counts_from_the_moved_moment() -> None:
    fire_time = FireTime(NOON - timedelta(seconds=90), NOON - timedelta(seconds=30))
    [verdict] = judge([fire_time], NOON, 0, 1, LONG_AGO)
    assert verdict.decision is Decision.RUN


@pytest.mark.parametrize("jitter", [0, 0.5, 5, 10, 3600])
@pytest.mark.parametrize("task_id", ["a", "b", "nightly backup", "\N{SNOWMAN}"])
def test_jitter_is_the_tasks_own_and_never_reaches_the_next_fire_time(jitter: float, task_id: str) -> None:
    trigger = parse_phrase("every 10 seconds", zone=ZoneInfo("UTC"), now=NOON)
    times = [NOON + timedelta(seconds=10 * number) for number in range(1, 4)]
    moved = {due_at(task_id, time, jitter, trigger) - time for time in times}
    [delay] = moved
    assert timedelta(0) <= delay <= timedelta(seconds=jitter)
    assert delay < timedelta(seconds=10)
    assert delay % timedelta(milliseconds=1) == timedelta(0)


def test_jitter_spreads_tasks() -> None:
    trigger = parse_phrase("daily at 02:00", zone=ZoneInfo("UTC"), now=NOON)
    moved = sorted(due_at(f"task-{number}", NOON, 100, trigger) - NOON for number in range(1000))
    assert moved[100] < timedelta(seconds=15)
    assert moved[900] > timedelta(seconds=85)
