"""The timeline: what ran when, as bars, and what will."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from scheduler.ids import first_run_id
from scheduler.models import Priority
from scheduler.moments import iso
from scheduler.run import Origin, Run, RunStatus
from scheduler.store import runs, tables
from tests.http.rest.conftest import Rest

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SPAN = {"since": "2026-06-01T00:00:00Z", "until": "2026-06-02T00:00:00Z"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def noon(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rest]:
    """Return a Rest for whose timeline it is noon, with two tasks and an empty ledger."""
    forget_all(rest)
    rest.create("backup", interval="every 1 hour", tags=["night", "big one"])
    rest.create("report", interval="daily at 18:00", timezone="UTC")
    monkeypatch.setattr(rest.api.scheduler, "now", lambda: NOON)
    monkeypatch.setattr(rest.api.scheduler.timeline, "_now", lambda: NOON)
    yield rest
    monkeypatch.undo()
    forget_all(rest)  # or removing the tasks would wait for the end of runs that are nobody's


def forget_all(rest: Rest) -> None:
    """Empty the ledger."""
    rest.api.scheduler._store.write(lambda connection: connection.execute(tables.runs.delete()))


def add(rest: Rest, task_id: str, start: datetime, took: timedelta | None, status: str = "completed") -> str:
    """Add a run to the ledger and return its id."""
    stored = rest.api.scheduler.get_job(task_id).stored
    never = status in ("missed", "skipped", "queued")
    run = Run(
        run_id=f"{first_run_id(start)[:10]}{stored.key}{int(start.timestamp() * 1000) % 10**15:015d}",
        job_key=stored.key,
        task_id=task_id,
        scheduled_for=start,
        attempt=1,
        trigger=Origin.SCHEDULE,
        status=RunStatus(status),
        priority=Priority.MEDIUM,
        created_at=start,
        due_at=start,
        started_at=None if never else start,
        finished_at=None if took is None else start + took,
    )
    rest.api.scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))
    return run.run_id


def lane(rest: Rest, task_id: str = "backup", **query: Any) -> dict[str, Any]:
    """Return one lane."""
    found = rest.api.client.get(
        "/api/timeline/lanes",
        query_string={**SPAN, "task_ids": f'["{task_id}"]', **query},
        headers={"Host": "localhost:10800"},
    )
    assert found.status_code == 200, found.text
    [one] = found.json["lanes"]
    return dict(one)


def test_each_run_is_a_bar_with_its_very_times(noon: Rest) -> None:
    done = add(noon, "backup", NOON - 60 * MINUTE, 5 * MINUTE)
    going = add(noon, "backup", NOON - MINUTE, None, "running")
    missed = add(noon, "backup", NOON - 90 * MINUTE, timedelta(0), "missed")
    add(noon, "report", NOON - 60 * MINUTE, MINUTE)
    times = [NOON - 90 * MINUTE, NOON - 60 * MINUTE, NOON - 55 * MINUTE, NOON - MINUTE]
    at = [iso(moment, UTC) for moment in times]
    assert lane(noon)["bars"] == [
        {"start": at[0], "end": at[0], "status": "missed", "run_id": missed, "count": 1},
        {"start": at[1], "end": at[2], "status": "completed", "run_id": done, "count": 1},
        {"start": at[3], "end": None, "status": "running", "run_id": going, "count": 1},
    ]


def test_runs_of_one_slot_become_one_bar_that_is_as_bad_as_the_worst(noon: Rest) -> None:
    # 24 slots: an hour each.
    for minute, status in enumerate(("completed", "failed", "skipped", "completed")):
        add(noon, "backup", NOON - 60 * MINUTE + minute * MINUTE, MINUTE, status)
    other = add(noon, "backup", NOON + 5 * MINUTE, 3 * MINUTE)
    bars = lane(noon, slots=24)["bars"]
    assert [(bar["status"], bar["count"]) for bar in bars] == [("failed", 4), ("completed", 1)]
    assert (bars[0]["start"], bars[0]["end"]) == (iso(NOON - 60 * MINUTE, UTC), iso(NOON - 56 * MINUTE, UTC))
    assert bars[1]["run_id"] == other
    assert len(lane(noon, slots=1440)["bars"]) == 5


def test_what_began_before_the_span_and_goes_on_in_it_is_there(noon: Rest) -> None:
    add(noon, "backup", NOON - timedelta(hours=13), timedelta(hours=2))
    add(noon, "backup", NOON - timedelta(hours=16), timedelta(hours=2))
    add(noon, "backup", NOON + timedelta(hours=13), MINUTE)
    [bar] = lane(noon)["bars"]
    assert bar["start"] == iso(NOON - timedelta(hours=13), UTC)


@pytest.mark.parametrize("max_runs", [1, 3])
def test_no_face_tells_of_more_times_than_max_runs_allows(rest: Rest, max_runs: int) -> None:
    rest.ok("POST", "/api/scheduler/start")
    fields = {"interval": "every 6 hours", "max_runs": max_runs}
    rest.create("backup", **fields)
    api, now = rest.api, rest.api.scheduler.now()
    span = {"since": iso(now, UTC), "until": iso(now + timedelta(days=2), UTC)}
    times = api.ok("get", task_id="backup")["task"]["next_runs"]
    assert len(times) == max_runs
    assert rest.ok("GET", "/api/tasks/backup")["next_runs"] == times
    assert rest.ok("GET", "/api/tasks/backup/schedule")["next_runs"] == times
    assert len(api.ok("validate", task_id="other", type="command", command="true", **fields)["next_runs"]) == max_runs
    moments = [iso(datetime.fromisoformat(text), UTC) for text in times]
    assert lane(rest, **span)["planned"] == lane(rest, **span, slots=1440)["planned"] == moments
    later = {**span, "since": iso(now + timedelta(hours=7), UTC)}
    assert lane(rest, **later)["planned"] == moments[1:]


def test_no_face_tells_of_more_times_than_max_runs_allows_where_they_are_many(rest: Rest) -> None:
    rest.ok("POST", "/api/scheduler/start")
    rest.create("often", interval="every 1 minute", max_runs=6000)
    now = rest.api.scheduler.now()
    last = now + timedelta(minutes=6000)
    span = {"since": iso(last - timedelta(hours=1), UTC), "until": iso(last + timedelta(days=3), UTC)}
    planned = lane(rest, "often", **span, slots=5000)["planned"]
    assert planned
    assert all(datetime.fromisoformat(text) <= last for text in planned)
    starts = rest.ok(
        "GET", f"/api/rehearsal?since={iso(now, UTC)[:19]}Z&until={iso(last + timedelta(days=3), UTC)[:19]}Z"
    )
    [task] = starts["tasks"]
    assert task["starts"] == 6000
    year = rest.ok("GET", f"/api/tasks/often/calendar?year={now.year + 1}")
    assert not any(day["planned"] for day in year["days"] if day["day"] > (last + timedelta(days=1)).date().isoformat())


def test_what_is_planned_is_told_where_the_scheduler_runs(rest: Rest) -> None:
    rest.create("backup", interval="every 1 hour")
    rest.create("often", interval="every 10 seconds")
    rest.create("over", interval="in 5 days")
    now = rest.api.scheduler.now()
    span = {"since": iso(now - timedelta(days=1), UTC), "until": iso(now + timedelta(days=1), UTC)}
    assert lane(rest, **span)["planned"] == []
    rest.ok("POST", "/api/scheduler/start")
    planned = lane(rest, **span)["planned"]
    assert len(planned) in (23, 24)
    assert planned == sorted(planned)
    assert planned[0] == iso(datetime.fromisoformat(rest.ok("GET", "/api/tasks/backup")["next_run_at"]), UTC)
    often = [datetime.fromisoformat(text) for text in lane(rest, "often", **span)["planned"]]
    assert 50 <= len(often) <= 60, "some of them, evenly"
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(often)]
    assert max(steps) - min(steps) <= 10
    assert lane(rest, "over", **span)["planned"] == []
    rest.ok("POST", "/api/tasks/backup/pause")
    assert lane(rest, **span)["planned"] == []


def test_all_tasks_are_told_with_their_trouble(noon: Rest) -> None:
    for minute, status in enumerate(("completed", "failed", "timeout", "missed", "cancelled")):
        add(noon, "backup", NOON - minute * MINUTE, MINUTE, status)
    add(noon, "backup", NOON - timedelta(days=2), MINUTE, "failed")
    add(noon, "report", NOON, None, "running")
    found = noon.ok("GET", "/api/timeline?since=2026-06-01T00:00:00Z&until=2026-06-02T00:00:00Z")
    assert found["now"] == iso(NOON, UTC)
    assert found["tasks"] == [
        {"task_id": "backup", "tags": ["night", "big one"], "state": "pending", "runs": 5, "troubled": 3},
        {"task_id": "report", "tags": [], "state": "running", "runs": 0, "troubled": 0},
    ]


def test_the_span_is_a_day_and_what_comes_where_none_is_asked_for(noon: Rest) -> None:
    found = noon.ok("GET", "/api/timeline/lanes")
    assert (found["since"], found["until"]) == ("2026-05-31T12:00:00+00:00", "2026-06-01T18:00:00+00:00")
    assert [one["task_id"] for one in found["lanes"]] == ["backup", "report"]


def test_tasks_come_in_the_order_asked_for_and_unknown_ones_are_left_out(noon: Rest) -> None:
    found = noon.ok("GET", '/api/timeline/lanes?task_ids=["report","gone","backup","report"]')
    assert [one["task_id"] for one in found["lanes"]] == ["report", "backup"]
    assert noon.ok("GET", "/api/timeline/lanes?task_ids=[]")["lanes"] == []


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-06-01&until=2026-05-01",
        "since=2024-06-01&until=2026-05-01",
        "task_ids=backup",
        "slots=5",
        "slots=x",
        "slot=50",
    ],
)
def test_what_is_wrong_is_told_with_a_request_that_works(noon: Rest, query: str) -> None:
    error = noon.refused(400, noon("GET", f"/api/timeline/lanes?{query}").json["code"], "GET",
                         f"/api/timeline/lanes?{query}")  # fmt: skip
    assert noon("GET", error["example"]["path"]).status_code == 200, error["example"]
