"""Run the programs of one run as the server's own user."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tasks.results import Refusal, TaskRefused, TaskResult
from tasks.sandbox.cancellation import Cancellation
from tasks.sandbox.environment import build_env
from tasks.sandbox.paths import AllowedDirs
from tasks.sandbox.plain_run import UNCONFINED, PlainRun
from tasks.sandbox.private_dir import Owner, PrivateDir
from tasks.sandbox.spec import RunSpec


class PlainSandbox:
    """The place of one run: own environment, directory, output, time limit, and a tidy end.

    Nothing here keeps a run from reading or writing what the server's user may.
    """

    def __init__(
        self,
        spec: RunSpec,
        cancellation: Cancellation,
        *,
        owner: Owner = None,
        told: Mapping[str, Any] = UNCONFINED,
        refusal: str | None = None,
    ) -> None:
        self.spec = spec
        self.cancellation = cancellation
        self.python = sys.executable
        self._private = PrivateDir(spec.tmp_root, spec.run_id, owner)
        self._told = told
        self._refusal = refusal

    @property
    def allowed(self) -> AllowedDirs:
        """The directories in which everything that a task names must lie."""
        return self.spec.allowed

    @property
    def tmpdir(self) -> Path:
        """The run's private directory, its HOME and TMPDIR; made when first asked for."""
        return Path(self._private.path)

    @property
    def private_path(self) -> str:
        """The private directory as text."""
        return self._private.path

    def add_file(self, name: str, content: str) -> Path:
        """Put a file that the run can read into its private directory; return its path."""
        return self._private.add_file(name, content)

    def read_file(self, name: str, limit: int) -> bytes | None:
        """Return up to `limit` bytes of a file in the private directory; None if there is no plain file."""
        return self._private.read_file(name, limit)

    @property
    def working_directory(self) -> Path:
        """The directory that the run starts in; TaskRefused where it lies outside or is missing."""
        text = self.spec.working_directory
        path = self.spec.allowed.first if text is None else self.resolve(text, "working_directory")
        if not os.path.isdir(path):
            raise TaskRefused([Refusal("working_directory", f"the working directory {path} is no directory")])
        return path

    def resolve(self, text: str, field: str) -> Path:
        """Return the path that `text` means now; TaskRefused where it lies outside or is missing."""
        path = self.spec.allowed.resolve(text, field)
        if not path.exists():
            raise TaskRefused([Refusal(field, f"{field} {text!r} does not exist ({path})", got=text)])
        return path

    def run(self, argv: Sequence[str], shortcut: Sequence[str] | None = None) -> TaskResult:
        """Run a program to its end and that of everything it started; never raise for its failing.

        `shortcut` does the same and is started instead, where it can be; its name is looked for in the run's PATH.
        """
        if self._refusal is not None:
            return TaskResult.not_started(f"sandbox: {self._refusal}")
        if self.cancellation.reason is not None:
            return TaskResult("cancelled", exit_code=None, signal=None, reason=self.cancellation.reason)
        try:
            directory = self.working_directory
            env = self._environment()
        except TaskRefused as refused:
            return TaskResult.not_started(str(refused))
        except OSError as error:
            return TaskResult.not_started(f"the run's private directory could not be made: {error}")
        if shortcut is None:
            return self.start([argv], directory, env)
        # A shell tells what it starts where that is.
        return self.start([shortcut, argv], directory, {"PWD": str(directory), **env})

    def start(self, programs: Sequence[Sequence[str]], directory: Path, env: dict[str, str]) -> TaskResult:
        """Run the first program that can be started in a directory with an environment, both known to be right."""
        return PlainRun(self.spec, self.cancellation, self._told).carry_out(programs, directory, env)

    def close(self) -> None:
        """Remove the private directory."""
        self._private.remove()

    def _environment(self) -> dict[str, str]:
        spec = self.spec
        return build_env(
            python=self.python,
            tmpdir=self.private_path,
            timezone=spec.timezone,
            task_id=spec.task_id,
            run_id=spec.run_id,
            scheduled_for=spec.scheduled_for,
            attempt=spec.attempt,
            env=spec.env,
        )
