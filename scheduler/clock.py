"""Notice what is due: jobs of the `schedule` library on an asyncio loop in one background thread.

This is the only door to `schedule`. Its classes and words are used, its arithmetic is not: a heap
stands for its scan of all jobs, and the job's trigger for its reckoning of the next run.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import schedule

from scheduler.alarm import Alarm, make_alarm
from scheduler.jumps import Jump, JumpWatch
from scheduler.models import utc_now
from scheduler.store.planning import Key, Plan

log = logging.getLogger(__name__)

LOOK_AGAIN = timedelta(seconds=1)
MOST_AT_ONCE = 32
"""How many fire times are handed over together: the first of many that are due waits for the rows of so many."""
_NEVER = datetime.max.replace(tzinfo=UTC)
_NO_TAGS: Any = frozenset()

OnDue = Callable[[Sequence[Plan]], None]
AlarmMaker = Callable[[asyncio.AbstractEventLoop, Callable[[], None], Callable[[], datetime]], Alarm]


class Entry(schedule.Job):
    """A job, or a run to be retried, as the clock knows it: a key and the moment it is due.

    `next_run` is aware, in UTC.
    """

    next_run: datetime
    scheduler: HeapScheduler

    def __init__(self, key: Key, next_run: datetime, scheduler: HeapScheduler) -> None:
        super().__init__(1, scheduler)
        self.key = key
        self.next_run = next_run
        # The library gives each job a set of its own, half of what an entry weighs.
        self.tags = _NO_TAGS

    @property
    def should_run(self) -> bool:
        """Whether it is due."""
        return self.scheduler.now() >= self.next_run

    def run(self) -> Any:
        """Hand the fire time over; the entry is planned anew once that is in the ledger."""
        self.last_run = self.next_run
        self.scheduler.hand_over(Plan(self.key, self.next_run))
        return schedule.CancelJob


class HeapScheduler(schedule.Scheduler):
    """A `schedule.Scheduler` that knows which job is next without looking at the others."""

    def __init__(self, now: Callable[[], datetime], hand_over: Callable[[Plan], None]) -> None:
        self.now, self.hand_over = now, hand_over
        self._entries: dict[Key, Entry] = {}
        self._order = itertools.count()
        self._heap: list[tuple[datetime, int, Key]] = []

    @property
    def jobs(self) -> list[schedule.Job]:  # type: ignore[override]
        """All entries, in no order."""
        return list(self._entries.values())

    def plan(self, key: Key, moment: datetime) -> None:
        """Let a job be due at `moment` instead of whenever it was."""
        self._entries[key] = Entry(key, moment, self)
        heapq.heappush(self._heap, (moment, next(self._order), key))

    def plan_many(self, plans: Iterable[tuple[Key, datetime]]) -> None:
        """Plan many jobs at the cost of one pass."""
        for key, moment in plans:
            self._entries[key] = Entry(key, moment, self)
            self._heap.append((moment, next(self._order), key))
        heapq.heapify(self._heap)

    def forget(self, key: Key) -> None:
        """Forget a job; its place in the heap is cleared when it comes up."""
        self._entries.pop(key, None)
        if len(self._heap) > 1000 + 2 * len(self._entries):
            self._heap = [(entry.next_run, next(self._order), key) for key, entry in self._entries.items()]
            heapq.heapify(self._heap)

    def cancel_job(self, job: schedule.Job) -> None:
        """Forget an entry, unless it was planned anew meanwhile."""
        if isinstance(job, Entry) and self._entries.get(job.key) is job:
            self.forget(job.key)

    def clear(self, tag: Any = None) -> None:
        """Forget all entries."""
        self._entries.clear()
        self._heap.clear()

    def run_pending(self) -> None:
        """Run what is due, the longest due first, at most MOST_AT_ONCE of them."""
        now = self.now()
        for _ in range(MOST_AT_ONCE):
            entry = self._top()
            if entry is None or entry.next_run > now:
                return
            heapq.heappop(self._heap)
            self._run_job(entry)

    def get_next_run(self, tag: Any = None) -> datetime | None:
        """Return when the next entry is due, or None without any."""
        entry = self._top()
        return None if entry is None else entry.next_run

    next_run = property(get_next_run)

    def _top(self) -> Entry | None:
        while self._heap:
            moment, _, key = self._heap[0]
            entry = self._entries.get(key)
            if entry is not None and entry.next_run == moment:
                return entry
            heapq.heappop(self._heap)
        return None


class Clock:
    """The thread that waits for fire times. `on_due` is called in it and must neither raise nor wait.

    All methods may be called from any thread. The clock outlives whatever `on_due` does: an error
    is logged, and the fire times it concerned come again a second later.
    """

    def __init__(self, on_due: OnDue, now: Callable[[], datetime] = utc_now, make: AlarmMaker = make_alarm) -> None:
        self._on_due, self._now, self._make = on_due, now, make
        self._due: list[Plan] = []
        self._scheduler = HeapScheduler(now, self._due.append)
        self._loop = asyncio.new_event_loop()
        self._alarm: Alarm | None = None
        self._jumps = JumpWatch(now)
        self.next_run: datetime | None = None
        """When the first of its entries is due, as of its last look."""
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)
        self._started = threading.Event()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()
        self._started.wait()

    @property
    def alive(self) -> bool:
        """Whether the thread is there to notice anything."""
        return self._thread.is_alive()

    @property
    def kind(self) -> str:
        """What wakes it: `timerfd`, or the coarser `loop timer`."""
        return self._alarm.kind if self._alarm is not None else "none"

    @property
    def last_jump(self) -> Jump | None:
        """When time last did not pass as it should, as far as this clock saw."""
        return self._jumps.last

    def __len__(self) -> int:
        return len(self._scheduler._entries)

    def plan(self, plans: Sequence[Plan]) -> None:
        """Plan each job for its next fire time; forget those without one."""
        self._call(self._plan, plans)

    def load(self, plans: Sequence[Plan]) -> None:
        """Forget all, then plan these."""
        self._call(self._load, plans)

    def clear(self) -> None:
        """Forget all."""
        self._call(self._load, ())

    def look(self) -> None:
        """Read the wall clock now, for tests that own the time."""
        self._call(self._look)

    def close(self) -> None:
        """End the thread; what is being handed over is finished first."""
        if self._thread.is_alive():
            self._call(self._loop.stop)
            self._thread.join()
        elif not self._loop.is_closed():
            self._loop.close()

    def _call(self, function: Callable[..., object], *args: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(self._guarded, function, *args)
        except RuntimeError:
            # A write that was under way has ended behind this clock: whoever fires next plans by what is stored.
            if not self._loop.is_closed():
                raise

    def _guarded(self, function: Callable[..., object], *args: Any) -> None:
        try:
            function(*args)
        except Exception:
            log.exception("the clock goes on after an error")

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._alarm = self._make(self._loop, self._look, self._now)
        self._loop.call_soon(self._look)
        self._started.set()
        self._loop.run_forever()
        self._alarm.close()
        self._loop.close()

    def _plan(self, plans: Sequence[Plan]) -> None:
        for key, moment in plans:
            if moment is None:
                self._scheduler.forget(key)
            else:
                self._scheduler.plan(key, moment)
        self._look()

    def _load(self, plans: Sequence[Plan]) -> None:
        self._scheduler.clear()
        self._scheduler.plan_many((key, moment) for key, moment in plans if moment is not None)
        self._look()

    def _look(self) -> None:
        """Hand over what is due and set the alarm for what comes next, but for no longer than LOOK_AGAIN."""
        try:
            self._jumps.look()
            self._scheduler.run_pending()
            if self._due:
                self._hand_over()
        finally:
            self._set_alarm()

    def _hand_over(self) -> None:
        due, self._due[:] = self._due[:], []
        try:
            self._on_due(due)
        except Exception:
            log.exception("fire times could not be handed over; they come again in a second")
            self.plan_again(due)

    def plan_again(self, plans: Sequence[Plan]) -> None:
        """Bring fire times that could not be recorded up again after LOOK_AGAIN."""
        self._call(self._loop.call_later, LOOK_AGAIN.total_seconds(), self._guarded, self._plan, plans)

    def _set_alarm(self) -> None:
        assert self._alarm is not None
        self.next_run = self._scheduler.get_next_run()
        self._alarm.set(min(self.next_run or _NEVER, self._now() + LOOK_AGAIN))
