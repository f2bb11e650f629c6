"""Moments that are written otherwise are refused with the moment that was meant, or with none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scheduler.errors import InvalidRequest, Problem
from scheduler.given_moments import meant_moment, read_moment
from scheduler.models import read_when
from scheduler.moments import parse_moment

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 9, 14, 8, tzinfo=UTC)  # a Monday, 10:00 in Berlin
FIRST, LAST = (datetime.fromisoformat(text) for text in ("1901-01-01", "8990-01-01"))
ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]

MEANT: list[tuple[object, str | None]] = [
    ("31.12.2026", "2026-12-31"),
    ("31.12.2026 18:00", "2026-12-31T18:00:00+01:00"),
    ("31/12/2026", "2026-12-31"),
    ("12/31/2026", "2026-12-31"),
    ("2/2/2027", "2027-02-02"),
    ("1/2/2027", None),  # in january or in february
    ("1.2.2027", "2027-02-01"),
    ("2026/12/31", "2026-12-31"),
    ("2027-1-5", "2027-01-05"),
    ("31.02.2027", None),
    ("December 31, 2026", "2026-12-31"),
    ("31 dec 2026 at 6pm", "2026-12-31T18:00:00+01:00"),
    ("Thu, 31 Dec 2026 18:00:00 GMT", "2026-12-31T19:00:00+01:00"),
    ("Fri, 31 Dec 2026 18:00:00 GMT", None),  # that is a thursday
    ("2026-12-31 9:00", "2026-12-31T09:00:00+01:00"),
    ("2026-12-31T18:00:00 Asia/Tokyo", "2026-12-31T10:00:00+01:00"),
    ("2026-12-31T25:00", None),
    ("Tomorrow", "2026-09-15"),
    ("tomorrow at 9am", "2026-09-15T09:00:00+02:00"),
    ("tomorrow at 2030", None),
    ("tomorrow UTC", None),  # no date alone says in which zone
    ("next monday", "2026-09-21"),
    ("monday", None),  # today, or in a week
    ("friday 9am", "2026-09-18T09:00:00+02:00"),
    ("in 2 weeks", "2026-09-28T10:00:00+02:00"),
    (1_798_675_200, "2026-12-31T01:00:00+01:00"),
    ("1798675200000", "2026-12-31T01:00:00+01:00"),
    *((other, None) for other in ("", "soon", "never", "daily", "every monday", "at 5pm", 5, 20261231, True, [], {})),
]


@pytest.mark.parametrize(("value", "meant"), MEANT, ids=str)
def test_a_moment_that_is_written_otherwise_comes_back_as_it_was_meant(value: object, meant: str | None) -> None:
    assert meant_moment(value, BERLIN, now=NOW) == meant
    with pytest.raises(InvalidRequest) as caught:
        read_moment(value, "start_at", BERLIN, now=NOW)
    (found,) = caught.value.problems
    assert found.suggestion == meant
    assert (f"did you mean '{meant}'?" in found.message) == (meant is not None)


@pytest.mark.parametrize(("value", "meant"), [("31.12.2026", "2026-12-31"), ("tomorrow", None), ("now", None)])
def test_words_mean_nothing_without_the_present(value: str, meant: str | None) -> None:
    assert meant_moment(value, BERLIN) == meant


@pytest.mark.parametrize(
    ("value", "start", "end", "only"),
    [
        ("31.12.2020", "2020-12-31", None, None),
        ("today", "2026-09-14", "2026-09-14", None),
        ("now", "2026-09-14T10:00:00+02:00", None, None),
        ("0001-01-01", "1900-01-01", None, None),
        ("9999-12-31", None, "9000-12-31", None),
    ],
)
def test_nothing_is_offered_that_leaves_no_run(
    value: str, start: str | None, end: str | None, only: str | None
) -> None:
    assert meant_moment(value, BERLIN, now=NOW) == start
    assert meant_moment(value, BERLIN, now=NOW, end=True) == end
    assert meant_moment(value, BERLIN, now=NOW, ahead=True) == only


@given(
    st.datetimes(FIRST, LAST),
    st.sampled_from(ZONES),
    st.sampled_from(["%d.%m.%Y", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y", "%A %Y-%m-%d"]),
    st.sampled_from(["", " %H:%M", " %H:%M:%S", " at %I:%M %p"]),
)
def test_a_date_in_another_order_is_the_same_date(label: datetime, name: str, day: str, clock: str) -> None:
    zone = ZoneInfo(name)
    written = label.strftime(day + clock).replace(label.strftime("%Y"), f"{label.year:04}")
    meant = meant_moment(written, zone, now=NOW)
    if meant is None:  # of years that are no phrase's either
        assert not 2000 <= label.year < 3000
    else:
        label = label.replace(microsecond=0, second=label.second if "%S" in clock else 0)
        exact = label.date().isoformat() if clock == "" else label.isoformat()
        assert parse_moment(meant, zone) == parse_moment(exact, zone)


@given(
    st.text(max_size=40) | st.integers() | st.sampled_from([value for value, _ in MEANT]), st.booleans(), st.booleans()
)
def test_what_is_offered_is_taken(value: object, end: bool, ahead: bool) -> None:
    meant = meant_moment(value, BERLIN, now=NOW, end=end, ahead=ahead)
    if meant is not None:
        moment = parse_moment(meant, BERLIN, end)
        assert moment > NOW or not (end or ahead)


def refused(fields: dict[str, Any]) -> Problem:
    with pytest.raises(InvalidRequest) as caught:
        read_when(fields, BERLIN, NOW)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("fields", "field", "meant"),
    [
        ({"interval": "daily", "until": "31.12.2026"}, "until", "2026-12-31"),
        ({"interval": "daily", "until": "never"}, "until", None),
        ({"interval": "daily", "start_at": "next monday"}, "start_at", "2026-09-21"),
        (
            {"trigger": {"type": "date", "run_date": "tomorrow at 9am"}},
            "trigger.run_date",
            "2026-09-15T09:00:00+02:00",
        ),
        (
            {"trigger": {"type": "date", "run_date": "tomorrow at 9am", "timezone": "UTC"}},
            "trigger.run_date",
            "2026-09-15T09:00:00+00:00",
        ),
        ({"trigger": {"type": "date"}}, "trigger.run_date", None),
        ({"trigger": {"type": "date", "run_date": "2020-01-01"}}, "trigger.run_date", None),
        ({"trigger": {"type": "date", "run_date": "1.1.2020"}}, "trigger.run_date", None),
        ({"trigger": {"type": "cron", "hour": 9, "start_date": "tomorrow"}}, "trigger.start_date", "2026-09-15"),
        ({"trigger": {"type": "cron", "hour": 9, "end_date": "in 2 weeks"}}, "trigger.end_date",
         (NOW + timedelta(14)).astimezone(BERLIN).isoformat()),
    ],
)  # fmt: skip
def test_every_field_for_a_moment_tells_what_was_meant(fields: dict[str, Any], field: str, meant: str | None) -> None:
    found = refused(fields)
    assert (found.field, found.suggestion) == (field, meant)
