"""The command as a whole: its table, its help, what it imports, and how it ends."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest

from scheduler.auth.passwords import hash_password
from scheduler.auth.scopes import read_scopes
from scheduler.auth.users import User
from scheduler.cli import COMMANDS, NAME, command
from scheduler.cli.ending import advice_of, as_command
from scheduler.http.examples import EXAMPLES
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
    assert {"--url", "--token", "--user", "--json"} <= options


def test_help_lists_all() -> None:
    text = Shell().ok("--help")
    assert all(f"  {name} " in text for name in COMMANDS)
    assert "--max-workers" in Shell().ok("serve --help")


def test_options_alone_are_those_of_serving() -> None:
    for words in ("--port x", "serve --port x", "--port x serve"):
        said = Shell(SCHEDULER_DATA_DIR="/nonexistent/data").say(words)
        assert said.code == 2
        assert "'port' must be" in said.err


def test_settings_before_another_command_are_refused() -> None:
    for words in ("--port 1 list", "--port=1 list", "--port 1 selftest"):
        said = Shell().say(words)
        assert (said.code, f"options of serving, not of '{words.split()[-1]}'" in said.err) == (2, True)
    said = Shell(SCHEDULER_DATA_DIR="/nonexistent/data").say("--port x --log-file list")
    assert "'port' must be" in said.err, "a value may be the name of a command"


@pytest.mark.parametrize(
    ("words", "told"),
    [("--workers two", "1,2,4"), ("--store mysql", "sqlite,postgresql"), ("--rounds 0", "--rounds")],
)
def test_a_wrong_option_of_the_selftest_is_told(words: str, told: str) -> None:
    said = Shell().say(f"selftest {words}")
    assert (said.code, told in said.err) == (2, True)


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


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_is_told_to_take_its_own_script(name: str) -> None:
    line = f"task-scheduler completion {name}"
    assert line in " ".join(Shell().ok("completion --help").split())
    assert line in (ROOT / "docs" / "cli.md").read_text()


@pytest.mark.soak
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


# --- streams and arguments as they come --------------------------------------------------------


def from_a_shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a line of `sh`, in which $COMMAND is the command."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COMMAND": f"{sys.executable} -m scheduler", **env}
    return subprocess.run(["/bin/sh", "-c", line], capture_output=True, text=True, env=environment, check=False)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_behind_the_output_is_told(unbuffered: str) -> None:
    done = from_a_shell("$COMMAND preview hourly > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert (done.returncode, done.stderr) == (1, "task-scheduler: write error: No space left on device\n")


def test_closed_streams_lead_nowhere(served: Server) -> None:
    done = from_a_shell("$COMMAND list >&- && $COMMAND preview hourly <&- >&- 2>&-", SCHEDULER_URL=served.url)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = from_a_shell("$COMMAND import - <&-", SCHEDULER_URL=served.url)
    assert (done.returncode, "no definitions" in done.stderr) == (1, True)


def test_what_the_output_cannot_write_is_escaped(here: Path) -> None:
    (here / "\u20ac.yaml").write_text("id: a\n")
    done = from_a_shell("$COMMAND check *.yaml", PYTHONIOENCODING="latin-1")
    assert done.stdout.startswith("\\u20ac.yaml:1: "), done


@pytest.mark.parametrize("encoding", ["latin-1", "ascii"])
def test_documents_are_utf_8_whatever_the_output_is(here: Path, served: Server, encoding: str) -> None:
    served.ok("create", task_id="streams-é€", type="command", interval="hourly", command="true")
    for line in ("export streams-é€ > a.json", "export streams-é€ --json > b.json", "show é --json > c.json"):
        from_a_shell(f"$COMMAND {line}", SCHEDULER_URL=served.url, PYTHONIOENCODING=encoding)
    assert json.loads((here / "a.json").read_bytes())["tasks"][0]["task_id"] == "streams-é€"
    assert json.loads((here / "b.json").read_bytes())["document"]["tasks"][0]["task_id"] == "streams-é€"
    assert "'é'" in json.loads((here / "c.json").read_bytes())["message"]
    assert "\\u" not in (here / "a.json").read_text() + (here / "b.json").read_text() + (here / "c.json").read_text()
    assert Shell(SCHEDULER_TIMEZONE="UTC", SCHEDULER_ALLOWED_DIRS=str(here)).say("check a.json").code == 0
    served.ok("remove", task_id="streams-é€")


def test_a_password_may_be_any_bytes() -> None:
    line = "printf '\\377\\377\\377\\377\\377\\377\\377\\377' | $COMMAND user add ann --scope read --print"
    done = from_a_shell(line, PYTHONIOENCODING="utf-8:strict")
    assert (done.returncode, done.stdout.startswith("ann:read:$argon2id$")) == (0, True), done


@pytest.mark.parametrize(
    ("words", "more", "named"),
    [
        ("show", ["\udcff"], "'TASK_ID'"),
        ("logs", ["\udcff"], "'RUN_ID|TASK_ID'"),
        ("pause a", ["\udcff"], "'TASK_ID...'"),
        ("list --search", ["\udcff"], "'--search'"),
        ("add a --command true --interval hourly --env", ["A=\udcff"], "'--env'"),
        ("add a --command true --interval hourly --notify", ['{"subject": "\\ud800"}'], "'--notify'"),
        ("list --token", ["\udcff"], "'--token'"),
        ("list --user", ["\udcff:x"], "'--user'"),
    ],
)
def test_an_argument_that_is_not_utf_8_is_named(shell: Shell, words: str, more: list[str], named: str) -> None:
    said = shell.say(words, *more)
    assert (said.code, f"Invalid value for {named}: it is not UTF-8" in said.err) == (2, True), said


def test_another_encoding_of_the_shell_is_told(served: Server) -> None:
    done = from_a_shell("$COMMAND show \u00e4", LC_ALL="C", PYTHONUTF8="0", SCHEDULER_URL=served.url)
    assert (done.returncode, "not UTF-8; the encoding of this shell is ascii" in done.stderr) == (2, True)


def test_an_argument_that_no_json_can_say_is_named(shell: Shell) -> None:
    said = shell.say("add a --command true --interval hourly --timeout-seconds nan")
    assert (said.code, "'--timeout-seconds': it is no finite number" in said.err) == (2, True)
    said = shell.say("add a --command true --interval hourly --notify", "[" * 100_000)
    assert (said.code, "'notify'" in said.err) == (1, True)


def test_a_file_may_have_any_name(here: Path, served: Server) -> None:
    line = "name=$(printf '\\377.json'); $COMMAND export -o $name && $COMMAND check $name && $COMMAND import $name"
    done = from_a_shell(line, SCHEDULER_URL=served.url)
    assert done.returncode == 0, done


# --- exit codes --------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    said = Shell(SCHEDULER_URL=url).say("list")
    assert said.code == 3
    assert url in said.err
    assert "task-scheduler serve" in said.err
    assert Shell(SCHEDULER_URL=url).json("status")["code"] == "unreachable"
    for address in ("no address", "http://[::1"):
        assert Shell(SCHEDULER_URL=address).say("list").code == 3


@pytest.mark.parametrize(
    "token", ["supersecret\r", "supersecret\n", "super\nsecret", "supersecret\x01", "supersecret€"]
)
def test_a_token_that_no_header_can_carry_is_not_printed(token: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    for said in (Shell(SCHEDULER_URL=url, SCHEDULER_TOKEN=token).say("list"), Shell().say("list --token", token)):
        assert (said.code, "SCHEDULER_TOKEN" in said.err, "secret" in said.err + said.out) == (2, True, False), said
    assert Shell(SCHEDULER_URL=url, SCHEDULER_TOKEN=token).say("list --token good").code == 3
    assert Shell(SCHEDULER_URL=url, SCHEDULER_TOKEN=token).say("list --user ann:password").code == 3


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://joe:hunter2@127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://joe:hun/ter2@127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://joe:hun@ter2@127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://joe:hunter2@127.0.0.1:99999", "http://127.0.0.1:99999"),
        ("http://joe:hunter2@[::1", "http://[::1"),
        ("ftp://joe:hunter2@127.0.0.1", "ftp://127.0.0.1"),
        ("joe:hunter2@127.0.0.1:1", "127.0.0.1:1"),
    ],
)
def test_a_password_in_a_url_is_not_printed(url: str, shown: str) -> None:
    for said in (Shell(SCHEDULER_URL=url).say("list"), Shell().say("list --json --url", url)):
        told = said.err + said.out
        assert (said.code, shown in told) == (3, True), said
        assert not [part for part in ("joe", "hun", "ter2") if part in told], said


def test_the_port_of_this_machine_is_taken_from_the_settings(served: Server) -> None:
    assert Shell(SCHEDULER_PORT=str(served.port)).say("status").code == 0


@pytest.mark.soak
def test_a_token_or_user_is_needed(tmp_path: Path) -> None:
    line = User("ann", read_scopes(["read"]), hash_password("correct horse battery")).line
    server = Server(tmp_path, SCHEDULER_TOKEN="a-long-enough-secret", SCHEDULER_USERS=line).start()
    try:
        said = Shell(SCHEDULER_URL=server.url).say("list")
        assert (said.code, said.out) == (4, "")
        assert Shell(SCHEDULER_URL=server.url, SCHEDULER_TOKEN="a-long-enough-secret").say("list").code == 0
        assert Shell(SCHEDULER_URL=server.url).say("list --token a-long-enough-secret").code == 0
        ann = Shell(SCHEDULER_URL=server.url, SCHEDULER_USER="ann", SCHEDULER_PASSWORD="correct horse battery")
        assert ann.say("list").code == 0
        assert ann.say("start").code == 4, "she may read"
    finally:
        server.stop()


def test_a_user_logs_in_with_a_password() -> None:
    asked: list[str | None] = []

    class Listening(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"status": "success", "message": "so it is"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    other = HTTPServer(("127.0.0.1", 0), Listening)
    Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
    try:
        url = f"http://127.0.0.1:{other.server_port}"
        shell = Shell(SCHEDULER_URL=url, SCHEDULER_TOKEN="of-the-environment")
        for words, said in [
            ("start", "Bearer of-the-environment"),
            ("start --user ann:a:b", basic("ann:a:b")),
        ]:
            shell.ok(words)
            assert asked[-1] == said
        shell = Shell(SCHEDULER_URL=url, SCHEDULER_USER="änn", SCHEDULER_PASSWORD="pässword", SCHEDULER_TOKEN="t")
        shell.ok("start")
        assert asked[-1] == basic("änn:pässword"), "a user beats a token"
        shell.ok("start --token option")
        assert asked[-1] == "Bearer option", "an option beats the environment"
        count = len(asked)
        assert shell.say("start --token t --user u").code == 2
        said_ = Shell(SCHEDULER_URL=url).say("start --user ann")
        assert (said_.code, "SCHEDULER_PASSWORD" in said_.err) == (2, True)
        assert len(asked) == count, "nothing was sent"
    finally:
        other.shutdown()
        other.server_close()


def basic(text: str) -> str:
    """Return what a user and password look like in `Authorization`."""
    return "Basic " + b64encode(text.encode()).decode()


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
    ("words", "error", "advice"),
    [
        ("add a --command x", {"code": "task_exists"}, "--replace"),
        ("add a --command x --replace", {"code": "task_exists"}, None),
        ("add a --command x", {"code": "managed_by_file"}, "--override --replace"),
        ("pause a", {"code": "managed_by_file"}, "--override"),
        ("import file", {"code": "managed_by_file"}, "--override --replace"),
        ("apply file", {"code": "managed_by_file"}, "--override"),
        ("import-crontab file", {"code": "managed_by_file"}, None),
        ("run a", {"code": "already_running"}, "--force"),
        ("show a", {"code": "task_not_found"}, "task-scheduler list"),
        ("show a", {"code": "task_not_found", "suggestion": "b"}, None),
        ("logs a", {"code": "run_not_found"}, "task-scheduler runs"),
        ("start", {"code": "store_unavailable"}, None),
    ],
)
def test_what_a_server_advises_in_the_words_of_the_command_line(
    words: str, error: dict[str, str], advice: str | None
) -> None:
    name, *arguments = words.split()
    with found(name).make_context(name, arguments):
        assert advice_of(error) == advice


def test_advice_stands_behind_what_was_refused(shell: Shell) -> None:
    said = shell.say("show nobody-of-this-name")
    assert said.err.splitlines()[-1] == "On the command line: task-scheduler list"
    assert list(shell.json("show nobody-of-this-name")) == ["status", "code", "message"]


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
        ({"action": "create", "task_id": "-x", "command": "y"}, "task-scheduler add --command y -- -x"),
        ({"action": "import", "tasks": []}, '{"action": "import", "tasks": []}'),
        ({"action": "runs", "run_status": "failed", "limit": 20}, "task-scheduler runs --status failed --limit 20"),
        ({"action": "runs", "task_id": "a", "cursor": "x"}, "task-scheduler runs a"),
        ({"action": "list", "limit": 1000, "enabled": False}, "task-scheduler list --disabled"),
        ({"action": "list", "limit": 1000, "enabled": True, "tag": "b"}, "task-scheduler list --enabled --tag b"),
        ({"action": "run_now", "task_id": "a", "wait": True, "wait_seconds": 300}, "task-scheduler run a --wait"),
        ({"action": "run_now", "task_id": "a", "force": False}, "task-scheduler run a"),
        ({"action": "cancel", "run_id": "r"}, "task-scheduler cancel r"),
        ({"action": "remove", "task_id": "a", "wait": True}, '{"action": "remove", "task_id": "a", "wait": true}'),
    ],
)
def test_an_example_as_a_command(request_: dict[str, object], text: str) -> None:
    assert as_command(request_) == text


@pytest.mark.parametrize("action", EXAMPLES)
def test_an_example_is_a_command_that_works(action: str) -> None:
    name, word, *arguments = shlex.split(as_command(EXAMPLES[action]))
    if name == NAME:
        with found(word).make_context(word, arguments) as context:
            assert context.params


@pytest.mark.parametrize(
    ("words", "more", "kept"),
    [
        ("runs --since garbage --status failed", [], "--status failed"),
        ("list --disabled --search", ["1" * 300], "task-scheduler list --disabled"),
    ],
)
def test_what_would_work_works(shell: Shell, words: str, more: list[str], kept: str) -> None:
    told = shell.say(words, *more).err.partition("This would work: ")[2].splitlines()[0]
    assert kept in told
    shell.ok("", *shlex.split(told)[1:])
