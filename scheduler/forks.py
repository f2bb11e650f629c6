"""Keep from forked processes what belongs to the one that they were forked off from: its locks and its connections.

A fork shares the open files of its parent, and with them every lock on them: the parent would hold it until
the last of its children has ended.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet


class Open(Protocol):
    """Something that is open: a file, a socket, a connection."""

    def fileno(self) -> int:
        """Return its descriptor; raise where it is closed."""


held_off = threading.RLock()
"""While a thread has it no other forks: for what must not be shared for the moment before it is kept."""

_kept: WeakSet[Open] = WeakSet()


def keep(own: Open) -> None:
    """Let processes that are forked off from now on have no part in this."""
    _kept.add(own)


def _let_go() -> None:
    """Put nothing in the place of what is the parent's, so that what is left of its objects here can do no harm."""
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for own in list(_kept):
        with suppress(Exception):  # closed, each kind of object has an error of its own for that
            os.dup2(nothing, own.fileno(), inheritable=False)
    os.close(nothing)
    _kept.clear()


def _go_on_in_child() -> None:
    try:
        _let_go()
    finally:
        held_off.release()


os.register_at_fork(before=held_off.acquire, after_in_parent=held_off.release, after_in_child=_go_on_in_child)
