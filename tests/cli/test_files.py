"""Commands about files of definitions, against a real server."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.http.conftest import Api
from tests.server import Server, wait_until

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


def test_what_the_servers_own_settings_fill_in_is_no_difference(here: Path) -> None:
    api = Api(here / "server", job_defaults={"timeout_seconds": 60, "max_retries": 2}, timezone="Europe/Berlin")
    api.create("report", interval="daily at 10:00", command="echo a")
    sent = {"task_id": "report", "type": "command", "interval": "daily at 10:00", "command": "echo b"}
    answer = api.ok("import", tasks=[sent], replace=True, dry_run=True)
    assert answer["changes"] == {"report": {"command": {"before": "echo a", "after": "echo b"}}}
    usual = {**sent, "timeout_seconds": 300}
    changes = api.ok("import", tasks=[usual], replace=True, dry_run=True)["changes"]["report"]
    assert changes["timeout_seconds"] == {"before": 60.0, "after": 300.0}
    api.close()


def test_prune_removes_what_the_file_does_not_name(shell: Shell, two: Path) -> None:
    shell.ok(f"apply {two.name}")
    shell.ok("add files-c --interval hourly --command true")
    assert shell.ok(f"diff {two.name}").splitlines()[0] == "  files-c is not in the file"
    said = shell.say(f"diff {two.name} --prune")
    assert (said.code, said.out.splitlines()[0]) == (1, "- files-c")
    assert shell.json(f"diff {two.name} --prune")["removed"] == ["files-c"]
    said = shell.say(f"apply {two.name} --prune")
    assert (said.code, "- files-c" in said.err, "files-c: nothing was changed; --yes" in said.err) == (2, True, True)
    assert shell.say("show files-c").code == 0
    shell.ok(f"apply {two.name} --prune --yes")
    assert [task["id"] for task in shell.json("list")["tasks"]] == ["files-a", "files-b"]
    assert shell.ok(f"diff {two.name} --prune") == "Nothing new: 0 created, 0 replaced, 2 unchanged\n"
    two.write_text("tasks: []\n")
    said = shell.say(f"apply {two.name} --prune --yes")
    assert (said.code, "names no task" in said.err) == (2, True)
    assert shell.json("list")["count"] == 2


def test_an_id_is_the_same_however_its_characters_are_composed(shell: Shell, two: Path) -> None:
    two.write_text(TWO.replace("files-b", "files-e\u0301"), encoding="utf-8")
    for _ in range(2):
        shell.ok(f"apply {two.name} --prune --yes")
        assert [task["id"] for task in shell.json("list")["tasks"]] == ["files-a", "files-\u00e9"]
        shell.ok("pause", "files-\u00e9")
    assert shell.say(f"diff {two.name} --prune").code == 0


@pytest.mark.parametrize("entry", ["{task_id: [a]}", "{task_id: {}}", "{}", "5", "[a]"])
def test_an_entry_without_an_id_is_told(shell: Shell, two: Path, entry: str) -> None:
    two.write_text(f"tasks:\n- {entry}\n")
    for words in ("apply", "diff", "import", "apply --prune --yes"):
        said = shell.say(f"{words} {two.name}")
        assert (said.code, "two.yaml:2: " in said.err) == (1, True), said


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


def test_export_into_a_file(here: Path, shell: Shell, clean: Server) -> None:
    document = shell.ok("export")
    Path("link").symlink_to("all.json")
    answer = shell.json("export -o link")
    assert (answer["message"], answer["document"]) == (
        "The definitions of 0 tasks, written to link",
        json.loads(document),
    )
    assert (Path("link").is_symlink(), Path("all.json").read_text()) == (True, document)
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    shell.ok("export -o pipe")
    assert (os.read(reader, 1 << 16).decode(), Path("pipe").is_fifo()) == (document, True)
    os.close(reader)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nowhere/all.json", "No such file or directory"),
        ("file/all.json", "Not a directory"),
        ("a" * 300, "File name too long"),
        ("", "Is a directory"),
        ("/dev/full", "No space left on device"),
    ],
)
def test_export_where_nothing_can_be_written(here: Path, shell: Shell, name: str, why: str) -> None:
    (here / "file").touch()
    said = shell.say("export", "-o", name)
    assert (said.code, f"the file cannot be written: {why}" in said.err) == (1, True), said
    assert shell.json("export", "-o", name)["code"] == "unwritable_file"
    assert [path.name for path in here.iterdir()] == ["file"]


def test_problems_are_told_with_their_lines(shell: Shell, two: Path) -> None:
    two.write_text(TWO.replace("2 hours", "2 huors").replace("  - task_id: files-b", "  - task_idd: files-b"))
    wrong = [
        "two.yaml:4: interval: unknown unit 'huors'; did you mean 'hours'?",
        "two.yaml:6: unknown field 'task_idd'",
    ]
    for words in ("check", "apply", "diff", "import"):
        said = shell.say(f"{words} {two.name}")
        lines = (said.out + said.err).splitlines()
        assert said.code == 1
        assert all(any(line.startswith(start) for line in lines) for start in wrong), lines
    assert {problem["line"] for problem in shell.json(f"check {two.name}")["problems"]} == {4, 6}
    assert shell.json(f"apply {two.name}")["problems"][0]["field"].startswith("tasks.")
    assert shell.json("list")["count"] == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TWO.replace("echo a", '"\\ud800"'), "two.yaml:5: command: it is not UTF-8"),
        (TWO.replace("echo a", 'a\n    env: {"\\ud800": x}'), "two.yaml:6: env: it is not UTF-8"),
        (TWO.replace("echo a", "a\n    timeout_seconds: .nan"), "two.yaml:6: timeout_seconds: it is no finite number"),
        ('{"tasks": [\n{"task_id": "\\udfff"}]}', "two.yaml:2: task_id: it is not UTF-8"),
        ('{"tasks": [], "format": "\\ud800"}', "two.yaml:1: tasks.format: it is not UTF-8"),
        ("- id: a\n  command: x\n  max_retries: -.inf", "two.yaml:3: max_retries: it is no finite number"),
        ('- id: a\n  name: "\\ud800"', "two.yaml:1: an entry holds half of a surrogate pair"),
    ],
)
def test_what_no_request_can_hold_is_told_with_its_line(shell: Shell, two: Path, text: str, told: str) -> None:
    two.write_text(text)
    for words in ("apply", "import", "diff"):
        said = shell.say(f"{words} {two.name}")
        assert (said.code, told in said.err) == (1, True), said


@pytest.mark.parametrize(
    ("head", "beside", "told"),
    [
        ("", "task:\n  - task_id: files-c\n", "unknown field 'task'; did you mean 'tasks'?"),
        ("", "defaults: {priority: low}\n", "unknown field 'defaults'; known: format, tasks"),
        ("", "3:\n", "unknown field '3'; known: format, tasks"),
        ("format: 1\n", "task: []\n", "tasks.task: unknown field 'task'; did you mean 'tasks'?"),
    ],
)
def test_nothing_stands_beside_the_tasks(shell: Shell, two: Path, head: str, beside: str, told: str) -> None:
    two.write_text(head + TWO + beside)
    line = (head + TWO).count("\n") + 1
    said = shell.say("check two.yaml")
    assert (said.code, said.out.splitlines()[0]) == (1, f"two.yaml:{line}: {told}")
    for words in ("diff", "import", "apply --prune --yes"):
        said = shell.say(f"{words} two.yaml")
        assert (said.code, f"two.yaml:{line}: {told}" in said.err) == (1, True), said
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
        ("", "no definitions"),
        ("tasks: 5", "no definitions"),
        ("format: 1", "no definitions"),
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
    for words in ("check", "import", "diff", "apply"):
        answer = shell.json(f"{words} f.yaml")
        assert (answer["code"], answer["problems"][0]["file"]) == ("unreadable_file", "f.yaml")
        assert says in answer["message"]


SPELLINGS = {
    "func": """\
