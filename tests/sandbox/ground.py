"""A place where runs are tried, and things outside that they may reach for."""

from __future__ import annotations

import itertools
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks import BaseTask, CommandTask, TaskResult
from tasks.sandbox import (
    AllowedDirs,
    Cancellation,
    Confinement,
    RunSpec,
    make_confinement,
    open_sandbox,
    read_ends,
)

_numbers = itertools.count(1)


class Ground:
    """A workspace, a data directory, and runs in it, confined or not."""

    def __init__(self, root: Path, confinement: Confinement | None = None) -> None:
        self.root = root
        self.workspace = root / "workspace"
        self.data_dir = root / "data"
        self.workspace.mkdir()
        self.data_dir.mkdir(mode=0o700)
        self.allowed = AllowedDirs([self.workspace])
        self.confinement = confinement
        self.last_id = ""
        self.made: list[Confinement] = [confinement] if confinement else []

    def confine(self, **changes: Any) -> Confinement:
        """Confine the runs of this ground from now on."""
        values: dict[str, Any] = {
            "mode": "auto",
            "allowed": self.allowed,
            "read_dirs": [],
            "network": "all",
            "task_user": "auto",
            "data_dir": self.data_dir,
        }
        self.confinement = make_confinement(**{**values, **changes})
        self.made.append(self.confinement)
        return self.confinement

    def close(self) -> None:
        """End all confinements of this ground."""
        for confinement in self.made:
            confinement.close()

    def spec(self, **changes: Any) -> RunSpec:
        self.last_id = f"run-{os.getpid()}-{next(_numbers)}"
        values: dict[str, Any] = {
            "run_id": self.last_id,
            "task_id": "t",
            "scheduled_for": "2026-03-01T10:00:00+01:00",
            "attempt": 1,
            "timezone": "UTC",
            "allowed": self.allowed,
            "working_directory": None,
            "env": {},
            "timeout_seconds": 30.0,
            "log_dir": self.data_dir / "log",
            "tmp_root": self.data_dir / "tmp",
            "grace_seconds": 0.5,
        }
        return RunSpec(**{**values, **changes})

    def run(self, task: BaseTask, cancellation: Cancellation | None = None, **changes: Any) -> TaskResult:
        with open_sandbox(self.spec(**changes), cancellation or Cancellation(), self.confinement) as sandbox:
            return task.run(sandbox)

    def sh(self, command: str, **changes: Any) -> TaskResult:
        return self.run(CommandTask(command=command), **changes)

    def python(self, code: str, *args: str, **changes: Any) -> TaskResult:
        """Run Python code without site-packages, which starts faster."""
        with open_sandbox(self.spec(**changes), Cancellation(), self.confinement) as sandbox:
            return sandbox.run([sys.executable, "-I", "-S", "-c", code, *args])

    @property
    def out(self) -> str:
        return read_ends(self.data_dir / "log", self.last_id, "stdout")

    @property
    def err(self) -> str:
        return read_ends(self.data_dir / "log", self.last_id, "stderr")


def open_to_runs(path: Path) -> Path:
    """Make the folders above a path passable, as those of a real workspace are for its owner."""
    for parent in (path, *path.parents):
        if parent.stat().st_uid == os.geteuid() and parent not in (Path("/"), Path("/tmp")):
            parent.chmod(parent.stat().st_mode | 0o111)
    return path


@dataclass(frozen=True)
class Targets:
    """Things outside that a run may reach for."""

    victim: int
    port: int
    unix: str
    abstract: str
