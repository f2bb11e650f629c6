"""The chaos test that ships, as part of the tests: a round for each number of workers, from a new seed each time."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import ROOT, wait_until


def selftest(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it said."""
    command = [sys.executable, str(ROOT / "server.py"), "selftest", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.soak
@pytest.mark.parametrize(("workers", "store"), [("1", "sqlite"), ("2", "sqlite"), ("4", "sqlite"), ("2", "postgresql")])
def test_a_round_of_chaos_finds_nothing(workers: str, store: str) -> None:
    seed = secrets.randbelow(10**9)
    print(f"seed {seed}")
    ended = selftest("--rounds", "1", "--workers", workers, "--store", store, "--seed", str(seed))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "\nrounds        1\n" in ended.stdout


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_test_and_all_that_it_started(number: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "server.py"), "selftest", "--rounds", "5", "--store", "sqlite"]
    # A shell that starts these tests in the background has SIGINT ignored, which a program passes on.
    before = signal.signal(number, signal.default_int_handler)
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | {"TMPDIR": str(tmp_path)}, text=True) as process:
        signal.signal(number, before)
        wait_until(lambda: started_in(tmp_path, "gunicorn"), what="a server of the test")
        process.send_signal(number)
        process.wait(60)
    wait_until(lambda: not started_in(tmp_path, ""), what="the end of all that it started")


def started_in(folder: Path, what: str) -> list[str]:
    """Return the command lines of processes that speak of files in `folder`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found += [line] if str(folder) in line and what in line else []
    return found


def test_serving_needs_no_command() -> None:
    arguments = [sys.executable, str(ROOT / "server.py"), "--port", "none"]
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "'port'" in ended.stderr
