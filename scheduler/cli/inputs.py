"""Read the files that commands are given, by their names or from standard input."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scheduler.cli.ending import Refused, plain
from scheduler.errors import Problem

FILE = click.Path(allow_dash=True, readable=False)
"""The name of a file, `-` for standard input; whoever reads it tells what is wrong with it."""


def read_text(name: str) -> str:
    """Return the text of a file, or of standard input where the name is `-`; end the command where there is none."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        return raw.decode()
    except OSError as error:
        raise unreadable(name, f"the file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise unreadable(name, f"not in UTF-8: {error.reason} at byte {error.start}") from error


def unreadable(name: str, why: str, line: int | None = None) -> Refused:
    """Return what ends a command that can make nothing of a file."""
    place = name if line is None else f"{name}:{line}"
    problem = {"file": name, "line": line or 1, **plain(Problem("file", why))}
    return Refused({"status": "error", "code": "unreadable_file", "message": f"{place}: {why}", "problems": [problem]})
