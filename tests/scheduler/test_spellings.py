"""The other ways to say "when": trigger objects, schedule types, and limits beside them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.errors import InvalidRequest, Problem
from scheduler.models import read_when
from scheduler.spellings import SPELLING_FIELDS, Schedule, read_schedule
from scheduler.triggers import upcoming

BERLIN = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)  # a Monday, 10:00 in Berlin


def read(fields: dict[str, Any], **limits: datetime) -> Schedule:
    return read_schedule(fields, zone=BERLIN, now=MOMENT, **limits)


def first(schedule: Schedule, count: int = 2) -> list[str]:
    return [run.strftime("%a %m-%d %H:%M:%S") for run in upcoming(schedule.trigger, MOMENT, count)]


def problems(fields: dict[str, Any], **limits: datetime) -> list[Problem]:
    with pytest.raises(InvalidRequest) as refused:
        read(fields, **limits)
    return refused.value.problems


def problem(fields: dict[str, Any], **limits: datetime) -> Problem:
    (found,) = problems(fields, **limits)
    return found


TRIGGERS: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"type": "interval", "minutes": 5}, "every 5 minutes", ["Mon 09-14 10:05:00", "Mon 09-14 10:10:00"]),
    ({"type": "interval", "hours": 1, "minutes": 30}, "every 90 minutes", ["Mon 09-14 11:30:00", "Mon 09-14 13:00:00"]),
    ({"type": "interval", "seconds": 10, "minutes": None}, "every 10 seconds", ["Mon 09-14 10:00:10"]),
    ({"type": "interval", "weeks": 2}, "every 2 weeks", ["Mon 09-28 10:00:00", "Mon 10-12 10:00:00"]),
    ({"type": "interval", "days": 1, "hours": 12}, "every 36 hours", ["Tue 09-15 22:00:00"]),
    (
        {"type": "interval", "hours": 2, "start_date": "2026-10-01 09:00:00", "end_date": "2026-10-01T11:00:00+02:00"},
        "every 2 hours starting 2026-10-01 09:00 until 2026-10-01 11:00",
        ["Thu 10-01 09:00:00", "Thu 10-01 11:00:00"],
    ),
    (
        {"type": "interval", "days": 1, "start_date": "2026-10-01", "end_date": "2026-10-01"},
        "every 1 day starting 2026-10-01 00:00 until 2026-10-01",
        ["Thu 10-01 00:00:00"],
    ),
    ({"type": "cron", "hour": 2, "minute": 30}, "every day at 02:30", ["Tue 09-15 02:30:00"]),
    (
        {"type": "cron", "day_of_week": "mon-sun", "hour": "2", "minute": "30"},
        "every day at 02:30",
        ["Tue 09-15 02:30:00"],
    ),
    ({"type": "cron", "hour": 9, "day_of_week": "mon"}, "every monday at 09:00", ["Mon 09-21 09:00:00"]),
    ({"type": "cron", "day": 1, "hour": 0, "minute": 0}, "1st of the month at 00:00", ["Thu 10-01 00:00:00"]),
    ({"type": "cron", "minute": "*/15"}, "hourly at :00, :15, :30 and :45", ["Mon 09-14 10:15:00"]),
    ({"type": "cron", "second": "*/20"}, "every 20 seconds from :00 of each minute", ["Mon 09-14 10:00:20"]),
    ({"type": "cron", "hour": 12, "second": 30}, "at second 30 of every minute in hour 12", ["Mon 09-14 12:00:30"]),
    ({"type": "cron", "month": 6}, "every june 1 at 00:00", ["Tue 06-01 00:00:00"]),
    (
        {"type": "cron", "day_of_week": "fri-mon", "hour": 1},
        "every monday, friday, saturday and sunday at 01:00",
        ["Fri 09-18 01:00:00"],
    ),
    (
        {"type": "cron", "day_of_week": "Sunday,sat", "hour": 1},
        "every saturday and sunday at 01:00",
        ["Sat 09-19 01:00:00"],
    ),
    ({"type": "cron", "day": "last", "hour": 18}, "last day of the month at 18:00", ["Wed 09-30 18:00:00"]),
    (
        {"type": "cron", "day": "2nd fri,last mon"},
        "at 00:00, each 2nd friday of the month or last monday of the month",
        ["Mon 09-28 00:00:00", "Fri 10-09 00:00:00"],
    ),
    (
        {"type": "cron", "year": "2027-2028", "month": "jan", "hour": 8},
        "at 08:00, every day in january in 2027 and 2028",
        [],
    ),
    (
        {"type": "cron", "week": 53, "day_of_week": "mon"},
        "at 00:00, each monday in week 53 of the year",
        ["Mon 12-28 00:00:00"],
    ),
    ({"type": "cron", "hour": 9, "timezone": "asia/tokyo"}, "every day at 09:00", ["Tue 09-15 09:00:00"]),
    (
        {"type": "cron", "hour": 9, "start_date": "2026-10-01", "end_date": "2026-10-02"},
        "every day at 09:00 starting 2026-10-01 00:00 until 2026-10-02",
        ["Thu 10-01 09:00:00", "Fri 10-02 09:00:00"],
    ),
    ({"type": "date", "run_date": "2026-12-24T18:00:00"}, "once at 2026-12-24T18:00:00+01:00", ["Thu 12-24 18:00:00"]),
    ({"type": "date", "run_date": "2026-12-24T18:00:00Z"}, "once at 2026-12-24T19:00:00+01:00", ["Thu 12-24 19:00:00"]),
    (
        {"type": "date", "run_date": "2026-12-24", "timezone": "UTC"},
        "once at 2026-12-24T00:00:00+00:00",
        ["Thu 12-24 00:00:00"],
    ),
]


@pytest.mark.parametrize(("value", "text", "expected"), TRIGGERS, ids=[case[1] for case in TRIGGERS])
def test_trigger_objects(value: dict[str, Any], text: str, expected: list[str]) -> None:
    schedule = read({"trigger": value})
    assert schedule.text == schedule.trigger.describe() == text
    assert first(schedule, 9)[: len(expected)] == expected
    assert schedule.jitter_seconds is None


def test_day_and_day_of_week_must_both_match_in_objects() -> None:
    schedule = read({"trigger": {"type": "cron", "day": 13, "day_of_week": "fri", "hour": 9}})
    assert [run.isoformat()[:10] for run in upcoming(schedule.trigger, MOMENT, 3)] == [
        *("2026-11-13", "2027-08-13", "2028-10-13"),
    ]


def test_starred_minutes_of_an_object_are_real_minutes() -> None:
    schedule = read({"trigger": {"type": "cron", "hour": 2, "minute": "*/30"}})
    after = datetime(2026, 10, 24, 12, tzinfo=UTC)
    assert [run.strftime("%H:%M%z") for run in upcoming(schedule.trigger, after, 4)] == [
        *("02:00+0200", "02:30+0200", "02:00+0100", "02:30+0100"),
    ]


def test_jitter_travels_along() -> None:
    assert read({"trigger": {"type": "interval", "minutes": 5, "jitter": 10}}).jitter_seconds == 10
    assert read({"trigger": {"type": "cron", "hour": 5, "jitter": 0}}).jitter_seconds == 0


TYPES: list[tuple[dict[str, Any], str, list[str]]] = [
    ({"schedule_type": "hourly"}, "every 1 hour", ["Mon 09-14 11:00:00"]),
    ({"schedule_type": "hourly", "schedule_config": "{}"}, "every 1 hour", ["Mon 09-14 11:00:00"]),
    ({"schedule_type": "hourly", "schedule_config": {"minute": 15}}, "hourly at :15", ["Mon 09-14 10:15:00"]),
    (
        {"schedule_type": "daily", "schedule_config": '{"hour": 14, "minute": 30}'},
        "every day at 14:30",
        ["Mon 09-14 14:30:00"],
    ),
    ({"schedule_type": "daily", "schedule_config": {"hour": 0}}, "every day at 00:00", ["Tue 09-15 00:00:00"]),
    (
        {"schedule_type": "weekly", "schedule_config": {"day_of_week": "mon", "hour": 9, "minute": 0}},
        "every monday at 09:00",
        ["Mon 09-21 09:00:00"],
    ),
    (
        {"schedule_type": "weekly", "schedule_config": {"day_of_week": ["mon", "fri"], "hour": 9}},
        "every monday and friday at 09:00",
        ["Fri 09-18 09:00:00"],
    ),
    (
        {"schedule_type": "custom", "schedule_config": '{"cron_expression": "0 */2 * * *"}'},
        "at minute 0 of every 2nd hour from 00:00",
        ["Mon 09-14 12:00:00"],
    ),
    (
        {"schedule_type": "custom", "schedule_config": {"cron_expression": "@daily"}},
        "every day at 00:00",
        ["Tue 09-15 00:00:00"],
    ),
    ({"schedule_type": "manual"}, "only when triggered", []),
    ({"schedule_type": "manual", "schedule_config": ""}, "only when triggered", []),
]


@pytest.mark.parametrize(("fields", "text", "expected"), TYPES, ids=[str(case[0]) for case in TYPES])
def test_schedule_types(fields: dict[str, Any], text: str, expected: list[str]) -> None:
    schedule = read(fields)
    assert schedule.text == text
    assert first(schedule, max(len(expected), 1)) == expected


def test_an_hourly_type_keeps_the_minute_of_its_creation() -> None:
    moment = MOMENT.replace(minute=30)
    trigger = read_schedule({"schedule_type": "hourly"}, zone=BERLIN, now=moment).trigger
    assert [run.minute for run in upcoming(trigger, moment, 3)] == [30, 30, 30]


def test_a_phrase_is_shown_as_it_was_sent() -> None:
    assert read({"interval": " Every 5   Minutes "}).text == " Every 5   Minutes "
    assert read({"schedule": "0 2 * * *", "interval": None, "trigger": None}).text == "0 2 * * *"


SPELLINGS: list[tuple[dict[str, Any], str, str, list[str]]] = [
    ({}, "interval", "missing_field", ["'interval' is required"]),
    ({"interval": None}, "interval", "missing_field", ["'interval' is required"]),
    ({"interval": "daily", "schedule": "daily"}, "schedule", "invalid_field", ["'interval' and 'schedule' both"]),
    (
        {"interval": "daily", "trigger": {}, "schedule_type": "daily"},
        "trigger",
        "invalid_field",
        ["'interval' and 'trigger' and 'schedule_type'"],
    ),
    (
        {"interval": "daily", "schedule_config": {}},
        "schedule_config",
        "invalid_field",
        ["'interval' and 'schedule_config'"],
    ),
    ({"schedule_config": {}}, "schedule_type", "missing_field", ["'schedule_config' needs 'schedule_type'"]),
    ({"schedule": "dayly"}, "schedule", "invalid_interval", ["'dayly'", "'daily'"]),
    ({"trigger": "every 5 minutes"}, "trigger", "invalid_field", ["object", "'interval'"]),
    ({"trigger": []}, "trigger", "invalid_field", ["object"]),
    ({"trigger": {}}, "trigger.type", "missing_field", ["'trigger.type' is required"]),
    ({"trigger": {"type": "intervall"}}, "trigger.type", "invalid_field", ["'intervall'", "Did you mean 'interval'"]),
    ({"trigger": {"type": "interval"}}, "trigger.minutes", "missing_field", ["at least 1"]),
    ({"trigger": {"type": "interval", "minutes": 0}}, "trigger.minutes", "missing_field", ["at least 1"]),
    (
        {"trigger": {"type": "interval", "minuts": 5}},
        "trigger.minuts",
        "unknown_field",
        ["did you mean 'trigger.minutes'"],
    ),
    ({"trigger": {"type": "interval", "minutes": "5"}}, "trigger.minutes", "invalid_field", ["whole number", "'5'"]),
    ({"trigger": {"type": "interval", "minutes": 5.0}}, "trigger.minutes", "invalid_field", ["whole number"]),
    ({"trigger": {"type": "interval", "minutes": True}}, "trigger.minutes", "invalid_field", ["whole number"]),
    ({"trigger": {"type": "interval", "days": 5000}}, "trigger.days", "invalid_field", ["5000", "3653"]),
    (
        {"trigger": {"type": "interval", "minutes": 5, "start_date": "soon"}},
        "trigger.start_date",
        "invalid_field",
        ["ISO 8601", "'soon'"],
    ),
    (
        {"trigger": {"type": "interval", "minutes": 5, "end_date": "2020-01-01"}},
        "trigger.end_date",
        "invalid_field",
        ["before the first run"],
    ),
    ({"trigger": {"type": "interval", "minutes": 5, "jitter": -1}}, "trigger.jitter", "invalid_field", ["-1"]),
    ({"trigger": {"type": "cron"}}, "trigger.hour", "missing_field", ["at least one field"]),
    ({"trigger": {"type": "cron", "hour": 25}}, "trigger.hour", "invalid_field", ["'25'", "0-23"]),
    ({"trigger": {"type": "cron", "hour": []}}, "trigger.hour", "invalid_field", ["number or a text"]),
    ({"trigger": {"type": "cron", "hour": ""}}, "trigger.hour", "invalid_field", ["number or a text"]),
    ({"trigger": {"type": "cron", "day": "3rd"}}, "trigger.day", "invalid_field", ["'3rd'"]),
    (
        {"trigger": {"type": "cron", "day_of_week": 0}},
        "trigger.day_of_week",
        "invalid_field",
        ["'sun'", "'mon'", "names only"],
    ),
    (
        {"trigger": {"type": "cron", "day_of_week": "1-5"}},
        "trigger.day_of_week",
        "invalid_field",
        ["'mon-fri'", "'tue-sat'"],
    ),
    ({"trigger": {"type": "cron", "day_of_week": 7}}, "trigger.day_of_week", "invalid_field", ["'sun'"]),
    (
        {"trigger": {"type": "cron", "day_of_week": "funday"}},
        "trigger.day_of_week",
        "invalid_field",
        ["'funday'", "did you mean"],
    ),
    ({"trigger": {"type": "cron", "day_of_week": True}}, "trigger.day_of_week", "invalid_field", ["names"]),
    ({"trigger": {"type": "cron", "day": 30, "month": 2}}, "trigger", "invalid_field", ["no run within 40 years"]),
    ({"trigger": {"type": "cron", "year": 2020}}, "trigger", "invalid_field", ["no run within 40 years"]),
    (
        {"trigger": {"type": "cron", "hour": 9, "timezone": "Asia/Tokio"}},
        "trigger.timezone",
        "invalid_field",
        ["'Asia/Tokyo'"],
    ),
    ({"trigger": {"type": "date"}}, "trigger.run_date", "missing_field", ["is required"]),
    ({"trigger": {"type": "date", "run_date": "2020-01-01"}}, "trigger.run_date", "invalid_field", ["in the past"]),
    ({"trigger": {"type": "date", "run_date": "2099-01-01"}}, "trigger.run_date", "invalid_field", ["40 years"]),
    ({"trigger": {"type": "date", "run_date": 5}}, "trigger.run_date", "invalid_field", ["ISO 8601"]),
    ({"schedule_type": "dayly"}, "schedule_type", "invalid_field", ["'dayly'", "Did you mean 'daily'"]),
    ({"schedule_type": ["daily"]}, "schedule_type", "invalid_field", ["must be one of"]),
    ({"schedule_type": "daily"}, "schedule_config.hour", "missing_field", ["is required"]),
    ({"schedule_type": "daily", "schedule_config": "{"}, "schedule_config", "invalid_field", ["JSON"]),
    ({"schedule_type": "daily", "schedule_config": "[1]"}, "schedule_config", "invalid_field", ["object"]),
    ({"schedule_type": "daily", "schedule_config": 5}, "schedule_config", "invalid_field", ["object"]),
    ({"schedule_type": "daily", "schedule_config": {"hour": 24}}, "schedule_config.hour", "invalid_field", ["0 to 23"]),
    (
        {"schedule_type": "weekly", "schedule_config": {"hour": 9}},
        "schedule_config.day_of_week",
        "missing_field",
        ["is required"],
    ),
    (
        {"schedule_type": "weekly", "schedule_config": {"day_of_week": 1, "hour": 9}},
        "schedule_config.day_of_week",
        "invalid_field",
        ["'mon'", "'tue'"],
    ),
    ({"schedule_type": "custom"}, "schedule_config.cron_expression", "missing_field", ["is required"]),
    (
        {"schedule_type": "custom", "schedule_config": {"cron_expression": "daily"}},
        "schedule_config.cron_expression",
        "invalid_interval",
        ["'daily'", "five fields"],
    ),
    (
        {"schedule_type": "custom", "schedule_config": {"cron_expression": "60 * * * *"}},
        "schedule_config.cron_expression",
        "invalid_interval",
        ["'60'", "minute"],
    ),
    (
        {"schedule_type": "custom", "schedule_config": {"cron_expression": 5}},
        "schedule_config.cron_expression",
        "invalid_field",
        ["text"],
    ),
    (
        {"schedule_type": "manual", "schedule_config": {"hour": 1}},
        "schedule_config.hour",
        "unknown_field",
        ["'schedule_config.hour'"],
    ),
]


@pytest.mark.parametrize(("fields", "field", "code", "words"), SPELLINGS, ids=[str(case[0]) for case in SPELLINGS])
def test_problems_name_the_path_and_the_way_out(
    fields: dict[str, Any], field: str, code: str, words: list[str]
) -> None:
    found = problem(fields)
    assert (found.field, found.code) == (field, code)
    for word in words:
        assert word in found.message


@pytest.mark.parametrize(
    "fields",
    [
        {"trigger": {"type": "cron", "hour": 2, "day_of_week": "mon", "minut": 3}},
        {"trigger": {"type": "interval", "minutes": 2, "hour": 3}},
        {"schedule_type": "weekly", "schedule_config": {"day_of_week": "mon", "hour": 1, "minute": 2, "hours": 1}},
    ],
)
def test_what_is_accepted_is_told_once_each(fields: dict[str, Any]) -> None:
    accepted = problem(fields).accepted
    assert accepted
    assert len(set(accepted)) == len(accepted)


def test_several_problems_are_told_at_once() -> None:
    value = {"type": "cron", "hour": 25, "minut": 3, "day_of_week": "xyz", "timezone": "Nowhere", "jitter": "1"}
    assert {found.field for found in problems({"trigger": value})} == {
        *("trigger.timezone", "trigger.day_of_week", "trigger.hour", "trigger.minut", "trigger.jitter"),
    }
    assert [found.field for found in problems({"schedule_type": "dayly", "schedule_config": "{"})] == [
        *("schedule_type", "schedule_config"),
    ]
    config = {"schedule_type": "weekly", "schedule_config": {"day_of_week": 1, "hour": 24, "minute": 60, "hours": 1}}
    assert len(problems(config)) == 4


def test_start_at_is_the_anchor_of_an_interval_and_the_earliest_moment_of_other_rules() -> None:
    start = datetime(2026, 10, 1, 8, 30, tzinfo=UTC)
    interval = read({"interval": "every 2 hours"}, start_at=start)
    assert first(interval) == ["Thu 10-01 10:30:00", "Thu 10-01 12:30:00"]
    assert interval.text == "every 2 hours"
    assert interval.trigger.describe() == "every 2 hours starting 2026-10-01 10:30"
    assert first(read({"interval": "daily"}, start_at=start)) == ["Thu 10-01 10:30:00", "Fri 10-02 10:30:00"]
    assert first(read({"interval": "daily at 10:30"}, start_at=start), 1) == ["Thu 10-01 10:30:00"]
    assert first(read({"interval": "0 10 * * *"}, start_at=start), 1) == ["Fri 10-02 10:00:00"]
    assert first(read({"schedule_type": "hourly"}, start_at=start), 1) == ["Thu 10-01 10:30:00"]
    past = MOMENT - timedelta(minutes=7)
    assert first(read({"interval": "every 5 minutes"}, start_at=past), 1) == ["Mon 09-14 10:03:00"]


def test_until_is_inclusive() -> None:
    until = MOMENT + timedelta(minutes=10)
    schedule = read({"interval": "every 5 minutes"}, until=until)
    assert first(schedule, 9) == ["Mon 09-14 10:05:00", "Mon 09-14 10:10:00"]
    assert schedule.trigger.describe() == "every 5 minutes until 2026-09-14 10:10"
    assert len(first(read({"trigger": {"type": "interval", "minutes": 5}}, until=until), 9)) == 2


LIMITS: list[tuple[dict[str, Any], dict[str, datetime], str, str]] = [
    ({"interval": "every 5 minutes"}, {"until": MOMENT + timedelta(minutes=1)}, "until", "before the first run"),
    ({"interval": "every 5 minutes"}, {"until": MOMENT - timedelta(days=1)}, "until", "before the first run"),
    ({"interval": "daily at 9:00"}, {"until": MOMENT + timedelta(hours=1)}, "until", "2026-09-15T09:00:00+02:00"),
    (
        {"interval": "daily"},
        {"start_at": MOMENT + timedelta(days=2), "until": MOMENT + timedelta(days=1)},
        "until",
        "before",
    ),
    ({"interval": "daily"}, {"start_at": MOMENT.replace(year=2099)}, "start_at", "40 years"),
    ({"interval": "daily starting 2026-10-01"}, {"start_at": MOMENT}, "start_at", "'starting 2026-10-01'"),
    ({"interval": "daily until 2026-10-01"}, {"until": MOMENT}, "until", "'until 2026-10-01'"),
    ({"interval": "in 20 minutes"}, {"until": MOMENT}, "until", "before the only run"),
    ({"interval": "in 20 minutes"}, {"start_at": MOMENT + timedelta(hours=1)}, "start_at", "behind the only run"),
    ({"trigger": {"type": "date", "run_date": "2026-12-24"}}, {"until": MOMENT}, "until", "before the only run"),
    (
        {"trigger": {"type": "cron", "hour": 9, "start_date": "2026-10-01"}},
        {"start_at": MOMENT},
        "trigger.start_date",
        "'start_at'",
    ),
    (
        {"trigger": {"type": "interval", "hours": 9, "end_date": "2026-10-01"}},
        {"until": MOMENT},
        "trigger.end_date",
        "'until'",
    ),
]


@pytest.mark.parametrize(("fields", "limits", "field", "words"), LIMITS)
def test_limits_that_leave_no_run(fields: dict[str, Any], limits: dict[str, datetime], field: str, words: str) -> None:
    found = problem(fields, **limits)
    assert found.field == field
    assert words in found.message


def refused(fields: dict[str, Any]) -> Problem:
    with pytest.raises(InvalidRequest) as caught:
        read_when(fields, ZoneInfo("UTC"), MOMENT)
    (found,) = caught.value.problems
    return found


AS_SENT: list[tuple[dict[str, Any], str, Any, str]] = [
    ({"interval": "every 5 minutes starting 2027-03-01", "start_at": "2027-03-01"}, "start_at", "2027-03-01",
     "any 'start_at' beside 'every 5 minutes'"),
    ({"interval": "daily until 2027-03-01", "until": "2027-04-01"}, "until", "2027-04-01",
     "no 'until' beside 'until 2027-03-01'"),
    ({"interval": "daily at 9:00", "until": "2020-01-01"}, "until", "2020-01-01", "a moment from 2026-09-"),
    ({"interval": "in 20 minutes", "start_at": "2027-01-01"}, "start_at", "2027-01-01", "a moment up to 2026-09-14"),
    ({"interval": "daily", "start_at": "2099-01-01"}, "start_at", "2099-01-01", "within 40 years"),
    ({"trigger": {"type": "interval", "hours": 1, "end_date": "2020-01-01"}}, "trigger.end_date", "2020-01-01",
     "a moment from 2026-09-14"),
    ({"trigger": {"type": "cron", "hour": 1, "start_date": "2026-10-01"}, "start_at": "2026-10-01"},
     "trigger.start_date", "2026-10-01", "no 'start_at' beside 'trigger.start_date'"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "field", "got", "accepted"), AS_SENT)
def test_a_refused_limit_tells_what_was_sent_and_what_is_accepted(
    fields: dict[str, Any], field: str, got: str, accepted: str
) -> None:
    found = refused(fields)
    assert (found.field, found.got) == (field, got)
    assert any(accepted in text for text in found.accepted)
    assert found.suggestion is None or datetime.fromisoformat(found.suggestion)


@pytest.mark.parametrize(
    ("fields", "suggestion"),
    [
        ({"interval": "daily", "until": "9999-12-31"}, "9000-12-31"),
        ({"interval": "daily", "until": "9999-12-31T23:59:59Z"}, "9000-12-31"),
        ({"interval": "daily", "start_at": "0001-01-01"}, "1900-01-01"),
        ({"interval": "daily", "until": "0001-01-01"}, None),
        ({"interval": "daily", "start_at": "9999-12-31"}, None),
        ({"trigger": {"type": "date", "run_date": "9999-12-31"}}, None),
        ({"trigger": {"type": "interval", "hours": 1, "end_date": "9999-12-31"}}, "9000-12-31"),
    ],
)
def test_a_moment_out_of_range_is_refused_with_the_years_that_are_accepted(
    fields: dict[str, Any], suggestion: str | None
) -> None:
    found = refused(fields)
    assert "of the years 1900 to 9000" in found.message
    assert found.suggestion == suggestion


def test_the_names_of_the_fields() -> None:
    assert SPELLING_FIELDS == ("interval", "schedule", "trigger", "schedule_type", "schedule_config")
