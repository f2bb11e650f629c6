"""Say from any process whether anybody fires, and how that one is."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass

from scheduler.lease import Lease
from scheduler.metrics.book import Vitals


@dataclass(frozen=True, slots=True)
class Firing:
    """Who fires: `held` by any process, `here` by one of this machine, whose `pid` is known then.

    `clock_alive` is None where that process has not planned all tasks yet, or is on another machine. `next_due`
    is when the first task is due.
    """

    held: bool
    here: bool
    clock_alive: bool | None
    pid: int | None = None
    next_due: float | None = None


class FiringWatch:
    """Look at the lease, and at what its holder tells of itself.

    `own_vitals` are those of this process, None where it does not fire; `read_vitals` returns what a process of
    this machine that fires last wrote down. A holder that is suspended is not told from one that is well.
    """

    def __init__(
        self, lease: Lease, own_vitals: Callable[[], Vitals | None], read_vitals: Callable[[], Vitals | None]
    ) -> None:
        self._lease, self._own_vitals, self._read_vitals = lease, own_vitals, read_vitals

    def look(self) -> Firing:
        """Say how it is now; raise `Unavailable` where the store has to be asked and does not answer."""
        own = self._own_vitals()
        if own is not None:
            return Firing(True, True, own.clock_alive, own.pid, own.next_due)
        if not self._lease.is_held():
            return Firing(False, False, None)
        holder = self._lease.holder()
        if holder is None or holder.host != socket.gethostname():
            return Firing(True, False, None)
        vitals = self._read_vitals()
        if vitals is None or (vitals.pid, vitals.host) != (holder.pid, holder.host):
            return Firing(True, True, None, holder.pid)
        return Firing(True, True, vitals.clock_alive, vitals.pid, vitals.next_due)
