"""Commands about files of definitions, against a real server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.server import Server

TWO = """\
tasks:
  - task_id: files-a
    type: command
    interval: every 2 hours
    command: echo a
  - task_id: files-b
    type: command
    interval: daily at 10:00
    command: "true"
"""


@pytest.fixture
def clean(served: Server) -> Iterator[Server]:
    """Return the server without a task."""
    for task in served.ok("list")["tasks"]:
        served.ok("remove", task_id=task["id"])
    return served


@pytest.fixture
def two(here: Path, clean: Server) -> Path:
    """Return a file with two definitions."""
    path = here / "two.yaml"
    path.write_text(TWO)
    return path


def test_diff_apply_diff(shell: Shell, two: Path) -> None:
    said = shell.say(f"diff {two.name}")
    assert (said.code, said.out.splitlines()[:2]) == (1, ["+ files-a", "+ files-b"])
    assert shell.ok(f"apply {two.name}") == "2 tasks imported: 2 created, 0 replaced, 0 unchanged\n"
    assert shell.ok(f"diff {two.name}") == "Nothing new: 0 created, 0 replaced, 2 unchanged\n"
    before = shell.json("show files-b")["task"]["details"]
    two.write_text(TWO.replace("every 2 hours", "every 3 hours").replace("echo a", "echo a\n    enabled: true"))
    shell.ok("add files-c --interval hourly --command true")
    assert shell.say(f"diff {two.name}").out.splitlines() == [
        "~ files-a",
        '    interval: "every 2 hours" -> "every 3 hours"',
        "  files-c is not in the file",
        "2 tasks would be imported: 0 created, 1 replaced, 1 unchanged",
    ]
    assert shell.json(f"apply {two.name}")["task_ids"] == {"created": [], "replaced": ["files-a"]}
    assert shell.json("show files-b")["task"]["details"] == before
    assert shell.say("show files-c").code == 0


def test_a_pause_outlives_an_apply(shell: Shell, two: Path) -> None:
    shell.ok(f"apply {two.name}")
    shell.ok("pause files-a")
    assert shell.say(f"diff {two.name}").code == 0
    two.write_text(TWO.replace("echo a", "echo other"))
    shell.ok(f"apply {two.name}")
    assert shell.json("show files-a")["task"]["details"]["state"] == "paused"


def test_export_and_import(shell: Shell, two: Path) -> None:
    shell.ok(f"apply {two.name}")
    shell.ok("pause files-b")
    document = shell.ok("export")
    assert document == shell.ok("export"), "the same bytes for the same state"
    assert shell.ok("export -o all.json") == "The definitions of 2 tasks, written to all.json\n"
    assert Path("all.json").read_text() == document
    assert [entry["task_id"] for entry in json.loads(shell.ok("export files-b"))["tasks"]] == ["files-b"]
    assert shell.say("export nobody").code == 5
    shell.ok("resume files-b")
    shell.ok("remove files-a")
    assert shell.say("import all.json").code == 6, "one is paused there, and here it is not"
    assert shell.ok("import all.json --replace --dry-run").startswith("2 tasks would be imported: 1 created, 1 rep")
    assert shell.ok("import - --replace", stdin=document).startswith("2 tasks imported")
    assert shell.ok("export") == document
    assert shell.say("export -o nowhere/all.json").code == 1


def test_problems_are_told_with_their_lines(shell: Shell, two: Path) -> None:
    two.write_text(TWO.replace("2 hours", "2 huors").replace("  - task_id: files-b", "  - task_idd: files-b"))
    wrong = ["two.yaml:4: unknown unit 'huors'; did you mean 'hours'?", "two.yaml:6: unknown field 'task_idd'"]
    for words in ("check", "apply", "diff", "import"):
        said = shell.say(f"{words} {two.name}")
        lines = (said.out + said.err).splitlines()
        assert said.code == 1
        assert all(any(line.startswith(start) for line in lines) for start in wrong), lines
    assert {problem["line"] for problem in shell.json(f"check {two.name}")["problems"]} == {4, 6}
    assert shell.json(f"apply {two.name}")["problems"][0]["field"].startswith("tasks.")
    assert shell.json("list")["count"] == 0


def test_check_needs_no_server(two: Path) -> None:
    shell = Shell(SCHEDULER_URL="http://127.0.0.1:1")
    assert shell.ok(f"check {two.name}") == "2 tasks, 0 problems\n"
    two.write_text(TWO.replace('command: "true"', "command: x\n    working_directory: /etc"))
    said = shell.say(f"check {two.name}")
    assert (said.code, "two.yaml:10: " in said.out) == (1, True)
    assert Shell(SCHEDULER_ALLOWED_DIRS="/etc").say(f"check {two.name}").code == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "f.yaml:"),
        ("just a text", "no definitions"),
        ("tasks: 5", "no definitions"),
        ("- a: 1\n  a: 2", "f.yaml:2: the field 'a' stands here twice"),
        (b"\xff\xfe\x00", "not in UTF-8"),
        (None, "No such file"),
    ],
)
def test_files_that_hold_none(here: Path, shell: Shell, text: str | bytes | None, says: str) -> None:
    if text is not None:
        (here / "f.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    for words in ("check", "import"):
        said = shell.say(f"{words} f.yaml")
        assert (said.code, says in said.err) == (1, True), said


def test_json_with_tabs_and_escapes(here: Path, shell: Shell, clean: Server) -> None:
    entry = {"task_id": "files-\U0001f600", "type": "command", "interval": "hourly", "command": "true"}
    (here / "f.json").write_text(json.dumps([entry], indent="\t"))
    shell.ok("import f.json")
    assert shell.json("list")["tasks"][0]["id"] == "files-\U0001f600"


def test_too_large_for_one_request(here: Path, shell: Shell, clean: Server) -> None:
    entry = {"task_id": "files-large", "type": "custom", "interval": "hourly", "custom_script": "#" * (1 << 20)}
    (here / "f.json").write_text(json.dumps([entry]))
    said = shell.say("import f.json")
    assert (said.code, "split it" in said.err) == (1, True)
