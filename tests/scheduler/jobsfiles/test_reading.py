"""Files of jobs in all spellings; what is wrong is told with file, line, field and what would be right."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from scheduler.jobsfiles import Reading, file_schema
from scheduler.yaml_text import read_yaml
from tests.server import ROOT

Read = Callable[..., Reading]
Write = Callable[..., Path]

FUNCTION = """
- id: 'api_health_check'
  func: 'modules.scheduler.tasks.monitoring.check_api_status'
  description: 'Checks the health of the main API endpoint every 5 minutes.'
  is_enabled: true
  trigger:
    type: 'interval'
    minutes: 5
  kwargs:
    api_endpoint: 'http://127.0.0.1:8000/'
  replace_existing: true
"""
SCRIPT = """
- id: 'daily_backup'
  func: '/path/to/your/backup_script.sh'
  description: 'Runs the daily backup shell script.'
  is_enabled: true
  trigger:
    type: 'cron'
    day_of_week: 'mon-sun'
    hour: '2'
    minute: '30'
  replace_existing: true
"""
"""Entries as other schedulers have them."""


def test_function_and_script_as_other_schedulers_write_them(read: Read, write: Write, tmp_path: Path) -> None:
    (tmp_path / "workspace/modules").mkdir()
    entries, problems = read(write("jobs.yaml", FUNCTION + SCRIPT))
    assert problems == ()
    check, backup = (entry.job for entry in entries)
    assert (check.task_id, check.type, check.enabled) == ("api_health_check", "function", True)
    assert check.func == "modules.scheduler.tasks.monitoring.check_api_status"
    assert check.kwargs == {"api_endpoint": "http://127.0.0.1:8000/"}
    assert (backup.type, backup.command) == ("command", "/path/to/your/backup_script.sh")
    assert [entry.line for entry in entries] == [2, 13]
    assert all(entry.replace for entry in entries)


def test_examples_of_the_project(read: Read) -> None:
    entries, problems = read(ROOT / "jobs")
    assert problems == ()
    assert [entry.task_id for entry in entries] == ["example-daily", "example-weekly"]
    daily = entries[0].job
    assert (daily.type, daily.command, daily.schedule) == ("command", 'echo "Health check complete"', "0 2 * * *")
    assert (daily.max_retries, daily.timeout_seconds, daily.name) == (2, 300, "Daily Health Check")


@pytest.mark.parametrize(
    ("entry", "fields"),
    [
        ("{task_id: a, type: script, file_path: x.py, interval: hourly}", {"type": "script", "file_path": "x.py"}),
        ("{id: a, file_path: x.py, interval: hourly}", {"type": "script"}),
        ("{id: a, custom_script: print(1), interval: hourly}", {"type": "custom"}),
        ("{id: a, type: test, interval: hourly}", {"type": "test", "file_path": None}),
        ("{id: a, command: ls, schedule: hourly, is_enabled: false}", {"enabled": False}),
        ("{id: a, command: ls, schedule: hourly, enabled: false}", {"enabled": False}),
        (
            "{id: a, command: ls, trigger: {type: interval, minutes: '5'}}",
            {"trigger": {"type": "interval", "minutes": 5}},
        ),
        ("{id: a, func: ./run me.sh, args: [x y], schedule: hourly}", {"args": ["x y"]}),
        ("{id: a, func: here.sh, kwargs: {}, schedule: hourly}", {"type": "command", "kwargs": None}),
        ("{id: a, command: ls, schedule: hourly, description: null}", {"description": None}),
        ("{id: a, command: ls, schedule: hourly, coalesce: false, misfire_grace_time: 3600}", {"coalesce": False}),
        ("{id: a, command: ls, schedule: hourly, max_instances: 3}", {"max_instances": 3}),
    ],
)
def test_spellings(read: Read, write: Write, tmp_path: Path, entry: str, fields: dict[str, Any]) -> None:
    (tmp_path / "workspace/here.sh").touch()
    entries, problems = read(write("jobs.yaml", entry))
    assert problems == ()
    assert {name: getattr(entries[0].job, name) for name in fields} == fields


def test_executable_is_a_quoted_command_with_its_arguments(read: Read, write: Write, tmp_path: Path) -> None:
    entries, _ = read(write("jobs.yaml", "{id: a, func: ./run me.sh, args: [x y], schedule: hourly}"))
    assert entries[0].job.command == f"'{tmp_path}/workspace/run me.sh' \"$@\""


ONE = "id: {}\ncommand: ls\nschedule: hourly\n"


@pytest.mark.parametrize(
    "text",
    [
        ONE.format("a"),
        "- {id: a, command: ls, schedule: hourly}\n",
        "jobs:\n- {id: a, command: ls, schedule: hourly}\n",
    ],
)
def test_one_entry_a_list_or_jobs(read: Read, write: Write, text: str) -> None:
    entries, problems = read(write("jobs.yaml", text))
    assert ([entry.task_id for entry in entries], problems) == (["a"], ())
    assert read(write("jobs.yaml", "")) == ((), ())
    assert read(write("jobs.yaml", "jobs: []")) == ((), ())


def test_which_files_of_a_directory_are_read(read: Read, write: Write, tmp_path: Path) -> None:
    for name in ("b.yml", "a.yaml", ".hidden.yaml", "a.yaml~", "#a.yaml#", ".#a.yaml", "a.yaml.swp", "notes.txt"):
        write(f"jobs/{name}", ONE.format(name.replace("#", "-")))
    (tmp_path / "jobs/deeper.yaml").mkdir()
    entries, problems = read(tmp_path / "jobs")
    assert [entry.task_id for entry in entries] == ["a.yaml", "b.yml"]
    [problem] = problems
    assert str(problem).endswith("deeper.yaml:1: the file is no plain file")


WRONG = [
    ("tiemout_seconds: 5", 4, "tiemout_seconds", "timeout_seconds", "did you mean 'timeout_seconds'?"),
    ("is_enabld: true", 4, "is_enabld", "is_enabled", "did you mean 'is_enabled'?"),
    ("name: x\npriority: hgih", 5, "priority", "high", "Did you mean 'high'?"),
    ("max_retries: '2'", 4, "max_retries", None, "must be a whole number, not the string '2'"),
    ("trigger:\n  type: interval\n  minuets: 5", 6, "trigger.minuets", "minutes", "did you mean 'trigger.minutes'?"),
    ("env:\n  A: b\n  LD_PRELOAD: x", 6, "env.LD_PRELOAD", None, "LD_PRELOAD"),
    ("args:\n- a\n- 5", 6, "args.1", "5", "must be a string"),
    ("kwargs: {a: 1}", 4, "kwargs", None, "does not belong to a task of type 'command'"),
    ("task_id: a", 1, "id", None, "'id' and 'task_id' say the same"),
    ("enabled: true\nis_enabled: true", 5, "is_enabled", None, "'is_enabled' and 'enabled' say the same"),
    ("working_directory: /etc", 4, "working_directory", None, "outside the allowed directories"),
    ("replace_existing: 1", 4, "replace_existing", None, "must be true or false"),
    ("timezone: Europe/Berln", 4, "timezone", "Europe/Berlin", "Berln"),
]


@pytest.mark.parametrize(("more", "line", "field", "suggestion", "part"), WRONG, ids=[row[2] for row in WRONG])
def test_what_is_wrong_is_told_where_it_stands(
    read: Read, write: Write, more: str, line: int, field: str, suggestion: Any, part: str
) -> None:
    head = "id: a\ncommand: ls\n" + ("# when\n" if "trigger" in more else "interval: hourly\n")
    path = write("jobs.yaml", head + more + "\n")
    entries, problems = read(path)
    assert entries == ()
    found = next(problem for problem in problems if problem.problem.field == field)
    assert (found.file, found.line, found.task_id) == (path, line, "a")
    assert suggestion in (None, found.problem.suggestion)
    assert part in found.problem.message
    assert str(found).startswith(f"{path}:{line}: ")
    assert str(found).endswith("(job 'a')")
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("text", "line", "field", "part"),
    [
        ("command: ls\nschedule: hourly\n", 1, "id", "'id' is required, such as 'jobs'"),
        ("schedule: hourly\nid: a\n", 1, "command", "one of command, func, file_path, custom_script"),
        ("id: a\ncommand: ls\n", 1, "interval", "'interval' is required"),
        ("id: 5\ncommand: ls\nschedule: hourly\n", 1, "id", "'id' must be a string, not the number 5"),
        ("id: a\ntask_id: b\ncommand: ls\nschedule: hourly\n", 1, "id", "'id' and 'task_id' say the same"),
        ("id: a\ncommand: ls\nschedule: dayly at 10:30\n", 3, "schedule", "daily at 10:30"),
        ("id: a\nfunc: nowhere.name\nschedule: hourly\n", 2, "func", "no module 'nowhere'"),
        ("id: a\nfunc: /x.sh\nkwargs: {a: 1}\nschedule: hourly\n", 3, "kwargs", "does not belong"),
        ("id: a\ncommand: ls\nfunc: /x.sh\nschedule: hourly\n", 3, "func", "both say what to do"),
        (
            f"id: a\ncommand: ls\ntrigger:\n  type: interval\n  minutes: '{'9' * 5000}'\n",
            5,
            "trigger.minutes",
            "number",
        ),
        ("- 5\n", 1, "entry", "an entry must be an object"),
        ("jobs: {}\n", 1, "jobs", "must be a list"),
        ("jobs: []\njosb: 1\n", 2, "josb", "did you mean 'jobs'?"),
        ("id: a\ncommand: ls\nschedule: [\n", 4, "file", "no readable YAML"),
        ("id: a\nid: b\n", 2, "file", "stands here twice, first on line 1"),
        ("id: a\ncommand: \0\n", 2, "file", "no readable YAML: the character U+0000 cannot stand in YAML"),
        ("<<: {id: a}\ncommand: ls\nschedule: hourly\npriority: hihg\n", 4, "priority", "Did you mean"),
        ('id: a\nname: "\\uD800"\n', 1, "entry", "surrogate"),
    ],
)
def test_what_is_no_entry(read: Read, write: Write, text: str, line: int, field: str, part: str) -> None:
    entries, problems = read(write("jobs.yaml", text))
    assert entries == ()
    assert [(found.line, found.problem.field) for found in problems] == [(line, field)]
    assert part in problems[0].problem.message


def test_bad_entry_leaves_the_others(read: Read, write: Write) -> None:
    rows = ["{id: a, command: ls, schedule: hourly}", "{id: b, comand: ls}", "{id: c, command: ls, schedule: daily}"]
    entries, problems = read(write("jobs.yaml", "".join(f"- {row}\n" for row in rows)))
    assert [entry.task_id for entry in entries] == ["a", "c"]
    assert {(problem.line, problem.task_id) for problem in problems} == {(2, "b")}


@pytest.mark.parametrize(
    ("given", "task_id"),
    [
        ("id: a", "a"),
        ("task_id: a", "a"),
        ("{id: null, task_id: a}", "a"),
        ("{id: a, task_id: a}", "a"),
        ('id: "e\\u0301"', "\u00e9"),
        ("{id: a, task_id: b}", None),
        ("{id: a, task_id: 5}", None),
        ("{id: 'a ', task_id: a}", None),
        ("id: 'a '", None),
        ("id: ' '", None),
        ("id: ''", None),
        ("id: 5", None),
        ("id: [a]", None),
        (f"id: {'a' * 129}", None),
        ('id: "a\\u0007"', None),
        ("name: a", None),
    ],
)
def test_problem_names_the_job_only_where_its_id_is_one(
    read: Read, write: Write, given: str, task_id: str | None
) -> None:
    _, problems = read(write("jobs.yaml", f"<<: {given if given[0] == '{' else f'{{{given}}}'}\ncolour: red\n"))
    assert {problem.task_id for problem in problems} == {task_id}


def test_path_of_any_length_is_no_fault_of_ours(read: Read, write: Write) -> None:
    long = "a" * 5000
    assert read(write("jobs.yaml", f"id: a\nfunc: {long}.f\nschedule: hourly\n")).problems
    assert read(write("jobs.yaml", f"id: a\nfunc: /{long}\nschedule: hourly\n")).entries


def test_one_id_twice_is_told_at_both_places_and_applied_at_none(read: Read, write: Write, tmp_path: Path) -> None:
    first, second = write("jobs/a.yaml", ONE.format("same")), write("jobs/b.yaml", "\n" + ONE.format("same"))
    write("jobs/c.yaml", ONE.format("other"))
    entries, problems = read(tmp_path / "jobs")
    assert [entry.task_id for entry in entries] == ["other"]
    assert [(problem.file, problem.line) for problem in problems] == [(first, 1), (second, 2)]
    assert f"{second}:2" in problems[0].problem.message
    assert f"{first}:1" in problems[1].problem.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- &x {id: a, command: ls, schedule: hourly}\n- *x\n", {1: "jobs.yaml:2", 2: "jobs.yaml:1"}),
        (
            "- &x {id: a, command: ls, schedule: hourly}\n- {<<: *x, id: null, task_id: a}\n",
            {1: "jobs.yaml:2", 2: "jobs.yaml:1"},
        ),
        ("- &x {id: a, command: ls, schedule: hourly}\n- <<: *x\n", {1: "jobs.yaml:2", 2: "jobs.yaml:1"}),
        ("[&x {id: a, command: ls, schedule: hourly}, *x]\n", {1: "jobs.yaml:1"}),
    ],
)
def test_one_id_twice_by_an_alias(read: Read, write: Write, text: str, told: dict[int, str]) -> None:
    entries, problems = read(write("jobs.yaml", text))
    assert entries == ()
    assert [problem.line for problem in problems] == list(told)
    for problem in problems:
        assert f"also at {problem.file.parent}/{told[problem.line]}: none" in problem.problem.message


def test_a_file_whose_name_is_no_text_leaves_the_others(read: Read, write: Write, tmp_path: Path) -> None:
    write("jobs/good.yaml", ONE.format("a"))
    write("jobs/\udcff.yaml", ONE.format("b"))
    entries, [problem] = read(tmp_path / "jobs")
    assert [entry.task_id for entry in entries] == ["a"]
    assert "the name of the file is not UTF-8" in str(problem)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file_is_a_problem(read: Read, write: Write) -> None:
    path = write("jobs.yaml", ONE.format("a"))
    path.chmod(0)
    [problem] = read(path).problems
    assert "cannot be read: Permission denied" in str(problem)


@pytest.mark.parametrize("text", [FUNCTION, SCRIPT, FUNCTION + SCRIPT, ONE.format("a"), "jobs:\n- {id: a, command: x}"])
def test_schema_accepts_what_is_read(text: str) -> None:
    jsonschema_rs.validator_for(file_schema()).validate(read_yaml(text).value)


@pytest.mark.parametrize("more", [row[0] for row in WRONG if "LD_" not in row[0] and "/etc" not in row[0]])
def test_schema_refuses_what_is_wrong_by_its_form(more: str) -> None:
    validator = jsonschema_rs.validator_for(file_schema())
    assert validator.is_valid(read_yaml("id: a\ncommand: ls\n").value)
    known_by_more_than_form = ("args", "kwargs", "enabled: true", "timezone")
    if not more.startswith(known_by_more_than_form):
        assert not validator.is_valid(read_yaml(f"id: a\ncommand: ls\n{more}\n").value), more


def test_published_schema_is_that_of_the_model() -> None:
    published = json.loads((ROOT / "docs/jobs.schema.json").read_text())
    assert published == file_schema(), "not up to date: run `.venv/bin/python -m docs tables`"
