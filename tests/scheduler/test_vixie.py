"""Cron's rules as cron has them, and that ours are the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.spellings import read_schedule
from scheduler.triggers import upcoming
from scheduler.vixie import CronRefuses, fire_times, read_rule

MINUTE = timedelta(minutes=1)
BERLIN = ZoneInfo("Europe/Berlin")


def moments(fields: str, after: str, count: int, zone: ZoneInfo = BERLIN) -> list[str]:
    """Return the next moments of a rule as its zone's clocks show them."""
    found = islice(fire_times(read_rule(fields), zone, datetime.fromisoformat(after)), count)
    return [moment.astimezone(zone).strftime("%m-%d %H:%M%z") for moment in found]


# What crontab(5) and cron(8) of Debian say, by hand.
@pytest.mark.parametrize(
    ("fields", "after", "expected"),
    [
        ("30 4 1,15 * 5", "2026-01-01T00:00Z", ["01-01 04:30+0100", "01-02 04:30+0100", "01-09 04:30+0100"]),
        ("30 4 */2 * 5", "2026-01-01T00:00Z", ["01-09 04:30+0100", "01-23 04:30+0100", "02-13 04:30+0100"]),
        ("0 0 * * 7", "2026-01-01T00:00Z", ["01-04 00:00+0100", "01-11 00:00+0100"]),
        ("0 0 * * 5-7", "2026-01-02T12:00Z", ["01-03 00:00+0100", "01-04 00:00+0100", "01-09 00:00+0100"]),
        ("0 0 * jan sun", "2026-01-20T12:00Z", ["01-25 00:00+0100", "01-03 00:00+0100"]),
        # 02:00 to 03:00 does not exist on 2026-03-29: a fixed time is made up for, one with a star is not.
        ("30 2 * * *", "2026-03-28T12:00Z", ["03-29 03:00+0200", "03-30 02:30+0200"]),
        ("*/30 2 * * *", "2026-03-28T12:00Z", ["03-30 02:00+0200", "03-30 02:30+0200"]),
        ("30 * * * *", "2026-03-29T00:00Z", ["03-29 01:30+0100", "03-29 03:30+0200"]),
        # 02:00 to 03:00 comes twice on 2026-10-25: a fixed time runs once, one with a star twice.
        ("30 2 * * *", "2026-10-24T12:00Z", ["10-25 02:30+0200", "10-26 02:30+0100"]),
        ("30 * * * *", "2026-10-24T23:45Z", ["10-25 02:30+0200", "10-25 02:30+0100", "10-25 03:30+0100"]),
    ],
)
def test_as_the_manual_says(fields: str, after: str, expected: list[str]) -> None:
    assert moments(fields, after, len(expected)) == expected


@pytest.mark.parametrize(
    "fields",
    ["60 * * * *", "5/15 * * * *", "0 0 * * sat-sun", "0-10/0 * * * *", "* * * *", "a * * * *", "0 24 * * *",
     "0 0 0 * *", "0 0 * 13 *", "0 0 * * 8", ", * * * *", "*-5 * * * *"],
)  # fmt: skip
def test_what_cron_refuses(fields: str) -> None:
    with pytest.raises(CronRefuses):
        read_rule(fields)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """Return texts of one field that both cron and we take."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    stepped = st.tuples(span, st.integers(1, 7)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    stars = st.sampled_from(["*", "*/2", "*/5"])
    return stars | st.lists(number.map(str) | span | stepped, min_size=1, max_size=3).map(",".join)


ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Santiago"]


@settings(max_examples=60, deadline=None)
@given(
    fields=st.tuples(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map(" ".join),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    after=st.integers(0, 15 * 366 * 1440).map(lambda minutes: datetime(2020, 1, 1, tzinfo=UTC) + minutes * MINUTE),
)
def test_ours_are_the_same(fields: str, zone: ZoneInfo, after: datetime) -> None:
    theirs = list(islice(fire_times(read_rule(fields), zone, after), 60))
    trigger = read_schedule({"interval": fields}, zone=zone, now=after).trigger
    assert [moment.astimezone(UTC) for moment in upcoming(trigger, after, len(theirs))] == theirs


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("fields", ["*/20 * * * *", "15,45 1-3 * * *", "0 0 * * *", "30 * * * *", "*/7 2 * * *"])
@pytest.mark.parametrize(
    "after",
    [
        "2026-03-28T00:00Z",
        pytest.param("2026-04-04T00:00Z", marks=pytest.mark.soak),
        pytest.param("2026-09-05T00:00Z", marks=pytest.mark.soak),
        "2026-10-24T00:00Z",
    ],
)
def test_ours_are_the_same_where_clocks_change(zone: str, fields: str, after: str) -> None:
    moment = datetime.fromisoformat(after)
    theirs = list(islice(fire_times(read_rule(fields), ZoneInfo(zone), moment), 200))
    trigger = read_schedule({"interval": fields}, zone=ZoneInfo(zone), now=moment).trigger
    assert [found.astimezone(UTC) for found in upcoming(trigger, moment, 200)] == theirs
