"""The command as a whole: its table, its help, what it imports, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest

from scheduler.cli import COMMANDS, command
from scheduler.cli.ending import as_command
from tests.cli.conftest import Shell
from tests.server import ROOT, Server, free_port

LOCAL = {"serve", "preview", "check", "selftest", "doctor", "completion", "user", "token"}


def found(name: str) -> click.Command:
    """Return a command by its name."""
    return command.get_command(click.Context(command), name)  # type: ignore[return-value]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_each_command_says(name: str) -> None:
    assert found(name).name == name
    assert (found(name).help or "").split("\n\n")[0].replace("\n", " ") == COMMANDS[name].summary


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - LOCAL))
def test_each_command_that_asks_a_server_takes_the_same_options(name: str) -> None:
    options = {option for parameter in found(name).params for option in parameter.opts}
    assert {"--url", "--token", "--json"} <= options


def test_help_lists_all() -> None:
    text = Shell().ok("--help")
    assert all(f"  {name} " in text for name in COMMANDS)
    assert "--max-workers" in Shell().ok("serve --help")


def test_options_alone_are_those_of_serving() -> None:
    for words in ("--port x", "serve --port x", "--port x serve"):
        said = Shell(SCHEDULER_DATA_DIR="/nonexistent/data").say(words)
        assert said.code == 2
        assert "'port' must be" in said.err


def test_an_unknown_command_is_told_the_nearest() -> None:
    said = Shell().say("exprot")
    assert (said.code, "Did you mean 'export'?" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("when", ("flask", "gunicorn", "rich", "sqlalchemy", "requests")),
        pytest.param("files", ("flask", "gunicorn", "rich", "sqlalchemy"), marks=pytest.mark.soak),
        pytest.param("tasks", ("flask", "gunicorn", "sqlalchemy"), marks=pytest.mark.soak),
        pytest.param("from_crontab", ("flask", "gunicorn", "sqlalchemy"), marks=pytest.mark.soak),
    ],
)
def test_a_command_imports_little(module: str, heavy: tuple[str, ...]) -> None:
    code = f"import sys, scheduler.cli.{module}; print([name for name in {heavy} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_the_package_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "scheduler", "--version"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.startswith("task-scheduler, version ")


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_completion(name: str) -> None:
    assert "_TASK_SCHEDULER_COMPLETE" in Shell().ok(f"completion {name}")


def test_completion_completes() -> None:
    env = {
        **os.environ,
        "_TASK_SCHEDULER_COMPLETE": "fish_complete",
        "COMP_WORDS": "task-scheduler",
        "COMP_CWORD": "pre",
    }
    command_line = [sys.executable, "-m", "scheduler"]
    done = subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, env=env, check=False)
    assert done.stdout.split("\t")[0] == "plain,preview", done


# --- exit codes --------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = Shell(SCHEDULER_URL=url).say("list")
    assert said.code == 3
    assert url in said.err
    assert "task-scheduler serve" in said.err
    assert Shell(SCHEDULER_URL=url).json("status")["code"] == "unreachable"
    assert Shell(SCHEDULER_URL="no address").say("list").code == 3


def test_the_port_of_this_machine_is_taken_from_the_settings(served: Server) -> None:
    assert Shell(SCHEDULER_PORT=str(served.port)).say("status").code == 0


@pytest.mark.soak
def test_a_token_is_needed(tmp_path: Path) -> None:
    server = Server(tmp_path, SCHEDULER_TOKEN="a-long-enough-secret").start()
    try:
        said = Shell(SCHEDULER_URL=server.url).say("list")
        assert (said.code, said.out) == (4, "")
        assert Shell(SCHEDULER_URL=server.url, SCHEDULER_TOKEN="a-long-enough-secret").say("list").code == 0
        assert Shell(SCHEDULER_URL=server.url).say("list --token a-long-enough-secret").code == 0
    finally:
        server.stop()


def test_something_else_answers() -> None:
    class Other(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    other = HTTPServer(("127.0.0.1", 0), Other)
    Thread(target=other.handle_request, daemon=True).start()
    said = Shell(SCHEDULER_URL=f"http://127.0.0.1:{other.server_port}").say("list")
    other.server_close()
    assert said.code == 1
    assert "no task scheduler" in said.err


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        ({"action": "start"}, "task-scheduler start"),
        ({"action": "get", "task_id": "two words"}, 'task-scheduler show "two words"'),
        (
            {"action": "create", "task_id": "t", "type": "command", "command": "echo '$HOME'", "env": {"A": "b c"}},
            "task-scheduler add t --type command --command 'echo '\\''$HOME'\\''' --env \"A=b c\"",
        ),
        (
            {"action": "create", "task_id": "t", "coalesce": False, "tags": ["a", "b"], "trigger": {"type": "cron"}},
            'task-scheduler add t --no-coalesce --tags a --tags b --trigger \'{"type": "cron"}\'',
        ),
        ({"action": "import", "tasks": []}, '{"action": "import", "tasks": []}'),
    ],
)
def test_an_example_as_a_command(request_: dict[str, object], text: str) -> None:
    assert as_command(request_) == text
