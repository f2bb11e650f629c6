"""Moments are written as the standard library writes them, only sooner."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.moments import both, iso, local

ZONES = ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Africa/Monrovia", "America/St_Johns", "Pacific/Apia"]
SECONDS = st.integers(-2_208_000_000, 221_000_000_000)
"""From the year 1900 to the year 8973."""
PARTS = st.sampled_from([0, 1, 999, 1000, 1999, 120_000, 123_456, 999_999])


@given(SECONDS, PARTS, st.sampled_from(ZONES))
def test_a_moment_is_written_as_the_standard_library_does(seconds: int, micros: int, name: str) -> None:
    moment, zone = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros), ZoneInfo(name)
    shown = moment.astimezone(zone)
    assert iso(moment, zone) == shown.isoformat(timespec="milliseconds" if micros >= 1000 else "seconds")
    assert both(moment, zone) == (local(moment, zone), iso(moment, zone))


@pytest.mark.parametrize(
    ("name", "year", "offset"),
    [
        ("Africa/Monrovia", 1971, "-00:44:30"),
        ("Africa/Monrovia", 1973, "+00:00"),
        ("Asia/Kolkata", 1900, "+05:21:10"),
        ("America/St_Johns", 2026, "-03:30"),
    ],
)
def test_an_offset_is_exact_in_every_year(name: str, year: int, offset: str) -> None:
    assert iso(datetime(year, 1, 15, 12, tzinfo=UTC), ZoneInfo(name)).endswith(offset)


def test_whole_minutes_lie_between_utc_and_every_zone_by_now() -> None:
    """What lets the faster way be taken for all but old moments."""
    days = [datetime(1973, 1, 1, tzinfo=UTC) + timedelta(days=61 * step) for step in range(330)]
    odd = {
        name
        for name in available_timezones()
        for day in days
        if day.astimezone(ZoneInfo(name)).strftime("%z")[5:] not in ("", "00")
    }
    assert odd == set()
