"""The specification of what becomes of fire times and runs, as tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.models import Job, Overlap, Priority
from scheduler.phrases import parse_phrase
from scheduler.policy import (
    LONGEST_RETRY_SECONDS,
    MOST_CAUGHT_UP,
    Backlog,
    Decision,
    FireTime,
    Verdict,
    decide,
    due_at,
    judge,
    look_ahead,
    queue_rank,
    retry_delay,
    within_room,
    within_runs,
)
from scheduler.run import RunStatus

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LONG_AGO = NOON - timedelta(days=1)


def job(**terms: Any) -> Job:
    """Return a job with these terms."""
    return Job(task_id="job", type="command", command="true", interval="every 1 second", **terms)


def on_time(moment: datetime) -> FireTime:
    """Return a fire time that no jitter moves."""
    return FireTime(moment, moment)


def found_now(active: int = 0) -> Backlog:
    """Return how what is due at noon was found: at once."""
    return Backlog(NOON, active)


QUEUE = {"overlap": Overlap.QUEUE}


@pytest.mark.parametrize(
    ("terms", "late", "active", "expected"),
    [
        ({}, 0, 0, Decision.RUN),
        ({}, 60, 0, Decision.RUN),  # at its grace is not past it
        ({}, 60.001, 0, Decision.MISSED),
        ({}, 0, 1, Decision.SKIP),
        ({}, 61, 1, Decision.MISSED),  # too late to be worth a place
        ({"max_instances": 2}, 0, 1, Decision.RUN),
        ({"max_instances": 2}, 0, 2, Decision.SKIP),
        (QUEUE, 0, 1, Decision.QUEUE),
        (QUEUE, 61, 1, Decision.MISSED),
        ({"misfire_grace_time": 0}, 0, 0, Decision.RUN),
        ({"misfire_grace_time": 0}, 1, 0, Decision.RUN),  # as late as the scheduler itself may be
        ({"misfire_grace_time": 0}, 1.001, 0, Decision.MISSED),
        ({"misfire_grace_time": 0.5}, 0.6, 0, Decision.RUN),
        ({"misfire_grace_time": 1.5}, 1.6, 0, Decision.MISSED),
        ({"misfire_grace_time": -1}, 10**9, 0, Decision.RUN),  # no limit
        ({"catch_up": True}, 61, 0, Decision.CATCH_UP),
        ({"catch_up": True}, 61, 1, Decision.CATCH_UP),  # late as it is, it waits for its turn
        ({"catch_up": True}, 1, 1, Decision.SKIP),
    ],
)
def test_one_fire_time(terms: dict[str, Any], late: float, active: int, expected: Decision) -> None:
    assert decide(job(**terms), late, active) is expected


EACH = {"coalesce": False}


@pytest.mark.parametrize(
    ("terms", "seconds_ago", "active", "expected"),
    [
        ({}, [], 0, []),
        ({}, [0], 0, ["run"]),
        ({}, [2, 1, 0], 0, ["coalesce", "coalesce", "run"]),
        ({}, [120, 90, 30, 0], 0, ["missed", "missed", "coalesce", "run"]),
        ({}, [120, 90], 0, ["missed", "missed"]),
        ({}, [2, 1, 0], 1, ["skip", "skip", "skip"]),
        ({}, [90, 0], 1, ["missed", "skip"]),
        (QUEUE, [2, 1, 0], 1, ["coalesce", "coalesce", "queue"]),
        (EACH, [2, 1, 0], 0, ["run", "queue", "queue"]),  # one after the other
        (EACH, [2, 1, 0], 1, ["skip", "skip", "skip"]),
        (EACH, [90, 1, 0], 0, ["missed", "run", "queue"]),
        ({"catch_up": True}, [120, 90, 0], 0, ["coalesce", "coalesce", "run"]),
        ({"catch_up": True}, [120, 90], 0, ["coalesce", "catch_up"]),
        ({"catch_up": True, **EACH}, [120, 90, 0], 0, ["catch_up", "catch_up", "queue"]),
        ({"misfire_grace_time": -1}, [9000, 0], 0, ["coalesce", "run"]),
    ],
)
def test_several_fire_times(terms: dict[str, Any], seconds_ago: list[float], active: int, expected: list[str]) -> None:
    times = [on_time(NOON - timedelta(seconds=ago)) for ago in seconds_ago]
    verdicts = judge(job(**terms), times, found_now(active), LONG_AGO)
    assert [verdict.fire_time for verdict in verdicts] == times
    assert [verdict.decision.value for verdict in verdicts] == expected


def test_at_most_a_hundred_are_caught_up_and_those_are_the_newest() -> None:
    times = [on_time(NOON - timedelta(seconds=1000 - number)) for number in range(300)]
    verdicts = judge(job(catch_up=True, coalesce=False), times, found_now(), LONG_AGO)
    found = [verdict.decision for verdict in verdicts]
    assert found == [Decision.MISSED] * 200 + [Decision.CATCH_UP] * MOST_CAUGHT_UP


def test_a_hundred_are_caught_up_though_fewer_are_in_the_last_portion() -> None:
    times = [on_time(NOON - timedelta(seconds=1000 - number)) for number in range(330)]
    terms = job(catch_up=True, coalesce=False)
    found = [verdict.decision for verdict in judge(terms, times[:300], found_now(), LONG_AGO, ahead=times[300:])]
    assert found == [Decision.MISSED] * 230 + [Decision.CATCH_UP] * 70


@st.composite
def backlogs(draw: st.DrawFn) -> tuple[Job, list[FireTime], int]:
    """Draw a job's terms, its fire times that are due, and how many runs of it wait or go on."""
    terms = {
        "coalesce": draw(st.booleans()),
        "catch_up": draw(st.booleans()),
        "overlap": draw(st.sampled_from(Overlap)),
        "max_instances": draw(st.integers(1, 2)),
        "misfire_grace_time": draw(st.sampled_from([-1, 5, 60])),
    }
    newest, count = draw(st.integers(0, 120)), draw(st.integers(0, 300))
    ages = range(newest + count, newest, -1)
    return job(**terms), [on_time(NOON - timedelta(seconds=age)) for age in ages], draw(st.integers(0, 2))


