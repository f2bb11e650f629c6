"""Define what every task type is: fields that people write, and a command line made from them."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict

from tasks.results import Refusal, RefusalCode, Status, TaskRefused, TaskResult, TestCounts
from tasks.sandbox.environment import MOST_BYTES
from tasks.sandbox.paths import AllowedDirs

__all__ = [
    "ArgumentText",
    "Arguments",
    "BaseTask",
    "Refusal",
    "RefusalCode",
    "Sandbox",
    "Status",
    "TaskRefused",
    "TaskResult",
    "TestCounts",
    "Text",
]


def _argument(text: str) -> str:
    if "\0" in text:
        raise ValueError("must not contain NUL characters")
    if len(os.fsencode(text)) > MOST_BYTES:
        raise ValueError(f"must not be longer than {MOST_BYTES} bytes")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


Argument = Annotated[str, AfterValidator(_argument)]
Arguments = list[Argument]
Text = Annotated[str, AfterValidator(_not_blank)]
ArgumentText = Annotated[Argument, AfterValidator(_not_blank)]


class Sandbox(Protocol):
    """The place where one run happens; it already carries the limits, the log and the environment."""

    @property
    def tmpdir(self) -> Path:
        """The run's private directory, its HOME and TMPDIR, removed when the sandbox closes."""

    @property
    def python(self) -> str:
        """The absolute path of the interpreter that runs the service."""

    @property
    def allowed(self) -> AllowedDirs:
        """The directories in which everything that a task names must lie."""

    @property
    def working_directory(self) -> Path:
        """The directory that the run starts in; TaskRefused where it lies outside or is missing."""

    def resolve(self, text: str, field: str) -> Path:
        """Return the path that `text` means now; TaskRefused where it lies outside or is missing."""

    def add_file(self, name: str, content: str) -> Path:
        """Put a file that the run can read into its private directory; return its path."""

    def read_file(self, name: str, limit: int) -> bytes | None:
        """Return up to `limit` bytes of a file in the private directory; None if there is no plain file."""

    def run(self, argv: Sequence[str], shortcut: Sequence[str] | None = None) -> TaskResult:
        """Run a program to its end and that of everything it started; never raise for its failing.

        `shortcut` does the same and is started instead, where it can be; its name is looked for in the run's PATH.
        """


class BaseTask(BaseModel):
    """What a job does: a type name, fields, and the command line they mean.

    Strict, frozen, and without unknown fields, so that HTTP, files and Python share one meaning.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    type: str

    @abstractmethod
    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the program and its arguments; TaskRefused if a path is not what it was at creation."""

    def shortcut(self) -> list[str] | None:
        """Return a program that does the same as that of `argv` at less cost, if there is one."""
        return None

    def check(self, allowed: AllowedDirs, working_directory: str | None = None) -> None:
        """Raise TaskRefused if the task, started in that directory, names something that it may not use."""

    def run(self, sandbox: Sandbox) -> TaskResult:
        """Carry the task out and wait for its end."""
        try:
            argv = self.argv(sandbox)
        except TaskRefused as refused:  # moved or removed since the task was created
            return TaskResult.not_started(str(refused))
        except OSError as error:
            return TaskResult.not_started(f"the run could not be prepared: {error}")
        return sandbox.run(argv, self.shortcut())
