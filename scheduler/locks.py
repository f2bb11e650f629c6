"""Take locks on open files, as far as other processes leave them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def try_lock(file: int, *, shared: bool = False) -> bool:
    """Lock an open file, alone or `shared` with others; False where another process keeps it."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(file: int) -> None:
    """Let others lock an open file. To close it is not enough: a process that was forked off has it open, too."""
    fcntl.flock(file, fcntl.LOCK_UN)


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """Open a file to be locked, for this user only, and make it where there is none; unlock it in the end."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield file
    finally:
        unlock(file)
        os.close(file)
