"""The chaos test that ships, as part of the tests: a round for each number of workers, from a new seed each time."""

from __future__ import annotations

import secrets
import subprocess
import sys

import pytest

from tests.server import ROOT


def selftest(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command and return what it said."""
    command = [sys.executable, str(ROOT / "server.py"), "selftest", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)


@pytest.mark.soak
@pytest.mark.parametrize("workers", ["1", "2", "4"])
def test_a_round_of_chaos_finds_nothing(workers: str) -> None:
    seed = secrets.randbelow(10**9)
    print(f"seed {seed}")
    ended = selftest("--rounds", "1", "--workers", workers, "--store", "sqlite", "--seed", str(seed))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "\nrounds        1\n" in ended.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--workers", "two"], "1,2,4"),
        (["--store", "mysql"], "sqlite,postgresql"),
        (["--rounds", "0"], "--rounds"),
    ],
)
def test_a_wrong_option_is_told(options: list[str], told: str) -> None:
    ended = selftest(*options)
    assert ended.returncode == 2
    assert told in ended.stderr


def test_settings_belong_to_serving() -> None:
    command = [sys.executable, str(ROOT / "server.py"), "--port", "1", "selftest"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, "options of serving" in ended.stderr) == (2, True)


@pytest.mark.parametrize("command", [[], ["serve"]])
def test_serving_needs_no_command_and_takes_every_setting(command: list[str]) -> None:
    arguments = [sys.executable, str(ROOT / "server.py"), *command, "--port", "none"]
    ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert "'port'" in ended.stderr
