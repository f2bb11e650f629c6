"""Let a task ask for less than the server allows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tasks.results import Refusal, TaskRefused
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.seccomp import Network

MEGABYTE = 1024 * 1024


class SandboxRequest(BaseModel):
    """What a task's `sandbox` field holds; each field can only narrow what the server allows.

    `write` names the only paths that the run may change, `read` the only ones that it may read
    beside those and the system's. With `read` alone nothing but the run's private directory can be
    changed. Limits hold for all processes of a run together, and the server's own stay in force.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    read: list[str] | None = None
    write: list[str] | None = None
    network: Network | None = None
    memory_mb: Annotated[int, Field(ge=16)] | None = None
    cpu_seconds: Annotated[float, Field(gt=0, le=10**9, allow_inf_nan=False)] | None = None
    processes: Annotated[int, Field(ge=1)] | None = None

    def check(self, allowed: AllowedDirs, read_dirs: Sequence[Path] = ()) -> None:
        """Raise TaskRefused for paths that the server does not allow."""
        self.read_paths(allowed, read_dirs)
        self.write_paths(allowed)

    def read_paths(self, allowed: AllowedDirs, read_dirs: Sequence[Path] = ()) -> list[Path] | None:
        """Return what `read` means now; None where it is not given. TaskRefused for what lies outside."""
        readable = AllowedDirs([*allowed.dirs, *read_dirs])
        return _resolve(self.read, "sandbox.read", readable)

    def write_paths(self, allowed: AllowedDirs) -> list[Path] | None:
        """Return what `write` means now; None where it is not given. TaskRefused for what lies outside."""
        return _resolve(self.write, "sandbox.write", allowed)


def _resolve(texts: list[str] | None, field: str, dirs: AllowedDirs) -> list[Path] | None:
    if texts is None:
        return None
    paths: list[Path] = []
    problems: list[Refusal] = []
    for number, text in enumerate(texts):
        try:
            paths.append(dirs.resolve(text, f"{field}.{number}"))
        except TaskRefused as refused:
            problems += refused.problems
    if problems:
        raise TaskRefused(problems)
    return paths
