"""The route of rehearsals: what is told, of which spans, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from scheduler.http.rest.rehearsal import cut
from scheduler.http.rest.rehearsal_models import RehearsalShown
from scheduler.moments import iso
from tests.http.rest.conftest import Rest
from tests.scheduler.test_rehearsal import BERLIN

DAY = timedelta(days=1)
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def rehearse(rest: Rest, **query: str) -> dict[str, Any]:
    found = rest.api.client.get("/api/rehearsal", query_string=query, headers={"Host": "localhost:10800"})
    assert found.status_code == 200, found.text
    RehearsalShown.model_validate(found.json)
    return dict(found.json)


def tomorrow(rest: Rest) -> dict[str, str]:
    midnight = (rest.api.scheduler.now() + DAY).replace(hour=0, minute=0, second=0, microsecond=0)
    return {"since": iso(midnight, UTC), "until": iso(midnight + DAY, UTC)}


def test_a_day_is_told_with_all_that_comes_of_it(rest: Rest) -> None:
    rest.create("backup", interval="daily at 02:30", timezone="UTC")
    rest.create("report", interval="daily at 02:30 and 18:00", timezone="UTC")
    rest.create("over", interval="in 5 days")
    rest.create("off", interval="hourly", enabled=False)
    rest.create("held", interval="hourly")
    rest.ok("POST", "/api/tasks/held/pause")
    span = tomorrow(rest)
    found = rehearse(rest, **span)
    half_past_two, day = f"{span['since'][:10]}T02:30:00+00:00", span["since"][:10]
    assert (found["since"], found["until"], found["truncated"]) == (span["since"], span["until"], False)
    assert found["cells"] == [{"at": half_past_two, "starts": 2}, {"at": f"{day}T18:00:00+00:00", "starts": 1}]
    assert [(one["task_ids"], one["times"], one["first"]) for one in found["collisions"]] == [
        (["backup", "report"], 1, half_past_two)
    ]
    assert [(one["task_id"], one["why"]) for one in found["silent"]] == [
        ("off", "disabled"), ("held", "paused"), ("over", "later"),
    ]  # fmt: skip
    assert found["free_slots"][0]["seconds"] == 15.5 * 3600
    assert found["expected"]["unknown"] == ["backup", "report"]
    assert {one["task_id"]: one["starts"] for one in found["tasks"]} == {"backup": 1, "report": 2}


def test_durations_are_those_of_the_newest_runs(rest: Rest) -> None:
    rest.create("nap", interval="daily at 02:30", timezone="UTC", command="sleep 0.1")
    rest.ok("POST", "/api/tasks/nap/run", {"wait": True})
    found = rehearse(rest, **tomorrow(rest))
    assert found["tasks"][0]["typical_seconds"] >= 0.1
    assert (found["expected"]["peak"], found["expected"]["unknown"]) == (1, [])


def test_max_runs_counts_what_has_fired(rest: Rest) -> None:
    rest.create("twice", interval="daily at 00:30", timezone="UTC", max_runs=2)
    now = rest.api.scheduler.now()
    found = rehearse(rest, until=iso(now + 5 * DAY, UTC))
    assert found["tasks"][0]["starts"] == 2
    assert found["cell"] == "hour"


def test_a_year_has_the_changes_of_the_clocks(rest: Rest) -> None:
    rest.create("night", interval="daily at 02:30", timezone="Europe/Berlin")
    now = rest.api.scheduler.now()
    found = rehearse(rest, until=iso(now + 366 * DAY, UTC))
    assert {(one["kind"], one["fate"]) for one in found["clock_changes"]} == {("gap", "moved"), ("overlap", "first")}
    assert all(one["local_times"][0].endswith("T02:30") for one in found["clock_changes"])
    assert found["cell"] == "day"


def test_an_empty_service_has_an_empty_day(rest: Rest) -> None:
    found = rehearse(rest)
    assert (found["starts"], found["cells"], found["silent"], found["collisions"]) == (0, [], [], [])
    assert found["free_slots"][0]["seconds"] == pytest.approx(86_400, abs=60), "reckoned a moment later"


@pytest.mark.parametrize("query", [
    "since=2099-01-02&until=2099-01-01", "since=2099-01-01&until=2101-01-01", "until=2020-01-01T00:00:00Z",
    "since=2020-01-01&until=2020-01-02", "until=soon", "days=3",
])  # fmt: skip
def test_spans_that_are_none_are_refused_with_one_that_works(rest: Rest, query: str) -> None:
    body = rest("GET", f"/api/rehearsal?{query}").json
    assert body["status"] == "error"
    rest.works(body["example"])


@pytest.mark.parametrize(
    ("length", "unit", "cells"),
    [(DAY, "minute", 1440), (7 * DAY, "hour", 168), (30 * DAY, "day", 31), (timedelta(seconds=30), "minute", 1)],
)
def test_spans_are_cut_to_suit_their_length(length: timedelta, unit: str, cells: int) -> None:
    found, edges = cut(NOON, NOON + length, BERLIN)
    assert (found, len(edges) - 1) == (unit, cells)
    assert edges == sorted(set(edges))
    assert (edges[0], edges[-1]) == (NOON, NOON + length)


def test_days_are_those_of_the_zone_however_long() -> None:
    _, edges = cut(NOON, NOON + 200 * DAY, BERLIN)
    lengths = {(later - earlier) // timedelta(hours=1) for earlier, later in pairwise(edges[1:-1])}
    assert lengths == {24, 25}
