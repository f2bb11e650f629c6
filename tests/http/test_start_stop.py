"""`start` and `stop`: what they answer, what they change, and that it is remembered."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from scheduler.events import RunFinished
from tests.http.conftest import Api, watch_for


def test_a_fresh_scheduler_is_stopped(api: Api) -> None:
    assert api.ok("status")["state"] == "stopped"


def test_start_answers_word_for_word(api: Api) -> None:
    assert api.ok("start") == {"status": "success", "message": "Scheduler started"}
    assert api.ok("start") == {"status": "info", "message": "Scheduler is already running"}
    assert api.ok("status")["state"] == "running"


def test_stop_answers_word_for_word(api: Api) -> None:
    assert api.ok("stop") == {"status": "info", "message": "Scheduler is not running"}
    api.ok("start")
    assert api.ok("stop") == {"status": "success", "message": "Scheduler stopped"}
    assert api.ok("stop") == {"status": "info", "message": "Scheduler is not running"}
    assert api.ok("status")["state"] == "stopped"


def test_neither_takes_a_field(api: Api) -> None:
    for action in ("start", "stop"):
        body = api.refused(400, "unknown_field", action, wait=True)
        assert body["problems"][0]["field"] == "wait"
        assert body["example"] == {"action": action}


@pytest.mark.parametrize(
    ("action", "meant"), [("start", "'resume' or 'run_now'"), ("stop", "'pause' or 'cancel'"), ("STOP", None)]
)
@pytest.mark.parametrize("field", ["task_id", "id", "job", "taskId", "name"])
def test_who_names_a_task_does_not_mean_all_of_them(api: Api, action: str, meant: str | None, field: str) -> None:
    api.create("mine")
    body = api.post(action, **{field: "mine"}).json
    assert body["example"] == {"action": "get", "task_id": "mine"}
    if meant is not None:
        assert f"'{action}' is for the whole scheduler; for one task send {meant}" in body["message"]
        assert body["problems"][0]["suggestion"] is None
    assert api.post(action, **{field: "nobody's"}).json["example"] == {"action": "list"}
    assert api.post(method=action, params={"task_id": "mine"}).json["example"] == {"action": "list"}


def test_whether_it_runs_outlives_the_process(fresh: Api, make_api: Callable[..., Api]) -> None:
    fresh.ok("start")
    fresh.close()
    again = make_api(data_dir=fresh.data, allowed_dirs=(fresh.workspace,))
    assert again.ok("status")["state"] == "running"
    again.ok("stop")
    again.close()
    last = make_api(data_dir=fresh.data, allowed_dirs=(fresh.workspace,))
    assert last.ok("status")["state"] == "stopped"


def test_autostart_starts_a_fresh_one_but_not_one_that_was_stopped(make_api: Callable[..., Api]) -> None:
    fresh = make_api(autostart=True)
    assert fresh.ok("status")["state"] == "running"
    fresh.ok("stop")
    fresh.close()
    assert make_api(autostart=True, data_dir=fresh.data).ok("status")["state"] == "stopped"


def test_runs_under_way_finish_after_stop(api: Api) -> None:
    api.ok("start")
    api.create("t", command="while [ ! -e go ]; do sleep 0.01; done; echo done")
    run_id = api.ok("run_now", task_id="t")["run_id"]
    api.ok("stop")
    (api.workspace / "go").touch()
    assert api.scheduler.watch.wait([run_id], 20)
    run = api.ok("runs")["runs"][0]
    assert (run["status"], run["stdout"]) == ("completed", "done\n")


def test_tasks_fire_while_it_runs(fresh: Api) -> None:
    fresh.create("t", interval="every 1 second", command="echo $SCHEDULER_TASK_ID")
    assert fresh.ok("runs")["runs"] == []
    fresh.ok("start")
    ended = Event()
    fresh.scheduler.events.subscribe(lambda event: ended.set() if isinstance(event, RunFinished) else None)
    assert ended.wait(10)
    run = fresh.ok("runs")["runs"][-1]
    assert (run["trigger"], run["status"], run["stdout"]) == ("schedule", "completed", "t\n")


def test_stop_ends_what_waits_by_schedule_but_not_what_was_asked_for(make_api: Callable[..., Api]) -> None:
    api = make_api(max_workers=1)
    api.running("long")
    api.create("asked")
    asked = api.ok("run_now", task_id="asked")["run_id"]
    api.create("planned", interval="every 1 second")
    api.ok("start")
    watch_for(lambda: api.ok("runs", task_id="planned", run_status="queued")["runs"])
    api.ok("stop")
    [row] = api.ok("runs", task_id="planned", run_status="skipped")["runs"][-1:]
    assert row["reason"] == "scheduler stopped"
    assert api.ok("runs", task_id="planned", run_status="queued")["runs"] == []
    assert [run["run_id"] for run in api.ok("runs", run_status="queued")["runs"]] == [asked]
    api.ok("cancel", task_id="long")
    assert api.scheduler.watch.wait([asked], 20)
    assert api.ok("runs", task_id="asked")["runs"][0]["status"] == "completed"
