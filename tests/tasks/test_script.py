"""A script is a Python file, run by the service's interpreter."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tasks import ScriptTask, TaskRefused


def test_arguments_and_interpreter(place: Any, python: str) -> None:
    place.write("job.py", "import sys; print(sys.executable, sys.argv[1:])")
    result = place.run(ScriptTask(file_path="job.py", args=["--flag", "a b"]))
    assert result.status == "completed"
    assert place.out == f"{python} ['--flag', 'a b']\n"


def test_output_is_there_while_the_script_goes_on(place: Any, background: Any, until: Any) -> None:
    place.write("job.py", "import time; print('begun'); time.sleep(60)")
    background(ScriptTask(file_path="job.py"))
    until(lambda: place.out == "begun\n")


def test_file_named_like_an_option_is_a_file(place: Any) -> None:
    place.write("-c", "print('a file')")
    assert place.run(ScriptTask(file_path="-c")).status == "completed"
    assert place.out == "a file\n"


def test_missing_file_fails_with_its_path(place: Any) -> None:
    task = ScriptTask(file_path="gone.py")
    task.check(place.allowed)
    result = place.run(task)
    assert (result.status, result.exit_code) == ("failed", None)
    assert "gone.py' does not exist" in (result.reason or "")


def test_link_that_moved_outside_since_creation_is_refused_at_the_run(place: Any) -> None:
    place.write("real.py", "print('inside')")
    link = place.workspace / "link.py"
    link.symlink_to("real.py")
    task = ScriptTask(file_path="link.py")
    task.check(place.allowed)
    link.unlink()
    link.symlink_to(os.__file__)
    result = place.run(task)
    assert result.status == "failed"
    assert "outside the allowed directories" in (result.reason or "")


def test_outside_is_refused_naming_the_allowed_directory(place: Any) -> None:
    with pytest.raises(TaskRefused) as caught:
        ScriptTask(file_path="/etc/passwd").check(place.allowed)
    problem = caught.value.problems[0]
    assert (problem.field, problem.code) == ("file_path", "path_not_allowed")
    assert problem.accepted == (str(place.workspace),)
    assert str(place.workspace) in problem.message
