"""Phrases that are refused: what is quoted, what is offered, and that every offer is accepted."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import InvalidRequest, Problem
from scheduler.phrases import Limits, parse_phrase
from scheduler.phrases.foreign import UNSAYABLE, in_our_words
from scheduler.phrases.kept import keeps
from scheduler.phrases.left_out import leaves_out
from scheduler.phrases.parse import FALLBACK
from scheduler.phrases.spoken import in_digits
from scheduler.phrases.words import NEGATIONS
from scheduler.triggers import upcoming

DATA = Path(__file__).parent / "data"
SAMPLES = json.loads((DATA / "samples.json").read_text())["invalid"]
REFUSED = json.loads((DATA / "refused.json").read_text())
MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)


def refusal(phrase: object, zone: str = "UTC", after: datetime = MOMENT, field: str = "interval") -> Problem:
    with pytest.raises(InvalidRequest) as refused:
        parse_phrase(phrase, zone=ZoneInfo(zone), now=after, field=field)
    (problem,) = refused.value.problems
    assert problem.field == field
    assert problem.code == refused.value.code == "invalid_interval"
    assert problem.accepted
    if problem.suggestion is not None:
        assert parse_phrase(problem.suggestion, zone=ZoneInfo(zone), now=after), "the suggestion is accepted"
    return problem


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


FOREIGN = [
    ("PT1H30M", "every 1 hour 30 minutes"),
    ("P1W", "every 1 week"),
    ("rate(1 day)", "every 1 day"),
    ("cron(0 2 * * ? *)", "0 2 * * *"),
    ("cron(0 9 ? * MON-FRI *)", "0 9 * * MON-FRI"),
    ("cron(0 9 ? * 2-6 *)", "0 9 * * 1-5"),
    ("cron(0 9 ? * 2-6/2 *)", "0 9 * * 1-5/2"),
    ("0 30 9 ? * MON-FRI", "30 9 * * MON-FRI"),
    ("0 0 2 ? * 1", "0 2 * * 0"),
    ("*-*-* 02:00:00", "daily at 02:00:00"),
    ("P1M", "every 1 month"),
    ("P3M", "0 0 1 */3 *"),
    ("P1Y", "every 1 year"),
    ("PT1.5H", "every 90 minutes"),
    ("Mon..Fri *-*-* 09:00:00", "every Mon to Fri at 09:00:00"),
    ("*-*-01 00:00:00", "1st of the month at 00:00:00"),
    ("*-12-24 18:00", "every december 24 at 18:00"),
    ("*:0/15", "0/15 * * * *"),
    ("*:30", "hourly at :30"),
    ("@daily at 9:00", "daily at 9:00"),
    ("@weekly on monday", "weekly on monday"),
    ("@hourly at :15", "hourly at :15"),
    ("@monday", "every monday"),
    ("@weekdays at 9:00", "every weekdays at 9:00"),
    ("@quarterly", "quarterly"),
    ("@noon", "daily at noon"),
    ("30 0 9 * * *", "0 9 * * *"),
    ("every 2500 ms", "every 2 seconds"),
    ("@every 1h30m", "every 1 hour 30 minutes"),
    ("@every 1d", "every 1 day"),
    ("@every 15 minutes", "every 15 minutes"),
    ("CRON_TZ=America/New_York 0 9 * * *", "0 9 * * * America/New_York"),
    ("TZ=UTC 0 9 * * 1-5", "0 9 * * 1-5 UTC"),
    ("every business day at 9", "every weekday at 9:00"),
    ("working days at 9am Europe/Berlin", "weekdays at 9am Europe/Berlin"),
    ("week days at 9am", "weekdays at 9am"),
    ("every week end at 10:00", "every weekend at 10:00"),
    ("quarter past every hour", "hourly at :15"),
    ("at 10 minutes before the hour", "hourly at :50"),
    ("20 minutes past noon", "daily at 12:20"),
    ("5 minutes before midnight daily", "daily at 23:55"),
    ("every fortnight on monday at 9:00", "every 2 weeks on monday at 9:00"),
    ("in a fortnight", "in 2 weeks"),
    ("in a couple of hours", "in 2 hours"),
    ("every day except sunday at 10:00", "every monday to saturday at 10:00"),
    ("at 9am every day but Saturday and Sunday", "at 9am every monday to friday"),
    ("daily except weekends at 9am Europe/Berlin", "every monday to friday at 9am Europe/Berlin"),
    ("weekdays except wednesday at 8:30", "every monday, tuesday, thursday and friday at 8:30"),
    ("Every 15 minutes on weekdays except friday", "Every 15 minutes on monday to thursday"),
    ("every day except monday tuesday at 10:00", "every wednesday to sunday at 10:00"),
    ("daily at 9:00 except monday", "every tuesday to sunday at 9:00"),
    ("every hour except on sundays", "every hour on monday to saturday"),
    ("every 15 minutes except on weekends", "every 15 minutes on monday to friday"),
    ("never on sunday, daily at 9:00", "every monday to saturday at 9:00"),
    ("every day at 9:00 unless sunday", "every monday to saturday at 9:00"),
    ("every day at 9:00 other than sunday", "every monday to saturday at 9:00"),
    ("every weekday at 9:00 except friday", "every monday to thursday at 9:00"),
    ("every day except on saturday and on sunday at 9:00", "every monday to friday at 9:00"),
    ("every day excluding monday through wednesday", "every thursday to sunday"),
    ("every day at 9:00 apart from friday to monday", "every tuesday to thursday at 9:00"),
]


@pytest.mark.parametrize(("phrase", "suggestion"), FOREIGN)
def test_what_others_write_is_offered_in_our_words(phrase: str, suggestion: str) -> None:
    assert refusal(phrase).suggestion == suggestion


@pytest.mark.parametrize("phrase", ["PT", "P", "cron(1 2 ? * 6L 2022)", "0 0 12 1 1 ? 2030", "rate(five minutes)"])
def test_what_has_no_such_meaning_is_offered_something_else(phrase: str) -> None:
    refusal(phrase)
    assert in_our_words(phrase) in (None, UNSAYABLE, "every five minutes")


MARKED = [
    ('"{}"', "{}"),
    ("'{}'", "{}"),
    ("`{}`", "{}"),
    ("```{}```", "{}"),
    ("**{}**", "{}"),
    ("[{}]", "{}"),
    ("({})", "{}"),
    ("{};", "{}"),
    ('" {}', "{}"),
    ("cron: {}", "{}"),
    ("cron expression: {}", "{}"),
    ("schedule = '{}'", "{}"),
    ("cron('{}')", "{}"),
    ('{{"cron": "{}"}}', "{}"),
    ('{{"schedule": "{}", "timezone": "Europe/Berlin"}}', "{} Europe/Berlin"),
]
BARE = ["0 9 * * *", "*/15 * * * *", "0 9 * * 1-5", "30 9-17 * * mon-fri", "daily at 9am", "every 5 minutes", "@daily"]


@pytest.mark.parametrize(("marks", "inside"), MARKED)
@pytest.mark.parametrize("phrase", BARE)
def test_what_stands_inside_marks_is_offered_as_it_is(phrase: str, marks: str, inside: str) -> None:
    assert refusal(marks.format(phrase)).suggestion == inside.format(phrase)


def test_a_comment_behind_a_cron_expression_is_left_away() -> None:
    assert refusal("0 9 * * * # each morning").suggestion == "0 9 * * *"
    assert refusal("0 9 * * 2#6").suggestion == "0 9 * * 2L"


def test_an_object_with_more_than_phrase_and_zone_is_offered_nothing() -> None:
    assert refusal('{"cron": "0 9 * * *", "jitter": 5}').suggestion is None
    assert refusal('{"cron": "0 9 * * *", "interval": "daily"}').suggestion is None


SPOKEN = [
    ("every forty minutes", "every 40 minutes"),
    ("every dozen minutes", "every 12 minutes"),
    ("every thirteen minutes", "every 13 minutes"),
    ("every twenty-four hours", "every 24 hours"),
    ("in twenty five minutes", "in 25 minutes"),
    ("every one and a half hours", "every 90 minutes"),
    ("every 2 1/2 hours", "every 150 minutes"),
    ("every half-hour", "every half hour"),
    ("half-hourly", "every half hour"),
    ("3x a day", "3 times a day"),
    ("every three quarters of an hour", "every 45 minutes"),
    ("in a month", "in 30 days"),
    ("in a year", "in 365 days"),
    ("in a quarter", "in 91 days"),
    ("every 6mo", "0 0 1 */6 *"),
    ("every 2y", "every 730 days"),
    ("in 6mo", "in 181 days"),
    ("daily 9am America/New York", "daily 9am America/New_York"),
    ("daily 9am Asia/Ho Chi Minh", "daily 9am Asia/Ho_Chi_Minh"),
    ("daily 9am (New York)", "daily 9am (America/New_York)"),
    ("daily 9am Mexico City", "daily 9am America/Mexico_City"),
    ("daily 9am india time", "daily 9am Asia/Kolkata"),
    ("daily 9am (America/New_York time)", "daily 9am (America/New_York)"),
    ("Europe/Berlin: daily 9am", "daily 9am Europe/Berlin"),
    ("UTC 0 9 * * *", "0 9 * * * UTC"),
    ("daily at 9am tz=Europe/Berlin", "daily at 9am Europe/Berlin"),
    ("daily at 9am, time zone: Europe/Berlin", "daily at 9am Europe/Berlin"),
    ("daily at 9am - Europe/Berlin", "daily at 9am Europe/Berlin"),
    ("daily 9am Beijing", "daily 9am Asia/Shanghai"),
    ("every 5 minutes starting at 9:00", "every 5 minutes starting at 2026-09-14 9:00"),
    ("every 5 minutes until 7:00", "every 5 minutes until 2026-09-15 7:00"),
    ("every 5 minutes starting now", "every 5 minutes"),
    ("every 5 minutes until next friday", "every 5 minutes until 2026-09-18"),
    ("every 5 minutes until december 31 2026", "every 5 minutes until 2026-12-31"),
    ("every 5 minutes until 1 march", "every 5 minutes until 2027-03-01"),
    ("every 5 minutes for 2 hours", "every 5 minutes until 2026-09-14 10:00"),
    ("every 5 minutes until 2026-12-31 24:00", "every 5 minutes until 2027-01-01 00:00"),
    ("2026-12-24T24:00", "2026-12-25 00:00"),
    ("daily at 9:00 from 2026-10-01 to 2026-12-01", "daily at 9:00 from 2026-10-01 until 2026-12-01"),
    ("daily at 9:00 ending 2026-12-31", "daily at 9:00 until 2026-12-31"),
    ("daily at 9:00 before 2026-12-31", "daily at 9:00 until 2026-12-30"),
    ("daily at 9:00 as of 2026-10-01", "daily at 9:00 starting 2026-10-01"),
    ("starting in 3 days, daily at 9:00", "starting 2026-09-17, daily at 9:00"),
    ("every 5 minutes on 2026-12-25", "every 5 minutes starting 2026-12-25 until 2026-12-25"),
    ("every december 25 2026 at 9:00", "2026-12-25 at 9:00"),
    ("every december 24-26 at 8:00", "every december 24, 25 and 26 at 8:00"),
    ("days 1 to 3 at 9:00", "1st, 2nd and 3rd of the month at 9:00"),
    ("monthly on days 1,15 at 9:00", "monthly on the 1st and 15th at 9:00"),
    ("every 5 of may", "every may 5"),
    ("every 24 and 25 december at 8:00", "every december 24 and 25 at 8:00"),
    ("every 1 and 15 of the month", "1st and 15th of the month"),
    ("every december on the 25th", "every december 25"),
    ("20261224 18:00", "2026-12-24 18:00"),
    ("1798761600", "2027-01-01T00:00:00Z"),
    ("daily at 12 midnight", "daily at midnight"),
    ("the day after tomorrow at 9:00", "2026-09-16 at 9:00"),
    ("every day of the week at 9:00", "every day at 9:00"),
    ("end of month", "end of month at 09:00"),
    ("month-end at 5pm", "month end at 5pm"),
    ("once on december 25", "once on december 25 at 09:00"),
    ("once on monday at 9:00", "next monday at 9:00"),
    ("mon wed fri at 9:00", "mon, wed and fri at 9:00"),
    ("only mondays at 9:00", "mondays at 9:00"),
    ("every 15 minutes between 9 and 5", "every 15 minutes between 9:00 and 17:00"),
    ("half past nine daily", "9:30 daily"),
    ("daily at quarter to ten pm", "daily at 9:45pm"),
    ("twice a week on tuesday and friday at 10:00", "on tuesday and friday at 10:00"),
    ("twice a month on the 1st and 15th at 9:00", "1st and 15th of the month at 9:00"),
    ("twice a month", "every month on the 1st and 15th at 09:00"),
    ("3 times a week at 7:00", "every monday, wednesday and friday at 7:00"),
    ("five minutes past every hour", "hourly at :05"),
    ("tonight at 8", "tonight at 20:00"),
    ("tonight", "tonight at 22:00"),
    ("tonight at 0:30", "tomorrow at 0:30"),
    ("this evening at 8pm", "today evening at 8pm"),
    ("every weekday afternoon at 3", "every weekday afternoon at 15:00"),
    ("every weekend evening at 7", "every weekend evening at 19:00"),
    ("friday night at 11", "friday night at 23:00"),
    ("tomorrow afternoon at 3", "tomorrow afternoon at 15:00"),
    ("every day at 3 in the afternoon", "every day at 15:00 in the afternoon"),
    ("every weekday in the morning", "every weekday in the morning at 09:00"),
    ("half past midnight daily", "0:30 daily"),
    ("an hour before midnight every day", "23:00 every day"),
    ("daily at half past noon", "daily at 12:30"),
    ("quarter to noon daily", "11:45 daily"),
    ("20 to 8pm daily", "7:40pm daily"),
    ("ten to nine every day", "8:50 every day"),
    ("daily at twenty-five to eight pm", "daily at 7:35pm"),
    ("every hour on the half hour", "hourly at :30"),
    ("every hour at half past", "hourly at :30"),
    ("hourly at quarter to", "hourly at :45"),
    ("every 2 hours from now", "every 2 hours"),
    ("right now", "in 1 minute"),
    ("daily at 9 o'clock", "daily at 9:00"),
    ("run every 5 minutes please", "every 5 minutes"),
    ("m-f at 9am", "monday to friday at 9am"),
    ("monday till friday at 9am", "monday to friday at 9am"),
    ("weekdays at 9am between june and august", "weekdays at 9am in june to august"),
    ("coming friday at 5pm", "next friday at 5pm"),
    ("this coming friday at 5pm", "next friday at 5pm"),
    ("monday next week at 9am", "on 2026-09-21 at 9am"),
    ("next week on friday at 9am", "on 2026-09-25 at 9am"),
    ("next month on the 1st at 9am", "on 2026-10-01 at 9am"),
    ("quarterly on the 15th at 9am", "15th of january, april, july and october at 9am"),
    ("every quarter on the 1st and 15th at 9am", "1st and 15th of january, april, july and october at 9am"),
]


@pytest.mark.parametrize(("phrase", "suggestion"), SPOKEN)
def test_what_people_say_is_offered_in_our_words(phrase: str, suggestion: str) -> None:
    assert refusal(phrase).suggestion == suggestion


SAID_BY_NO_PHRASE = [
    *("every 15 minutes not between 9:00 and 17:00", "every monday but not in july at 9:00"),
    *("every day except december 25", "every day except the 1st", "every month except december"),
    *("every 3 days except monday", "every other day except sunday", "on weekdays at 9:00 but only in december"),
    *("every weekend except saturday and sunday", "every day except monday but not at 9:00"),
    *("cron(0 9 * * ? 2026)", "0 9 15W * *", "0 0 L-3 * *"),
    *("even weeks on monday", "10 times every 5 minutes", "in a few minutes", "every 5 foos", "5foo"),
    *("daily at dawn", "at least every 5 minutes", "easter sunday", "second-to-last friday", "3rd last day"),
    *("penultimate day of the month", "first day of the week", "every monday at 9am and every fridy at 5pm"),
    *(
        "first three weekdays of the month",
        "every day 5 at 9:00",
        "week 23 at 9:00",
        *("every decade", "every century", "every new moon", "every blue moon at 9am", "every payday at 9am"),
        *("toutes les 5 minutes", "deux fois par jour", "alle 5 Minuten", "backup daily at 9am"),
        *("every 30 minutes during business hours", "every 15 minutes overnight", "every 5 minutes in winter"),
        *("end of day", "new year's eve at 23:59", "10 to 8pm daily", "yearly on the 15th", "next month"),
        *("friday night at 1:00", "tomorrow night at 1:00", "tonight at 12", "every 5 minutes in the morning"),
        *("every hour on weekday mornings", "until tonight"),
        *("once on december 24 and 25 at 8am", "once on the 31st of june at 9:00", "once at 9:00 every friday"),
        *("in 1h75", "at 5 minutes", "other fridays at 5pm", "every 3-foo"),
        *("manual daily at 9am", "some day at 9am", "every hour at night", "daily at 9am Narnia"),
        "cron(0 9 * * ? 2026)",
        "every 5 minutes until now",
    ),
]


@pytest.mark.parametrize("phrase", SAID_BY_NO_PHRASE)
def test_nothing_is_offered_where_no_phrase_says_the_same(phrase: str) -> None:
    problem = refusal(phrase)
    assert problem.suggestion is None
    assert problem.message.endswith(f"Example: '{FALLBACK}'")


TWO_RULES = [
    ("every monday at 9am", ", ", "every friday at 5pm"),
    ("every monday at 9:00", " and ", "friday at 17:00"),
    ("mondays at 9am", ", ", "wednesdays at 2pm"),
    ("weekdays at 9am", ", ", "weekends at 10am"),
    ("mondays at 9am", " and ", "wednesdays at 2pm"),
    ("every monday at 9am", "; ", "every friday at 5pm"),
    ("monday at 9:00", ", ", "tuesday at 10:00"),
    ("daily at 9am", ", and ", "weekly on monday at 10am"),
    ("tomorrow at 9am", " and ", "friday at 5pm"),
    ("every 5 minutes", " and ", "daily at 9:00"),
    ("every 5 minutes", " and ", "every 10 minutes"),
]


@pytest.mark.parametrize(("first", "joint", "second"), TWO_RULES)
def test_of_two_rules_both_are_named_and_none_is_offered_alone(first: str, joint: str, second: str) -> None:
    problem = refusal(f"{first}{joint}{second}")
    assert problem.suggestion is None
    assert f"'{second}' is a second rule" in problem.message
    assert f"Make one task for '{first}' and one for '{second}'" in problem.message


@pytest.mark.parametrize("mark", ['"{}"', "\N{LEFT DOUBLE QUOTATION MARK}{}\N{RIGHT DOUBLE QUOTATION MARK}"])
def test_of_two_rules_inside_marks_none_is_offered(mark: str) -> None:
    assert refusal(mark.format("mondays at 9am, wednesdays at 2pm")).suggestion is None


RULES = ("every monday at 9am", "weekends at 10:00", "daily at noon", "1st of the month at 8:00", "every friday at 5pm")


@given(st.sampled_from(RULES), st.sampled_from((", ", " and ", "; ", ", and ", ", then ")), st.sampled_from(RULES))
@settings(max_examples=75, deadline=None)
def test_no_run_is_made_up_or_lost_where_two_rules_are_joined(first: str, joint: str, second: str) -> None:
    assert refusal(f"{first}{joint}{second}").suggestion is None


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


WHOLE = [
    "every 5 minutes",
    "daily at 10:30 Europe/Berlin",
    "every monday and friday at 18:00 Asia/Tokyo",
    "every 15 minutes between 9am and 5pm on weekdays",
    "2nd tuesday of march at 10:00",
    "every 3 weeks on monday at 9:00 until 2026-12-31",
    "tomorrow at 9am America/New_York",
    "0 9 * * 1-5 Europe/Berlin",
]


@pytest.mark.parametrize("phrase", WHOLE)
def test_what_is_mended_keeps_all_that_was_understood(phrase: str) -> None:
    """Days, times, numbers and zones: a phrase without one of them would be accepted, and mean something else."""
    meant = parse_phrase(phrase, zone=ZoneInfo("UTC"), now=MOMENT).describe()
    for text in (f"{phrase} please", f"{phrase};", *_with_words_joined(phrase)):
        suggestion = refusal(text).suggestion
        assert parse_phrase(suggestion, zone=ZoneInfo("UTC"), now=MOMENT).describe() == meant, text


BESIDES = [
    *(*NEGATIONS, "forty", "thirteen", "a dozen", "seventy-five", "twenty two", "20261224"),
    *("New York", "America/Sao Paulo", "Asia/Ho Chi Minh", "Beijing"),
]


@pytest.mark.parametrize("besides", BESIDES)
@pytest.mark.parametrize("phrase", WHOLE[:-1])
def test_what_is_offered_lacks_no_negation_number_or_zone(phrase: str, besides: str) -> None:
    for written in (f"{phrase} {besides}", f"{besides} {phrase}", f"{phrase} please {besides}"):
        suggestion = refusal(written).suggestion
        if suggestion is None:
            continue
        assert not leaves_out(written), suggestion
        for number in re.findall("[0-9]+", in_digits(written.replace("20261224", "2026-12-24"))):
            assert int(number) in map(int, re.findall("[0-9]+", suggestion)), (written, suggestion)
        assert not re.search("[A-Z]", besides) or "/" in suggestion, (written, suggestion)


MISSPELT_DAYS = [
    ("every tusday and wensday at 9am", "every tuesday and wednesday at 9am"),
    ("every mondy and fridy at 9am", "every monday and friday at 9am"),
    ("every mondy, fridy and sundy at 9am", "every monday, friday and sunday at 9am"),
    ("every munday at 9am", "every monday at 9am"),
    ("every thrusday through sturday at 9am", "every thursday through saturday at 9am"),
]


@pytest.mark.parametrize(("phrase", "suggestion"), MISSPELT_DAYS)
def test_each_misspelt_day_is_kept(phrase: str, suggestion: str | None) -> None:
    assert refusal(phrase).suggestion == suggestion


NOISE = ("raining", "backup", "overnight", "quux", "lunar", "winter", "during", "fois", "unless", "payday", "new")
LINKS = ("", "in", "on", "during", "at", "every", "between", "and", "the")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(WHOLE[:-1]), st.sampled_from(LINKS), st.sampled_from(NOISE), st.integers(0, 8))
def test_nothing_is_offered_without_a_word_that_says_something(phrase: str, link: str, noise: str, place: int) -> None:
    """Wherever it stands: what is offered says the word in other letters, or there is no suggestion."""
    words = phrase.split()
    meant = parse_phrase(phrase, zone=ZoneInfo("UTC"), now=MOMENT).describe()
    written = " ".join([*words[:place], *([link] if link else []), noise, *words[place:]])
    suggestion = refusal(written).suggestion
    if suggestion is not None:
        assert parse_phrase(suggestion, zone=ZoneInfo("UTC"), now=MOMENT).describe() != meant, (written, suggestion)


def _with_words_joined(phrase: str) -> list[str]:
    """Return the phrase without the blank before each of its numbers, as in "every5 minutes"."""
    return [
        f"{phrase[: found.start()]}{found[1]}{phrase[found.end() :]}"
        for found in re.finditer("(?<=[a-z]) ([0-9])", phrase)
    ]


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


KEPT = [
    ("every monday at 9:00", "every monday at 9", True),
    ("daily at 9:00", "every monday at 9:00", False),
    ("every weekday at 9:00", "monday at 9:00", True),
    ("every day at 9:00", "every day in june at 9:00", False),
    ("monday at 9:00", "alternate mondays at 9:00", False),
    ("every 2 weeks on monday", "alternate mondays", True),
    ("daily at 9:00", "tomorrow at 9:00", False),
    ("2026-09-15 at 9:00", "tomorrow at 9:00", True),
    ("every 5 minutes until 2026-09-18", "every 5 minutes until friday", True),
    ("every 5 minutes", "every 5 minutes until 2026-09-18", False),
    ("daily at 9:00", "daily at 9:00 and 17:00", False),
    ("every 5 minutes", "every five minutes", True),
    ("every monday at 9:00", "every monday morning at 9:00", False),
    ("daily at 9am America/Los_Angeles", "daily at 9am PST", True),
    ("daily at 9am", "daily at 9am PST", False),
    ("2026-12-24T18:00Z", "2026-12-24T18:00Z Europe/Berlin", True),
]


@pytest.mark.parametrize(("text", "before", "kept"), KEPT)
def test_what_a_mended_phrase_must_keep(text: str, before: str, kept: bool) -> None:
    assert keeps(text, before) is kept


DAYS = {
    "every monday": [0],
    "mondays and fridys": [0, 4],
    "tusday and wensday": [1, 2],
    "alternate fridays": [4],
    "next tusday": [1],
    "coming friday": [4],
    "tomorrow": [1],
    "tonight": [0],
}
ONCE = ("next tusday", "coming friday", "tomorrow", "tonight")
PARTS = {"": 0, "morning": 0, "in the evening": 17}
CLOCKS = ("at 8", "at 8:30", "at half past 8", "8pm", "at 8 o'clock", "")
TAILS = {"": "UTC", "please": "UTC", "Europe/Berlin": "Europe/Berlin", "tz=Europe/Berlin": "Europe/Berlin", "Berln": ""}


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(DAYS)),
    st.sampled_from(sorted(PARTS)),
    st.sampled_from(CLOCKS),
    st.sampled_from(sorted(TAILS)),
)
def test_what_is_offered_for_composed_phrases_is_on_the_same_days(day: str, part: str, clock: str, tail: str) -> None:
    """The same days, in the part of the day and the zone that are named, once where it is once; or nothing."""
    written = " ".join(" ".join((day, part, clock, tail)).split())
    try:
        trigger = parse_phrase(written, zone=ZoneInfo("UTC"), now=MOMENT)
    except InvalidRequest as refused:
        if (suggestion := refused.problems[0].suggestion) is None:
            return
        trigger = parse_phrase(suggestion, zone=ZoneInfo("UTC"), now=MOMENT)
    runs = upcoming(trigger, MOMENT, 8)
    assert (len(runs) == 1) is (day in ONCE), written
    assert {run.weekday() for run in runs} == set(DAYS[day]), written
    assert all(run.hour >= PARTS[part] for run in runs), written
    assert trigger.zone.key == (TAILS[tail] or "Europe/Berlin"), written
