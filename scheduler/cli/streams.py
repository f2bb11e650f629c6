"""Make the standard streams fit for use where they are closed, lack a character, or cannot be written."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def prepare_streams() -> None:
    """Let closed streams lead nowhere, take any bytes, and write what the encoding of the output lacks as an escape."""
    # In the order of their numbers: what is opened gets the lowest free one, which no other file may have.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115  # open as long as the program
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


@contextmanager
def full_disk_told(program: str) -> Iterator[None]:
    """Exit with a line that says so where there is no room for what is written, such as the output."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        _discard_output()
        sys.exit(f"{program}: write error: {error.strerror}")


def _discard_output() -> None:
    """Let what is still to be written lead nowhere, else Python fails once more as it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
