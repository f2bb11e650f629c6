"""Prometheus' own tool: it says whether metrics, rules and configurations are as Prometheus takes them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest


def promtool(*arguments: str, text: str | None = None) -> str:
    """Let it check something in which it must find no fault, and return what it says all the same."""
    if shutil.which("promtool") is None and os.environ.get("REQUIRE_ALL") != "1":
        pytest.skip("promtool is not here: Debian has it in the package prometheus")
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
