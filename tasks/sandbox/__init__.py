"""Give a run a place to happen: allowed directories, environment, output, limits, and a tidy end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.environment import check_env
from tasks.sandbox.leftovers import adopt_orphans, kill_leftovers
from tasks.sandbox.output import OutputText, output_path, read_ends, read_output, remove_output
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.plain import PlainSandbox
from tasks.sandbox.private_dir import clear_private_dirs
from tasks.sandbox.spec import RunSpec

__all__ = [
    "AllowedDirs",
    "Cancellation",
    "OutputText",
    "RunSpec",
    "adopt_orphans",
    "check_env",
    "clear_private_dirs",
    "kill_leftovers",
    "open_sandbox",
    "output_path",
    "read_ends",
    "read_output",
    "remove_output",
]


@contextmanager
def open_sandbox(spec: RunSpec, cancellation: Cancellation) -> Iterator[PlainSandbox]:
    """Give one run its place, and take away its private directory afterwards."""
    sandbox = PlainSandbox(spec, cancellation)
    try:
        yield sandbox
    finally:
        sandbox.close()
