"""Wrong values in trigger objects and schedule configurations come back as they were meant, or with nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.cron import HOUR, MINUTE, MONTH, Field, read_values
from scheduler.errors import InvalidRequest, Problem
from scheduler.likely_values import likely_clock, likely_items, likely_number, typo_of
from scheduler.models import read_when
from scheduler.triggers import upcoming
from scheduler.weekday_names import NoWeekdays, read_weekdays
from scheduler.wording import MONTHS, WEEKDAYS

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 14, 8, tzinfo=UTC)


def refused(fields: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InvalidRequest) as caught:
        read_when(fields, BERLIN, NOW)
    return caught.value.problems


def cron(**fields: Any) -> dict[str, Any]:
    return {"trigger": {"type": "cron", **fields}}


VALUES: list[tuple[str, Any, Any]] = [
    ("hour", "9am", 9),
    ("hour", "5 pm", 17),
    ("hour", "12am", 0),
    ("hour", "09:00", 9),
    ("hour", "noon", 12),
    ("hour", 9.0, 9),
    ("hour", [9, 17], "9,17"),
    ("hour", ["9am", "5pm"], "9,17"),
    ("hour", "9am and 5pm", "9,17"),
    ("hour", "9am-5pm", "9-17"),
    ("hour", "22-6", "22-23,0-6"),
    ("hour", "9-5", None),  # until the afternoon, or through the night
    ("hour", "every 2 hours", "*/2"),
    ("hour", "every 5 hours", None),  # which the day does not hold a whole number of times
    ("hour", "every 2 minutes", None),
    *(("hour", other, None) for other in (24, -1, 9.5, True, "", [], ["x"], [9, "x"], "early", {"at": 9})),
    ("minute", "every 5 minutes", "*/5"),
    ("minute", "*/ 5", "*/5"),
    ("minute", "any", "*"),
    ("minute", 60, None),
    ("month", "december", "dec"),
    ("month", "decembre", "dec"),
    ("month", ["june", "JUL"], "jun,jul"),
    ("month", "june to august", "jun-aug"),
    ("month", "nov-feb", "11-12,1-2"),
    ("month", 13, None),
    ("month", "summer", None),
    ("day", "1st", 1),
    ("day", "1st and 15th", "1,15"),
    ("day", "L", "last"),
    ("day", "first friday", "1st fri"),
    ("day", 0, None),
    ("day", "15w", None),
    ("year", "next", None),
    ("day_of_week", "weekdays", "mon-fri"),
    ("day_of_week", "Weekend", "sat-sun"),
    ("day_of_week", "every monday", "mon"),
    ("day_of_week", "mondays", "mon"),
    ("day_of_week", "mon to fri", "mon-fri"),
    ("day_of_week", "mon and fri", "mon,fri"),
    ("day_of_week", "mon fri", "mon,fri"),
    ("day_of_week", ["MO", "we"], "mon,wed"),
    ("day_of_week", "mon,funday", "mon,sun"),
    ("day_of_week", ["mon", "munday", "wensday"], "mon,wed"),
    ("day_of_week", "daily", "*"),
    *(("day_of_week", other, None) for other in ("mon,xyz", "mon#2", "5L", "first monday", "", [], True, {"a": 1})),
    ("day_of_week", "1-5", "mon-fri"),
    ("day_of_week", "0-4", "mon-fri"),
    ("day_of_week", "1-7", "*"),
    ("day_of_week", "0,6", "sat-sun"),
    ("day_of_week", [5, 6], "sat-sun"),
    ("day_of_week", 7, "sun"),
    *(("day_of_week", other, None) for other in (0, 1, "1,3,5", [1, 3, 5], ["mon", 3], 9, "0-7")),
]


@pytest.mark.parametrize(("name", "value", "meant"), VALUES, ids=str)
def test_a_value_of_a_cron_object_comes_back_as_it_was_meant(name: str, value: Any, meant: Any) -> None:
    (found,) = refused(cron(**{"second": 0, name: value}))
    assert (found.field, found.suggestion) == (f"trigger.{name}", meant)
    assert type(found.suggestion) is type(meant)
    if meant is not None:
        assert str(meant) in found.message
        read_when(cron(**{"second": 0, name: meant}), BERLIN, NOW)


def test_numbers_of_several_weekdays_are_told_in_both_readings() -> None:
    (found,) = refused(cron(day_of_week="1,3,5"))
    assert "'mon,wed,fri' (cron counts from sunday) or 'tue,thu,sat' (others count from monday)" in found.message


INSTEAD: list[tuple[dict[str, Any], str, Any, dict[str, Any]]] = [
    (cron(hour="9:30"), "trigger.hour", None, cron(hour=9, minute=30)),
    (cron(time="21:30", day_of_week="mon"), "trigger.time", None, cron(day_of_week="mon", hour=21, minute=30)),
    (cron(cron="0 9 * * *"), "trigger.cron", None, {"interval": "0 9 * * *"}),
    ({"trigger": {"type": "interval", "cron": "0 9 * * *"}}, "trigger.cron", None, {"interval": "0 9 * * *"}),
    ({"trigger": "daily at 9:00"}, "trigger", None, {"interval": "daily at 9:00"}),
    ({"trigger": '{"type": "cron", "hour": 9}'}, "trigger", {"type": "cron", "hour": 9}, {}),
    ({"trigger": "[" * 5000}, "trigger", None, {}),
    ({"trigger": []}, "trigger", None, {}),
    ({"trigger": {}}, "trigger.type", None, {}),
    ({"trigger": {"hour": 9}}, "trigger.type", "cron", {}),
    ({"trigger": {"type": "intervall", "minutes": 5}}, "trigger.type", "interval", {}),
    ({"trigger": {"type": "crontab", "hour": 5}}, "trigger.type", "cron", {}),
    ({"trigger": {"type": "once", "run_date": "2027-01-01"}}, "trigger.type", "date", {}),
    ({"trigger": {"type": "daily", "hour": 9}}, "trigger.type", None, {}),
    ({"trigger": {"type": "cron", "run_date": "2027-01-01"}}, "trigger.type", "date", {}),
    ({"trigger": {"type": "interval", "hour": 9, "day_of_week": "mon"}}, "trigger.type", "cron", {}),
    ({"trigger": {"type": "interval", "hour": 9}}, "trigger.type", None, {}),  # 9 o'clock, or every 9 hours
    ({"trigger": {"type": "cron", "minutes": 5}}, "trigger.type", None, {}),
    ({"trigger": {"type": "interval"}}, "trigger.minutes", None, {}),
    ({"trigger": {"type": "interval", "minutes": "5"}}, "trigger.minutes", 5, {}),
    *(
        ({"trigger": {"type": "interval", "days": other}}, "trigger.days", None, {})
        for other in (-1, 5000, -1.5, 4000.5, 0.1234567, "many", True, float("nan"), float("inf"))
    ),
    *(
        (
            {"trigger": {"type": "interval", **amounts}},
            f"trigger.{next(reversed(amounts))}",
            None,
            {"trigger": {"type": "interval", **whole}},
        )
        for amounts, whole in (
            ({"hours": 1.5}, {"minutes": 90}),
            ({"days": 1.5}, {"hours": 36}),
            ({"minutes": 0.1}, {"seconds": 6}),
            ({"hours": 1, "minutes": 0.5}, {"seconds": 3630}),
        )
    ),
    ({"trigger": {"type": "cron"}}, "trigger.hour", None, {}),
    (cron(day=30, month=2), "trigger", None, {}),
    ({"schedule_type": "daily"}, "schedule_config.hour", None, {}),
    ({"schedule_type": "daily", "schedule_config": {"hour": 24}}, "schedule_config.hour", None, {}),
    ({"schedule_type": "daily", "schedule_config": {"hour": "5pm"}}, "schedule_config.hour", 17, {}),
    (
        {"schedule_type": "daily", "schedule_config": {"time": "09:00"}},
        "schedule_config.time",
        None,
        {"schedule_config": {"hour": 9, "minute": 0}},
    ),
    ({"schedule_type": "daily", "schedule_config": "09:30"}, "schedule_config", {"hour": 9, "minute": 30}, {}),
    ({"schedule_type": "daily", "schedule_config": "{"}, "schedule_config", None, {}),
    ({"schedule_type": "weekly", "schedule_config": {"hour": 9}}, "schedule_config.day_of_week", None, {}),
    ({"schedule_type": "custom"}, "schedule_config.cron_expression", None, {}),
    (
        {"schedule_type": "custom", "schedule_config": "0 9 * * *"},
        "schedule_config",
        {"cron_expression": "0 9 * * *"},
        {},
    ),
    (
        {"schedule_type": "custom", "schedule_config": {"cron_expression": "daily at 9:00"}},
        "schedule_config.cron_expression",
        None,
        {"interval": "daily at 9:00"},
    ),
    ({"schedule_type": "weekly", "schedule_config": 5}, "schedule_config", None, {}),
    ({"schedule_type": "daily", "schedule_config": "every 5 minutes"}, "schedule_config", None, {}),
    ({"schedule_config": {"hour": 9, "minute": 0}}, "schedule_type", "daily", {}),
    ({"schedule_config": '{"day_of_week": "mon", "hour": 9}'}, "schedule_type", "weekly", {}),
    ({"schedule_config": {}}, "schedule_type", None, {}),
    ({"schedule_type": "dayly", "schedule_config": {"hour": 9}}, "schedule_type", "daily", {}),
    ({"schedule_type": "biweekly", "schedule_config": {"hour": 9}}, "schedule_type", None, {}),
    ({"schedule_type": "every 5 minutes"}, "schedule_type", None, {"interval": "every 5 minutes"}),
    (
        {"schedule_type": "interval", "schedule_config": {"minutes": 5}},
        "schedule_type",
        None,
        {"trigger": {"type": "interval", "minutes": 5}},
    ),
    (
        {"schedule_type": "cron", "schedule_config": {"expression": "0 9 * * *"}},
        "schedule_type",
        None,
        {"interval": "0 9 * * *"},
    ),
    ({"schedule_type": "monthly", "schedule_config": {"day": 1, "hour": 9}}, "schedule_type", None,
     cron(day=1, hour=9)),
    ({"schedule_type": "monthly", "schedule_config": {"hour": 9}}, "schedule_type", None, {}),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "meant", "instead"), INSTEAD, ids=[str(case[0])[:80] for case in INSTEAD])
def test_nothing_is_offered_but_what_was_meant(
    fields: dict[str, Any], field: str, meant: Any, instead: dict[str, Any]
) -> None:
    (found,) = refused(fields)
    assert (found.field, found.suggestion, found.instead) == (field, meant, instead)
    if instead:
        kept = {name: value for name, value in fields.items() if name == "schedule_type" and "trigger" not in instead}
        read_when(instead if "interval" in instead else kept | instead, BERLIN, NOW)


HOURS = st.integers(0, 23)


@given(st.lists(HOURS, min_size=1), st.sampled_from(["{0}", "{0}:00", "{0:02}:00", "{1} {2}", "{1}{2}"]))
def test_no_hour_of_a_list_is_lost_or_added(hours: list[int], form: str) -> None:
    said = [form.format(hour, hour % 12 or 12, "pm" if hour > 11 else "am") for hour in hours]
    meant = likely_items(said, HOUR, lambda text: takes(HOUR, text))
    assert read_values(str(meant), HOUR) == sorted(set(hours))


@given(
    st.sampled_from([HOUR, MINUTE, MONTH]),
    st.text(st.sampled_from("0123456789,-*/ amnovjuelpry"), max_size=12) | st.integers(-99, 99) | st.floats(),
)
def test_what_is_offered_holds_the_numbers_that_came(taken: Field, value: Any) -> None:
    meant = likely_items(value, taken, lambda text: takes(taken, text))
    if meant is not None:
        assert takes(taken, str(meant))
        assert str(value).count(",") <= str(meant).count(",")


def takes(taken: Field, text: str) -> bool:
    try:
        return bool(read_values(text, taken))
    except ValueError:
        return False


@given(st.lists(st.sampled_from([*WEEKDAYS, "mondaay", "thurday", "xyz", "weekend", "2", "sat-mon"]), min_size=1))
def test_no_weekday_of_a_list_is_lost(words: list[str]) -> None:
    found = read_weekdays(words, "f")
    if isinstance(found, NoWeekdays) and found.meant is not None:
        assert "xyz" not in words
        days = read_weekdays(found.meant, "f")
        assert isinstance(days, list)
        named = [word[:3] for word in words if word[:2] not in ("we", "2")]
        assert {WEEKDAYS[day][:3] for day in days} >= {word for word in named if word != "xyz"}


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        *(("9am", "09:00"), ("9:05 p.m.", "21:05"), ("14h30", "14:30"), ("at 7:15", "07:15"), ("midnight", "00:00")),
        *((other, None) for other in ("9", 9, "24:00", "13pm", "9:5", "soon", "", None)),
    ],
)
def test_times_of_day(text: Any, clock: str | None) -> None:
    found = likely_clock(text)
    assert (None if found is None else found.isoformat("minutes")) == clock


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("5", 5),
        (" 5 ", 5),
        (5.0, 5),
        ("5.0", 5),
        *((v, None) for v in (5.5, "5m", "99", True, None, "٥", float("inf"))),
    ],
)
def test_numbers(value: Any, number: int | None) -> None:
    assert likely_number(value, 0, 59) == number


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("munday", WEEKDAYS, "monday"),  # as near to sunday
        ("wensday", WEEKDAYS, "wednesday"),
        ("mon2day", WEEKDAYS, None),
        ("juli", MONTHS, "july"),
        ("jule", MONTHS, None),  # june or july
        ("biweekly", ["weekly"], None),
        ("", MONTHS, None),
        ("x" * 9, [], None),
    ],
)
def test_misspelt_words(word: str, known: list[str], meant: str | None) -> None:
    assert typo_of(word, known) == meant


def test_a_fraction_is_told_in_smaller_units_beside_other_problems() -> None:
    found = {p.field: p for p in refused({"trigger": {"type": "interval", "hours": 1.5, "timezone": "Nowhere"}})}
    assert '"minutes": 90}?' in found["trigger.hours"].message
    assert found["trigger.timezone"].instead == {}


def test_an_empty_list_of_weekdays_is_not_all_of_them() -> None:
    (found,) = refused(cron(day_of_week=[], hour=9))
    assert "'trigger.day_of_week' names no weekday" in found.message


def test_what_was_meant_runs_at_the_times_that_were_meant() -> None:
    (found,) = refused(cron(hour=["9am", "5pm"]))
    trigger = read_when(cron(hour=found.suggestion), BERLIN, NOW).trigger
    assert [run.strftime("%H:%M") for run in upcoming(trigger, NOW, 3)] == ["17:00", "09:00", "17:00"]
