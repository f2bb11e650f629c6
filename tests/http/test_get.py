"""`get`: a task whole."""

from __future__ import annotations

from datetime import datetime
from threading import Event

from scheduler.events import RunFinished
from tests.http.conftest import Api


def test_a_task_as_in_list_with_last_run_and_next_times(api: Api) -> None:
    api.ok("start")
    api.create("t", interval="daily at 02:00")
    answer = api.ok("get", task_id="t")
    assert set(answer) == {"status", "message", "task"}
    task = answer["task"]
    assert set(task) == {"id", "details", "last_run", "next_runs"}
    [listed] = api.ok("list")["tasks"]
    assert {name: task[name] for name in listed} == listed
    assert task["last_run"] is None
    times = [datetime.fromisoformat(text) for text in task["next_runs"]]
    assert len(times) == 5
    assert times == sorted(times)
    assert {(time.hour, time.minute) for time in times} == {(2, 0)}
    assert task["next_runs"][0] == task["details"]["next_run_at"]


def test_the_last_run(api: Api) -> None:
    api.create("t", command="echo out; echo err >&2; exit 3")
    run = api.run("t")
    assert api.ok("get", task_id="t")["task"]["last_run"] == run


def test_nothing_is_next_while_paused_disabled_or_manual(api: Api) -> None:
    api.create("paused")
    api.ok("pause", task_id="paused")
    api.create("disabled", enabled=False)
    api.create("manual", schedule_type="manual")
    for task_id in ("paused", "disabled", "manual"):
        task = api.ok("get", task_id=task_id)["task"]
        assert task["next_runs"] == []
        assert task["details"]["next_run"] is None
        assert task["details"]["next_run_at"] is None


def test_a_rule_that_has_ended_stays_listed_as_completed(api: Api) -> None:
    ended = Event()
    api.scheduler.events.subscribe(lambda event: ended.set() if isinstance(event, RunFinished) else None)
    api.ok("start")
    api.create("once", interval="in 1 second", command="echo done")
    assert api.details("once")["state"] == "pending"
    assert ended.wait(10)
    task = api.ok("get", task_id="once")["task"]
    assert (task["details"]["state"], task["details"]["next_run"], task["next_runs"]) == ("completed", None, [])
    assert task["last_run"]["stdout"] == "done\n"
    assert api.ok("list")["count"] == 1


def test_hint_while_stopped(api: Api) -> None:
    api.create("t")
    assert "start" in api.ok("get", task_id="t")["hint"]


def test_not_found(api: Api) -> None:
    body = api.refused(404, "task_not_found", "get", task_id="nope")
    assert "'list'" in body["message"]
    assert "problems" not in body


def test_wrong_names_of_the_id(api: Api) -> None:
    api.create("t")
    body = api.refused(400, "invalid_request", "get", task="t")
    assert {problem["field"] for problem in body["problems"]} == {"task", "task_id"}
    assert body["example"] == {"action": "get", "task_id": "t"}
