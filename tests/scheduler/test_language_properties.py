"""What holds for every phrase: found by trying many, made up from the words of the language and from noise."""

from __future__ import annotations

import random
import string
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from scheduler.errors import InvalidRequest
from scheduler.phrases import parse_phrase
from scheduler.phrases.words import VOCABULARY
from scheduler.triggers import Interval, Trigger, last_before, upcoming

ZONES = (
    *("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu", "UTC"),
    *("Africa/Casablanca", "Pacific/Chatham", "America/St_Johns"),
)
# Around changes of the clocks most often, since that is where rules differ.
NEAR_CHANGES = (
    *("2026-03-28T22:00", "2026-10-25T00:30", "2026-10-25T01:10", "2026-03-08T06:00", "2026-11-01T05:30"),
    *("2026-04-04T14:00", "2026-10-03T15:00", "2026-04-05T02:45", "2026-09-06T03:30", "2028-02-28T12:00"),
)
zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.one_of(
    st.tuples(st.sampled_from(NEAR_CHANGES), st.integers(0, 10_800)).map(
        lambda pair: datetime.fromisoformat(pair[0]).replace(tzinfo=UTC) + timedelta(seconds=pair[1])
    ),
    st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2060-01-01"), timezones=st.just(UTC)),
)


def pick(*words: str) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


def build(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    return st.tuples(*(st.just(part) if isinstance(part, str) else part for part in parts)).map(" ".join)


times = st.one_of(
    st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda pair: f"{pair[0]}:{pair[1]:02}"),
    pick("2:30", "02:15", "0:00", "noon", "midnight", "9am", "12am", "12:30 pm", "1:45:30", "23:59"),
)
at_times = st.one_of(
    st.just(""),
    build("at", times),
    times,
    build("at", times, "and", times),
    build("at", times, ",", times, ", and", times),
)
weekdays = pick(
    *("monday", "mondays and fridays", "tues, thurs", "weekdays", "weekends", "sat-mon", "friday to tuesday", "sunday"),
    *("monday to sunday", "weekday and saturday", "saturday, sunday", "monday and every friday"),
)
months = pick("", "", "", "in december", "in june and july", "in oct-mar", "of february")
numbers = st.one_of(st.integers(1, 40).map(str), pick("two", "fifteen", "ninety"))
steps = st.one_of(
    build("every", numbers, pick("seconds", "minutes", "hours", "min", "h")),
    pick(
        "hourly",
        "every minute",
        "every half hour",
        "every 1h30m",
        "every quarter hour",
        "twice a day",
        "6 times an hour",
    ),
)
ordinals = pick("1st", "first and third", "2nd", "last", "5th", "1st, 2nd and last")
dates = pick("2026-10-25", "2027-03-28 02:30", "2027-03-28 at 2:30", "2030-01-01", "2031-06-30 23:30")
recurring = st.one_of(
    steps,
    build("every", numbers, pick("days", "weeks", "day", "w")),
    pick("daily", "weekly", "fortnightly", "every other day", "monthly", "quarterly", "yearly"),
    build("hourly at", pick(":00", ":15", ":30 and :45", "minute 7")),
    build(pick("daily", "every day", "every other day", "every 5 days", "every 14 days"), at_times),
    build(pick("every morning", "every afternoon", "every evening", "every night"), at_times),
    build(pick("once a week on", "weekly on"), weekdays, at_times),
    build(
        pick("quarterly on the", "once a month on the", "yearly on the"),
        pick("first monday", "1st", "last day"),
        pick("", "of the month", "of the quarter", "of march"),
        at_times,
    ),
    build(pick("", "every", "on"), weekdays, months, at_times),
    build(pick("every other", "every 3 weeks on", "every week on"), pick("friday", "monday and sunday"), at_times),
    build(ordinals, pick("tuesday", "mon,sun", "friday"), pick("of the month", "of march", "each month"), at_times),
    build(pick("first", "last"), pick("weekday", "day"), pick("of the month", "of february"), at_times),
    build(pick("monthly on the", "every month on the"), pick("31st", "1st and 15th", "last day"), at_times),
    build("every", pick("december 25", "29 february", "march 1 and 15", "january 1 and july 4"), at_times),
    build(
        steps, pick("between", "from"), times, pick("and", "to"), times, pick("", "on weekdays", "on sundays"), months
    ),
    build(steps, "on", weekdays),
)
limited = build(
    recurring,
    pick("", "", "starting"),
    st.one_of(st.just(""), dates),
    pick("", "", "until 2031-01-01", "until 2031-01-01 at 9:00"),
)
once = st.one_of(
    build("in", numbers, pick("minutes", "hours", "days", "weeks", "s")),
    build(pick("today", "tomorrow", "next monday", "next sunday"), "at", times),
    build(dates.map(lambda text: text[:10]), times),
    pick("2030-12-24T18:00:30Z", "2031-03-30T02:30:00+01:00", "in half an hour", "in 1 day and 2 hours"),
)
cron = st.tuples(
    pick("*", "*/5", "0", "15,45", "5-10", "0-59/7", "3/20"),
    pick("*", "*/2", "2", "0,23", "1-3", "9-17/4"),
    pick("*", "*", "1", "13", "*/2", "28-31", "L", "LW"),
    pick("*", "*", "feb", "1-12/3", "OCT"),
    pick("*", "*", "0", "mon-fri", "sat-sun", "5L", "2#2", "*/2"),
).map(" ".join)
suffix = pick("", "", "", "", " Europe/Berlin", " in Australia/Lord_Howe", " (UTC)", " .")
phrases = st.one_of(recurring, limited, once).flatmap(lambda text: suffix.map(lambda end: f"{text}{end}"))

