"""`runs`: the ledger in pages, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.http.conftest import Api, watch_for
from tests.http.test_run_now import RUN_KEYS


def test_nothing(api: Api) -> None:
    assert api.ok("runs") == {
        "status": "success",
        "message": "0 runs, newest first",
        "runs": [],
        "next_cursor": None,
    }


def test_rows(api: Api) -> None:
    api.create("t", command="echo hello")
    run = api.run("t")
    answer = api.ok("runs")
    assert set(answer) == {"status", "message", "runs", "next_cursor"}
    assert answer["message"] == "1 run, newest first"
    assert answer["runs"] == [run]
    assert set(answer["runs"][0]) == RUN_KEYS


def test_filters(fresh: Api) -> None:
    fresh.create("good")
    fresh.create("bad", command="exit 1")
    good, bad = fresh.run("good")["run_id"], fresh.run("bad")["run_id"]
    long = fresh.running("long")
    hour = timedelta(hours=1)
    now = datetime.now(UTC)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [long, bad, good]),
        ({"task_id": "good"}, [good]),
        ({"run_status": "failed"}, [bad]),
        ({"run_status": "running"}, [long]),
        ({"run_status": "missed"}, []),
        ({"task_id": "good", "run_status": "failed"}, []),
        ({"since": (now - hour).isoformat()}, [long, bad, good]),
        ({"since": (now + hour).isoformat()}, []),
        ({"since": "2000-01-01"}, [long, bad, good]),
        ({"since": "2099-01-01T00:00:00"}, []),
    ]
    for fields, expected in cases:
        assert [run["run_id"] for run in fresh.ok("runs", **fields)["runs"]] == expected, fields


def test_pages(fresh: Api) -> None:
    fresh.create("t")
    made = [fresh.run("t")["run_id"] for _ in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        answer = fresh.ok("runs", limit=2, cursor=cursor)
        seen += [run["run_id"] for run in answer["runs"]]
        assert len(answer["runs"]) <= 2
        cursor = answer["next_cursor"]
        if cursor is None:
            break
    assert seen == made[::-1]


def test_times_are_told_in_the_tasks_zone(api: Api) -> None:
    api.create("t", timezone="Asia/Kolkata")
    run = api.run("t")
    for name in ("scheduled_for", "started_at", "finished_at"):
        assert run[name].endswith("+05:30")


def test_long_output_is_shown_with_head_and_tail(fresh: Api) -> None:
    fresh.create("t", command="echo begin; seq 100000; echo end")
    fresh.run("t")
    [run] = fresh.ok("runs")["runs"]
    assert run["stdout"].startswith("begin\n")
    assert run["stdout"].endswith("end\n")
    assert len(run["stdout"]) < 10_000


def test_a_task_that_never_was(api: Api) -> None:
    api.create("known")
    assert api.refused(404, "task_not_found", "runs", task_id="knwon")["suggestion"] == "known"
    assert api.ok("runs", task_id="known")["runs"] == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"run_status": "done"}, "run_status"),
        ({"run_status": "complete"}, "run_status"),
        ({"run_status": ["failed"]}, "run_status"),
        ({"since": "yesterday"}, "since"),
        ({"since": 1700000000}, "since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "since"),
        ({"since": "9999-12-31T23:59:59-14:00"}, "since"),
        ({"limit": 0}, "limit"),
        ({"limit": "10"}, "limit"),
        ({"cursor": "zz"}, "cursor"),
        ({"cursor": "../../etc/passwd"}, "cursor"),
        ({"task_id": 5}, "task_id"),
    ],
)
def test_wrong_fields(shared: Api, fields: dict[str, Any], field: str) -> None:
    body = shared.refused(400, "invalid_field", "runs", **fields)
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["problems"][0]["got"] == next(iter(fields.values()))
    assert body["problems"][0]["accepted"]
    assert shared.ok(**body["example"])["status"] == "success"


def test_status_is_no_filter_but_run_status_is(shared: Api) -> None:
    assert shared.problem("unknown_field", "runs", status="failed")["suggestion"] == "run_status"


def test_every_problem_at_once(shared: Api) -> None:
    body = shared.refused(400, "invalid_request", "runs", limit=0, since="x", run_status="x", foo=1)
    assert {problem["field"] for problem in body["problems"]} == {"limit", "since", "run_status", "foo"}


def test_a_fire_time_beyond_max_instances_leaves_a_skipped_row(api: Api) -> None:
    api.running("long", interval="every 1 second")
    api.ok("start")
    [row] = watch_for(lambda: api.ok("runs", run_status="skipped")["runs"])[:1]
    assert (row["task_id"], row["trigger"], row["started_at"], row["exit_code"]) == ("long", "schedule", None, None)
    assert row["reason"]
    assert (row["stdout"], row["stderr"]) == ("", "")
