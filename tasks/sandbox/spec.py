"""Describe one run to the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.request import SandboxRequest


@dataclass(frozen=True, slots=True)
class RunSpec:
    """Everything that a sandbox needs to know of a run.

    `scheduled_for` is ISO 8601. `working_directory` None means the first allowed directory. Output
    goes into `log_dir`; the run's private directory is made inside `tmp_root`. Times are seconds:
    after `timeout_seconds` the run is told to end, `grace_seconds` later it is killed. `request` is the
    task's own `sandbox` field.
    """

    run_id: str
    task_id: str
    scheduled_for: str
    attempt: int
    timezone: str
    allowed: AllowedDirs
    working_directory: str | None
    env: Mapping[str, str]
    timeout_seconds: float
    log_dir: Path
    tmp_root: Path
    grace_seconds: float = 5
    request: SandboxRequest | None = None
