"""Wake an asyncio loop at a moment of the wall clock.

Linux's timerfd wakes a loop within some 0.1 ms of an absolute wall-clock time and tells when that
clock was stepped; a loop's own timers count another clock and are rounded up to a millisecond.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

_CLOCK_REALTIME = 0
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC
_ABSOLUTE_AND_CANCEL_ON_SET = 1 | 2
_MICROSECONDS = 1_000_000
HAS_TIMERFD: bool = sys.platform == "linux"


class Alarm(Protocol):
    """Something that calls back in the loop's thread at a moment, or earlier where the clock was stepped."""

    kind: str

    def set(self, moment: datetime) -> None:
        """Ring at `moment` instead of whenever it was set for."""

    def close(self) -> None:
        """Ring no more."""


class TimerfdAlarm:
    """An alarm by Linux's timerfd (timerfd_create(2)), through ctypes because Python has it only from 3.13."""

    kind = "timerfd"

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop, self._ring = loop, ring
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(_CLOCK_REALTIME, _NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        loop.add_reader(self._fd, self._on_ready)

    def set(self, moment: datetime) -> None:
        """Ring at `moment` instead of whenever it was set for."""
        # At 0 the kernel would disarm it.
        due = max(1, round(moment.timestamp() * _MICROSECONDS))
        timer = struct.pack("qqqq", 0, 0, due // _MICROSECONDS, due % _MICROSECONDS * 1000)
        if self._libc.timerfd_settime(self._fd, _ABSOLUTE_AND_CANCEL_ON_SET, timer, None) < 0:
            raise OSError(ctypes.get_errno(), "timerfd_settime failed")

    def close(self) -> None:
        """Ring no more."""
        self._loop.remove_reader(self._fd)
        os.close(self._fd)

    def _on_ready(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return
        except OSError:
            pass  # ECANCELED: the clock was stepped, which is as good a reason to look as any
        self._ring()


class LoopAlarm:
    """An alarm by the loop's own timers, where there is no timerfd."""

    kind = "loop timer"

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None], now: Callable[[], datetime]) -> None:
        self._loop, self._ring, self._now = loop, ring, now
        self._handle: asyncio.TimerHandle | None = None

    def set(self, moment: datetime) -> None:
        """Ring at `moment` instead of whenever it was set for."""
        self.close()
        self._handle = self._loop.call_later(max(0.0, (moment - self._now()).total_seconds()), self._ring)

    def close(self) -> None:
        """Ring no more."""
        if self._handle is not None:
            self._handle.cancel()


def make_alarm(loop: asyncio.AbstractEventLoop, ring: Callable[[], None], now: Callable[[], datetime]) -> Alarm:
    """Return the best alarm that this system has; `status` tells which."""
    return TimerfdAlarm(loop, ring) if HAS_TIMERFD else LoopAlarm(loop, ring, now)
