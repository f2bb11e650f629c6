"""How pages say times and spans."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.http.pages import words

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

SPANS = [
    (0, "0 s"),
    (59, "59 s"),
    (60, "1 min"),
    (61, "1 min 1 s"),
    (299, "4 min 59 s"),
    (301, "5 min"),
    (3599, "59 min"),
    (3600, "1 h"),
    (3660, "1 h 1 min"),
    (36_060, "10 h"),
    (172_799, "47 h"),
    (172_800, "2 days"),
]
CLOCKS = [(1, "0:01"), (65, "1:05"), (3600, "1:00:00"), (7265, "2:01:05"), (172_800, "2 days")]
DURATIONS = [(0.4, "0 ms"), (999, "999 ms"), (1500, "1.5 s"), (61_000, "1 min 1 s"), (7_200_000, "2 h")]
"""The same words are those of static/time.js: tests/pages/browser/test_frame.py compares them."""


@pytest.mark.parametrize(("seconds", "text"), SPANS)
def test_spans(seconds: int, text: str) -> None:
    assert words.say_span(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), CLOCKS)
def test_countdowns(seconds: int, text: str) -> None:
    assert words.say_countdown(NOW + timedelta(seconds=seconds), NOW) == text


def test_what_is_past_is_counted_down_no_more() -> None:
    assert words.say_countdown(NOW, NOW) == words.say_countdown(NOW - timedelta(days=1), NOW) == "now"


@pytest.mark.parametrize(("milliseconds", "text"), [*DURATIONS, (None, "–")])
def test_durations(milliseconds: float | None, text: str) -> None:
    assert words.say_duration(milliseconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0, "now"), (65, "in 1 min 5 s"), (-7200, "2 h ago")])
def test_relative(seconds: int, text: str) -> None:
    assert words.say_relative(NOW + timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (1, "100 %"), (0.99999, "99.9 %"), (0.5, "50.0 %"), (0, "0.0 %")]
)
def test_shares(share: float | None, text: str) -> None:
    assert words.say_share(share) == text


def test_moments_are_exact_and_in_their_zone() -> None:
    said = words.say_moment(NOW, ZoneInfo("Europe/Berlin"))
    assert said == ("2026-06-01T12:00:00+00:00", "2026-06-01 14:00:00", "Europe/Berlin")
