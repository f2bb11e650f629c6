"""`run_now`: a run by hand, waited for or not."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from scheduler.http import actions
from scheduler.http.requests import RunNow
from tests.http.conftest import Api

RUN_KEYS = {
    *("run_id", "task_id", "scheduled_for", "started_at", "finished_at", "lateness_ms", "duration_ms", "attempt"),
    *(
        "trigger",
        "status",
        "exit_code",
        "signal",
        "reason",
        "hint",
        "stdout",
        "stderr",
        "truncated",
        "sandbox",
        "usage",
    ),
}


def test_without_wait_it_answers_at_once(api: Api) -> None:
    api.create("t", command="sleep 600")
    begun = time.monotonic()
    answer = api.ok("run_now", task_id="t")
    assert time.monotonic() - begun < 2
    assert set(answer) == {"status", "message", "run_id"}
    assert answer["run_id"] in answer["message"]


def test_wait_answers_the_finished_run(api: Api) -> None:
    api.create("t", command="echo out; echo err >&2")
    answer = api.ok("run_now", task_id="t", wait=True)
    assert set(answer) == {"status", "message", "run_id", "run"}
    run = answer["run"]
    assert set(run) == RUN_KEYS
    assert run["run_id"] == answer["run_id"]
    assert (run["task_id"], run["status"], run["exit_code"]) == ("t", "completed", 0)
    assert (run["stdout"], run["stderr"], run["truncated"]) == ("out\n", "err\n", False)
    assert (run["trigger"], run["attempt"]) == ("manual", 1)
    assert (run["reason"], run["signal"], run["hint"]) == (None, None, None)
    asked, started, ended = (
        datetime.fromisoformat(run[name]) for name in ("scheduled_for", "started_at", "finished_at")
    )
    assert asked <= started <= ended
    assert run["duration_ms"] > 0
    assert 0 <= run["lateness_ms"] < 10_000


@pytest.mark.parametrize(
    ("fields", "status", "exit_code", "signal"),
    [
        ({"command": "exit 3"}, "failed", 3, None),
        ({"command": "kill -KILL $$"}, "failed", None, "SIGKILL"),
        ({"command": "sleep 600", "timeout_seconds": 0.2}, "timeout", None, None),
        ({"type": "custom", "custom_script": "print(1/0)"}, "failed", 1, None),
    ],
)
def test_a_failing_run_is_no_error_of_ours(
    api: Api, fields: dict[str, Any], status: str, exit_code: int | None, signal: str | None
) -> None:
    api.create("t", **fields)
    run = api.run("t")
    assert run["status"] == status
    assert run["reason"]
    if status != "timeout":
        assert (run["exit_code"], run["signal"]) == (exit_code, signal)


def test_who_is_told_before_the_time_is_over_is_told_the_time_that_passed(api: Api) -> None:
    api.create("t", command="exec sleep 600")
    waiting = actions.run_now(api.scheduler, RunNow(action="run_now", task_id="t", wait=True, wait_seconds=30))
    assert isinstance(waiting, actions.Waiting)
    message = waiting.finish(False)["message"]
    assert re.search(r": still (queued|running) after [0-9.]+ s$", message)
    assert "30 s" not in message
    api.ok("cancel", task_id="t")


def test_a_test_run_counts_its_tests(api: Api) -> None:
    (api.workspace / "test_it.py").write_text("def test_a(): pass\ndef test_b(): assert False\n")
    api.create("t", type="test")
    tests = api.run("t")["tests"]
    assert (tests["passed"], tests["failed"], tests["errors"], tests["skipped"]) == (1, 1, 0, 0)
    assert tests["failing"] == ["test_it.py::test_b"]


def test_the_run_sees_its_own_names(api: Api) -> None:
    api.create(
        "t",
        command='echo "$SCHEDULER_TASK_ID $SCHEDULER_RUN_ID $SCHEDULER_ATTEMPT $A $1"',
        env={"A": "b"},
        args=["x y"],
    )
    run = api.run("t")
    assert run["stdout"] == f"t {run['run_id']} 1 b x y\n"


def test_wait_gives_up_after_wait_seconds(api: Api) -> None:
    api.create("t", command="sleep 600")
    answer = api.ok("run_now", task_id="t", wait=True, wait_seconds=0.2)
    assert answer["status"] == "success"
    assert "0.2 s" in answer["message"]
    assert answer["run"]["status"] in ("queued", "running")
    assert answer["run"]["finished_at"] is None


def test_it_works_while_stopped_and_while_running(api: Api) -> None:
    api.create("t")
    assert api.run("t")["status"] == "completed"
    api.ok("start")
    assert api.run("t")["status"] == "completed"


def test_at_its_most_it_is_a_conflict(api: Api) -> None:
    run_id = api.running("long")
    body = api.refused(409, "already_running", "run_now", task_id="long")
    assert body["run_ids"] == [run_id]
    assert run_id in body["message"]
    assert '"force": true' in body["message"]
    forced = api.ok("run_now", task_id="long", force=True)
    assert forced["run_id"] != run_id


def test_max_instances_counts(api: Api) -> None:
    api.running("long", max_instances=2)
    api.ok("run_now", task_id="long")
    assert len(api.refused(409, "already_running", "run_now", task_id="long")["run_ids"]) == 2


def test_a_full_queue(make_api: Callable[..., Api]) -> None:
    api = make_api(max_queued=1, max_workers=1)
    api.running("long", max_instances=10)
    api.ok("run_now", task_id="long")
    response = api.post("run_now", task_id="long")
    assert (response.status_code, response.json["code"]) == (429, "queue_full")
    assert int(response.headers["Retry-After"]) >= 1
    assert "SCHEDULER_MAX_QUEUED" in response.json["message"]


def test_not_found(api: Api) -> None:
    api.refused(404, "task_not_found", "run_now", task_id="nope", wait=True)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"wait": 1}, "wait"),
        ({"wait": "true"}, "wait"),
        ({"wait_seconds": "5"}, "wait_seconds"),
        ({"wait_seconds": 0}, "wait_seconds"),
        ({"wait_seconds": -1}, "wait_seconds"),
        ({"wait_seconds": 300.5}, "wait_seconds"),
        ({"wait_seconds": True}, "wait_seconds"),
        ({"force": "yes"}, "force"),
    ],
)
def test_wrong_fields(shared: Api, fields: dict[str, Any], field: str) -> None:
    body = shared.refused(400, "invalid_field", "run_now", task_id="t", **fields)
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["problems"][0]["accepted"]
    assert body["example"]["task_id"] == "t"


def test_wait_seconds_up_to_five_minutes(api: Api) -> None:
    api.create("t")
    assert api.ok("run_now", task_id="t", wait=True, wait_seconds=300)["run"]["status"] == "completed"
