"""`remove`: the task goes, its runs end, its history stays."""

from __future__ import annotations

import pytest

from tests.http.conftest import Api


def test_the_documented_example(api: Api) -> None:
    api.create("backup_task")
    assert api.ok("remove", task_id="backup_task") == {"status": "success", "message": "Task 'backup_task' removed"}
    assert api.ok("list")["count"] == 0


def test_a_second_remove_is_not_found(api: Api) -> None:
    api.create("t")
    api.ok("remove", task_id="t")
    api.refused(404, "task_not_found", "remove", task_id="t")


def test_not_found_names_the_nearest(api: Api) -> None:
    api.create("backup_task")
    body = api.refused(404, "task_not_found", "remove", task_id="backup_tsk")
    assert body["message"] == "No task 'backup_tsk' exists. Did you mean 'backup_task'?"
    assert body["suggestion"] == "backup_task"


def test_it_ends_the_runs_under_way(api: Api) -> None:
    run_id = api.running("long")
    assert api.ok("remove", task_id="long") == {"status": "success", "message": "Task 'long' removed"}
    [run] = api.ok("runs", task_id="long")["runs"]
    assert (run["run_id"], run["status"]) == (run_id, "cancelled")
    assert run["reason"] == "its task was removed"


def test_past_runs_stay_readable(api: Api) -> None:
    api.create("t", command="echo kept")
    run_id = api.run("t")["run_id"]
    api.ok("remove", task_id="t")
    assert api.ok("output", run_id=run_id)["stdout"] == "kept\n"
    assert [run["run_id"] for run in api.ok("runs", task_id="t")["runs"]] == [run_id]


def test_anew_has_a_ledger_of_its_own(api: Api) -> None:
    api.create("t")
    api.run("t")
    api.ok("remove", task_id="t")
    api.create("t")
    assert api.ok("get", task_id="t")["task"]["last_run"] is None


@pytest.mark.parametrize("task_id", [None, "", 5, ["t"], " t", "x" * 129])
def test_wrong_ids(shared: Api, task_id: object) -> None:
    code = "missing_field" if task_id is None else "invalid_field"
    body = shared.refused(400, code, "remove", task_id=task_id)
    assert body["problems"][0]["field"] == "task_id"


def test_it_takes_no_other_field(shared: Api) -> None:
    assert shared.problem("unknown_field", "remove", task_id="t", force=True)["field"] == "force"
