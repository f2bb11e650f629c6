"""What deserves a message: tables that read like the specification."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from scheduler.alerts import Expect, Notify
from scheduler.models import Priority
from scheduler.notify.rules import (
    Kind,
    Standing,
    is_given_up,
    judge_absence,
    judge_duration,
    judge_end,
    judge_missed,
    judge_ping,
    judge_start,
    notice_step_back,
    planned_at,
    read_standing,
    retry_seconds,
)
from scheduler.run import Origin, Run, RunStatus
from tests.owned_time import NOON

FINE = Standing()
TOLD = Standing(failing_since=NOON - timedelta(hours=1), failures=3, told=True)
UNTOLD = replace(TOLD, told=False)
DAY = timedelta(days=1)


def notify(*on: str, **fields: object) -> Notify:
    return Notify.model_validate({"on": list(on), "to": ["ops"], **fields})


def run(status: RunStatus = RunStatus.COMPLETED, late: float = 0, took: float = 1, **fields: object) -> Run:
    started = NOON + timedelta(seconds=late)
    made = Run(
        run_id="r",
        job_key=1,
        task_id="job",
        scheduled_for=NOON,
        due_at=NOON,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=status,
        priority=Priority.MEDIUM,
        created_at=NOON,
        started_at=started,
        finished_at=started + timedelta(seconds=took) if status.is_final else None,
    )
    return replace(made, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("on", "status", "before", "kind", "failures"),
    [
        # a failure is told once, however it failed
        ("failure recovery", "failed", FINE, Kind.FAILURE, 1),
        ("failure recovery", "timeout", FINE, Kind.FAILURE, 1),
        ("failure recovery", "interrupted", FINE, Kind.FAILURE, 1),
        ("failure recovery", "failed", TOLD, None, 4),
        ("failure recovery", "timeout", TOLD, None, 4),
        ("failure timeout", "timeout", TOLD, None, 4),
        # one that nobody was told of yet is told
        ("failure", "failed", UNTOLD, Kind.FAILURE, 4),
        # a timeout has a name of its own for those who ask for it
        ("timeout", "timeout", FINE, Kind.TIMEOUT, 1),
        ("failure timeout", "timeout", FINE, Kind.TIMEOUT, 1),
        ("timeout", "failed", FINE, None, 1),
        # then its end, once
        ("failure recovery", "completed", TOLD, Kind.RECOVERY, 0),
        ("failure recovery", "completed", FINE, None, 0),
        ("failure", "completed", TOLD, None, 0),
        ("recovery", "completed", UNTOLD, None, 0),
        # a success is told each time, and with a recovery not twice
        ("success", "completed", FINE, Kind.SUCCESS, 0),
        ("success", "completed", TOLD, Kind.SUCCESS, 0),
        ("success recovery", "completed", TOLD, Kind.RECOVERY, 0),
        # what says nothing of the task changes nothing
        ("failure recovery success", "cancelled", FINE, None, 0),
        ("failure recovery success", "cancelled", TOLD, None, 3),
        ("failure recovery success", "skipped", TOLD, None, 3),
        # nobody asked, but it is known that the task fails
        ("success", "failed", FINE, None, 1),
        ("", "failed", FINE, None, 1),
    ],
)
def test_the_end_of_a_run(on: str, status: str, before: Standing, kind: Kind | None, failures: int) -> None:
    after, told = judge_end(notify(*on.split()), run(RunStatus(status)), before, NOON)
    assert (told, after.failures) == (kind, failures)
    assert (after.failing_since is None) == (failures == 0)
    if before.failing_since and failures:
        assert after.failing_since == before.failing_since


@pytest.mark.parametrize(
    ("fields", "late", "origin", "kind"),
    [
        ({}, 60, Origin.SCHEDULE, None),
        ({}, 61, Origin.SCHEDULE, Kind.LATE),
        ({"late_after_seconds": 5}, 6, Origin.CATCH_UP, Kind.LATE),
        ({"late_after_seconds": 0}, 0, Origin.SCHEDULE, None),
        ({}, 3600, Origin.MANUAL, None),
        ({}, 3600, Origin.RETRY, None),
    ],
)
def test_a_late_start(fields: dict[str, float], late: float, origin: Origin, kind: Kind | None) -> None:
    started = run(RunStatus.RUNNING, late=late, trigger=origin)
    assert judge_start(notify("late", **fields), started) is kind
    assert judge_start(notify("failure", **fields), started) is None


def test_a_missed_fire_time() -> None:
    assert judge_missed(notify("missed")) is Kind.MISSED
    assert judge_missed(notify("failure")) is None


@pytest.mark.parametrize(
    ("status", "more", "kind"),
    [
        ("running", False, Kind.PING_START),
        ("completed", False, Kind.PING_SUCCESS),
        ("failed", False, Kind.PING_FAIL),
        ("timeout", False, Kind.PING_FAIL),
        ("interrupted", False, Kind.PING_FAIL),
        ("failed", True, None),  # the next attempt decides
        ("cancelled", False, None),
        ("missed", False, None),  # that no ping comes is the alarm
        ("skipped", False, None),
    ],
)
def test_pings(status: str, more: bool, kind: Kind | None) -> None:
    assert judge_ping(run(RunStatus(status)), more) is kind


@pytest.mark.parametrize(
    ("status", "took", "before", "kind"),
    [
        ("completed", 599, FINE, None),
        ("completed", 600, FINE, Kind.OVERLONG),
        ("failed", 700, FINE, Kind.OVERLONG),
        ("completed", 700, Standing(overlong=("r",)), None),
        ("completed", 700, Standing(overlong=("other",)), Kind.OVERLONG),
    ],
)
def test_a_run_that_takes_too_long_is_told_once(status: str, took: float, before: Standing, kind: Kind | None) -> None:
    expect = Expect(every="1 day", max_duration_seconds=600)
    after, told = judge_duration(expect, run(RunStatus(status), took=took), before, NOON)
    assert told is kind
    assert judge_duration(expect, run(RunStatus(status), took=took), after, NOON)[1] is None


def test_a_run_under_way_is_judged_by_the_present() -> None:
    expect = Expect(every="1 day", max_duration_seconds=600)
    going = run(RunStatus.RUNNING)
    assert judge_duration(expect, going, FINE, NOON + timedelta(seconds=599))[1] is None
    assert judge_duration(expect, going, FINE, NOON + timedelta(seconds=600))[1] is Kind.OVERLONG
    assert judge_duration(None, going, FINE, NOON + DAY)[1] is None


@pytest.mark.parametrize(
    ("enough_ago", "watched_ago", "absent_ago", "kind", "look_in"),
    [
        # hours; None: never
        (1, 100, None, None, 23),  # it succeeded an hour ago: nothing to fear for 23
        (24, 100, None, Kind.ABSENCE, 24),
        (30, 100, None, Kind.ABSENCE, 24),
        (None, 100, None, Kind.ABSENCE, 24),
        (None, 1, None, None, 23),  # watched for an hour only
        (30, 1, None, None, 23),
        # told once in every span
        (None, 100, 1, None, 23),
        (None, 100, 24, Kind.ABSENCE, 24),
        # then its end
        (1, 100, 5, Kind.RECOVERY, 23),
        (None, 1, 5, None, 23),  # the task was changed: that is no success
    ],
)
def test_absence(
    enough_ago: float | None, watched_ago: float, absent_ago: float | None, kind: Kind | None, look_in: float
) -> None:
    def ago(hours: float | None) -> datetime | None:
        return None if hours is None else NOON - timedelta(hours=hours)

    watched = ago(watched_ago)
    assert watched is not None
    before = Standing(absent_at=ago(absent_ago))
    found = judge_absence(Expect(every="1 day"), ago(enough_ago), watched, before, NOON)
    assert (found.kind, found.look_at) == (kind, NOON + timedelta(hours=look_in))
    again = judge_absence(Expect(every="1 day"), ago(enough_ago), watched, found.standing, NOON)
    assert again.kind is None


@pytest.mark.parametrize(
    ("minutes", "last_ago", "in_minutes"),
    [
        (5, None, 0),
        (5, 1, 4),
        (5, 5, 0),
        (5, 60, 0),
        (0, 0, 0),
        (None, 1, 4),
        # the last went out before the clock was set back
        (5, -60, 5),
        (0, -60, 0),
    ],
)
def test_one_message_in_so_many_minutes(minutes: float | None, last_ago: float | None, in_minutes: float) -> None:
    last = None if last_ago is None else NOON - timedelta(minutes=last_ago)
    fields = {} if minutes is None else {"every_minutes": minutes}
    assert planned_at(notify("failure", **fields), last, NOON) == NOON + timedelta(minutes=in_minutes)


def test_attempts_are_ever_rarer_and_end() -> None:
    assert [retry_seconds(attempts) for attempts in (1, 2, 3, 9, 10, 1000)] == [10, 20, 40, 2560, 3600, 3600]
    assert not is_given_up("failure", NOON, NOON + timedelta(hours=24), failures=30)
    assert is_given_up("failure", NOON, NOON + timedelta(hours=24, seconds=1), failures=30)
    assert is_given_up("ping.success", NOON, NOON + timedelta(minutes=11), failures=5)


def test_age_alone_gives_nothing_up() -> None:
    assert not is_given_up("failure", NOON, NOON + 2 * DAY, failures=9)
    assert not is_given_up("ping.success", NOON, NOON + DAY, failures=4)


@pytest.mark.parametrize(
    ("moments", "set_back_at", "noticed"),
    [
        # hours from now; None: never
        ([-5, 0], None, None),
        ([-5, 1], None, 0),  # it lies ahead: the clock was set back
        ([-5, 1], -2, -2),  # as was known
        ([-5, 1], 2, 0),  # set back once more
        ([-5, 0], -2, None),  # what lay ahead is past
    ],
)
def test_a_step_back_is_noticed(moments: list[float], set_back_at: float | None, noticed: float | None) -> None:
    def at(hours: float | None) -> datetime | None:
        return None if hours is None else NOON + timedelta(hours=hours)

    before = Standing(absent_at=NOON + DAY, set_back_at=at(set_back_at))
    after = notice_step_back(before, [NOON + timedelta(hours=hours) for hours in moments], NOON)
    assert after == Standing(absent_at=NOON, set_back_at=at(noticed))


def test_a_standing_is_read_back() -> None:
    standing = Standing(NOON, 3, True, NOON - DAY, ("a", "b"), NOON)
    assert read_standing(standing.as_json()) == standing
    assert read_standing({}) == Standing()
