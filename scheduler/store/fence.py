"""Keep a process that holds the lease no more from firing, by what the database knows in that very transaction."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection


class Fence:
    """Asked in each transaction that starts a run. Open to all until somebody closes it.

    A process may learn late that it has lost the lease. Transactions that write take turns, so one
    that finds the lease still held is over before the next holder looks at what was left to it.
    """

    OPTION = "fence"

    def __init__(self) -> None:
        self._check: Callable[[Connection], bool] = _always

    def close(self) -> None:
        """Let nothing start."""
        self._check = _never

    def open(self, check: Callable[[Connection], bool]) -> None:
        """Let runs start where `check` says that the lease is held."""
        self._check = check

    def lets_through(self, connection: Connection) -> bool:
        """Whether a run may start in this transaction."""
        return self._check(connection)


def may_fire(connection: Connection) -> bool:
    """Whether a run may start in this transaction."""
    fence: Fence | None = connection.get_execution_options().get(Fence.OPTION)
    return fence is None or fence.lets_through(connection)


def _always(_: Connection) -> bool:
    return True


def _never(_: Connection) -> bool:
    return False
