"""What a span that is still ahead brings, played from rules alone: tables, and one law."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler import rehearsal
from scheduler.clock_changes import Fate, changes_between
from scheduler.rehearsal import Part, play
from scheduler.rehearsed import Rehearsal, Silent, Stretch, Why
from scheduler.spellings import read_schedule
from scheduler.start_counts import count_between, most_between
from scheduler.triggers import Manual, Trigger

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def trigger(phrase: str, zone: str = "UTC", anchor: datetime = NOW) -> Trigger:
    return read_schedule({"interval": phrase}, zone=ZoneInfo(zone), now=anchor).trigger


def part(task_id: str, phrase: str, zone: str = "UTC", **fields: Any) -> Part:
    return Part(task_id, trigger(phrase, zone), **{"after": NOW, **fields})


def edges(since: datetime, until: datetime, cell: timedelta = HOUR) -> list[datetime]:
    return [since + number * cell for number in range((until - since) // cell + 1)]


def a_day(*parts: Part, workers: int = 4, silent: tuple[Silent, ...] = ()) -> Rehearsal:
    """Play the day from noon of 2026-11-28 on, hour by hour."""
    noon = datetime(2026, 11, 28, 12, tzinfo=UTC)
    return play(parts, edges(noon, noon + DAY), workers, NOW, silent)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def going_through(rule: Trigger, since: datetime, until: datetime) -> int:
    """Count the slow way."""
    found, moment = 0, rule.utc_after(since - timedelta(microseconds=1))
    while moment is not None and moment < until:
        found, moment = found + 1, rule.utc_after(moment)
    return found


def test_starts_fall_into_their_cells() -> None:
    found = a_day(part("a", "every 6 hours"), part("b", "daily at 13:30"))
    assert [number for number, starts in enumerate(found.cells) if starts] == [1, 2, 8, 14, 20]
    assert {one.task_id: one.starts for one in found.tasks} == {"a": 4, "b": 1}
    assert found.starts == 5
    assert found.cut_at is None


def test_what_starts_at_one_moment_is_told_once_for_all_its_times() -> None:
    found = a_day(part("a", "hourly"), part("b", "daily at 15:00"), part("c", "every 2 hours"), workers=2)
    assert [(one.task_ids, one.times, one.first, one.last) for one in found.collisions] == [
        (("a", "c"), 12, at("2026-11-28T12:00"), at("2026-11-29T10:00")),
        (("a", "b"), 1, at("2026-11-28T15:00"), at("2026-11-28T15:00")),
    ]
    assert (found.collision_count, found.crowded_minutes) == (13, 0)


def test_minutes_with_more_starts_than_workers() -> None:
    parts = [part(f"t{number}", f"daily at 14:00:{number:02}") for number in range(5)]
    assert a_day(*parts, workers=5).crowded_minutes == 0
    found = a_day(*parts, part("other", "daily at 14:01"), workers=4)
    assert (found.collisions, found.crowded_minutes) == ([], 1)
    assert [(one.at, one.starts) for one in found.minutes] == [(at("2026-11-28T14:00"), 5)]


def test_why_tasks_do_not_start() -> None:
    found = a_day(
        part("later", "every monday at 09:00"),
        part("over", "2026-11-27T09:00:00Z"),
        Part("by-hand", Manual(zone=BERLIN), NOW),
        part("worn-out", "daily at 13:00", left=1),
        part("two-more", "daily at 13:00", left=2),
        silent=(Silent("paused", Why.PAUSED),),
    )
    assert [(one.task_id, one.why, one.next_at) for one in found.silent] == [
        ("paused", Why.PAUSED, None),
        ("by-hand", Why.MANUAL, None),
        ("over", Why.ENDED, None),
        ("worn-out", Why.ENDED, None),
        ("later", Why.LATER, at("2026-11-30T09:00")),
    ]
    assert [one.task_id for one in found.tasks] == ["two-more"]


def test_free_slots_are_the_longest_stretches_without_a_start() -> None:
    found = a_day(part("a", "daily at 13:00 and 20:00"), part("b", "daily at 02:00"))
    spans = [(at(f"2026-11-{since}"), at(f"2026-11-{until}")) for since, until in (
        ("29T02:00", "29T12:00"), ("28T13:00", "28T20:00"), ("28T20:00", "29T02:00"), ("28T12:00", "28T13:00"),
    )]  # fmt: skip
    assert found.free == [Stretch(since, until) for since, until in spans]
    assert found.frequent == []


def test_frequent_tasks_are_passed_over_and_named() -> None:
    found = a_day(part("ping", "every 5 minutes"), part("daily", "daily at 18:00"))
    assert found.frequent == ["ping"]
    assert [one.until - one.since for one in found.free] == [18 * HOUR, 6 * HOUR]


def test_nothing_before_now_is_played() -> None:
    midnight = NOW.replace(hour=0)
    found = play([part("a", "hourly")], edges(midnight, midnight + DAY), 4, NOW)
    assert found.cells == [0] * 9 + [1] * 15
    assert found.free[0].since == NOW


def test_jitter_moves_starts_apart() -> None:
    found = a_day(*(part(name, "daily at 13:00", jitter_seconds=3000) for name in "abc"))
    assert (found.cells[1], found.collisions) == (3, [])


# --- what runs are expected to take ----------------------------------------------------------------


def test_more_workers_are_wanted_than_there_are() -> None:
    parts = [part(f"t{n}", f"daily at 14:{n}0", took=35 * MINUTE) for n in range(4)]
    found = a_day(*parts, part("new", "daily at 14:00"), workers=3).expected
    assert (found.peak, found.peak_at, found.short_seconds) == (4, at("2026-11-28T14:30"), 300)
    assert found.shortages == [Stretch(at("2026-11-28T14:30"), at("2026-11-28T14:35"), 4)]
    assert found.unknown == ["new"]


def test_one_that_ends_makes_room_for_one_that_starts() -> None:
    parts = [part("a", "daily at 14:00", took=HOUR), part("b", "daily at 15:00", took=HOUR)]
    assert a_day(*parts, workers=1).expected.peak == 1


@pytest.mark.parametrize(
    ("fields", "overlaps", "peak"),
    [
        ({}, 12, 1),  # every second one is skipped
        ({"queues": True}, 23, 1),
        ({"max_instances": 2}, 0, 2),
        ({"took": 20 * MINUTE}, 0, 1),
        ({"took": None}, 0, 0),
    ],
)
def test_runs_that_meet_earlier_ones(fields: dict[str, Any], overlaps: int, peak: int) -> None:
    found = a_day(part("slow", "hourly", **{"took": 90 * MINUTE, **fields}))
    assert (found.tasks[0].overlaps, found.expected.peak) == (overlaps, peak)


# --- changes of the clocks -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phrase", "gap", "overlap"),
    [
        ("daily at 02:30", Fate.MOVED, Fate.FIRST),
        ("30 2 * * *", Fate.MOVED, Fate.FIRST),
        ("every 20 minutes between 02:30 and 09:00", Fate.MOVED, Fate.FIRST),
        ("*/20 2 * * *", Fate.LEFT_OUT, Fate.TWICE),
        ("daily at 03:30", None, None),
        ("every 20 minutes", None, None),
        ("*/20 * * * *", None, None),
        ("every monday at 02:30", None, None),
    ],
)
def test_times_that_come_never_or_twice(phrase: str, gap: Fate | None, overlap: Fate | None) -> None:
    year = edges(NOW, NOW + 365 * DAY, DAY)
    found = play([part("a", phrase, "Europe/Berlin"), part("b", phrase)], year, 4, NOW).touched
    assert [one.fate for one in found] == [fate for fate in (gap, overlap) if fate is not None]
    assert {one.task_id for one in found} <= {"a"}
    assert all(one.labels[0].strftime("%H") == "02" for one in found)


def test_what_is_said_of_a_change_is_what_the_rule_does() -> None:
    gap, overlap = changes_between(BERLIN, NOW, NOW + 365 * DAY)
    assert (gap.is_gap, overlap.is_gap) == (True, False)
    assert [label.hour for label in (*gap.labels, *overlap.labels)] == [2, 3, 2, 3]
    tick = timedelta(microseconds=1)
    assert trigger("daily at 02:30", "Europe/Berlin").utc_after(gap.at - tick) == gap.at
    assert trigger("*/20 2 * * *", "Europe/Berlin").utc_after(gap.at - HOUR) == gap.at + 23 * HOUR
    assert going_through(trigger("*/20 2 * * *", "Europe/Berlin"), overlap.at - HOUR, overlap.at + HOUR) == 6


# --- bounds ----------------------------------------------------------------------------------------


def test_a_second_grid_of_a_year_is_counted_and_not_played() -> None:
    year = edges(NOW, NOW + 365 * DAY, DAY)
    found = play([part("a", "every 1 second"), part("b", "daily at 09:00")], year, 4, NOW)
    assert found.starts == 365 * 86_400 - 1 + 365
    assert [(one.task_id, one.counted) for one in found.tasks] == [("a", True), ("b", False)]
    assert (found.frequent, found.collisions, found.cut_at) == (["a"], [], None)
    assert len(found.free) == rehearsal.MOST_SLOTS


def test_a_rehearsal_that_is_too_long_ends_early_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MOST_IN_ALL", 5)
    found = a_day(part("a", "hourly"), part("b", "daily at 23:30"))
    assert (found.starts, found.cut_at) == (5, at("2026-11-28T17:00"))
    assert found.silent == [], "what was not played to its end may start"
    assert found.free[0].until <= found.cut_at


def test_a_rule_that_only_going_through_tells_is_cut_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "MOST_OF_A_TASK", 2)
    found = a_day(part("a", "daily at 13:00, 14:00 and 15:00"), part("b", "every 4 hours"))
    assert [(one.starts, one.counted, one.cut_at) for one in found.tasks] == [
        (2, False, at("2026-11-28T15:00")),
        (6, True, None),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
@pytest.mark.parametrize(
    "phrase",
    [
        "every 7 minutes",
        "every 7 minutes starting 2026-11-29 10:00",
        "every 7 minutes until 2027-04-02",
        "every 25 minutes between 22:10 and 04:15 on weekdays",
        "every 15 minutes between 02:45 and 02:15",
        "*/7 1-3 * * 6,0",
        "*/25 * * * *",
        "5-15/5 */2 * * *",
    ],
)
def test_arithmetic_counts_what_going_through_counts(phrase: str, zone: str) -> None:
    rule = trigger(phrase, zone)
    for begin in (at("2026-11-28T10:00"), at("2027-03-27T13:37:30.5"), at("2027-04-02T15:00"), at("2027-10-30T22:50")):
        for span in (17 * MINUTE, 5 * HOUR, 3 * DAY):
            expected = going_through(rule, begin, begin + span)
            assert count_between(rule, begin, begin + span) == expected
            most = most_between(rule, begin, begin + span)
            assert most is not None
            assert most >= expected


PHRASES = (
    "every 7 minutes", "hourly", "every 11 hours", "daily at 02:30", "weekdays at 08:00 and 17:30", "*/20 1-3 * * *",
    "every 10 minutes between 22:00 and 03:00", "every sunday at 02:10", "last day of the month at 23:00", "30 2 * * *",
)  # fmt: skip


@given(
    phrases=st.lists(st.sampled_from(PHRASES), max_size=6),
    start=st.integers(0, 400 * 24),
    cells=st.integers(1, 60),
    minutes=st.integers(1, 150),
    most=st.sampled_from([3, 12_000]),
)
@settings(max_examples=60, deadline=None)
def test_cells_and_tasks_sum_up_to_all_fire_times(
    phrases: list[str], start: int, cells: int, minutes: int, most: int
) -> None:
    since = NOW + start * HOUR
    span = edges(since, since + cells * minutes * MINUTE, minutes * MINUTE)
    parts = [part(f"{n}", phrase, "Europe/Berlin") for n, phrase in enumerate(phrases)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rehearsal, "MOST_OF_A_TASK", most)
        found = play(parts, span, 4, NOW)
    fire_times = [going_through(one.trigger, span[0], span[-1]) for one in parts]
    cut = [one for one in found.tasks if one.cut_at is not None]
    assert sum(found.cells) == sum(one.starts for one in found.tasks)
    if not cut:
        assert sum(found.cells) == sum(fire_times)
        assert len(found.silent) == fire_times.count(0)