@settings(deadline=None)  # how long it takes is the machine's affair
@given(backlogs(), st.integers(1, 120), st.integers(1, 8), st.sampled_from([None, 1, 3, 150]))
def test_portions_of_any_size_are_judged_as_one(
    drawn: tuple[Job, list[FireTime], int], size: int, room: int, left: int | None
) -> None:
    terms, times, active = drawn
    whole = within_runs(
        within_room(terms, judge(terms, times, found_now(active), LONG_AGO), 0, room, found_now()), left
    )
    backlog, verdicts = found_now(active), list[Verdict]()
    for start in range(0, len(times), size):
        taken = sum(verdict.decision.runs for verdict in verdicts)
        if left is not None and taken >= left:
            break
        portion, ahead = times[start : start + size], times[start + size :][: look_ahead(terms)]
        judged = within_room(terms, judge(terms, portion, backlog, LONG_AGO, ahead), 0, room - taken, backlog)
        judged = within_runs(judged, None if left is None else left - taken)
        backlog, verdicts = backlog.after(terms, judged), verdicts + judged
    assert verdicts == whole


@pytest.mark.parametrize(
    ("terms", "workers", "room", "expected"),
    [
        (EACH, 1, 1, ["run", "queue", "full"]),
        (EACH, 1, 0, ["run", "full", "full"]),
        (EACH, 1, -2, ["run", "full", "full"]),  # more wait than may: a free worker is free all the same
        (EACH, 0, 2, ["run", "queue", "full"]),
        ({}, 0, 1, ["coalesce", "coalesce", "run"]),
        ({}, 1, -2, ["coalesce", "coalesce", "run"]),
        ({}, 0, 0, ["full", "full", "full"]),
    ],
)
def test_runs_need_a_worker_or_a_place(terms: dict[str, Any], workers: int, room: int, expected: list[str]) -> None:
    times = [on_time(NOON - timedelta(seconds=ago)) for ago in (2, 1, 0)]
    verdicts = within_room(job(**terms), judge(job(**terms), times, found_now(), LONG_AGO), workers, room, found_now())
    assert [verdict.decision.value for verdict in verdicts] == expected


