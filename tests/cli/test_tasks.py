"""Commands about tasks, against a real server."""

from __future__ import annotations

import json

import pytest

from scheduler.models import job_fields
from tests.cli.conftest import Shell
from tests.server import Server


def test_add_show_list_remove(shell: Shell) -> None:
    said = shell.say("add tasks-a --tags one --tags two --max-retries 2 --no-coalesce --env A=b=c",
                     "--interval", "daily at 10:30", "--command", "echo $A")  # fmt: skip
    assert said.out == "Task 'tasks-a' scheduled to run daily at 10:30\n"
    assert said.err.startswith("note: The scheduler is stopped")
    details = shell.json("show tasks-a")["task"]["details"]
    assert (details["type"], details["tags"], details["coalesce"]) == ("command", ["one", "two"], False)
    assert (details["max_retries"], details["env"]) == (2, {"A": "b=c"})
    shown = shell.ok("show tasks-a")
    assert "command               echo $A\n" in shown
    listed = shell.ok("list --search tasks-a").splitlines()
    assert listed[0].split() == ["TASK", "STATE", "TYPE", "WHEN", "NEXT", "RUN"]
    assert listed[1].startswith("tasks-a  pending  command  daily at 10:30  2")
    assert shell.json("list --search tasks-a")["count"] == 1
    assert shell.ok("remove tasks-a") == "Task 'tasks-a' removed\n"
    said = shell.say("show tasks-a")
    assert said.code == 5
    assert said.err.startswith("task-scheduler: No task 'tasks-a' exists.")


def test_every_field_is_an_option(shell: Shell) -> None:
    text = shell.ok("add --help")
    assert not [name for name in job_fields() if name != "task_id" and f"--{name.replace('_', '-')}" not in text]


def test_objects_are_json(shell: Shell) -> None:
    shell.ok("add tasks-o --custom-script print(1)", "--trigger", '{"type": "cron", "hour": 2}',
             "--sandbox", '{"network": "none"}')  # fmt: skip
    details = shell.json("show tasks-o")["task"]["details"]
    assert (details["type"], details["trigger"]["hour"], details["sandbox"]["network"]) == ("custom", 2, "none")


def test_a_refusal_tells_each_problem_and_a_command_that_works(shell: Shell) -> None:
    said = shell.say("add tasks-r --priority hihg --command true", "--interval", "every 5 minuets")
    assert (said.code, said.out) == (1, "")
    assert "  priority: " in said.err
    assert "  interval: " in said.err
    example = said.err.splitlines()[-1].removeprefix("This would work: task-scheduler ")
    assert example == 'add tasks-r --type command --interval "every 5 minutes" --command true --priority high'
    body = shell.json("add tasks-r --priority hihg --command true", "--interval", "every 5 minuets")
    assert [problem["field"] for problem in body["problems"]] == ["priority", "interval"]


def test_what_exists_is_a_conflict(shell: Shell) -> None:
    words = "add tasks-c --interval hourly --command"
    assert shell.say(words, "true").code == 0
    assert shell.say(words, "true").code == 0
    assert shell.say(words, "false").code == 6
    assert "replaced" in shell.ok(f"{words} false --replace --dry-run")
    assert shell.json("show tasks-c")["task"]["details"]["command"] == "true"
    assert shell.say(f"{words} false --replace").code == 0


def test_pause_and_resume_several(shell: Shell) -> None:
    for task_id in ("tasks-p1", "tasks-p2"):
        shell.ok(f"add {task_id} --interval hourly --command true")
    assert shell.ok("pause tasks-p1 tasks-p2").splitlines() == ["Task 'tasks-p1' paused", "Task 'tasks-p2' paused"]
    assert shell.ok("resume tasks-p2 tasks-p1").splitlines()[1] == "Task 'tasks-p1' resumed"
    assert shell.say("pause tasks-p1 tasks-p2 --json").code == 2, "one document, not two"
    assert shell.json("pause tasks-p1")["status"] == "success"


def test_explain_and_status(shell: Shell) -> None:
    shell.ok("add tasks-e --interval hourly --command true")
    assert "scheduler is stopped" in shell.ok("explain tasks-e")
    assert shell.json("status")["state"] == "stopped"
    assert shell.ok("status").splitlines()[1].split() == ["state", "stopped"]
    assert shell.ok("stop") == "Scheduler is not running\n"


@pytest.mark.parametrize("text", ["A", "=b"])
def test_a_variable_has_name_and_value(shell: Shell, text: str) -> None:
    said = shell.say("add tasks-v --interval hourly --command true --env", text)
    assert (said.code, "NAME=VALUE" in said.err) == (2, True)


def test_nothing_is_cut_off_and_nothing_coloured(shell: Shell, served: Server) -> None:
    long = "tasks-" + "l" * 120
    served.ok("create", task_id=long, type="command", interval="hourly", command="true", name="\x1b[31mred\x07")
    listed = shell.ok("list --search", long)
    assert long in listed
    assert "\x1b" not in listed + shell.ok("show", long)
    assert json.loads(shell.ok("show --json", long))["task"]["details"]["name"] == "\x1b[31mred\x07"
