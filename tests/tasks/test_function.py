"""A function is imported and called in a process of its own; what it returns or raises is told."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tasks import FunctionTask, TaskRefused, TaskResult
from tasks.function import RESULT_BYTES
from tasks.sandbox import AllowedDirs

MODULE = """
import asyncio, datetime, os, sys

def echo(*args, **kwargs):
    return {"args": args, "kwargs": kwargs}

async def later(value):
    await asyncio.sleep(0)
    return value

def where():
    return [os.getcwd(), sys.path[0], __name__]

def fails(text):
    raise ValueError(text)

def moment():
    return datetime.date(2026, 1, 2)

def large():
    return "x" * 100_000

def leaves(code):
    sys.exit(code)

def writes():
    import pathlib
    pathlib.Path(os.environ["TMPDIR"], "outcome.json").write_bytes(b"[" * 100_000)
    os._exit(0)

def deep():
    value = []
    for _ in range(2000):
        value = [value]
    return value

def long_number():
    return 10**5000

class Mute:
    def __repr__(self):
        raise OSError("no words")

class Garbled:
    def __repr__(self):
        return "\\ud800"

class Wordy:
    def __repr__(self):
        return "\U0001f600" * 20_000

class Kind:
    @staticmethod
    def make():
        return "made"

number = 5
"""


def call(place: Any, name: str, *args: Any, **kwargs: Any) -> TaskResult:
    """Call a function of MODULE."""
    place.write("jobs_of_mine.py", MODULE)
    result: TaskResult = place.run(FunctionTask(func=f"jobs_of_mine.{name}", args=list(args), kwargs=kwargs))
    return result


@pytest.mark.parametrize("value", [None, False, 0, 1.5, "tëxt \0", [1, [None]], {"a": {"b": []}}, 2**63, "x\U0001f600"])
def test_values_come_and_go_as_they_are(place: Any, value: Any) -> None:
    result = call(place, "echo", value, other=value)
    assert (result.status, result.hint) == ("completed", None)
    assert result.outcome == {"result": {"args": [value], "kwargs": {"other": value}}, "exception": None}


@pytest.mark.parametrize(
    ("name", "args", "expected"), [("later", [7], 7), ("Kind.make", [], "made"), ("leaves", [0], None)]
)
def test_what_may_be_called(place: Any, name: str, args: list[Any], expected: Any) -> None:
    result = call(place, name, *args)
    assert result.status == "completed", place.err
    assert (result.outcome or {}).get("result") == expected


def test_working_directory_is_where_modules_are_looked_for_first(place: Any) -> None:
    place.write("other/deep/inner.py", MODULE)
    place.write("inner.py", "raise RuntimeError('the wrong one')")
    task = FunctionTask(func="inner.where")
    result = place.run(task, working_directory="other/deep")
    folder = str(place.workspace / "other/deep")
    assert result.outcome == {"result": [folder, folder, "inner"], "exception": None}
    FunctionTask(func="deep.inner.where").check(place.allowed, "other")
    with pytest.raises(TaskRefused):
        FunctionTask(func="deep.inner.where").check(place.allowed)


def test_exception_is_told_with_its_traceback(place: Any) -> None:
    result = call(place, "fails", "no such door")
    assert (result.status, result.exit_code, result.reason) == ("failed", 1, "ValueError: no such door")
    assert result.outcome == {"result": None, "exception": {"type": "ValueError", "message": "no such door"}}
    assert place.err.startswith("Traceback (most recent call last):\n  File ")
    assert place.err.endswith("raise ValueError(text)\nValueError: no such door\n")
    assert "<string>" not in place.err


def test_exit_code_of_a_function_that_leaves_is_kept(place: Any) -> None:
    result = call(place, "leaves", 3)
    assert (result.status, result.exit_code, result.outcome) == ("failed", 3, None)


def test_result_that_json_has_no_form_for_is_its_repr(place: Any) -> None:
    result = call(place, "moment")
    assert result.status == "completed"
    assert result.outcome is not None
    assert result.outcome["result"] == "datetime.date(2026, 1, 2)"
    assert "type date" in (result.hint or "")


@pytest.mark.parametrize(
    ("name", "kind", "fault"),
    [("deep", "list", "RecursionError"), ("long_number", "int", "ValueError"), ("Mute", "Mute", "OSError")],
)
def test_result_whose_text_cannot_be_made_is_not_kept(place: Any, name: str, kind: str, fault: str) -> None:
    result = call(place, name)
    assert (result.status, place.err) == ("completed", "")
    assert result.outcome == {"result": None, "exception": None}
    assert f"type {kind} whose text cannot be made ({fault}): it is not kept" in (result.hint or "")


def test_repr_that_is_no_unicode_is_kept_readably(place: Any) -> None:
    assert call(place, "Garbled").outcome == {"result": r"\ud800", "exception": None}


def test_long_repr_is_cut_by_its_bytes(place: Any) -> None:
    outcome = call(place, "Wordy").outcome
    assert outcome is not None
    assert outcome["result"] == "\U0001f600" * (RESULT_BYTES // 4)


def test_large_result_is_cut_and_told(place: Any) -> None:
    result = call(place, "large")
    assert result.outcome is not None
    assert len(result.outcome["result"]) == RESULT_BYTES
    assert "100002 bytes" in (result.hint or "")


def test_what_a_run_puts_in_place_of_its_outcome_does_no_harm(place: Any) -> None:
    result = call(place, "writes")
    assert (result.status, result.outcome) == ("completed", None)


@pytest.mark.parametrize(
    ("func", "reason"),
    [
        ("jobs_of_mine.ech", "'jobs_of_mine' has no 'ech'; did you mean 'echo'?"),
        ("jobs_of_mine.Kind.mak", "'Kind' has no 'mak'; did you mean 'make'?"),
        ("jobs_of_mine.number", "'jobs_of_mine.number' is no function but int"),
        ("gone_away.name", "no module is called 'gone_away'; modules are looked for in"),
        ("os.system", "SCHEDULER_FUNCTION_PACKAGES (none)"),
        ("sys.exit", "SCHEDULER_FUNCTION_PACKAGES (none)"),
        ("jobs_of_mine.os.system", "the module 'os'"),
    ],
)
def test_run_says_why_a_function_is_not_called(place: Any, func: str, reason: str) -> None:
    place.write("jobs_of_mine.py", MODULE)
    result = place.run(FunctionTask(func=func))
    assert (result.status, result.exit_code) == ("failed", 1)
    assert reason in (result.reason or "")
    assert reason in place.err


def test_module_that_needs_another_that_is_missing_is_the_functions_own_failure(place: Any) -> None:
    place.write("needy/__init__.py", "")
    place.write("needy/inner.py", "import not_there_at_all")
    result = place.run(FunctionTask(func="needy.inner.name"))
    assert result.reason == "ModuleNotFoundError: No module named 'not_there_at_all'"
    assert "import not_there_at_all" in place.err


def test_named_package_may_be_called(place: Any) -> None:
    place.allowed = AllowedDirs([place.workspace], ["math"])
    task = FunctionTask(func="math.hypot", args=[3, 4])
    task.check(place.allowed)
    assert place.run(task).outcome == {"result": 5.0, "exception": None}


def test_refusal_names_what_is_allowed_and_what_is_near(place: Any) -> None:
    place.write("monitoring/tasks.py", MODULE)
    allowed = AllowedDirs([place.workspace], ["reports"])
    with pytest.raises(TaskRefused) as caught:
        FunctionTask(func="monitorin.tasks.echo").check(allowed)
    problem = caught.value.problems[0]
    assert (problem.field, problem.code, problem.got) == ("func", "path_not_allowed", "monitorin.tasks.echo")
    assert problem.accepted == (str(place.workspace), "reports")
    assert problem.suggestion == "monitoring.tasks.echo"
    for part in (str(place.workspace), "SCHEDULER_FUNCTION_PACKAGES: reports", "did you mean 'monitoring'?"):
        assert part in problem.message


def test_server_imports_nothing(place: Any) -> None:
    place.write("loud.py", f"open({str(place.workspace / 'loaded')!r}, 'w')\ndef f(): pass\n")
    FunctionTask(func="loud.f").check(place.allowed)
    assert not Path(place.workspace, "loaded").exists()


@pytest.mark.parametrize("func", ["name", "", "a..b", "a.b.", "a-b.c", "1a.b", "a.b()", "a b.c", "a/b.c"])
def test_what_is_no_dotted_path_is_refused(func: str) -> None:
    with pytest.raises(ValidationError, match=r"package\.module\.function"):
        FunctionTask(func=func)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**70, {"a": [float("-inf")]}])
def test_value_without_a_form_in_json_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        FunctionTask(func="a.b", kwargs={"value": value})
    with pytest.raises(ValidationError):
        FunctionTask(func="a.b", args=[value])


def test_killed_function_has_no_outcome(place: Any) -> None:
    place.write("slow.py", "import time\ndef f(): time.sleep(60)\n")
    result = place.run(FunctionTask(func="slow.f"), timeout_seconds=0.5)
    assert (result.status, result.outcome) == ("timeout", None)
    assert dataclasses.replace(result, outcome=None) == result
