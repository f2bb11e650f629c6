"""Tests are counted as they happen, whatever becomes of pytest."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from tasks import TaskRefused, TestCounts, TestTask
from tasks.pytest_run import MOST_AT_ONCE, NOT_ALL_COUNTED

MIXED = """
import pytest
def test_passes(): pass
def test_fails(): assert 0
@pytest.mark.parametrize("value", ["a b", "ü"])
def test_values(value): assert value == "ü"
@pytest.mark.skip
def test_skipped(): pass
@pytest.mark.xfail
def test_expected(): assert 0
@pytest.fixture
def broken(): raise RuntimeError
def test_error(broken): pass
@pytest.fixture
def breaks_late():
    yield
    raise RuntimeError
def test_late(breaks_late): pass
"""

WRITES_LINES = """
import os
def test_a():
    with open(os.environ["TMPDIR"] + "/tests.jsonl", "a") as file: file.write({lines} + chr(10))
"""


@pytest.fixture
def place(place: Any) -> Any:
    """Runs load no plugins of other packages, which would cost each a second."""
    place.env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return place


def test_counts_and_node_ids(place: Any) -> None:
    place.write("checks/test_mixed.py", MIXED)
    result = place.run(TestTask(file_path="checks"))
    here = "checks/test_mixed.py::"
    assert (result.status, result.exit_code) == ("failed", 1)
    assert result.tests is not None
    assert (result.tests.passed, result.tests.failed) == (3, 2)
    assert (result.tests.errors, result.tests.skipped) == (2, 2)
    assert result.tests.failing[0] == f"{here}test_fails"
    assert set(result.tests.failing[2:]) == {f"{here}test_error", f"{here}test_late"}
    assert result.reason == "tests: 2 failed, 2 errors, 3 passed"


def test_success_without_a_path_in_the_working_directory(place: Any) -> None:
    place.write("test_one.py", "def test_one(): pass")
    result = place.run(TestTask())
    assert (result.status, result.reason) == ("completed", None)
    assert result.tests == TestCounts(passed=1)


def test_a_file_whose_name_is_no_text(place: Any) -> None:
    (place.workspace / os.fsdecode(b"test_\xff.py")).write_text("def test_a(): assert 0")
    result = place.run(TestTask())
    assert result.tests is not None
    assert result.tests.failing == (r"test_\udcff.py::test_a",)


def test_one_test_of_a_file(place: Any) -> None:
    place.write("test_two.py", "def test_a(): pass\ndef test_b(): assert 0")
    result = place.run(TestTask(file_path="test_two.py::test_a"))
    assert result.tests == TestCounts(passed=1)


def test_options_reach_pytest(place: Any) -> None:
    place.write("test_two.py", "def test_a(): pass\ndef test_b(): assert 0")
    result = place.run(TestTask(file_path="test_two.py", args=["-k", "test_a", "-q"]))
    assert result.tests == TestCounts(passed=1)


def test_collection_error_is_an_error(place: Any) -> None:
    place.write("test_bad.py", "import no_such_module")
    result = place.run(TestTask(file_path="test_bad.py"))
    assert (result.status, result.exit_code) == ("failed", 2)
    assert result.tests == TestCounts(errors=1, failing=("test_bad.py",))
    assert result.reason == "tests: 1 errors, 0 passed"


def test_nothing_collected_is_a_failure(place: Any) -> None:
    place.write("test_empty.py", "")
    result = place.run(TestTask(file_path="test_empty.py"))
    assert (result.status, result.exit_code) == ("failed", 5)
    assert result.reason == "no tests were collected"


def test_refused_option_is_told(place: Any) -> None:
    result = place.run(TestTask(args=["--no-such-option"]))
    assert (result.exit_code, result.reason) == (4, "pytest did not accept its arguments")


@pytest.mark.parametrize(
    ("line", "signal", "code"),
    [("os.abort()", "SIGABRT", None), ("os._exit(7)", None, 7), ("os.kill(os.getpid(), 9)", "SIGKILL", None)],
)
def test_crash_keeps_what_came_before(place: Any, line: str, signal: str | None, code: int | None) -> None:
    place.write("test_crash.py", f"import os\ndef test_a(): pass\ndef test_b(): {line}\ndef test_c(): pass")
    result = place.run(TestTask(file_path="test_crash.py"))
    assert (result.status, result.signal, result.exit_code) == ("failed", signal, code)
    assert result.tests == TestCounts(passed=1, errors=1, failing=("test_crash.py::test_b",))
    assert "during test_crash.py::test_b" in (result.reason or "")


def test_timeout_tells_the_test(place: Any) -> None:
    place.write("test_slow.py", "import time\ndef test_slow(): time.sleep(600)")
    for seconds in (1.0, 5.0, 60.0):  # on a busy machine pytest may take long to come so far
        result = place.run(TestTask(file_path="test_slow.py"), timeout_seconds=seconds)
        assert result.status == "timeout"
        if result.reason != f"timed out after {seconds:.0f} s":
            break
    assert result.reason == f"timed out after {seconds:.0f} s during test_slow.py::test_slow"


def test_option_like_path_is_a_path(place: Any) -> None:
    task = TestTask(file_path="--rootdir=/")
    task.check(place.allowed)
    result = place.run(task)
    assert (result.status, result.exit_code) == ("failed", None)
    assert "does not exist" in (result.reason or "")
    place.write("--co/test_a.py", "def test_a(): assert 0")
    assert place.run(TestTask(file_path="--co")).exit_code == 1


def test_outside_is_refused(place: Any) -> None:
    with pytest.raises(TaskRefused, match="outside the allowed"):
        TestTask(file_path="../x.py::test").check(place.allowed)


def test_configuration_above_the_allowed_directory_is_left_alone(place: Any) -> None:
    (place.root / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    (place.root / "conftest.py").write_text("raise RuntimeError('not yours')\n")
    place.write("deep/test_a.py", "def test_a(): pass")
    result = place.run(TestTask(file_path="deep/test_a.py"))
    assert result.status == "completed", place.out + place.err
    assert f"rootdir: {place.workspace}" in place.out


def test_configuration_inside_is_found_under_a_foreign_one(place: Any) -> None:
    (place.root / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--no-such-option'\n")
    place.write("deep/pyproject.toml", "[tool.other]\n")
    place.write("setup.cfg", "[tool:pytest]\npython_functions = check_*\n")
    place.write("deep/test_a.py", "def check_a(): pass\ndef test_b(): assert 0")
    assert place.run(TestTask(file_path="deep/test_a.py")).tests == TestCounts(passed=1)


def test_a_record_made_into_something_else_does_no_harm(place: Any) -> None:
    place.write(
        "test_hostile.py",
        "import os\n"
        "def test_a():\n"
        "    path = os.environ['TMPDIR'] + '/tests.jsonl'\n"
        "    os.unlink(path)\n"
        "    os.mkfifo(path)\n",
    )
    result = place.run(TestTask(file_path="test_hostile.py"))
    assert (result.status, result.tests) == ("completed", None)


@pytest.mark.parametrize("line", ["'['*200000", "'[\"start\",' * 5000", "'[1,2,3]'", '\'["start","x"\'', "''"])
def test_a_line_that_is_no_event_is_passed_over(place: Any, line: str) -> None:
    place.write("test_one.py", WRITES_LINES.format(lines=line))
    assert place.run(TestTask()).tests == TestCounts(passed=1)


def test_a_flood_of_events_costs_little_and_is_told(place: Any) -> None:
    lines = "'\\n'.join(f'[\"start\",\"{number}\"]' for number in range(1_600_000))"
    place.write("test_one.py", WRITES_LINES.format(lines=lines))
    before = time.process_time()
    result = place.run(TestTask())
    assert time.process_time() - before < 10
    assert result.tests is not None
    assert result.tests.errors == len(result.tests.failing) == MOST_AT_ONCE
    assert result.hint == NOT_ALL_COUNTED


def test_a_name_of_any_length_is_shortened_where_it_is_kept(place: Any) -> None:
    code = "import pytest\n@pytest.mark.parametrize('x', [1, 2], ids=['a' * 100_000, 'b'])\ndef test_a(x): assert 0\n"
    place.write("test_long.py", code)
    result = place.run(TestTask())
    assert result.tests is not None
    first, second = result.tests.failing
    assert (len(first), first[-4:], second) == (1003, "a...", "test_long.py::test_a[b]")


def test_no_cache_is_left_in_the_workspace(place: Any) -> None:
    place.write("test_one.py", "def test_one(): pass")
    place.run(TestTask())
    assert not (place.workspace / ".pytest_cache").exists()
