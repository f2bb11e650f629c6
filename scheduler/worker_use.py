"""Expect how many workers are busy, and which runs meet earlier ones of their task, from how long runs took. Pure."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass

MOST_STRETCHES = 20


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How a task's runs go: how long one takes (None: not known), how many at a time, and whether others wait."""

    took: int | None
    max_instances: int
    queues: bool


@dataclass(frozen=True, slots=True)
class Shortage:
    """A stretch in which more runs go on than there are workers, `peak` at a time; moments as they were handed in."""

    start: int
    end: int
    peak: int


class WorkerUse:
    """Follow starts in their order. Nobody waits for a worker here: so it shows how many would be of use.

    Moments and durations are whole numbers of one unit, whichever that is.
    """

    def __init__(self, rhythms: list[Rhythm], workers: int) -> None:
        self._rhythms, self._workers = rhythms, workers
        self._ends: list[deque[int]] = [deque() for _ in rhythms]
        self._changes: list[tuple[int, int]] = []
        self._going = 0
        self._short_since: int | None = None
        self._short_peak = 0
        self._longest: list[tuple[int, int, int]] = []
        self.overlaps = [0] * len(rhythms)
        """How many starts of each task find as many earlier runs as may go on."""
        self.peak, self.peak_at = 0, 0
        self.short = 0
        """For how long more runs go on than there are workers."""

    def start(self, number: int, moment: int) -> None:
        """Let a task start; moments never go back."""
        rhythm = self._rhythms[number]
        if not rhythm.took:
            return
        ends, begin = self._ends[number], moment
        while ends and ends[0] <= moment:
            ends.popleft()
        if len(ends) >= rhythm.max_instances:
            self.overlaps[number] += 1
            if not rhythm.queues:
                return
            begin = ends[-rhythm.max_instances]
        ends.append(begin + rhythm.took)
        self._pass_to(moment)
        heapq.heappush(self._changes, (begin, 1))
        heapq.heappush(self._changes, (begin + rhythm.took, -1))

    def finish(self, moment: int) -> list[Shortage]:
        """Let time pass to the end, and return the longest shortages, the longest first."""
        self._pass_to(moment)
        self._going = 0
        self._judge(moment)
        return [Shortage(-start, length - start, peak) for length, start, peak in sorted(self._longest, reverse=True)]

    def _pass_to(self, moment: int) -> None:
        """Let begin and end what does so before a moment; what does at one moment counts together."""
        while self._changes and self._changes[0][0] < moment:
            at = self._changes[0][0]
            while self._changes and self._changes[0][0] == at:
                self._going += heapq.heappop(self._changes)[1]
            self._judge(at)

    def _judge(self, at: int) -> None:
        if self._going > self.peak:
            self.peak, self.peak_at = self._going, at
        if self._going > self._workers:
            self._short_since = at if self._short_since is None else self._short_since
            self._short_peak = max(self._short_peak, self._going)
        elif self._short_since is not None:
            length = at - self._short_since
            self.short += length
            heapq.heappush(self._longest, (length, -self._short_since, self._short_peak))
            if len(self._longest) > MOST_STRETCHES:
                heapq.heappop(self._longest)
            self._short_since, self._short_peak = None, 0
