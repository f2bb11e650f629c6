"""Run Python code that is part of the task itself."""

from __future__ import annotations

from typing import Literal

from tasks.base import BaseTask, Sandbox, Text

FILE_NAME = "custom_script.py"

LOADER = """
import sys
sys.argv.pop(0)
__file__ = sys.argv[0]
with open(__file__, "rb") as source:
    source = source.read()
exec(compile(source, __file__, "exec"), globals())
"""
"""Runs a file as __main__; modules are still looked for in the working directory, as with `python -c`."""


class CustomTask(BaseTask):
    """Run Python code given as text.

    It is put into a file first, so that a traceback shows the lines it speaks of.
    """

    type: Literal["custom"] = "custom"
    custom_script: Text

    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the interpreter and the file that holds the code."""
        path = sandbox.add_file(FILE_NAME, self.custom_script)
        return [sandbox.python, "-u", "-c", LOADER, str(path)]
