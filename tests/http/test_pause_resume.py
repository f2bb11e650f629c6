"""`pause` and `resume`: planning stops and goes on, once."""

from __future__ import annotations

from tests.http.conftest import Api

KEYS = {"status", "message", "task_id", "next_run", "next_run_at"}


def test_pause(api: Api) -> None:
    api.create("t")
    answer = api.ok("pause", task_id="t")
    assert set(answer) == KEYS
    assert (answer["status"], answer["message"]) == ("success", "Task 't' paused")
    assert answer["next_run"] is None
    assert answer["next_run_at"] is None
    again = api.ok("pause", task_id="t")
    assert (again["status"], again["message"]) == ("info", "Task 't' is already paused")
    assert api.details("t")["state"] == "paused"


def test_resume(api: Api) -> None:
    api.ok("start")
    api.create("t")
    api.ok("pause", task_id="t")
    answer = api.ok("resume", task_id="t")
    assert set(answer) == KEYS
    assert (answer["status"], answer["message"]) == ("success", "Task 't' resumed")
    assert answer["next_run"] == api.details("t")["next_run"]
    assert answer["next_run_at"][:19] == answer["next_run"].replace(" ", "T")
    again = api.ok("resume", task_id="t")
    assert (again["status"], again["message"]) == ("info", "Task 't' is not paused")


def test_resume_enables_a_disabled_task(api: Api) -> None:
    api.create("t", enabled=False)
    answer = api.ok("resume", task_id="t")
    assert answer["status"] == "success"
    assert answer["next_run"]
    details = api.details("t")
    assert (details["state"], details["enabled"]) == ("pending", True)


def test_resume_keeps_the_phase(api: Api) -> None:
    before = api.create("t")["next_run"]
    api.ok("pause", task_id="t")
    assert api.ok("resume", task_id="t")["next_run"] == before


def test_resume_while_stopped_says_so(api: Api) -> None:
    api.create("t")
    api.ok("pause", task_id="t")
    assert "start" in api.ok("resume", task_id="t")["hint"]


def test_a_paused_task_can_be_run_by_hand(api: Api) -> None:
    api.create("t")
    api.ok("pause", task_id="t")
    assert api.run("t")["status"] == "completed"


def test_pausing_leaves_runs_under_way(api: Api) -> None:
    run_id = api.running("long")
    api.ok("pause", task_id="long")
    assert [run["run_id"] for run in api.ok("status")["running"]] == [run_id]


def test_not_found_and_wrong(api: Api) -> None:
    for action in ("pause", "resume"):
        api.refused(404, "task_not_found", action, task_id="nope")
        api.refused(400, "missing_field", action)
        api.refused(400, "invalid_field", action, task_id=1)
        api.refused(400, "unknown_field", action, task_id="t", until="x")
