"""The rules themselves: grids that do not drift, changes of the clocks, limits, and who may ask."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.cron import read_cron
from scheduler.dates import EveryNDays, EveryNWeeks, MonthDays, NthWeekdays, NthWorkdays, WeekdayDates, YearDates
from scheduler.triggers import (
    AnchoredDays,
    Bounds,
    Calendar,
    Cron,
    Interval,
    Manual,
    Once,
    Trigger,
    Window,
    last_before,
    upcoming,
)
from scheduler.wording import ALL_DAYS, ALL_MONTHS, LAST
from tests.scheduler.oracle import is_last, last_day, nth, place_label, scan_days, stretch

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")
MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)
EVERY_DAY = WeekdayDates(ALL_MONTHS, ALL_DAYS)


def texts(trigger: Trigger, after: datetime, count: int) -> list[str]:
    return [run.isoformat() for run in upcoming(trigger, after, count)]


def test_a_grid_keeps_its_phase_whatever_one_asks() -> None:
    rule = Interval(zone=BERLIN, anchor=datetime(2026, 9, 14, 8, 0, 0, 123_456, tzinfo=UTC), step=420)
    runs = upcoming(rule, MOMENT, 5000)
    assert all(run - rule.anchor == k * timedelta(seconds=420) for k, run in enumerate(runs, 1))
    late = runs[700] + timedelta(seconds=33)
    assert rule.next_after(late) == runs[701]
    assert rule.next_after(runs[700]) == runs[701]
    assert rule.next_after(MOMENT - timedelta(days=3)) == runs[0]  # never before the anchor


LOOKS_BACK: list[tuple[Trigger, str, str | None]] = [
    (Window(zone=UTC_ZONE, dates=WeekdayDates(ALL_MONTHS, 1), step=1, start=time(0), end=None),
     "2026-09-16T12:00", "2026-09-14T23:59:59"),
    (Window(zone=UTC_ZONE, dates=EVERY_DAY, step=1, start=time(0), end=None,
            bounds=Bounds(until=datetime(2026, 12, 31, 12, tzinfo=UTC))),
     "2027-01-10T00:00", "2026-12-31T12:00"),
    (Interval(zone=UTC_ZONE, anchor=MOMENT, step=1), "8999-12-31T23:59:59.000001", "8999-12-31T23:59:59"),
    (Interval(zone=UTC_ZONE, anchor=MOMENT, step=60), "2026-09-14T08:01", None),
    (Calendar(zone=UTC_ZONE, dates=YearDates((2,), ((2, 29),)), times=(time(12),)), "2031-01-01", "2028-02-29T12:00"),
    (Calendar(zone=UTC_ZONE, dates=YearDates((2,), ((2, 29),)), times=(time(12),)), "1904-02-29T12:00", None),
    (Once(zone=UTC_ZONE, moment=MOMENT), "8999-01-01", "2026-09-14T08:00"),
    (Once(zone=UTC_ZONE, moment=MOMENT), "2026-09-14T08:00", None),
    (Manual(zone=UTC_ZONE), "2026-09-14", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "moment", "expected"), LOOKS_BACK, ids=[f"{case[0].kind} {case[1]}" for case in LOOKS_BACK]
)
def test_the_last_run_before_a_moment_is_found_without_stepping(
    rule: Trigger, moment: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[datetime] = []
    ask = Trigger.utc_after
    monkeypatch.setattr(Trigger, "utc_after", lambda self, after: asked.append(after) or ask(self, after))
    found = last_before(rule, datetime.fromisoformat(f"{moment}+00:00" if "T" in moment else f"{moment}T00:00+00:00"))
    assert found == (None if expected is None else datetime.fromisoformat(f"{expected}+00:00"))
    assert len(asked) < 300


def test_elapsed_hours_move_against_the_wall_clock_and_days_do_not() -> None:
    anchor = datetime(2026, 10, 24, 10, tzinfo=UTC)
    hours = Interval(zone=BERLIN, anchor=anchor, step=86_400)
    days = AnchoredDays(zone=BERLIN, dates=EveryNDays(date(2026, 10, 25), 1), times=(time(12),))
    assert texts(hours, anchor, 2) == ["2026-10-25T11:00:00+01:00", "2026-10-26T11:00:00+01:00"]
    assert texts(days, anchor, 2) == ["2026-10-25T12:00:00+01:00", "2026-10-26T12:00:00+01:00"]


def test_times_inside_one_gap_give_one_run() -> None:
    rule = Calendar(zone=BERLIN, dates=EVERY_DAY, times=(time(2), time(2, 30), time(3)))
    after = datetime(2026, 3, 28, 20, tzinfo=UTC)
    assert texts(rule, after, 3) == [
        "2026-03-29T03:00:00+02:00",
        "2026-03-30T02:00:00+02:00",
        "2026-03-30T02:30:00+02:00",
    ]


def test_a_repeated_time_runs_at_its_first_pass_and_is_over_in_the_second() -> None:
    rule = Calendar(zone=BERLIN, dates=EVERY_DAY, times=(time(2, 15), time(2, 45)))
    first_pass = datetime(2026, 10, 25, 0, 20, tzinfo=UTC)
    second_pass = datetime(2026, 10, 25, 1, 20, tzinfo=UTC)
    assert texts(rule, first_pass, 2) == ["2026-10-25T02:45:00+02:00", "2026-10-26T02:15:00+01:00"]
    assert texts(rule, second_pass, 1) == ["2026-10-26T02:15:00+01:00"]


def test_asking_in_any_zone_gives_the_same_runs_in_the_zone_of_the_rule() -> None:
    rule = Calendar(zone=BERLIN, dates=EVERY_DAY, times=(time(9),))
    answers = {
        str(rule.next_after(MOMENT.astimezone(ZoneInfo(name)))) for name in ("UTC", "Asia/Tokyo", "Europe/Berlin")
    }
    assert answers == {"2026-09-15 09:00:00+02:00"}


DATES: list[tuple[object, Callable[[date], bool]]] = [
    (WeekdayDates(ALL_MONTHS, 0b0010001), lambda day: day.weekday() in (0, 4)),
    (WeekdayDates((6, 12), 0b1000000), lambda day: day.weekday() == 6 and day.month in (6, 12)),
    (NthWeekdays(ALL_MONTHS, (2,), 0b0000010), lambda day: day.weekday() == 1 and nth(day) == 2),
    (NthWeekdays(ALL_MONTHS, (LAST, 5), 0b0000001), lambda day: day.weekday() == 0 and (is_last(day) or nth(day) == 5)),
    (NthWeekdays((2,), (5,), 0b1111111), lambda day: day.month == 2 and day.day == 29),
    (NthWorkdays(ALL_MONTHS, (LAST,)), lambda day: day.weekday() < 5 and all(
        date(day.year, day.month, later).weekday() > 4 for later in range(day.day + 1, last_day(day) + 1))),
    (NthWorkdays(ALL_MONTHS, (1,)), lambda day: day.weekday() < 5 and all(
        date(day.year, day.month, earlier).weekday() > 4 for earlier in range(1, day.day))),
    (MonthDays(ALL_MONTHS, (31,)), lambda day: day.day == 31),
    (MonthDays(ALL_MONTHS, (15, LAST)), lambda day: day.day in (15, last_day(day))),
    (MonthDays((2,), (29,)), lambda day: (day.month, day.day) == (2, 29)),
    (YearDates((1, 7), ((1, 1), (7, 4))), lambda day: (day.month, day.day) in ((1, 1), (7, 4))),
    (EveryNDays(date(2026, 9, 10), 9), lambda day: (day - date(2026, 9, 10)).days % 9 == 0),
    (EveryNWeeks(date(2026, 9, 7), 3, WeekdayDates(ALL_MONTHS, 0b0100100)),
     lambda day: day.weekday() in (2, 5) and (day - date(2026, 9, 7)).days // 7 % 3 == 0),
    (EveryNWeeks(date(2026, 9, 7), 2, WeekdayDates((2, 9), 0b0000010)),
     lambda day: day.weekday() == 1 and day.month in (2, 9) and (day - date(2026, 9, 7)).days // 7 % 2 == 0),
]  # fmt: skip


@pytest.mark.parametrize(("dates", "matches"), DATES)
def test_dates_are_those_of_a_day_by_day_scan(dates: object, matches: Callable[[date], bool]) -> None:
    times = (time(6), time(18, 30))
    rule = Calendar(zone=UTC_ZONE, dates=dates, times=times)  # type: ignore[arg-type]
    for after in (MOMENT, MOMENT.replace(year=2027, month=12, day=31, hour=23)):
        assert upcoming(rule, after, 9) == scan_days(matches, list(times), after, 9)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", datetime(2026, 3, 27, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 23, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 4, 3, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 9, 4, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("01:15", "04:00"),
        ("02:10", "02:20"),
        ("22:00", "06:00"),
        ("23:30", "00:30"),
        ("03:00", "02:30"),
        ("00:00", None),
    ],
)
@pytest.mark.parametrize("step", [7, 45, 60])
def test_windows_are_placed_and_filled_as_a_scan_does(
    zone: str, start: datetime, first: str, last: str | None, step: int
) -> None:
    line = stretch(zone, start, 5)
    begin, end = time.fromisoformat(first), time.fromisoformat(last) if last else None
    expected: set[datetime] = set()
    for shift in range(4):
        day = line.labels[0].date() + timedelta(shift)
        final = day if end is not None and end > begin else day + timedelta(1)
        low = place_label(line, datetime.combine(day, begin))
        high = place_label(line, datetime.combine(final, end or time(0)))
        if low is not None and high is not None:
            expected.update(line.instant(index) for index in range(low, high + (end is not None), step))
    rule = Window(zone=line.zone, dates=EVERY_DAY, step=60 * step, start=begin, end=end)
    earliest = min(expected)
    found = upcoming(rule, earliest - timedelta(microseconds=1), len(expected))
    assert [run.astimezone(UTC) for run in found] == sorted(expected)


def test_a_window_is_that_of_the_day_on_which_it_starts() -> None:
    friday = WeekdayDates(ALL_MONTHS, 0b0010000)
    rule = Window(zone=UTC_ZONE, dates=friday, step=3600, start=time(22), end=time(1))
    assert [run.strftime("%a %H") for run in upcoming(rule, MOMENT, 5)] == [
        "Fri 22",
        "Fri 23",
        "Sat 00",
        "Sat 01",
        "Fri 22",
    ]


def test_bounds() -> None:
    bounds = Bounds(start=MOMENT + timedelta(hours=1), until=MOMENT + timedelta(hours=3))
    hourly = Interval(zone=UTC_ZONE, anchor=MOMENT + timedelta(hours=1), step=3600, bounds=bounds)
    assert [run.hour for run in upcoming(hourly, MOMENT, 9)] == [9, 10, 11]  # both ends are runs
    daily = Calendar(zone=UTC_ZONE, dates=EVERY_DAY, times=(time(8, 30), time(9)), bounds=bounds)
    assert [run.hour for run in upcoming(daily, MOMENT, 9)] == [9]


def test_once_and_manual() -> None:
    once = Once(zone=BERLIN, moment=MOMENT)
    assert texts(once, MOMENT - timedelta(seconds=1), 5) == ["2026-09-14T10:00:00+02:00"]
    assert once.next_after(MOMENT) is None
    manual = Manual(zone=BERLIN)
    assert manual.next_after(MOMENT) is None
    assert manual.describe() == "only when triggered"


RULES: list[Trigger] = [
    Interval(zone=BERLIN, anchor=MOMENT, step=60),
    Calendar(zone=BERLIN, dates=EVERY_DAY, times=(time(9),)),
    AnchoredDays(zone=BERLIN, dates=EveryNDays(date(2026, 9, 15), 2), times=(time(9),)),
    Window(zone=BERLIN, dates=EVERY_DAY, step=60, start=time(9), end=time(17)),
    Cron(zone=BERLIN, fields=read_cron("*/5 * * * *")),
    Cron(zone=BERLIN, fields=read_cron("0 9 * * *")),
    Once(zone=BERLIN, moment=MOMENT),
    Manual(zone=BERLIN),
]


@pytest.mark.parametrize("rule", RULES)
def test_rules_are_values(rule: Trigger) -> None:
    rule = dataclasses.replace(rule, zone=ZoneInfo(BERLIN.key))  # another test may have had all zones read anew
    assert rule == dataclasses.replace(rule)
    assert hash(rule) == hash(dataclasses.replace(rule))
    assert pickle.loads(pickle.dumps(rule)) == rule
    with pytest.raises(dataclasses.FrozenInstanceError):
        rule.zone = UTC_ZONE  # type: ignore[misc]


@pytest.mark.parametrize("rule", RULES)
def test_a_naive_moment_is_refused_and_the_ends_of_the_calendar_are_not_errors(rule: Trigger) -> None:
    with pytest.raises(ValueError, match="time zone"):
        rule.next_after(datetime(2026, 1, 1))  # noqa: DTZ001
    for moment in (datetime.min, datetime.max):  # noqa: DTZ901
        for zone in (UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Los_Angeles")):
            found = rule.next_after(moment.replace(tzinfo=zone))
            assert found is None or found.tzinfo is BERLIN


@pytest.mark.parametrize("rule", RULES[:-2])
def test_runs_end_before_the_calendar_does(rule: Trigger) -> None:
    moment: datetime | None = datetime(9899, 12, 30, tzinfo=UTC)
    for _ in range(10):
        moment = rule.next_after(moment) if moment is not None else None
    assert moment is None or moment.year <= 9950


def test_kinds() -> None:
    assert [rule.kind for rule in RULES] == [
        *("interval", "calendar", "interval", "calendar", "cron", "cron", "once", "manual"),
    ]
