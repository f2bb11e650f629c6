"""Follow the ledger of events for all readers of this process: one thread looks, all are told."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from scheduler.errors import LimitReached, Unavailable
from scheduler.feed.follower import Follower
from scheduler.feed.output_watch import OutputWatch, Piece
from scheduler.feed.told import EventFilter, Told, of_ledger, of_output
from scheduler.feed.window import Window
from scheduler.models import utc_now
from scheduler.store import Connection, Database, events, state, underway
from scheduler.store.events import EventKind, LedgerEvent

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.05
OUTPUT_SECONDS = 0.25
REST_SECONDS = 0.005
PAGE = 500


class Feed:
    """Looks at the ledger for all readers at once while there are any, and sleeps otherwise.

    What this process commits is noticed at once, what others do within LOOK_AGAIN_SECONDS.
    """

    def __init__(
        self, store: Database, log_dir: Path, most_readers: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._store, self._log_dir, self._most, self._now = store, log_dir, most_readers, now
        self._changed = threading.Condition()
        self._followers: set[Follower] = set()
        self._window = Window(0)
        self._output: tuple[Window, OutputWatch] | None = None
        self._watches = threading.Event()
        """Set while the output of all runs under way is watched."""
        self._output_seen = 0.0
        self._committed = False
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        store.on_commit(self._hear)

    @property
    def is_closed(self) -> bool:
        """Whether nothing comes any more."""
        return self._closing.is_set()

    @property
    def readers(self) -> int:
        """How many listen."""
        return len(self._followers)

    def follow(self, which: EventFilter, last: int | None = None) -> Follower:
        """Return the place of a new reader: behind the event `last`, or behind all that there are.

        One who wants output misses nothing that is printed from the return on, unless the store does not answer now.
        Raise `LimitReached` where there are too many, `Unavailable` where the service ends.
        """
        newest = self._store.read(events.newest)
        with self._changed:
            self._admit()
            if not self._followers:
                self._window = Window(newest)
                self._watches.clear()
            start = newest if last is None else last
            follower = Follower(self, which, start, self._window.number_after(newest) if last is None else None)
            self._followers.add(follower)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="event-feed", daemon=True)
                self._thread.start()
            self._committed = True  # so that a look comes at once
            self._changed.notify()
        if follower.wants_output:
            self._watches.wait(OUTPUT_SECONDS)  # no longer than output takes anyhow
        return follower

    def forget(self, follower: Follower) -> None:
        """Feed a reader no more."""
        with self._changed:
            self._followers.discard(follower)

    def close(self) -> None:
        """Tell all who listen that it is over."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        self._tell_all()

    def since(self, number: int) -> tuple[list[Told], int | None]:
        """Return what is at hand from a number on, and the number to go on from; None where some of it is gone."""
        with self._changed:
            found = self._window.since(number)
            return ([], None) if found is None else (found, self._window.end)

    def number_after(self, event_id: int, nothing_else: bool) -> int | None:
        """Return the number to go on from after an event; None where that is not at hand.

        `nothing_else`: the ledger has no later one, so whatever is at hand comes next.
        """
        with self._changed:
            number = self._window.number_after(event_id)
            return self._window.number_after(self._window.floor) if number is None and nothing_else else number

    def page(self, last: int) -> tuple[int, int, list[LedgerEvent]]:
        """Return the newest id, up to which id events are no longer kept, and the first events after `last`."""

        def unit(connection: Connection) -> tuple[int, int, list[LedgerEvent]]:
            found = events.after(connection, last, PAGE)
            return events.newest(connection), state.events_trimmed(connection), found

        return self._store.read(unit)

    def _admit(self) -> None:
        if self.is_closed:
            raise Unavailable("The service is being stopped.", code="shutting_down")
        if len(self._followers) >= self._most:
            raise LimitReached(
                f"{self._most} readers follow events or runs in this process, which is the limit "
                "(SCHEDULER_MAX_READERS): close some, or try later",
                code="too_many_readers",
                retry_after=5,
            )

    def _hear(self) -> None:
        if self._followers:
            with self._changed:
                self._committed = True
                self._changed.notify()

    def _tell_all(self) -> None:
        with self._changed:
            # Readers that are told in the same way are told by one call.
            ways = {follower.tell for follower in self._followers}
        for tell in ways:
            tell()

    def _run(self) -> None:
        while not self.is_closed:
            with self._changed:
                if not (self._committed or self.is_closed):
                    self._changed.wait(LOOK_AGAIN_SECONDS if self._followers else None)
                self._committed = False
                listening = bool(self._followers)
            try:
                if listening:
                    self._look()
            except Unavailable as error:
                log.debug("events wait for the store: %s", error)
            except Exception:
                log.exception("events could not be read; it is tried again")
            # Many commits share a look.
            self._closing.wait(REST_SECONDS)

    def _look(self) -> None:
        """Tell all that is new since the last look."""
        window = self._window
        found = self._store.read(lambda connection: events.after(connection, window.last, PAGE))
        output = self._output_watch(window)
        new = [of_ledger(event) for event in found] if output is None else self._with_output(output, found)
        if new:
            with self._changed:
                window.add(new)
                self._committed |= len(found) == PAGE
            self._tell_all()

    def _output_watch(self, window: Window) -> OutputWatch | None:
        """Return what watches the output of runs, begun anew with each window; None where nobody wants it."""
        with self._changed:
            wanted = any(follower.wants_output for follower in self._followers)
            if not wanted:
                self._output = None
                self._watches.clear()
                return None
        if self._output is None or self._output[0] is not window:
            watch = OutputWatch(self._log_dir)
            for run in self._store.read(underway.active_runs):
                watch.join(run.task_id, run.run_id)
            self._output = window, watch
        with self._changed:
            if window is self._window:
                self._watches.set()
        return self._output[1]

    def _with_output(self, output: OutputWatch, found: Iterable[LedgerEvent]) -> list[Told]:
        """Return the events with what runs have printed: before the end of a run comes all that it has."""
        new: list[Told] = []
        for event in found:
            if event.kind is EventKind.RUN_STARTED and event.run_id and event.task_id:
                output.begin(event.task_id, event.run_id)
            elif event.kind is EventKind.RUN_FINISHED and event.run_id:
                new += map(self._told, output.end(event.run_id))
            new.append(of_ledger(event))
        if time.monotonic() - self._output_seen >= OUTPUT_SECONDS:
            self._output_seen = time.monotonic()
            new += map(self._told, output.look())
        return new

    def _told(self, piece: Piece) -> Told:
        return of_output(piece.task_id, piece.run_id, self._now(), piece.data)
