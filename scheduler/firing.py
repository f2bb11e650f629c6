"""Say from any process whether anybody fires, and how that one is."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from dataclasses import dataclass

from scheduler.lease import Lease
from scheduler.metrics.book import Vitals


@dataclass(frozen=True, slots=True)
class Firing:
    """Who fires: `held` by any process, `here` by one of this machine, whose `pid` is known then.

    `clock_alive` is None where that process has not planned all tasks yet, or is on another machine.
    """

    held: bool
    here: bool
    clock_alive: bool | None
    pid: int | None = None


class FiringWatch:
    """Look at the lease, and at what its holder tells of itself.

    `own_clock` answers for this process, None where it does not fire; `read_vitals` what a process of this machine
    that fires last wrote down. A holder that is suspended is not told from one that is well.
    """

    def __init__(
        self, lease: Lease, own_clock: Callable[[], bool | None], read_vitals: Callable[[], Vitals | None]
    ) -> None:
        self._lease, self._own_clock, self._read_vitals = lease, own_clock, read_vitals

    def look(self) -> Firing:
        """Say how it is now; raise `Unavailable` where the store has to be asked and does not answer."""
        own = self._own_clock()
        if own is not None:
            return Firing(True, True, own, os.getpid())
        if not self._lease.is_held():
            return Firing(False, False, None)
        holder = self._lease.holder()
        if holder is None or holder.host != socket.gethostname():
            return Firing(True, False, None)
        vitals = self._read_vitals()
        known = vitals is not None and (vitals.pid, vitals.host) == (holder.pid, holder.host)
        return Firing(True, True, vitals.clock_alive if known and vitals is not None else None, holder.pid)
