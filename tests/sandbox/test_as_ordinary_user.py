"""The same holds where the server is an ordinary user."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ORDINARY = 61234
HERE = Path(__file__).parent
ROOT = HERE.parents[1]

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user already")


@pytest.fixture
def base() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ordinary-", dir="/tmp"))
    os.chown(folder, ORDINARY, ORDINARY)
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def interpreter(env: dict[str, str]) -> str:
    """Return an interpreter that this user can start, which has pydantic and pytest."""
    system = f"/usr/bin/python3.{sys.version_info.minor}"
    for path in (sys.executable, system):
        command = [path, "-c", "import pydantic, pytest"]
        try:
            tried = subprocess.run(command, env=env, user=ORDINARY, group=ORDINARY, extra_groups=[], check=False)
        except OSError:
            continue
        if tried.returncode == 0:
            return path
    pytest.skip("no interpreter of this version is within an ordinary user's reach")


FILES = [
    "test_policy.py",
    "test_ways_out.py",
    "test_everyday.py",
    "test_levels.py",
    "test_planting.py",
    "test_supervision.py",
]


def test_all_files_are_among_them() -> None:
    assert {*FILES, Path(__file__).name} == {path.name for path in HERE.glob("test_*.py")}


@pytest.mark.soak
@pytest.mark.parametrize("name", FILES)
def test_same_tests(name: str, base: Path) -> None:
    packages = sysconfig.get_paths()["purelib"]
    env = {"PYTHONPATH": f"{ROOT}:{packages}", "PATH": "/usr/bin:/bin", "HOME": str(base), "LANG": "C.UTF-8"}
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    options = ["-q", "-p", "no:cacheprovider", "-m", "not soak", f"--basetemp={base}/t"]
    done = subprocess.run(
        [interpreter(env), "-m", "pytest", *options, str(HERE / name)],
        env=env,
        cwd=ROOT,
        user=ORDINARY,
        group=ORDINARY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
