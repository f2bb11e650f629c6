"""Run a shell command."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tasks.base import Arguments, ArgumentText, BaseTask, Sandbox
from tasks.plain_words import plain_words

SHELL = "/bin/sh"


class CommandTask(BaseTask):
    """Run one line, or many, of /bin/sh; `args` are its $1, $2 and so on, never parsed by the shell."""

    type: Literal["command"] = "command"
    command: ArgumentText
    args: Arguments = Field(default=[])

    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the shell's command line."""
        return [SHELL, "-c", self.command, "sh", *self.args]

    def shortcut(self) -> list[str] | None:
        """Return the program of a command that needs no shell: it starts in half the time, and its end is its own."""
        return plain_words(self.command)
