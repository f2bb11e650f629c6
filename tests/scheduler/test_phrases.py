"""Phrases that are accepted: every form, its other spellings, its runs and its canonical description."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.errors import InvalidRequest
from scheduler.phrases import forms_help, parse_phrase, read_zone
from scheduler.phrases.forms import BY_PARTS, FORMS, PART_NAMES, expand
from scheduler.phrases.guide import write_guide
from scheduler.triggers import upcoming
from tests.scheduler.oracle import is_last, last_day, nth, place_label, scan_days, stretch

DATA = Path(__file__).parent / "data"
ROOT = Path(__file__).parents[2]
SAMPLES = json.loads((DATA / "samples.json").read_text())["valid"]
SPOKEN = json.loads((DATA / "spoken.json").read_text())
MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)  # a Monday
UTC_ZONE = ZoneInfo("UTC")


def runs(phrase: str, zone: str = "UTC", after: datetime = MOMENT, count: int = 5) -> list[str]:
    trigger = parse_phrase(phrase, zone=ZoneInfo(zone), now=after)
    return [run.isoformat() for run in upcoming(trigger, after, count)]


@pytest.mark.parametrize("case", SAMPLES, ids=[case["id"] for case in SAMPLES])
def test_samples(case: dict[str, Any]) -> None:
    after = datetime.fromisoformat(case["after"])
    assert runs(case["phrase"], case["timezone"], after, case["count"]) == case["expect"]
    description = parse_phrase(case["phrase"], zone=ZoneInfo(case["timezone"]), now=after).describe()
    assert description
    if case["roundtrip"]:
        assert runs(description, case["timezone"], after, case["count"]) == case["expect"]


@pytest.mark.parametrize(("description", "spellings"), SPOKEN.items(), ids=list(SPOKEN))
def test_every_spelling_has_the_canonical_description_and_its_runs(description: str, spellings: list[str]) -> None:
    expected = runs(description, count=12)
    for phrase in (description, *spellings, f"  {description.upper()} . "):
        trigger = parse_phrase(phrase, zone=UTC_ZONE, now=MOMENT)
        assert trigger.describe() == description, phrase
        assert [run.isoformat() for run in upcoming(trigger, MOMENT, 12)] == expected, phrase


Test = Callable[[date], bool]
ANY: Test = lambda day: True  # noqa: E731
SCANNED: list[tuple[str, Test, str]] = [
    ("every day at 10:30 and 18:00", ANY, "10:30 18:00"),
    ("every day in december at 08:00", lambda day: day.month == 12, "08:00"),
    ("every 3 days at 10:30", lambda day: (day - MOMENT.date()).days % 3 == 0, "10:30"),
    ("every 3 days at 07:00", lambda day: (day - MOMENT.date()).days % 3 == 1, "07:00"),
    ("every 14 days at 9:00", lambda day: (day - MOMENT.date()).days % 14 == 0, "09:00"),
    ("every 7 days at 7:00", lambda day: (day - MOMENT.date()).days % 7 == 1, "07:00"),
    ("every 2 days", lambda day: (day - MOMENT.date()).days % 2 == 0, "08:00"),
    ("every 2 weeks", lambda day: (day - MOMENT.date()).days % 14 == 0, "08:00"),
    ("every monday and friday at 18:00", lambda day: day.weekday() in (0, 4), "18:00"),
    ("every weekday at 09:00", lambda day: day.weekday() < 5, "09:00"),
    ("friday to monday at noon", lambda day: day.weekday() in (4, 5, 6, 0), "12:00"),
    ("every weekday in december at 08:00", lambda day: day.weekday() < 5 and day.month == 12, "08:00"),
    ("mondays in november to february", lambda day: day.weekday() == 0 and day.month in (11, 12, 1, 2), "00:00"),
    ("every other friday at 17:00", lambda day: day.weekday() == 4 and (day - date(2026, 9, 18)).days % 14 == 0,
     "17:00"),
    # The first run is on friday, so its week is the first one, and monday's turn comes two weeks later.
    ("every 2 weeks on monday and friday at 7:00", lambda day: day.weekday() in (0, 4) and day != MOMENT.date()
     and (day - date(2026, 9, 14)).days // 7 % 2 == 0, "07:00"),
    ("2nd tuesday of the month at 10:00", lambda day: day.weekday() == 1 and nth(day) == 2, "10:00"),
    ("every 5th monday at 10:00", lambda day: day.weekday() == 0 and nth(day) == 5, "10:00"),
    ("last friday of the month at 17:00", lambda day: day.weekday() == 4 and is_last(day), "17:00"),
    ("2nd,third mon,wed of march at 17:00",
     lambda day: day.weekday() in (0, 2) and nth(day) in (2, 3) and day.month == 3, "17:00"),
    ("first friday of the quarter at 9:00",
     lambda day: day.weekday() == 4 and nth(day) == 1 and day.month % 3 == 1, "09:00"),
    ("last weekday of the month at 17:00", lambda day: day.weekday() < 5 and (
        day.day == last_day(day) or (day.weekday() == 4 and day.day > last_day(day) - 3)), "17:00"),
    ("first weekday of the month at 8:00", lambda day: day.weekday() < 5 and (
        day.day == 1 or (day.weekday() == 0 and day.day < 4)), "08:00"),
    ("monthly on the 31st at 6:00", lambda day: day.day == 31, "06:00"),
    ("every 30th at 6:00", lambda day: day.day == 30, "06:00"),
    ("15th and last day of the month at 18:00", lambda day: day.day in (15, last_day(day)), "18:00"),
    ("last day of the quarter at 9:00", lambda day: day.month % 3 == 0 and day.day == last_day(day), "09:00"),
    ("monthly", lambda day: day.day == 1, "00:00"),
    ("quarterly at 6:00", lambda day: day.day == 1 and day.month % 3 == 1, "06:00"),
    ("yearly", lambda day: (day.month, day.day) == (1, 1), "00:00"),
    ("every 25 december at 8:00", lambda day: (day.month, day.day) == (12, 25), "08:00"),
    ("yearly on february 29 at 12:00", lambda day: (day.month, day.day) == (2, 29), "12:00"),
    ("every january 1 and july 4 at 9:00", lambda day: (day.month, day.day) in ((1, 1), (7, 4)), "09:00"),
    ("0 9 1,15 * 1", lambda day: day.day in (1, 15) or day.weekday() == 0, "09:00"),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "matches", "times"), SCANNED, ids=[case[0] for case in SCANNED])
def test_days_are_those_of_a_day_by_day_scan(phrase: str, matches: Test, times: str) -> None:
    expected = scan_days(matches, [time.fromisoformat(text) for text in times.split()], MOMENT, 8)
    assert runs(phrase, count=8) == [run.isoformat() for run in expected]


CHANGING = [
    *[("Europe/Berlin", day) for day in ("2026-03-29", "2026-10-25")],
    *[("America/New_York", day) for day in ("2026-03-08", "2026-11-01")],
    *[("Australia/Lord_Howe", day) for day in ("2026-04-05", "2026-10-04")],
    *[("America/Santiago", day) for day in ("2026-04-04", "2026-09-06")],
]
AROUND: list[tuple[str, Test]] = [
    ("daily at {}", ANY),
    ("every day in april and october at {}", lambda day: day.month in (4, 10)),
    ("saturday to sunday at {}", lambda day: day.weekday() > 4),
    ("sundays {}", lambda day: day.weekday() == 6),
    ("every 1st sunday at {}", lambda day: day.weekday() == 6 and nth(day) == 1),
    ("last sunday of the month at {}", lambda day: day.weekday() == 6 and is_last(day)),
    ("4th, 5th, 6th, 8th, 25th and 29th of the month at {}", lambda day: day.day in (4, 5, 6, 8, 25, 29)),
    ("every september 6 and november 1 at {}", lambda day: (day.month, day.day) in ((9, 6), (11, 1))),
]
NIGHT = ("0:00", "0:30", "1:00", "1:45", "2:00", "2:15", "2:30", "2:59", "3:00", "23:00", "23:59")


@pytest.mark.parametrize(("zone", "day"), CHANGING)
@pytest.mark.parametrize(("phrase", "matches"), AROUND, ids=[case[0] for case in AROUND])
def test_times_around_changes_are_placed_as_a_scan_of_the_minutes_places_them(
    phrase: str, matches: Test, zone: str, day: str
) -> None:
    start = datetime.fromisoformat(day).replace(tzinfo=UTC) - timedelta(2)
    line = stretch(zone, start, 4)
    expected = set()
    for shift in range(-1, 5):
        label = datetime.combine(start.date() + timedelta(shift), time(0))
        for text in NIGHT if matches(label.date()) else ():
            index = place_label(line, datetime.combine(label.date(), time.fromisoformat(f"{text:0>5}")))
            if index:
                expected.add(line.instant(index))
    trigger = parse_phrase(phrase.format(", ".join(NIGHT)), zone=ZoneInfo(zone), now=start)
    found = [run.astimezone(UTC) for run in upcoming(trigger, start, len(expected) + 1)]
    assert [run for run in found if run < start + timedelta(4)] == sorted(expected)


BERLIN = "Europe/Berlin"
CHANGES = [
    ("every 24 hours", BERLIN, "2026-10-24T12:00+02:00", ["2026-10-25T11:00:00+01:00", "2026-10-26T11:00:00+01:00"]),
    ("every 1 day", BERLIN, "2026-10-24T12:00+02:00", ["2026-10-25T12:00:00+01:00", "2026-10-26T12:00:00+01:00"]),
    ("every day", BERLIN, "2026-03-28T02:30+01:00", ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
    ("daily at 02:30", BERLIN, "2026-10-25T02:10+01:00", ["2026-10-26T02:30:00+01:00", "2026-10-27T02:30:00+01:00"]),
    ("0 2 * * *", BERLIN, "2026-03-28T12:00+01:00", ["2026-03-29T03:00:00+02:00", "2026-03-30T02:00:00+02:00"]),
    ("*/30 2 * * *", BERLIN, "2026-03-28T12:00+01:00", ["2026-03-30T02:00:00+02:00", "2026-03-30T02:30:00+02:00"]),
    ("hourly at :30", BERLIN, "2026-10-25T02:00+02:00", ["2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"]),
    ("daily at midnight", "America/Santiago", "2026-09-05T12:00-04:00",
     ["2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"]),
    ("every 30 minutes between 23:00 and 00:00", "America/Santiago", "2026-09-05T23:20-04:00",
     ["2026-09-05T23:30:00-04:00", "2026-09-06T01:00:00-03:00", "2026-09-06T23:00:00-03:00"]),
    ("every 6 hours on sunday", "America/Santiago", "2026-09-05T23:20-04:00",
     ["2026-09-06T01:00:00-03:00", "2026-09-06T07:00:00-03:00", "2026-09-06T13:00:00-03:00",
      "2026-09-06T19:00:00-03:00", "2026-09-13T00:00:00-03:00"]),
    ("every 30 minutes from 1:00 to 3:00", BERLIN, "2026-10-25T01:40+02:00",
     ["2026-10-25T02:00:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:00:00+01:00",
      "2026-10-25T02:30:00+01:00", "2026-10-25T03:00:00+01:00"]),
    ("in 2 days", BERLIN, "2026-03-27T02:30+01:00", ["2026-03-29T03:00:00+02:00"]),
    ("in 48 hours", BERLIN, "2026-03-28T12:00+01:00", ["2026-03-30T13:00:00+02:00"]),
    ("2026-10-25 02:30", BERLIN, "2026-10-24T12:00+02:00", ["2026-10-25T02:30:00+02:00"]),
    ("2026-10-25T02:30:00+01:00", BERLIN, "2026-10-24T12:00+02:00", ["2026-10-25T02:30:00+01:00"]),
    ("tomorrow at 2:15", "Australia/Lord_Howe", "2026-10-03T12:00+10:30", ["2026-10-04T02:30:00+11:00"]),
    ("daily at 9:00 until 2026-04-04", "America/Santiago", "2026-04-03T12:00-03:00", ["2026-04-04T09:00:00-03:00"]),
    # The last hour of this day comes twice, and its second pass belongs to the day.
    ("every 30 minutes until 2026-04-04", "America/Santiago", "2026-04-04T23:00-04:00", ["2026-04-04T23:30:00-04:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("phrase", "zone", "after", "expected"), CHANGES, ids=[f"{c[0]} {c[2][:10]}" for c in CHANGES])
def test_changes_of_the_clocks(phrase: str, zone: str, after: str, expected: list[str]) -> None:
    moment = datetime.fromisoformat(after)
    assert runs(phrase, zone, moment, max(len(expected), 2))[: len(expected)] == expected
    description = parse_phrase(phrase, zone=ZoneInfo(zone), now=moment).describe()
    if " *" not in phrase:
        assert runs(description, zone, moment) == runs(phrase, zone, moment)


LIMITS = [
    ("every 2 hours starting 2026-10-01 09:00", ["2026-10-01T09:00:00+00:00", "2026-10-01T11:00:00+00:00"]),
    ("every 2 hours starting 2026-10-01", ["2026-10-01T00:00:00+00:00", "2026-10-01T02:00:00+00:00"]),
    ("every 5 minutes starting 2026-09-14 07:58", ["2026-09-14T08:03:00+00:00", "2026-09-14T08:08:00+00:00"]),
    ("daily starting 2026-10-01 09:00", ["2026-10-01T09:00:00+00:00", "2026-10-02T09:00:00+00:00"]),
    ("every 3 days at 9:00 starting 2026-10-01 09:00", ["2026-10-01T09:00:00+00:00", "2026-10-04T09:00:00+00:00"]),
    ("every 3 days at 9:00 starting 2026-10-01 09:01", ["2026-10-02T09:00:00+00:00", "2026-10-05T09:00:00+00:00"]),
    ("every 5 minutes until 2026-09-14 08:10", ["2026-09-14T08:05:00+00:00", "2026-09-14T08:10:00+00:00"]),
    ("every 5 minutes until 2026-09-14 08:09:59", ["2026-09-14T08:05:00+00:00"]),
    ("every 5 minutes until 2026-09-14T10:05:00+02:00", ["2026-09-14T08:05:00+00:00"]),
    ("daily at 23:59:59 until 2026-09-15", ["2026-09-14T23:59:59+00:00", "2026-09-15T23:59:59+00:00"]),
    ("daily at midnight until 2026-09-15", ["2026-09-15T00:00:00+00:00"]),
    ("0 9 * * * until 2026-09-15", ["2026-09-14T09:00:00+00:00", "2026-09-15T09:00:00+00:00"]),
    ("@hourly starting 2026-10-01 until 2026-10-01 01:00", ["2026-10-01T00:00:00+00:00", "2026-10-01T01:00:00+00:00"]),
    ("monday at 9:00 until 2026-09-21 Asia/Tokyo", ["2026-09-21T09:00:00+09:00"]),
]


@pytest.mark.parametrize(("phrase", "expected"), LIMITS, ids=[case[0] for case in LIMITS])
def test_limits(phrase: str, expected: list[str]) -> None:
    assert runs(phrase, count=3)[:2] == expected
    if phrase[0] not in "0@":
        assert runs(parse_phrase(phrase, zone=UTC_ZONE, now=MOMENT).describe()) == runs(phrase)


def test_today_and_tomorrow_are_those_of_the_zone() -> None:
    late = datetime(2026, 9, 14, 23, tzinfo=UTC)
    assert runs("today at 18:00", BERLIN, late) == ["2026-09-15T18:00:00+02:00"]
    assert runs("tomorrow at 0:30 America/New_York", BERLIN, late) == ["2026-09-15T00:30:00-04:00"]
    assert runs("next tuesday at 9:00", BERLIN, late) == ["2026-09-22T09:00:00+02:00"]


def test_a_zone_in_the_phrase_wins_and_is_described() -> None:
    for zone in ("Asia/Tokyo", "asia/tokyo", "in Asia/TOKYO", "(Asia/Tokyo)", "(in Asia/Tokyo)"):
        trigger = parse_phrase(f"every day at 10:30 {zone}", zone=ZoneInfo(BERLIN), now=MOMENT)
        assert trigger.zone.key == "Asia/Tokyo"
        assert trigger.describe() == "every day at 10:30 Asia/Tokyo"


def test_a_zone_that_phrases_do_not_name_is_described_by_its_offset() -> None:
    trigger = parse_phrase("2026-12-24 18:00", zone=ZoneInfo("CET"), now=MOMENT)
    assert trigger.describe() == "once at 2026-12-24T18:00:00+01:00"


def test_the_anchor_keeps_its_fraction_of_a_second() -> None:
    moment = MOMENT + timedelta(microseconds=250_000)
    assert runs("every 5 minutes", after=moment, count=1) == ["2026-09-14T08:05:00.250000+00:00"]
    assert runs("daily", after=moment, count=1) == ["2026-09-15T08:00:00.250000+00:00"]
    once = parse_phrase("in 20 minutes", zone=UTC_ZONE, now=moment).describe()
    assert runs(once, after=moment) == ["2026-09-14T08:20:00.250000+00:00"]


def test_the_same_phrase_zone_and_moment_give_the_same_trigger() -> None:
    for phrase in SPOKEN:
        again = parse_phrase(phrase, zone=UTC_ZONE, now=MOMENT.astimezone(ZoneInfo(BERLIN)))
        assert parse_phrase(phrase, zone=UTC_ZONE, now=MOMENT) == again


KINDS = {
    "interval": ["every 5 minutes", "hourly", "daily", "every 2 weeks", "twice a day"],
    "calendar": ["daily at 9:00", "every 2 days at 9:00", "monthly", "hourly at :15", "every 5 minutes on mondays"],
    "cron": ["0 9 * * *", "@daily"],
    "once": ["in 5 minutes", "tomorrow at 9:00", "2026-12-24 18:00"],
}


@pytest.mark.parametrize(("kind", "phrases"), KINDS.items())
def test_kinds(kind: str, phrases: list[str]) -> None:
    assert {parse_phrase(phrase, zone=UTC_ZONE, now=MOMENT).kind for phrase in phrases} == {kind}


def test_the_table_of_forms_is_sound() -> None:
    masks = [mask for form in FORMS for line in form.parts for mask in expand(line)]
    assert len(masks) == len(set(masks)) == len(BY_PARTS), "two forms claim the same clauses"
    assert all(word.rstrip("?") in PART_NAMES for form in FORMS for line in form.parts
               for words in line.split() for word in words.split("|"))  # fmt: skip
    for form in FORMS:
        first = parse_phrase(form.accepted[0], zone=UTC_ZONE, now=MOMENT)
        assert first.describe() == form.canonical
        assert form.parts == () or form.build is not None


def test_help_is_the_table() -> None:
    told = forms_help()
    assert [row["form"] for row in told] == [form.name for form in FORMS]
    assert json.loads(json.dumps(told)) == told


def test_docs_are_made_from_the_table() -> None:
    page = (ROOT / "docs" / "phrases.md").read_text()
    assert page == write_guide(), "run: python -m scheduler.phrases > docs/phrases.md"


def test_read_zone() -> None:
    assert read_zone("europe/BERLIN").key == "Europe/Berlin"
    assert read_zone("utc").key == "UTC"
    assert read_zone("EST").key == "EST"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Europe/Berln", "Europe/Berlin"),
        ("PST", "America/Los_Angeles"),
        ("CEST", "Europe/Berlin"),
        ("UTC+2", "Etc/GMT-2"),
        ("gmt-05:00", "Etc/GMT+5"),
        ("UTC+5:30", "Asia/Kolkata"),
        ("UTC+0", "UTC"),
        ("UTC+25", "UTC"),
        ("berlin", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("Mars/Olympus", "UTC"),
        ("../../etc/passwd", "UTC"),
        ("Európe/Berlin", "Europe/Berlin"),
        ("", "UTC"),
        (None, "UTC"),
        (5, "UTC"),
        ("x" * 5000, "UTC"),
    ],
)
def test_read_zone_refuses_with_the_nearest_name(name: object, suggestion: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_zone(name)
    (problem,) = refused.value.problems
    assert (problem.field, problem.code, problem.suggestion) == ("timezone", "invalid_field", suggestion)
    assert len(problem.message) < 300
