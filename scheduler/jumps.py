"""Notice when time did not pass as it should: the clock was set, the machine slept, or this process stood still."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

log = logging.getLogger(__name__)

STEP_SECONDS = 1.0
"""By how much the wall clock must part from the monotonic one to be told of; NTP slews by far less between looks."""
PAUSE_SECONDS = 5.0
"""How long nobody looked, though somebody should each second, for that to be told."""


@dataclass(frozen=True, slots=True)
class Jump:
    """`step`: the wall clock moved by `seconds` (less than 0: back) apart from the time that passed, as when it is set
    or the machine sleeps. `pause`: nobody looked for so many seconds, as when the process is suspended."""

    kind: str
    seconds: float
    noticed_at: datetime


class JumpWatch:
    """Compare the wall clock with the monotonic one at each look.

    It changes nothing of what is due, which the wall clock alone decides: it is there to tell people
    why fire times came late, or twice as many as they expect.
    """

    def __init__(self, now: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._now, self._monotonic = now, monotonic
        self._before: tuple[datetime, float] | None = None
        self.last: Jump | None = None

    def look(self) -> None:
        """Note the time; log a jump since the last look."""
        wall, passed = self._now(), self._monotonic()
        if self._before is not None:
            elapsed = passed - self._before[1]
            step = (wall - self._before[0]).total_seconds() - elapsed
            if abs(step) >= STEP_SECONDS:
                self._tell(Jump("step", round(step, 3), wall), "the wall clock was set, or the machine slept: %+.1f s")
            elif elapsed >= PAUSE_SECONDS:
                self._tell(Jump("pause", round(elapsed, 3), wall), "nothing was looked at for %.1f s")
        self._before = wall, passed

    def _tell(self, jump: Jump, text: str) -> None:
        self.last = jump
        log.warning(text, jump.seconds)
