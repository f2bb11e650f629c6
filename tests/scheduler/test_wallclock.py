"""Gaps and overlaps: every placing compared with a scan of the minutes around real changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from scheduler.wallclock import first_instant, next_change, offset_at
from tests.scheduler.oracle import place_label, stretch

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("zone", "local", "expected"),
    [
        ("Europe/Berlin", "2026-06-01T12:00", "2026-06-01T12:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29T01:59", "2026-03-29T01:59:00+01:00"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T02:30:00+02:00"),
        ("Europe/Berlin", "2026-10-25T03:00", "2026-10-25T03:00:00+01:00"),
        ("America/New_York", "2026-03-08T02:15", "2026-03-08T03:00:00-04:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04T02:30:00+11:00"),  # half an hour only
        ("Australia/Lord_Howe", "2026-04-05T01:45", "2026-04-05T01:45:00+11:00"),
        ("America/Santiago", "2026-09-06T00:00", "2026-09-06T01:00:00-03:00"),  # no midnight
        ("America/Santiago", "2026-04-04T23:30", "2026-04-04T23:30:00-03:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-31T00:00:00+14:00"),  # a whole day was left out
        ("UTC", "2026-03-29T02:30", "2026-03-29T02:30:00+00:00"),
    ],
)
def test_first_instant(zone: str, local: str, expected: str) -> None:
    found = first_instant(datetime.fromisoformat(local), ZoneInfo(zone)).astimezone(ZoneInfo(zone))
    assert found.isoformat() == expected


def test_microseconds_are_kept() -> None:
    local = datetime.fromisoformat("2026-06-01T12:00:00.250")
    assert first_instant(local, BERLIN) == datetime(2026, 6, 1, 10, 0, 0, 250_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "start"),
    [
        ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 4, 3, tzinfo=UTC)),
        ("Australia/Lord_Howe", datetime(2026, 10, 2, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 4, 4, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 9, 5, tzinfo=UTC)),
    ],
)
def test_every_label_around_a_change_is_placed_as_a_scan_places_it(zone: str, start: datetime) -> None:
    line = stretch(zone, start, 3)
    label, end = line.labels[0] + timedelta(minutes=1), line.labels[-1]
    while label < end:
        index = place_label(line, label)
        assert index is not None
        assert first_instant(label, line.zone) == line.instant(index), label
        label += timedelta(minutes=1)


def test_next_change_finds_the_very_second() -> None:
    before, after = datetime(2026, 3, 29, 0, 59, 59, 999_999, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    assert next_change(before, after, BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_change(before - timedelta(hours=20), after, BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert next_change(after, after + timedelta(days=1), BERLIN) is None
    assert offset_at(after, BERLIN) == timedelta(hours=2)
