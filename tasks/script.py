"""Run a Python file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.base import Arguments, BaseTask, Sandbox
from tasks.sandbox.paths import AllowedDirs


class ScriptTask(BaseTask):
    """Run a Python file with the interpreter that runs the service.

    The interpreter is never guessed from the file's name or first line, so that a renamed file
    keeps running the way it did.
    """

    type: Literal["script"] = "script"
    file_path: str
    args: Arguments = Field(default=[])

    def check(self, allowed: AllowedDirs, working_directory: str | None = None) -> None:
        """Raise TaskRefused if the file would lie outside the allowed directories."""
        allowed.resolve(self.file_path, "file_path")

    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the interpreter with the file's absolute path, so that no name is taken for an option."""
        path = sandbox.resolve(self.file_path, "file_path")
        return [sandbox.python, "-u", str(path), *self.args]
