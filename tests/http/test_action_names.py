"""Actions by other names: what is meant is offered, and nothing that changes what nobody asked for."""

from __future__ import annotations

import pytest

from scheduler.http.actions import ACTIONS
from tests.http.conftest import COMMAND, Api


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *((name, "update") for name in ("modify", "change", "edit", "set", "reschedule", "modifyJob", "update-task")),
        *((name, "remove") for name in ("delete", "delete_task", "remove_job", "deleteTask", "rm", "delte", "remvoe")),
        *((name, "list") for name in ("list_tasks", "listJobs", "get_tasks", "get_all_tasks", "tasks", "ls", "lsit")),
        *((name, "get") for name in ("get_task", "show", "describe_task", "task_status", "GET", "get_schedule")),
        *((name, "create") for name in ("add", "add_job", "schedule", "schedule_task", "scheduler.create", "creat")),
        *((name, "pause") for name in ("disable", "pause_task", "suspend", "puase")),
        *((name, "resume") for name in ("enable", "unpause", "resume_job", "reusme")),
        *((name, "run_now") for name in ("run", "run_task", "run_task_now", "trigger_job", "execute")),
        *((name, "cancel") for name in ("abort", "kill", "cancel_run", "cacnel")),
        *((name, "runs") for name in ("history", "results", "result", "list_runs", "get-run-history", "task_runs")),
        *((name, "output") for name in ("logs", "get_logs", "outptu", "get_task_output")),
        *((name, "status") for name in ("state", "stats", "get_status", "health", "statsu")),
        ("start_scheduler", "start"),
        ("stopp", "stop"),
        ("explian", "explain"),
        ("hepl", "help"),
    ],
)
def test_another_name(shared: Api, name: str, meant: str) -> None:
    problem = shared.problem("unknown_action", name)
    assert problem["suggestion"] == meant
    assert f"Did you mean '{meant}'?" in problem["message"]


@pytest.mark.parametrize(
    "name",
    [
        *("move", "rename", "reset", "restart", "setup", "step", "purge", "star", "top", "remote", "removed", "paused"),
        *("start_task", "stop_task", "stop_job", "delete_all_tasks", "shutdown", "clear", "duplicate", "", "?", "task"),
    ],
)
def test_a_word_that_only_looks_like_an_action_means_none(shared: Api, name: str) -> None:
    body = shared.refused(400, "unknown_action", name, task_id="mine")
    assert body["problems"][0]["suggestion"] is None
    assert body["example"] == {"action": "help"}


def test_what_was_not_asked_for_is_not_done(api: Api) -> None:
    api.create("mine")
    api.create("held")
    api.ok("pause", task_id="held")
    for name in ("move", "rename", "reset", "restart", "step", "purge", "results"):
        for task_id in ("mine", "held"):
            api.ok(**api.post(name, task_id=task_id, new_task_id="other").json["example"])
    assert [task["id"] for task in api.ok("list")["tasks"]] == ["mine", "held"]
    assert api.details("held")["state"] == "paused"
    assert api.ok("status")["state"] == "stopped"


def test_the_fields_go_along(api: Api) -> None:
    api.create("mine")
    example = api.post("change", task_id="mine", interval="every 2 hours").json["example"]
    assert example == {"action": "update", "task_id": "mine", "interval": "every 2 hours"}
    example = api.post("add_job", task_id="new", **COMMAND).json["example"]
    assert example == {"action": "create", "task_id": "new", **COMMAND}


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_an_action_in_capitals_is_itself(shared: Api, name: str) -> None:
    assert shared.problem("unknown_action", name.upper())["suggestion"] == name
