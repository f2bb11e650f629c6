"""Say what came of a rehearsal: plain records of starts, collisions, silence, free slots and expectations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from scheduler.clock_changes import Touched


class Why(StrEnum):
    """Why a task does not start in a span."""

    DISABLED = "disabled"
    PAUSED = "paused"
    MANUAL = "manual"
    ENDED = "ended"
    LATER = "later"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Silent:
    """A task that does not start in the span, why not, and when it does next."""

    task_id: str
    why: Why
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Played:
    """How often a task starts. `counted`: its starts were only counted; `cut_at`: those from then on were not.

    `overlaps` is how many of its starts are expected to find as many earlier runs going as may.
    """

    task_id: str
    starts: int
    took: timedelta | None
    overlaps: int = 0
    counted: bool = False
    cut_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Collision:
    """Tasks that start at the very same moment, `times` times, first and last when."""

    task_ids: tuple[str, ...]
    times: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class BusyMinute:
    """A minute, by its first moment, and how many runs start in it."""

    at: datetime
    starts: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time; `peak` is how many runs are expected to go on in it at a time."""

    since: datetime
    until: datetime
    peak: int = 0


@dataclass(frozen=True, slots=True)
class Expected:
    """How many workers are expected to be busy, if runs take as long as of late. `unknown` tasks are left out."""

    peak: int
    peak_at: datetime | None
    short_seconds: float
    shortages: list[Stretch]
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of it. `cells` are the starts between each two `edges`; `cut_at`: nothing was played from then on.

    Of collisions, minutes and slots the worst, busiest and longest are named; tasks that were only counted are in none.
    """

    edges: Sequence[datetime]
    cells: list[int]
    workers: int
    tasks: list[Played]
    silent: list[Silent]
    collisions: list[Collision]
    collision_count: int
    """How many moments have several starts."""
    minutes: list[BusyMinute]
    crowded_minutes: int
    """How many minutes have more starts than there are workers."""
    free: list[Stretch]
    frequent: list[str]
    touched: list[Touched]
    expected: Expected
    cut_at: datetime | None = None

    @property
    def starts(self) -> int:
        """How many there are in all."""
        return sum(self.cells)