@settings(deadline=None)
@given(backlogs(), st.integers(0, 3))
def test_what_is_part_of_a_run_has_that_run_behind_it(drawn: tuple[Job, list[FireTime], int], room: int) -> None:
    terms, times, active = drawn
    verdicts = within_room(terms, judge(terms, times, found_now(active), LONG_AGO), 0, room, found_now())
    found = [verdict.decision for verdict in verdicts]
    merged = [number for number, decision in enumerate(found) if decision is Decision.COALESCE]
    assert not merged or any(decision.runs for decision in found[merged[-1] :])


@pytest.mark.parametrize("terms", [{}, {"catch_up": True}, {"misfire_grace_time": -1}])
def test_a_time_before_the_start_is_missed_however_fresh(terms: dict[str, Any]) -> None:
    fire_time = on_time(NOON - timedelta(seconds=5))
    [verdict] = judge(job(**terms), [fire_time], found_now(), running_since=NOON - timedelta(seconds=1))
    assert verdict.decision is Decision.MISSED


def test_lateness_counts_from_the_moved_moment() -> None:
    fire_time = FireTime(NOON - timedelta(seconds=90), NOON - timedelta(seconds=30))
    [verdict] = judge(job(), [fire_time], found_now(), LONG_AGO)
    assert verdict.decision is Decision.RUN


RETRY = {"max_retries": 3, "retry_delay_seconds": 10.0, "retry_backoff": 2.0}


@pytest.mark.parametrize(
    ("terms", "status", "attempt", "expected"),
    [
        ({}, "failed", 1, None),
        (RETRY, "failed", 1, 10),
        (RETRY, "failed", 2, 20),
        (RETRY, "timeout", 3, 40),
        (RETRY, "failed", 4, None),  # the third retry was the last
        (RETRY, "completed", 1, None),
        (RETRY, "cancelled", 1, None),
        (RETRY, "interrupted", 1, 10),
        ({"at_least_once": True}, "interrupted", 1, 10),
        ({"at_least_once": True}, "interrupted", 7, 640),
        ({"at_least_once": True}, "failed", 1, None),
        ({}, "interrupted", 1, None),  # at most once
        ({**RETRY, "retry_backoff": 1.0}, "failed", 3, 10),
        ({**RETRY, "retry_delay_seconds": 0.0}, "failed", 3, 0),
        ({**RETRY, "max_retries": 100, "retry_backoff": 100.0}, "failed", 90, LONGEST_RETRY_SECONDS),
    ],
)
def test_retries(terms: dict[str, Any], status: str, attempt: int, expected: float | None) -> None:
    delay = retry_delay(job(**terms), RunStatus(status), attempt, "a run's id")
    if expected is None:
        assert delay is None
    else:
        assert delay is not None
        assert expected <= delay <= expected * 1.1


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


@pytest.mark.parametrize(
    ("decisions", "left", "kept"),
    [
        ([], 1, 0),
        (["run"], None, 1),
        (["run", "queue", "queue"], None, 3),
        (["run", "queue", "queue"], 2, 2),
        (["missed", "catch_up", "catch_up", "run"], 1, 2),
        (["coalesce", "coalesce", "run"], 1, 3),  # those are part of the last run
        (["run", "skip", "missed"], 1, 1),  # the job was over when these would have come
        (["skip", "run", "skip"], 2, 3),
    ],
)
def test_a_job_is_over_with_the_last_of_its_runs(decisions: list[str], left: int | None, kept: int) -> None:
    verdicts = [
        Verdict(on_time(NOON + timedelta(seconds=number)), Decision(name)) for number, name in enumerate(decisions)
    ]
    assert within_runs(verdicts, left) == verdicts[:kept]
