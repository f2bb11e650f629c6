"""A run's environment is made from nothing."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tasks.sandbox import check_env
from tasks.sandbox.environment import MOST_BYTES


def test_a_run_sees_exactly_this(place: Any, monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    monkeypatch.setenv("SCHEDULER_TOKEN", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/nowhere")
    place.sh("env -0", env={"MINE": "1 ü\n2", "TZ": "Asia/Tokyo"})
    seen = dict(line.split("=", 1) for line in place.out.split("\0") if line)
    private = str(place.tmp_root / place.last_id)
    bin_dir = os.path.dirname(python)
    standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    assert seen == {
        "PATH": f"{bin_dir}:{standard}",
        "HOME": private,
        "TMPDIR": private,
        "LANG": "C.UTF-8",
        "TZ": "Asia/Tokyo",
        "PWD": str(place.workspace),  # the shell's own
        "SCHEDULER_TASK_ID": "täsk 1",
        "SCHEDULER_RUN_ID": place.last_id,
        "SCHEDULER_SCHEDULED_FOR": "2026-03-01T10:00:00+01:00",
        "SCHEDULER_ATTEMPT": "1",
        "MINE": "1 ü\n2",
    }


def test_python_and_zone_are_the_services(place: Any, python: str) -> None:
    place.sh("command -v python3 && python3 -c 'import time; print(time.tzname[0])'")
    assert place.out == f"{os.path.join(os.path.dirname(python), 'python3')}\nCET\n"


@pytest.mark.parametrize(
    "name",
    [
        *("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_AUDIT", "GLIBC_TUNABLES", "GCONV_PATH", "MALLOC_ARENA_MAX"),
        *("PYTHONHOME", "PYTHONSTARTUP", "HOME", "TMPDIR", "BASH_ENV", "ENV", "IFS", "SHELLOPTS", "PS4"),
        *("SCHEDULER_RUN_ID", "SCHEDULER_TOKEN", "SCHEDULER_X", "BASH_FUNC_ls%%", "A-B", "A B", "", "1A"),
        *("A=B", "A\0", "A\n", "ü"),
    ],
)
def test_refused_names(name: str) -> None:
    problems = check_env({name: "x", "FINE": "y"})
    assert [problem.field for problem in problems] == [f"env.{name}"]
    assert problems[0].got == "x"


@pytest.mark.parametrize("name", ["PATH", "PYTHONPATH", "LANG", "TZ", "_", "a1", "PYTHONUNBUFFERED", "LC_ALL"])
def test_accepted_names(name: str) -> None:
    assert check_env({name: "any ü\n value"}) == []


def test_every_problem_at_once_with_a_suggestion() -> None:
    problems = check_env({"MY-NAME": "x", "OK": "a\0b", "LD_X": ""}, field="job.env")
    assert [problem.field for problem in problems] == ["job.env.MY-NAME", "job.env.OK", "job.env.LD_X"]
    assert [problem.suggestion for problem in problems] == ["MY_NAME", None, None]


@pytest.mark.parametrize(
    ("value", "fault"),
    [("a\0", "NUL"), ("\ud800", "surrogate"), ("x" * (MOST_BYTES - 1), "longer"), ("ü" * (MOST_BYTES // 2), "longer")],
)
def test_refused_values(value: str, fault: str) -> None:
    [problem] = check_env({"A": value})
    assert fault in problem.message


def test_the_longest_variable_reaches_the_run(place: Any) -> None:
    longest = "x" * (MOST_BYTES - len("A="))
    assert check_env({"A": longest}) == []
    place.env = {"A": longest}
    assert place.sh('test "${#A}" = 131069').status == "completed"