tried = settings(
    max_examples=150, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
much = settings(tried, max_examples=2_500, derandomize=False, phases=[Phase.explicit, Phase.generate])


def parse(phrase: str, zone: ZoneInfo, now: datetime) -> Trigger | None:
    """Return the trigger, or None for a refusal whose suggestion is accepted."""
    try:
        return parse_phrase(phrase, zone=zone, now=now)
    except InvalidRequest as refused:
        (problem,) = refused.problems
        assert problem.code == "invalid_interval"
        if problem.suggestion is not None:
            assert parse_phrase(problem.suggestion, zone=zone, now=now), (phrase, problem.suggestion)
        return None


def instants(trigger: Trigger, after: datetime, count: int) -> list[datetime]:
    return [run.astimezone(UTC) for run in upcoming(trigger, after, count)]


def check_phrase(phrase: str, zone: ZoneInfo, now: datetime) -> None:
    trigger = parse(phrase, zone, now)
    if trigger is None:
        return
    runs = instants(trigger, now, 12)
    assert runs, phrase
    assert all(earlier < later for earlier, later in zip([now, *runs], runs, strict=False)), phrase
    assert all(run.tzinfo is trigger.zone for run in upcoming(trigger, now, 2))
    for earlier, later in pairwise([now, *runs]):
        assert trigger.utc_after(earlier) == later, phrase
    for between in (runs[0] - timedelta(microseconds=1), runs[-1] - timedelta(seconds=1)):
        found = trigger.next_after(between)
        assert found is not None
        assert found.astimezone(UTC) in runs, phrase
    if trigger.kind != "cron":
        again = parse_phrase(trigger.describe(), zone=zone, now=now)
        assert again.describe() == trigger.describe(), phrase
        assert instants(again, now, 12) == runs, (phrase, trigger.describe())


@tried
@given(phrases, zones, moments)
@example("daily", ZoneInfo("Europe/Berlin"), datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
@example("every 1h30m on sundays", ZoneInfo("America/Santiago"), datetime(2026, 9, 6, 3, 30, tzinfo=UTC))
def test_phrases_run_strictly_later_and_say_what_they_mean(phrase: str, zone: ZoneInfo, now: datetime) -> None:
    check_phrase(phrase, zone, now)


@tried
@given(cron, zones, moments)
def test_cron_runs_strictly_later(expression: str, zone: ZoneInfo, now: datetime) -> None:
    check_phrase(expression, zone, now)


@tried
@given(steps, zones, moments, st.lists(st.integers(0, 10_000_000), min_size=1, max_size=5))
def test_grids_do_not_drift(phrase: str, zone: ZoneInfo, now: datetime, lates: list[int]) -> None:
    check_grid(phrase, zone, now, lates)


def check_grid(phrase: str, zone: ZoneInfo, now: datetime, lates: list[int]) -> None:
    """However late one asks, and in whatever order, the answer lies on anchor + k * step, the next one."""
    trigger = parse_phrase(phrase, zone=zone, now=now)
    assert isinstance(trigger, Interval)
    step = timedelta(seconds=trigger.step)
    for late in lates:
        moment = now + timedelta(seconds=late, microseconds=late % 7)
        found = trigger.next_after(moment)
        assert found is not None
        assert (found.astimezone(UTC) - now) % step == timedelta(0)
        assert timedelta(0) < found.astimezone(UTC) - moment <= step


@tried
@given(st.one_of(phrases, cron), zones, moments, st.integers(0, 39))
def test_a_look_back_finds_what_stepping_finds(phrase: str, zone: ZoneInfo, now: datetime, place: int) -> None:
    trigger = parse(phrase, zone, now)
    if trigger is None:
        return
    runs = instants(trigger, now, 40)
    run = runs[min(place, len(runs) - 1)]
    for moment in (run, run + timedelta(microseconds=1), now + (run - now) / 2):
        found = last_before(trigger, moment)
        stepped = [earlier for earlier in runs if earlier < moment]
        assert found == (stepped[-1] if stepped else found), phrase
        if found is not None:
            following = trigger.utc_after(found)
            assert trigger.utc_after(found - timedelta(microseconds=1)) == found < moment, phrase
            assert following is None or following >= moment, phrase


words = st.lists(
    st.one_of(
        st.sampled_from(sorted(VOCABULARY)),
        st.sampled_from(
            ["9:00", "25:00", ":15", "31st", "2026-12-24", "5", "0", "1.5", "-3", "*", "*/5", "@daily", "5m"]
        ),
        st.sampled_from(
            ["Europe/Berlin", "PST", "please", "minuets", "mon-fri", "9-17", "+01:00", "z", "7am", "2/3/26"]
        ),
    ),
    max_size=9,
).map(" ".join)
noise = st.one_of(words, st.text(alphabet=string.printable, max_size=500), st.text(max_size=500))


@tried
@given(noise, zones, moments)
@example("every", ZoneInfo("UTC"), datetime(9899, 12, 31, 23, 59, tzinfo=UTC))
@example("every 3650 days starting 9899-01-01", ZoneInfo("Pacific/Kiritimati"), datetime(9899, 12, 31, 23, tzinfo=UTC))
@example("yearly on february 29", ZoneInfo("Pacific/Kiritimati"), datetime(9899, 12, 31, 23, tzinfo=UTC))
@example("every 5 minutes until 9999-12-31", ZoneInfo("America/Los_Angeles"), datetime(2026, 9, 14, tzinfo=UTC))
@example("every 5 minutes until 9999-12-31 23:59", ZoneInfo("America/Los_Angeles"), datetime(2026, 9, 14, tzinfo=UTC))
@example("every 5 minutes until 0001-01-01", ZoneInfo("Asia/Kathmandu"), datetime(2026, 9, 14, tzinfo=UTC))
@example("every 5 minutes starting 0001-01-01T00:00:00+14:00", ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
@example("0001-01-01T00:00:00+14:00", ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
@example("9999-12-31T23:00:00-14:00", ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
@example("9999-12-31 23:00", ZoneInfo("America/Los_Angeles"), datetime(2026, 9, 14, tzinfo=UTC))
@example("0001-01-01 00:00", ZoneInfo("Asia/Kathmandu"), datetime(2026, 9, 14, tzinfo=UTC))
@example("tomorrow at 9:00", ZoneInfo("Pacific/Kiritimati"), datetime(1900, 1, 1, tzinfo=UTC))
@example("9" * 500, ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
@example("every " + "9" * 400 + " weeks", ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
@example("in " + "9" * 400 + " days", ZoneInfo("UTC"), datetime(2026, 9, 14, tzinfo=UTC))
def test_noise_gives_a_trigger_or_a_refusal_with_a_way_out(text: str, zone: ZoneInfo, now: datetime) -> None:
    parse(text, zone, now)


@pytest.mark.parametrize("year", [1, 1899, 9900, 9999])
def test_a_present_at_the_ends_of_the_calendar_is_refused(year: int) -> None:
    for zone in (ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/Los_Angeles")):
        with pytest.raises(InvalidRequest) as refused:
            parse_phrase("daily", zone=zone, now=datetime(year, 1, 1, tzinfo=UTC))
        assert [problem.field for problem in refused.value.problems] == ["after"]
    with pytest.raises(ValueError, match="time zone"):
        parse_phrase("daily", zone=zone, now=datetime.fromisoformat("2026-09-14T08:00"))


@pytest.mark.soak
@much
@given(phrases, zones, moments)
def test_many_phrases(phrase: str, zone: ZoneInfo, now: datetime) -> None:
    check_phrase(phrase, zone, now)


@pytest.mark.soak
@settings(much, max_examples=1_500)
@given(cron, zones, moments)
def test_many_cron_expressions(expression: str, zone: ZoneInfo, now: datetime) -> None:
    check_phrase(expression, zone, now)


@pytest.mark.soak
@settings(much, max_examples=1_500)
@given(steps, zones, moments, st.lists(st.integers(0, 10_000_000), min_size=1, max_size=5))
def test_many_grids(phrase: str, zone: ZoneInfo, now: datetime, lates: list[int]) -> None:
    check_grid(phrase, zone, now, lates)


@pytest.mark.soak
@much
@given(noise, zones, moments)
def test_much_noise(text: str, zone: ZoneInfo, now: datetime) -> None:
    parse(text, zone, now)


def slow_texts() -> list[str]:
    """Return texts of up to 500 characters that might take long to refuse."""
    rng = random.Random(7)
    vocabulary = sorted(VOCABULARY)
    made = [" ".join(rng.choice(vocabulary) for _ in range(rng.randrange(90)))[:500] for _ in range(200)]
    made += ["".join(rng.choice(string.printable) for _ in range(500)) for _ in range(100)]
    repeated = [
        "a",
        "1",
        "a/",
        "1h",
        "-",
        ",",
        "and ",
        "every ",
        "mon-",
        "9:",
        "* ",
        "1,",
        "1-",
        "@",
        "2nd ",
        "z",
        "x y ",
        "5 ",
    ]
    return [*made, *((part * 500)[:500] for part in repeated), *Path(__file__).read_text().splitlines()]


@pytest.mark.soak
def test_no_text_takes_longer_than_50_ms() -> None:
    zone, now = ZoneInfo("Europe/Berlin"), datetime(2026, 9, 14, 8, tzinfo=UTC)
    parse("daily at 9:00 Europe/Nowhere", zone, now)  # the names of the zones are read once
    for text in slow_texts():
        taken = []
        for _ in range(3):
            begin = time.thread_time()
            parse(text, zone, now)
            taken.append(time.thread_time() - begin)
        assert min(taken) < 0.05, (text, min(taken))
