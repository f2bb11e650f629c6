"""`cancel`: whole process trees die, and only then it answers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import Api, watch_for


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]


def test_a_run_with_its_whole_tree(api: Api) -> None:
    api.create("t", command="(setsid sleep 600 & echo $! > inner); echo $$ > outer; sleep 600")
    run_id = api.ok("run_now", task_id="t")["run_id"]
    outer = api.workspace / "outer"
    watch_for(lambda: outer.exists() and outer.read_text().strip())
    pids = [int((api.workspace / name).read_text()) for name in ("outer", "inner")]
    assert all(map(alive, pids))
    answer = api.ok("cancel", run_id=run_id)
    assert answer == {"status": "success", "message": "1 run cancelled", "cancelled": [run_id]}
    assert not any(map(alive, pids))
    run = api.ok("runs")["runs"][0]
    assert (run["status"], run["reason"]) == ("cancelled", "cancelled")


def test_all_runs_of_a_task(api: Api) -> None:
    first = api.running("long", max_instances=2)
    second = api.ok("run_now", task_id="long")["run_id"]
    answer = api.ok("cancel", task_id="long")
    assert set(answer["cancelled"]) == {first, second}
    assert answer["message"] == "2 runs cancelled"


def test_what_has_ended_is_info(api: Api) -> None:
    api.create("t")
    run_id = api.run("t")["run_id"]
    assert api.ok("cancel", run_id=run_id) == {
        "status": "info",
        "message": f"Run '{run_id}' has already ended",
        "cancelled": [],
    }
    answer = api.ok("cancel", task_id="t")
    assert (answer["status"], answer["cancelled"]) == ("info", [])


def test_the_attempt_that_follows_the_one_that_was_named(api: Api) -> None:
    """Whoever ran the task knows the first attempt; that it failed is no reason to let the next ones run."""
    api.create("flaky", command="exit 1", max_retries=3, retry_delay_seconds=600)
    run_id = str(api.ok("run_now", task_id="flaky")["run_id"])
    [follows] = watch_for(lambda: api.ok("runs", task_id="flaky", run_status="queued")["runs"])
    answer = api.ok("cancel", run_id=run_id)
    assert answer == {"status": "success", "message": "1 run cancelled", "cancelled": [follows["run_id"]]}
    assert [run["status"] for run in api.ok("runs", task_id="flaky")["runs"]] == ["cancelled", "failed"]
    assert api.ok("cancel", run_id=run_id)["cancelled"] == []


def test_not_found(api: Api) -> None:
    body = api.refused(404, "run_not_found", "cancel", run_id="nope")
    assert "'runs'" in body["message"]
    api.refused(404, "task_not_found", "cancel", task_id="nope")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "missing_field"),
        ({"run_id": None, "task_id": None}, "missing_field"),
        ({"run_id": "a", "task_id": "b"}, "invalid_field"),
        ({"run_id": 5}, "invalid_field"),
        ({"task_id": ""}, "invalid_field"),
        ({"id": "a"}, "unknown_field"),
    ],
)
def test_exactly_one_of_run_and_task(shared: Api, fields: dict[str, Any], code: str) -> None:
    body = shared.refused(400, code, "cancel", **fields)
    assert set(body["example"]) in ({"action", "task_id"}, {"action", "run_id"})
