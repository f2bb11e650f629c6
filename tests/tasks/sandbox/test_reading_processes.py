"""What /proc tells of a process, read as it stands there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from tasks.sandbox import processes


@pytest.fixture
def sleeper() -> Iterator[int]:
    """Give a process with three variables."""
    environment = {b"FIRST": b"1", b"XSECOND": b"other", b"SECOND": b"a=b", b"EMPTY": b""}
    pipe = subprocess.PIPE
    with subprocess.Popen(["/bin/cat"], env=environment, stdin=pipe, stdout=pipe, bufsize=0) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"it runs\n")  # its environment is there a moment after its program was started
        assert process.stdout.readline() == b"it runs\n"
        yield process.pid


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (b"FIRST", b"1"),
        (b"SECOND", b"a=b"),
        (b"XSECOND", b"other"),
        (b"EMPTY", b""),
        (b"MISSING", b""),
        (b"FIRS", b""),
        (b"a", b""),
    ],
)
def test_a_variable_is_the_one_that_the_whole_environment_has(sleeper: int, name: bytes, value: bytes) -> None:
    assert processes.read_variable(sleeper, name) == value
    assert processes.read_environ(sleeper).get(name, b"") == value


def test_who_is_gone_has_no_environment() -> None:
    process = subprocess.Popen(["/bin/true"], env={"NAME": "value"})
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # ended, and not yet taken away
    assert processes.read_variable(process.pid, b"NAME") is None
    process.wait()
    assert processes.read_variable(process.pid, b"NAME") is None
