"""Phrases that are refused: what is quoted, what is offered, and that every offer is accepted."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.errors import InvalidRequest
from scheduler.phrases import Limits, parse_phrase
from scheduler.phrases.parse import FALLBACK
from tests.scheduler.refusals import MOMENT, refusal

DATA = Path(__file__).parent / "data"
SAMPLES = json.loads((DATA / "samples.json").read_text())["invalid"]
REFUSED = json.loads((DATA / "refused.json").read_text())


@pytest.mark.parametrize("case", SAMPLES, ids=[case["id"] for case in SAMPLES])
def test_samples(case: dict[str, Any]) -> None:
    problem = refusal(case["phrase"], case["timezone"], datetime.fromisoformat(case["after"]))
    message = problem.message.lower()
    suggested = any(text.lower() in message for text in case["suggest"])
    assert suggested or not case["suggest"]
    if isinstance(case["phrase"], str) and not suggested and case["phrase"] not in case["names"]:
        message = message.replace(case["phrase"].lower(), "")
    assert any(name.lower() in message for name in case["names"])


@pytest.mark.parametrize(("phrase", "part", "suggestion"), REFUSED, ids=[case[0] for case in REFUSED])
def test_the_offending_part_is_quoted_and_the_nearest_phrase_offered(
    phrase: str, part: str, suggestion: str | None
) -> None:
    problem = refusal(phrase)
    assert f"'{part}'" in problem.message
    assert problem.suggestion == suggestion
    assert f"'{suggestion or FALLBACK}'" in problem.message or not phrase.isascii()
    assert problem.got == phrase


READINGS = [
    ("every day a week at 9:00", ["every day at 9:00", "every week at 9:00 on monday"]),
    ("every 5 minutes, 10 minutes", ["every 5 minutes", "every 10 minutes"]),
    ("in 15 and 30 minutes", ["in 15 minutes", "in 30 minutes"]),
    ("every 5 business days at 9:00", ["every 5 days at 9:00", "every weekday at 9:00"]),
    ("1h30", ["every 1h30", "in 1h30"]),
    ("9:00 in the morning", ["daily 9:00 in the morning", "today 9:00 in the morning"]),
    ("300", ["every 300 seconds", "daily at 3:00"]),
    ("daily at 9:00-05:00", ["daily at 9:00 Etc/GMT+5", "every 15 minutes daily between 9:00 and 05:00"]),
    ("every 5 minutes at 10:30", ["every 5 minutes", "daily at 10:30"]),
    ("daily on monday at 9:00", ["on monday at 9:00", "daily at 9:00"]),
    (
        "quarterly on the first monday of the month at 9:00",
        ["quarterly on the first monday at 9:00", "on the first monday of the month at 9:00"],
    ),
    ("every month on the first monday of march", ["on the first monday of march", "every month on the first monday"]),
    (
        "every monday starting 2026-10-05 at 9:00",
        ["every monday at 09:00 starting 2026-10-05", "every monday at 00:00 starting 2026-10-05 09:00"],
    ),
    (
        "every monday until 2026-12-31 at 9:00",
        ["every monday at 09:00 until 2026-12-31", "every monday at 00:00 until 2026-12-31 09:00"],
    ),
    ("every evening at 7:30", ["every evening at 19:30", "every day at 7:30"]),
    ("every day until 2026-12-31 at 9:00", ["every day at 09:00 until 2026-12-31", "every day until 2026-12-31 09:00"]),
    (
        "yearly starting 2026-11-15 10:00",
        ["yearly at 10:00 starting 2026-11-15", "yearly at 00:00 starting 2026-11-15 10:00"],
    ),
    ("0 0 9 * * *", ["0 9 * * *", "0 0 9 * *"]),
    ("0 9 * * * * Europe/Berlin", ["9 * * * * Europe/Berlin", "0 9 * * * Europe/Berlin"]),
]


@pytest.mark.parametrize(("phrase", "readings"), READINGS, ids=[case[0] for case in READINGS])
def test_where_there_are_two_readings_both_are_offered(phrase: str, readings: list[str]) -> None:
    problem = refusal(phrase)
    assert problem.suggestion == readings[0]
    assert f"Example: '{readings[0]}' or '{readings[1]}'" in problem.message


SHIFTED = ["UTC+2", "utc+02:00", "GMT+2", "+02:00", "+0200"]


@pytest.mark.parametrize("written", SHIFTED)
@pytest.mark.parametrize("phrase", ["daily at 9:00", "every monday at 18:00", "0 9 * * 1-5"])
def test_an_offset_is_offered_as_a_zone(phrase: str, written: str) -> None:
    suggestion = refusal(f"{phrase} {written}").suggestion
    assert suggestion == f"{phrase} Etc/GMT-2"
    run = parse_phrase(suggestion, zone=ZoneInfo("UTC"), now=MOMENT).next_after(MOMENT)
    assert run is not None
    assert run.utcoffset() == timedelta(hours=2)


WORDS = [
    ("daily at 25:00", ["hours are 0-23", "minutes 0-59"]),
    ("daily at 24:00", ["midnight is '00:00'"]),
    ("every monday at 9", ["'9:00'", "'9am'", "'9pm'"]),
    ("at 18:00", ["'daily at 18:00'", "'today at 18:00'"]),
    ("every 5", ["no unit after '5'", "seconds, minutes, hours, days or weeks"]),
    ("every 0 minutes", ["must be 1 or more"]),
    ("every 1.5 hours", ["whole numbers only", "'every 90 minutes'"]),
    ("every 5 minuets", ["unknown unit 'minuets'", "did you mean 'minutes'"]),
    ("every mondey at 9:00", ["did you mean 'monday'"]),
    ("every february 30", ["in no calendar", "'every february 28'", "leap years only"]),
    ("every 6th monday", ["no month has", "'last monday of the month'"]),
    ("monday", ["'every monday at 09:00'", "'next monday at 09:00'"]),
    ("30m", ["repeat or delay", "'every 30m'", "'in 30m'"]),
    ("biweekly", ["ambiguous", "'every 2 weeks'"]),
    ("10/11/2026 10:00", ["day or month first?", "'2026-11-10 10:00'"]),
    ("7 times a day", ["does not divide a day into whole minutes"]),
    ("daily at 9am Europe/Berln", ["did you mean 'Europe/Berlin'?"]),
    ("daily at 9am PST", ["ambiguous", "'America/Los_Angeles'"]),
    ("2026-12-24T18:00:00Z Europe/Berlin", ["'Z'", "'Europe/Berlin'", "contradict"]),
    ("2020-01-01T00:00:00", ["in the past", "never runs"]),
    ("today at 07:00", ["in the past", "now 2026-09-14 08:00", "'tomorrow at 07:00'"]),
    ("every 5 minutes until 2020-01-01", ["'until 2020-01-01'", "in the past"]),
    ("every 5 minutes starting 2026-12-31 until 2026-12-01", ["'starting 2026-12-31'", "'until 2026-12-01'"]),
    ("every 5 minutes at 10:30", ["'every 5 minutes' and 'at 10:30' do not go together"]),
    ("every 2 days between 9:00 and 17:00", ["'every 2 days' and 'between 9:00 and 17:00' do not go together"]),
    ("every 5 minutes every 10 minutes", ["'every 10 minutes' is one too many"]),
    ("every second day", ["'every 2 days'", "'2nd of the month'"]),
    ("december 25 at 8:00", ["each year or once?", "'every december 25 at 08:00'", "'2026-12-25 08:00'"]),
    ("0 9 * * fri-mon", ["'fri-mon'", "weekday", "'0 9 * * 5-7,1'"]),
    ("@reboot", ["@hourly", "@midnight", "@annually"]),
    ("every 4000 days", ["at most 10 years"]),
    ("every 5 minutes starting 2090-01-01", ["within 40 years"]),
]


@pytest.mark.parametrize(("phrase", "words"), WORDS, ids=[case[0] for case in WORDS])
def test_messages_say_why_and_what_is_accepted(phrase: str, words: list[str]) -> None:
    message = refusal(phrase).message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("phrase", "words"),
    [
        (None, "null"),
        (True, "true or false"),
        (5, "a number"),
        (1.5, "a number"),
        ([], "a list"),
        (["every 5 minutes"], "a list"),
        ({"minutes": 5}, "an object"),
        ("", "empty"),
        (" \t\n ", "empty"),
        (".", "empty"),
        ("every 5 minutes" + " " * 500, "515 characters"),
        ("x" * 100_000, "100000 characters"),
        ("every 5 minute\x00s", "control character"),
        ("every \N{ARABIC-INDIC DIGIT FIVE} minutes", "digit"),
        ("t\N{LATIN SMALL LETTER A WITH DIAERESIS}glich um 9:00", "character"),
        ("every 5 minutes \N{ALARM CLOCK}", "character"),
    ],
)
def test_what_is_no_plain_text_is_refused_by_field(phrase: object, words: str) -> None:
    for field in ("interval", "schedule"):
        problem = refusal(phrase, field=field)
        assert f"'{field}'" in problem.message
        assert words in problem.message
        assert len(problem.message) < 300
        assert len(str(problem.got)) < 300


def test_the_same_phrase_in_plain_characters_is_offered() -> None:
    assert refusal("every \N{FULLWIDTH DIGIT FIVE}\N{NO-BREAK SPACE}minutes").suggestion == "every 5 minutes"
    assert refusal("monday\N{EN DASH}friday at 9:00").suggestion == "monday-friday at 9:00"
    assert refusal("every 1\N{VULGAR FRACTION ONE HALF} hours").suggestion == "every 90 minutes"


@pytest.mark.parametrize(
    ("phrase", "suggestion"),
    [
        ("\N{LEFT DOUBLE QUOTATION MARK}daily at half past 9\N{RIGHT DOUBLE QUOTATION MARK}", "daily at 9:30"),
        ("\N{LEFT DOUBLE QUOTATION MARK}0 9 * * *\N{RIGHT DOUBLE QUOTATION MARK}", "0 9 * * *"),
        ("every 5 minuets \N{ALARM CLOCK}", "every 5 minutes"),
        ("every day at 9 am \N{EM DASH} Europe/Berlin", "every day at 9 am Europe/Berlin"),
        ("2026\N{NON-BREAKING HYPHEN}06\N{NON-BREAKING HYPHEN}01 09:00", "2027-06-01 09:00"),
        ("t\N{LATIN SMALL LETTER A WITH DIAERESIS}glich", None),
        ("\N{CJK UNIFIED IDEOGRAPH-6BCF}\N{CJK UNIFIED IDEOGRAPH-5929} 9:00", None),
    ],
)
def test_plain_characters_are_mended_like_any_phrase(phrase: str, suggestion: str | None) -> None:
    assert refusal(phrase).suggestion == suggestion


def test_plain_characters_are_read_in_the_zone_and_at_the_moment_of_the_request() -> None:
    """A time that is past in that zone is not offered."""
    late = datetime(2026, 9, 14, 21, tzinfo=UTC)
    assert refusal("today at 22\N{FULLWIDTH COLON}30", "UTC", late).suggestion == "today at 22:30"
    assert refusal("today at 22\N{FULLWIDTH COLON}30", "Europe/Berlin", late).suggestion == "tomorrow at 22:30"


@pytest.mark.parametrize("phrase", [None, True, 5, [], {"minutes": 5}, "", " ", "x" * 501, "every 5 minute\x00s"])
def test_what_says_no_rule_is_offered_none(phrase: object) -> None:
    assert refusal(phrase).suggestion is None


def test_the_second_pass_of_a_time_is_past() -> None:
    second_pass = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert "in the past" in refusal("today at 02:30", "Europe/Berlin", second_pass).message


def test_the_whole_phrase_is_not_just_echoed() -> None:
    for phrase, part, _ in REFUSED:
        if part.lower() != phrase.lower():
            assert f"'{phrase.lower()}'" not in refusal(phrase).message.lower()


ENDED = [
    ("every 10 days", "2026-09-20T00:00:00+00:00", "UTC"),
    ("every 5 minutes", "2026-09-14T08:01:00+00:00", "UTC"),
    ("in 60 days", "2026-10-05T00:00:00+00:00", "UTC"),
    ("every 16 hours", "2026-09-14T10:00:00+00:00", "UTC"),  # runs next at midnight
    ("every day", "2026-09-14T10:00:00+00:00", "America/Santiago"),
    ("every monday at 9:00", "2026-09-14T08:30:00+00:00", "UTC"),
    ("tomorrow at 9:00", "2026-09-14T08:30:00+00:00", "Pacific/Kiritimati"),
]


@pytest.mark.parametrize(("phrase", "until", "zone"), ENDED, ids=[case[0] for case in ENDED])
def test_a_later_end_that_is_offered_still_works_when_it_is_sent(phrase: str, until: str, zone: str) -> None:
    """What counts from its creation has its first run later by then."""
    limits = Limits(until=datetime.fromisoformat(until))
    with pytest.raises(InvalidRequest) as refused:
        parse_phrase(phrase, zone=ZoneInfo(zone), now=MOMENT, limits=limits)
    (problem,) = refused.value.problems
    assert problem.field == "until"
    later = Limits(until=datetime.fromisoformat(str(problem.suggestion)))
    for seconds in (0, 0.002, 30, 3_500):
        now = MOMENT + timedelta(seconds=seconds)
        assert parse_phrase(phrase, zone=ZoneInfo(zone), now=now, limits=later).next_after(now)
