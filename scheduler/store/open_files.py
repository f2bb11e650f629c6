"""Know which database files were open in this process's parent as it was forked off: SQLite opens no such file safely.

It keeps the locks of a process in that process's memory. After a fork the child believes that it holds its parent's,
and what either of them writes is lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from scheduler.errors import Unusable

_Identity = tuple[int, int]

_open_here: dict[object, _Identity] = {}
_inherited: set[_Identity] = set()


def note_open(path: Path) -> Callable[[], None]:
    """Note that a file is about to be opened, until what is returned is called; raise `Unusable` where it must not be.

    A file that was deleted and made anew is another one.
    """
    found = path.stat()
    identity = found.st_dev, found.st_ino
    if identity in _inherited:
        raise Unusable(
            f"the database {path} was open in the process that this one was forked off from, and SQLite would lose "
            "what they write: have no TaskScheduler on it at the moment of a fork, but make one in each process after "
            "it, or start this process by multiprocessing.get_context('spawn')"
        )
    note = object()
    _open_here[note] = identity

    def forget() -> None:
        _open_here.pop(note, None)

    return forget


def _inherit() -> None:
    _inherited.update(_open_here.values())
    _open_here.clear()


os.register_at_fork(after_in_child=_inherit)
