"""Play a stretch of time that is still ahead: which tasks start when, together, and never. Pure: all is handed in."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, groupby, islice, pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

from scheduler.clock_changes import Touched, changes_between, touched
from scheduler.policy import MOST_WALKED, due_at
from scheduler.rehearsed import BusyMinute, Collision, Expected, Played, Rehearsal, Silent, Stretch, Why
from scheduler.start_counts import count_between, count_steps, most_between
from scheduler.triggers import Interval, Trigger, upcoming
from scheduler.worker_use import Rhythm, Shortage, WorkerUse

MOST_OF_A_TASK = 12_000
"""How many starts of a task are gone through one by one; those of a denser rule are only counted."""
MOST_IN_ALL = 50_000
"""After how many starts a rehearsal ends early, and says so."""
FREQUENT = timedelta(minutes=15)
"""Tasks that start as often as this are passed over where free slots are looked for."""
MOST_RECKONED = 100_000
"""For how many cells in all starts are counted by arithmetic on a calendar, which costs more than on a grid."""
MOST_TOLD, MOST_MINUTES, MOST_SLOTS = 50, 20, 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)
_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """What is known of one task that takes part.

    Nothing fires up to `after`. `left` is how many runs `max_runs` still allows, `took` how long a run is expected to
    take, `queues` whether what meets earlier runs waits for them.
    """

    task_id: str
    trigger: Trigger
    after: datetime
    jitter_seconds: float = 0.0
    max_instances: int = 1
    queues: bool = False
    left: int | None = None
    took: timedelta | None = None


def play(
    parts: Sequence[Part], edges: Sequence[datetime], workers: int, now: datetime, silent: Sequence[Silent] = ()
) -> Rehearsal:
    """Play all tasks from the first of the edges (UTC, rising), or from `now` where that is later, to the last.

    `silent` are tasks that cannot take part at all.
    """
    return _Play(parts, edges, workers, now).run(silent)


class _Play:
    """One pass over all starts in their order. Moments are whole microseconds here: reckoning with them is cheap."""

    def __init__(self, parts: Sequence[Part], edges: Sequence[datetime], workers: int, now: datetime) -> None:
        self._parts, self._edges, self._workers = parts, edges, workers
        self._since, self._until = min(max(edges[0], now), edges[-1]), edges[-1]
        self._cells = [0] * (len(edges) - 1)
        self._starts = [0] * len(parts)
        self._reckoned: dict[tuple[Trigger, datetime], list[int]] = {}
        self._cuts: dict[int, datetime] = {}
        self._cut_at: datetime | None = None
        self._together: dict[tuple[int, ...], tuple[int, int, int]] = {}
        self._minute, self._in_minute, self._crowded = 0, 0, 0
        self._busiest: list[tuple[int, int]] = []
        self._slots: list[tuple[int, int]] = []
        self._frequent: set[int] = set()
        self._use = WorkerUse([_rhythm(part) for part in parts], workers)
        self._shortages: list[Shortage] = []

    def run(self, silent: Sequence[Silent]) -> Rehearsal:
        """Return what came of it."""
        counted = {number: cells for number in range(len(self._parts)) if (cells := self._counted(number)) is not None}
        self._frequent |= set(counted)
        self._go([self._stream(number) for number in range(len(self._parts)) if number not in counted])
        for number, cells in counted.items():
            self._starts[number] = sum(cells)
            self._cells = [mine + more for mine, more in zip(self._cells, cells, strict=True)]
        quiet = [found for number in range(len(self._parts)) if (found := self._why_silent(number)) is not None]
        names = [part.task_id for part in self._parts]
        return Rehearsal(
            edges=self._edges,
            cells=self._cells,
            workers=self._workers,
            expected=self._expected(),
            tasks=[self._played(number, number in counted) for number, starts in enumerate(self._starts) if starts],
            silent=sorted([*silent, *quiet], key=lambda one: (list(Why).index(one.why), one.task_id)),
            collisions=self._collisions(names),
            collision_count=sum(times for times, _, _ in self._together.values()),
            minutes=[BusyMinute(_moment(-at * _MINUTE), n) for n, at in sorted(self._busiest, reverse=True)],
            crowded_minutes=self._crowded,
            free=[Stretch(_moment(-at), _moment(length - at)) for length, at in sorted(self._slots, reverse=True)],
            frequent=[names[number] for number in sorted(self._frequent)],
            touched=self._touched(),
            cut_at=self._cut_at,
        )

    def _counted(self, number: int) -> list[int] | None:
        """Return the starts of a task by cell, where there are too many to go through them and arithmetic tells."""
        part, shift = self._parts[number], timedelta(0)
        steady = isinstance(part.trigger, Interval)
        most = most_between(part.trigger, self._since, self._until)
        if most is None or most <= MOST_OF_A_TASK or (part.jitter_seconds and not steady):
            return None
        if part.left is not None and part.left <= MOST_WALKED:
            return None
        if part.jitter_seconds:
            first = part.trigger.utc_after(part.after)
            shift = timedelta(0) if first is None else self._due(part, first) - first
        begin = max(self._since - shift, part.after + _TICK)
        edges = [max(begin, edge - shift) for edge in self._edges]
        if isinstance(part.trigger, Interval):
            return count_steps(part.trigger, edges)
        key = part.trigger, begin
        if key not in self._reckoned and (len(self._reckoned) + 1) * len(edges) <= MOST_RECKONED:
            self._reckoned[key] = [count_between(part.trigger, low, high) for low, high in pairwise(edges)]
        return self._reckoned.get(key)

    def _stream(self, number: int) -> Iterator[tuple[int, int]]:
        """Yield the starts of a task that are gone through, and note whether they are frequent."""
        moments = iter(self._moments(number))
        few = list(islice(moments, 4))
        if any(later - earlier <= FREQUENT // _TICK for earlier, later in pairwise(few)):
            self._frequent.add(number)
        return ((moment, number) for moment in chain(few, moments))

    def _moments(self, number: int) -> Iterator[int]:
        part = self._parts[number]
        lag = timedelta(seconds=part.jitter_seconds)
        left = part.left if part.left is not None and part.left <= MOST_WALKED else None
        moment = part.trigger.utc_after(part.after if left is not None else max(part.after, self._since - lag - _TICK))
        if isinstance(part.trigger, Interval) and not part.jitter_seconds and left is None:
            yield from self._grid(part.trigger, moment)
            return
        passed = found = 0
        while moment is not None and (left is None or passed < left):
            due = self._due(part, moment)
            if due >= self._until:
                return
            if found == MOST_OF_A_TASK:
                self._cuts[number] = due
                return
            if due >= self._since:
                found += 1
                yield micros(due)
            passed += 1
            moment = part.trigger.utc_after(moment)

    def _grid(self, trigger: Interval, first: datetime | None) -> Sequence[int]:
        end = self._until if trigger.bounds.until is None else min(self._until, trigger.bounds.until + _TICK)
        return () if first is None else range(micros(first), micros(end), trigger.step * 1_000_000)

    def _due(self, part: Part, moment: datetime) -> datetime:
        return due_at(part.task_id, moment, part.jitter_seconds, part.trigger)

    def _go(self, streams: Sequence[Iterator[tuple[int, int]]]) -> None:
        edges, cell, total = [micros(edge) for edge in self._edges], 0, 0
        end, last = edges[-1], micros(self._since)
        for moment, group in groupby(heapq.merge(*streams), key=itemgetter(0)):
            numbers = tuple(number for _, number in group)
            if total >= MOST_IN_ALL:
                self._cut_at, end = _moment(moment), moment
                break
            total += len(numbers)
            while moment >= edges[cell + 1]:
                cell += 1
            self._cells[cell] += len(numbers)
            self._note(moment, numbers)
            if not self._frequent.issuperset(numbers):
                self._keep(self._slots, (moment - last, -last), MOST_SLOTS)
                last = moment
        self._keep(self._slots, (end - last, -last), MOST_SLOTS)
        self._end_minute()
        self._shortages = self._use.finish(end)

    def _note(self, moment: int, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            self._starts[number] += 1
            self._use.start(number, moment)
        if len(numbers) > 1:
            times, first, _ = self._together.get(numbers, (0, moment, moment))
            self._together[numbers] = times + 1, first, moment
        if moment // _MINUTE != self._minute:
            self._end_minute()
            self._minute = moment // _MINUTE
        self._in_minute += len(numbers)

    def _end_minute(self) -> None:
        self._crowded += self._in_minute > self._workers
        if self._in_minute > 1:
            self._keep(self._busiest, (self._in_minute, -self._minute), MOST_MINUTES)
        self._in_minute = 0

    @staticmethod
    def _keep(heap: list[tuple[int, int]], item: tuple[int, int], most: int) -> None:
        """Keep the largest few."""
        if item[0] > 0:
            heapq.heappush(heap, item)
            if len(heap) > most:
                heapq.heappop(heap)

    def _played(self, number: int, counted: bool) -> Played:
        part = self._parts[number]
        overlaps = self._use.overlaps[number]
        return Played(part.task_id, self._starts[number], part.took, overlaps, counted, self._cuts.get(number))

    def _collisions(self, names: Sequence[str]) -> list[Collision]:
        worst = heapq.nsmallest(
            MOST_TOLD, self._together.items(), key=lambda item: (-len(item[0]), -item[1][0], item[1][1])
        )
        return [
            Collision(tuple(names[number] for number in numbers), times, _moment(first), _moment(last))
            for numbers, (times, first, last) in worst
        ]

    def _why_silent(self, number: int) -> Silent | None:
        part = self._parts[number]
        if self._starts[number]:
            return None
        if part.trigger.kind == "manual":
            return Silent(part.task_id, Why.MANUAL)
        following = part.trigger.utc_after(max(part.after, self._since - _TICK))
        if part.left is not None and part.left <= MOST_WALKED:
            allowed = upcoming(part.trigger, part.after, part.left)
            if not allowed or allowed[-1] < self._since:
                following = None
        if following is None:
            return Silent(part.task_id, Why.ENDED)
        # What would still start in the span was not played to its end.
        due = self._due(part, following)
        return Silent(part.task_id, Why.LATER, due) if due >= self._until else None

    def _touched(self) -> list[Touched]:
        zones: dict[ZoneInfo, list[Part]] = {}
        for part in self._parts:
            zones.setdefault(part.trigger.zone, []).append(part)
        found = [
            one
            for zone, parts in zones.items()
            for change in changes_between(zone, self._since, self._until)
            for part in parts
            if change.at > part.after and (one := touched(part.task_id, part.trigger, change)) is not None
        ]
        return sorted(found, key=lambda one: (one.change.at, one.task_id))

    def _expected(self) -> Expected:
        use, started = self._use, zip(self._parts, self._starts, strict=True)
        stretches = [Stretch(_moment(one.start), _moment(one.end), one.peak) for one in self._shortages]
        unknown = [part.task_id for part, starts in started if starts and part.took is None]
        return Expected(use.peak, _moment(use.peak_at) if use.peak else None, use.short / 1e6, stretches, unknown)


def micros(moment: datetime) -> int:
    """Return a moment as whole microseconds since 1970."""
    return (moment - _EPOCH) // _TICK


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _rhythm(part: Part) -> Rhythm:
    took = None if part.took is None else part.took // _TICK
    return Rhythm(took, part.max_instances, part.queues)
