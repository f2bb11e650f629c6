"""Describe what the route of rehearsals answers. Times are in UTC, but for those of changes of the clocks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from scheduler.clock_changes import Fate
from scheduler.http.rest.models import Shown
from scheduler.rehearsed import Why


class Cell(BaseModel):
    """A minute, hour or day with starts, by its first moment."""

    at: str
    starts: int


class PlayedShown(BaseModel):
    """A task that starts in the span."""

    task_id: str
    starts: int
    typical_seconds: float | None = Field(description="The median of its newest runs; null: not known yet.")
    overlaps: int = Field(description="Starts that are expected to find `max_instances` earlier runs going.")
    only_counted: bool = Field(description="It starts too often to be looked for in collisions and minutes.")
    played_until: str | None = Field(description="Its starts from then on were left out: there are too many.")


class SilentShown(BaseModel):
    """A task that does not start in the span, and why."""

    task_id: str
    why: Why
    next_run_at: str | None


class CollisionShown(BaseModel):
    """Tasks that start at the very same moment."""

    starts: int = Field(description="How many of them there are.")
    task_ids: list[str] = Field(description="The first 20.")
    times: int = Field(description="How often they do.")
    first: str
    last: str
    more_than_workers: bool


class PlayedClockChange(BaseModel):
    """What a change of the clocks does to times of day of a task."""

    task_id: str
    timezone: str
    at: str
    kind: Literal["gap", "overlap"]
    local_times: list[str] = Field(description="The times of day that come never, or twice; the first 12.")
    fate: Fate = Field(
        description="moved: at the first instant after the gap. left_out: no start. "
        "first: at the first of both times. twice: at both."
    )


class StretchShown(BaseModel):
    """A stretch of time."""

    since: str
    until: str
    seconds: float


class ShortageShown(StretchShown):
    """A stretch in which more runs are expected to go on than there are workers."""

    peak: int


class ExpectedShown(BaseModel):
    """How many workers would be busy if runs took as long as of late: an expectation, not a promise."""

    peak: int
    peak_at: str | None
    short_seconds: float = Field(description="For how long more would be busy than there are.")
    shortages: list[ShortageShown] = Field(description="The longest 20.")
    unknown: list[str] = Field(description="Tasks that never ran yet, which are left out.")


class RehearsalShown(Shown):
    """What a stretch of time that is still ahead brings, as tasks are defined now."""

    since: str
    until: str
    now: str = Field(description="What time the service has. What would start before it is not played.")
    played_until: str
    truncated: bool = Field(description="Whether there was too much to play: nothing is told from `played_until` on.")
    workers: int
    starts: int
    cell: Literal["minute", "hour", "day"]
    cells: list[Cell] = Field(description="Those with starts. Days are those of the server's zone.")
    tasks: list[PlayedShown]
    silent: list[SilentShown]
    collision_count: int = Field(description="How many moments have several starts.")
    collisions: list[CollisionShown] = Field(description="The 50 largest.")
    crowded_minutes: int = Field(description="How many minutes have more starts than there are workers.")
    busiest_minutes: list[Cell] = Field(description="The 20 with most starts.")
    clock_changes: list[PlayedClockChange]
    free_slots: list[StretchShown] = Field(description="The 10 longest stretches without a start.")
    passed_over: list[str] = Field(
        description="Tasks that start every 15 minutes or more often: not looked at for free slots."
    )
    expected: ExpectedShown
