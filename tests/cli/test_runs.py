"""Commands about runs, against a real server."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Shell
from tests.server import Server, wait_until

WORDS = "add --interval hourly"


@pytest.fixture
def task(shell: Shell) -> str:
    """Return the id of a task that writes on both streams."""
    shell.ok(f"{WORDS} runs-both --command", "echo out; echo err >&2; echo ende")
    return "runs-both"


def test_waiting_prints_what_is_written(shell: Shell, task: str) -> None:
    said = shell.say(f"run {task} --wait")
    assert said.out == "out\nende\n"
    first, last = said.err.splitlines()
    assert (first, last.split()[1:], said.code) == ("err", ["completed"], 0)


def test_without_waiting_it_says_which(shell: Shell, task: str) -> None:
    assert shell.ok(f"run {task}").startswith(f"Task '{task}' is run now as 0")
    assert shell.json(f"run {task} --wait --force")["run"]["status"] == "completed"


def test_all_attempts_are_followed(shell: Shell) -> None:
    shell.ok(f"{WORDS} runs-retry --max-retries 1 --retry-delay-seconds 0 --command", "echo try; exit 3")
    said = shell.say("run runs-retry --wait")
    assert (said.out, said.code) == ("try\ntry\n", 1)
    assert "attempt 2 follows" in said.err
    assert said.err.rstrip().endswith("failed: exit code 3")
    assert shell.say("run runs-retry --wait --json").code == 1


def test_a_long_output_comes_whole(shell: Shell) -> None:
    shell.ok(f"{WORDS} runs-long --command", "seq 60000")
    assert shell.ok("run runs-long --wait").split() == [str(number) for number in range(1, 60001)]


def test_the_ledger(shell: Shell, task: str) -> None:
    shell.ok(f"run {task} --wait")
    head, row, *_ = shell.ok(f"runs {task} --limit 1").splitlines()
    assert head.split()[:4] == ["RUN", "TASK", "SCHEDULED", "FOR"]
    run_id = shell.json(f"runs {task} --status completed --limit 1")["runs"][0]["run_id"]
    assert row.startswith(f"{run_id}  {task}")
    for which in (run_id, task):
        said = shell.say("logs", which)
        assert (said.out, said.err) == ("out\nende\n", "err\n")
        assert shell.say(f"logs {which} -f").out == "out\nende\n"
    assert shell.ok(f"logs {run_id} --stream stdout --tail 1") == "ende\n"
    assert shell.json(f"logs {run_id}")["stderr"] == "err\n"


def test_what_is_not_there(shell: Shell) -> None:
    shell.ok(f"{WORDS} runs-none --command true")
    for words in ("logs runs-none", "logs nobody", "logs 01m7yrfsy21ghd4efpxcagn001 -f", "run nobody"):
        assert shell.say(words).code == 5, words
    assert shell.say("logs runs-none -f --tail 1").code == 5


def test_a_run_is_ended(shell: Shell, served: Server) -> None:
    shell.ok(f"{WORDS} runs-sleep --command", "exec sleep 600")
    run_id = shell.json("run runs-sleep")["run_id"]
    assert shell.say("run runs-sleep").code == 6, "it has as many runs as it may"
    wait_until(lambda: served.runs(task_id="runs-sleep")[0]["status"] == "running")
    assert shell.ok(f"cancel {run_id}") == "1 run cancelled\n"
    assert shell.ok("cancel runs-sleep") == "Task 'runs-sleep' has no run waiting or going on\n"
    assert shell.say("logs runs-sleep -f").code == 1