- id: 'files-f'
  func: 'monitoring.check_status'
  is_enabled: true
  trigger: {type: 'interval', minutes: '5'}
  kwargs: {endpoint: 'http://127.0.0.1:8000/'}
  replace_existing: true
- id: 'files-g'
  func: '/srv/backup.sh'
  trigger: {type: 'cron', day_of_week: 'mon-sun', hour: '2', minute: '30'}
""",
    "command": """\
# a file with one job
id: files-f
name: Daily
command: echo "Health check complete"
schedule: "0 2 * * *"
priority: medium
enabled: true
max_retries: 2
timeout_seconds: 300
""",
    "create": """\
jobs:
- task_id: files-f
  type: command
  interval: daily at 02:00
  command: "true"
""",
}
WRONG = {
    "func": ("minutes: '5'", "minuets: '5'", 4, "trigger.minuets", "minutes"),
    "command": ("priority: medium", "priority: meduim", 6, "priority", "medium"),
    "create": ("daily at", "dayly at", 4, "interval", "daily at 02:00"),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_files_of_jobs_in_each_spelling(here: Path, shell: Shell, clean: Server, spelling: str) -> None:
    for folder in (here, clean.workspace):
        (folder / "monitoring.py").write_text("def check_status(endpoint): ...\n")
    text, ids = SPELLINGS[spelling], ["files-f", "files-g"] if spelling == "func" else ["files-f"]
    (here / "jobs.yaml").write_text(text)
    assert shell.ok("check jobs.yaml") == f"{len(ids)} task{'s' * (len(ids) > 1)}, 0 problems\n"
    said = shell.say("diff jobs.yaml")
    assert (said.code, said.out.splitlines()[:-1]) == (1, [f"+ {task_id}" for task_id in ids])
    assert shell.json("apply jobs.yaml")["task_ids"]["created"] == ids
    assert shell.say("diff jobs.yaml").code == 0
    assert [task["id"] for task in shell.json("list")["tasks"]] == ids


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_is_wrong_with_a_file_of_jobs(here: Path, shell: Shell, clean: Server, spelling: str) -> None:
    (here / "monitoring.py").write_text("def check_status(endpoint): ...\n")
    right, wrong, line, field, suggestion = WRONG[spelling]
    (here / "jobs.yaml").write_text(SPELLINGS[spelling].replace(right, wrong))
    (problem,) = shell.json("check jobs.yaml")["problems"]
    assert (problem["file"], problem["line"], problem["field"]) == ("jobs.yaml", line, field)
    assert suggestion in str(problem["suggestion"])
    for words in ("check", "diff", "apply"):
        said = shell.say(f"{words} jobs.yaml")
        assert said.code == 1
        assert f"jobs.yaml:{line}: " in said.out + said.err
        assert suggestion in said.out + said.err
    assert shell.json("list")["count"] == 0


def test_problems_are_told_in_the_words_of_the_file(here: Path, shell: Shell, clean: Server) -> None:
    (here / "jobs.yaml").write_text(
        "- id: a\n  task_id: b\n  command: x\n  schedule: hourly\n"
        "- 5\n"
        "- id: c\n  command: x\n  schedule: hourly\n  is_enabled: perhaps\n  paused: true\n"
    )
    said = shell.say("check jobs.yaml")
    assert [line.split(": ")[0] for line in said.out.splitlines()[:-1]] == [f"jobs.yaml:{n}" for n in (1, 5, 9, 10)]
    assert "'id' and 'task_id' say the same" in said.out
    assert "'is_enabled' must be true or false" in said.out
    assert "Put the list under 'tasks'" in said.out
    found = shell.json("apply jobs.yaml")["problems"]
    assert [(problem["file"], problem["line"]) for problem in found] == [("jobs.yaml", n) for n in (1, 5, 10)]


def test_a_directory_is_checked_whole(here: Path) -> None:
    (here / "jobs").mkdir()
    for name, task_id in (("a", "one"), ("b", "two"), ("c", "two")):
        (here / f"jobs/{name}.yaml").write_text(f"id: {task_id}\ncommand: x\nschedule: hourly\n")
    said = Shell().say("check jobs")
    assert (said.code, said.out.splitlines()[-1]) == (1, "3 tasks, 2 problems")
    assert said.out.startswith("jobs/b.yaml:1: id: the id 'two' is given more than once, also at jobs/c.yaml:1")


def test_files_are_judged_by_the_settings_that_serving_has(here: Path) -> None:
    (here / "config").mkdir()
    (here / "elsewhere").mkdir()
    (here / "job.yaml").write_text(f"id: a\ncommand: x\nschedule: hourly\nworking_directory: {here}/elsewhere\n")
    (here / "config/scheduler.yaml").write_text(f"allowed_dirs: [{here / 'config'}]\n")
    assert Shell().say("check job.yaml").out.startswith("job.yaml:4: ")
    (here / "other.yaml").write_text(f"allowed_dirs: [{here}]\n")
    assert Shell().say("check job.yaml --config other.yaml").code == 0
    assert Shell(SCHEDULER_CONFIG="other.yaml").say("check job.yaml").code == 0
    assert Shell(SCHEDULER_ALLOWED_DIRS=str(here)).say("check job.yaml").code == 0
    (here / "other.yaml").write_text("allowed_dir: x\n")
    said = Shell().say("check job.yaml --config other.yaml")
    assert (said.code, "line 1: 'allowed_dir' is no setting" in said.err) == (2, True), said


@pytest.mark.soak
def test_what_a_followed_file_defines_is_changed_with_override_only(here: Path) -> None:
    followed = here / "followed.yaml"
    followed.write_text(SPELLINGS["command"])
    server = Server(here / "server", SCHEDULER_JOBS_FILE=str(followed), SCHEDULER_AUTOSTART="1").start()
    try:
        shell = Shell(SCHEDULER_URL=server.url)
        wait_until(lambda: shell.json("list")["count"])
        assert shell.say(f"diff {followed}").code == 0
        (here / "next.yaml").write_text(SPELLINGS["command"].replace("0 2", "0 3"))
        assert shell.say("diff next.yaml").out.startswith(f"~ files-f (defined in {followed})\n")
        assert (said := shell.say("apply next.yaml")).code == 6
        assert f"'files-f' (in {followed})" in said.err
        assert shell.say("pause files-f").code == 6
        shell.ok("pause files-f --override")
        shell.ok("apply next.yaml --override")
        details = shell.json("show files-f")["task"]["details"]
        assert (details["schedule"], details["state"]) == ("0 3 * * *", "paused")
    finally:
        server.stop()


def test_json_with_tabs_and_escapes(here: Path, shell: Shell, clean: Server) -> None:
    entry = {"task_id": "files-\U0001f600", "type": "command", "interval": "hourly", "command": "true"}
    (here / "f.json").write_text(json.dumps([entry], indent="\t"))
    shell.ok("import f.json")
    assert shell.json("list")["tasks"][0]["id"] == "files-\U0001f600"


def test_characters_are_sent_as_they_are(here: Path, shell: Shell, clean: Server) -> None:
    entry = {"task_id": "files-large", "type": "custom", "interval": "hourly", "custom_script": "\u65e5" * 300_000}
    (here / "f.json").write_text(json.dumps([entry], ensure_ascii=False))
    shell.ok("import f.json")


@pytest.mark.soak
def test_too_large_for_one_request(here: Path, shell: Shell, clean: Server) -> None:
    entry = {"task_id": "files-large", "type": "custom", "interval": "hourly", "custom_script": "#" * (1 << 20)}
    (here / "f.json").write_text(json.dumps([entry]))
    said = shell.say("import f.json")
    assert (said.code, "split it" in said.err) == (1, True)
    assert shell.json("import f.json")["code"] == "body_too_large"
