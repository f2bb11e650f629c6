"""What others write and people say is offered in our words, or nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.phrases.foreign import UNSAYABLE, in_our_words
from scheduler.phrases.parse import FALLBACK
from tests.scheduler.refusals import refusal

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
