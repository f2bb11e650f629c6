"""Carry the Dockerfile's steps out and try the service there, without a container engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "deploy/check-dockerfile"


def check(*options: object) -> subprocess.CompletedProcess[str]:
    """Run the checker, under the tests' own Python."""
    env = {**os.environ, "PYTHON": sys.executable}
    return subprocess.run(
        [CHECK, *map(str, options)], capture_output=True, text=True, check=False, timeout=600, env=env
    )


def dockerfile(folder: Path, text: str) -> Path:
    """Write a Dockerfile."""
    path = folder / "Dockerfile"
    path.write_text(text)
    return path


def missing() -> str | None:
    """Say why the container cannot be tried here."""
    if os.geteuid() != 0:
        return "needs root"
    absent = [name for name in ("debootstrap", "unshare") if shutil.which(name) is None]
    return f"needs {' and '.join(absent)}" if absent else None


@pytest.mark.soak
def test_the_image_serves() -> None:
    if (reason := missing()) and os.environ.get("REQUIRE_ALL") != "1":
        pytest.skip(reason)
    done = check()
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is well" in done.stdout


def test_steps_are_understood() -> None:
    done = check("--steps")
    assert done.returncode == 0, done.stderr
    words = [line.split()[1] for line in done.stdout.splitlines()]
    assert words[0] == "FROM"
    assert {"USER", "VOLUME", "EXPOSE", "STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"} <= set(words)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("FROM debian:bookworm-slim\nONBUILD RUN true\n", "line 2: 'ONBUILD' is not known here; known: ARG, CMD"),
        ("FROM debian:bookworm-slim\nRUN --mount=type=cache true\n", "line 2: RUN with --mount is not known here"),
        ("FROM debian:bookworm-slim\nRUN <<EOF\ntrue\nEOF\n", "line 2: text from '<<' on is not known here"),
        ("FROM debian:bookworm-slim AS a\nFROM a\n", "exactly one FROM is known here"),
        ("RUN true\n", "the first instruction must be FROM"),
        ("FROM debian:bookworm-slim\nRUN true \\\n", "line 2: goes on behind the end of the file"),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, text: str, hint: str) -> None:
    done = check("--steps", "--file", dockerfile(tmp_path, text))
    assert done.returncode == 1
    assert hint in done.stderr


def test_the_packages_are_one_layer_with_hashes() -> None:
    steps = check("--steps").stdout
    assert steps.count("--require-hashes") == 1
    assert "debian:bookworm-slim" in steps.splitlines()[0]


def test_the_user_is_a_number_and_not_root() -> None:
    line = next(line for line in check("--steps").stdout.splitlines() if line.split()[1] == "USER")
    assert line.split()[2] == "10800:10800"
