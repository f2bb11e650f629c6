"""Cron expressions as named fields: these mean the same moments, to us and to APScheduler."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scheduler.cron import read_cron
from scheduler.cron_arguments import parse_cron_expression
from scheduler.errors import InvalidRequest
from scheduler.spellings import read_schedule
from scheduler.triggers import Cron, upcoming

UTC_ZONE = ZoneInfo("UTC")
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        ("0 2 * * *", {"minute": "0", "hour": "2", "day": "*", "month": "*", "day_of_week": "*"}),
        ("*/5 9-17/2 1,15 JAN-MAR *", {"minute": "*/5", "hour": "9-17/2", "day": "1,15", "month": "jan-mar"}),
        ("0 0 1 jan-jun/2,12 *", {"day": "1", "month": "1,3,5,12"}),
        ("0 0 L * *", {"day": "last", "day_of_week": "*"}),
        ("@weekly", {"day": "*", "day_of_week": "sun"}),
        ("0 9 * * 1-5", {"day_of_week": "mon-fri"}),
        ("0 9 * * 0,3,7", {"day_of_week": "wed,sun"}),
        ("0 9 * * 5-7", {"day_of_week": "fri-sun"}),
        ("0 9 * * sun-tue", {"day_of_week": "mon-tue,sun"}),
        ("0 9 * * */2", {"day_of_week": "tue,thu,sat-sun"}),
        ("0 9 * * 0-6", {"day_of_week": "*"}),
        ("0 9 */2 * mon", {"day": "*/2", "day_of_week": "mon"}),
        ("0 9 13 * fri", {"day": "13,1st fri,2nd fri,3rd fri,4th fri,5th fri", "day_of_week": "*"}),
        ("0 9 13 * 0-6", {"day": "*", "day_of_week": "*"}),
        ("0 9 * * 2#3,5L", {"day": "3rd tue,last fri", "day_of_week": "*"}),
        ("0 9 1 * 2#3", {"day": "1,3rd tue", "day_of_week": "*"}),
    ],
)
def test_the_fields(expression: str, fields: dict[str, str]) -> None:
    assert fields.items() <= parse_cron_expression(expression).items()


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("0 25 * * *", "'25' in the hour field"),
        (None, "a cron expression is a text, not NoneType"),
        ("0 9 LW * *", "cannot be said by fields"),
        ("0 9 */2 * 2#3", "cannot be said by fields"),
    ],
)
def test_what_has_no_fields(expression: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        parse_cron_expression(expression)


def field(low: int, high: int, *more: str) -> st.SearchStrategy[str]:
    """Return texts of a field of cron."""
    number = st.integers(low, high)
    span = st.tuples(number, number).filter(lambda pair: pair[0] < pair[1]).map(lambda pair: f"{pair[0]}-{pair[1]}")
    item = number.map(str) | span | span.map("{}/1".format) | st.sampled_from(["*/2", f"{low}/3", *more])
    return st.sampled_from(["*", "*/2"]) | st.lists(item, min_size=1, max_size=3).map(",".join)


EXPRESSIONS = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31, "L"),
    field(1, 12, "jan-mar", "feb/3"),
    field(0, 7, "mon", "fri-sun", "sun-tue", "mon-fri/2", "5L", "2#3", "sun#1"),
).map(" ".join)


@given(EXPRESSIONS)
def test_fields_mean_the_same_moments(expression: str) -> None:
    aps = pytest.importorskip("apscheduler.triggers.cron")
    try:
        fields = parse_cron_expression(expression)
    except InvalidRequest:
        assume(False)
    named = read_schedule({"trigger": {"type": "cron", **fields}}, zone=UTC_ZONE, now=START).trigger
    moments = upcoming(Cron(zone=UTC_ZONE, fields=read_cron(expression)), START, 20)
    assert upcoming(named, START, 20) == moments
    theirs = aps.CronTrigger(**fields, timezone=UTC)
    after = START
    for moment in moments[:5]:
        assert theirs.get_next_fire_time(None, after + timedelta(microseconds=1)) == moment
        after = moment
