"""Give a run a place to happen: allowed directories, environment, output, limits, and a tidy end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tasks.sandbox.callers import run_of_connection
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.confinement import Confinement, make_confinement
from tasks.sandbox.environment import check_env
from tasks.sandbox.kernel import protect_process
from tasks.sandbox.leftovers import adopt_orphans, kill_leftovers
from tasks.sandbox.outcome import KILLED, UNKNOWN
from tasks.sandbox.output import (
    OutputText,
    cut_line,
    last_lines,
    output_path,
    output_size,
    read_bytes,
    read_ends,
    read_from,
    read_output,
    remove_output,
    write_output,
)
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.plain import PlainSandbox
from tasks.sandbox.private_dir import clear_private_dirs
from tasks.sandbox.request import SandboxRequest
from tasks.sandbox.run_user import ConfinementError
from tasks.sandbox.spec import RunSpec

__all__ = [
    "KILLED",
    "UNKNOWN",
    "AllowedDirs",
    "Cancellation",
    "Confinement",
    "ConfinementError",
    "OutputText",
    "RunSpec",
    "SandboxRequest",
    "adopt_orphans",
    "check_env",
    "clear_private_dirs",
    "cut_line",
    "kill_leftovers",
    "last_lines",
    "make_confinement",
    "open_sandbox",
    "output_path",
    "output_size",
    "protect_process",
    "read_bytes",
    "read_ends",
    "read_from",
    "read_output",
    "remove_output",
    "run_of_connection",
    "write_output",
]


@contextmanager
def open_sandbox(
    spec: RunSpec, cancellation: Cancellation, confinement: Confinement | None = None
) -> Iterator[PlainSandbox]:
    """Give one run its place, and take away its private directory afterwards.

    Without a confinement the run is not confined by the kernel.
    """
    sandbox = confinement.open(spec, cancellation) if confinement else PlainSandbox(spec, cancellation)
    try:
        yield sandbox
    finally:
        sandbox.close()
