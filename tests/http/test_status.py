"""`status`: how the scheduler is doing."""

from __future__ import annotations

from collections.abc import Callable

from scheduler.version import VERSION
from tests.http.conftest import Api
from tests.server import ROOT

KEYS = {"status", "message", "state", "counts", "queue", "running", "lateness", "sandbox", "version", "store"}


def test_a_fresh_one(api: Api) -> None:
    answer = api.ok("status")
    assert set(answer) >= KEYS
    assert answer["message"] == "Scheduler is stopped: 0 tasks, 0 running, 0 waiting"
    assert (answer["state"], answer["version"]) == ("stopped", VERSION)
    assert answer["counts"]["tasks"]["total"] == 0
    assert (answer["queue"]["waiting"], answer["running"]) == (0, [])
    assert answer["lateness"]["runs"] == 0
    assert answer["sandbox"]["allowed_dirs"] == [str(api.workspace)]
    assert answer["store"]["state"] == "ok"
    assert answer["timezone"] == "Europe/Berlin"


def test_counts(api: Api) -> None:
    api.ok("start")
    api.create("one")
    api.create("paused")
    api.ok("pause", task_id="paused")
    api.create("disabled", enabled=False)
    api.create("manual", schedule_type="manual")
    answer = api.ok("status")
    assert answer["message"].startswith("Scheduler is running: 4 tasks, ")
    counts = answer["counts"]["tasks"]
    assert counts == {"total": 4, "planned": 2, "paused": 1, "disabled": 1, "completed": 0}


def test_runs_under_way_and_waiting(make_api: Callable[..., Api]) -> None:
    api = make_api(max_workers=1)
    run_id = api.running("long", max_instances=5)
    api.create("high", priority="high")
    api.ok("run_now", task_id="high")
    api.ok("run_now", task_id="long")
    answer = api.ok("status")
    assert answer["message"] == "Scheduler is stopped: 2 tasks, 1 running, 2 waiting"
    [run] = answer["running"]
    assert (run["run_id"], run["task_id"]) == (run_id, "long")
    assert run["started_at"]
    assert answer["queue"]["waiting"] == 2
    assert answer["queue"]["by_priority"] == {"urgent": 0, "high": 1, "medium": 1, "low": 0}
    assert answer["workers"] == 1


def test_an_allowed_directory_with_our_own_code_is_told(make_api: Callable[..., Api]) -> None:
    open_door, code = make_api(allowed_dirs=(ROOT,)).ok("status")["warnings"]
    assert "SCHEDULER_TOKEN" in open_door
    assert str(ROOT) in code
