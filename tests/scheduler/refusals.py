"""Have a phrase refused, and look at the one problem that says so."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from scheduler.errors import InvalidRequest, Problem
from scheduler.phrases import parse_phrase

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
