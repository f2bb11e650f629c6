"""A mended phrase keeps all that the one before it said."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.errors import InvalidRequest
from scheduler.phrases import parse_phrase
from scheduler.phrases.kept import keeps
from scheduler.phrases.left_out import leaves_out
from scheduler.phrases.spoken import in_digits
from scheduler.phrases.words import NEGATIONS
from scheduler.triggers import upcoming
from tests.scheduler.refusals import MOMENT, refusal

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
