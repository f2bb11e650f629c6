"""Keep a reader's place among the events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from scheduler.feed.told import EventFilter, Told, gap, of_ledger
from scheduler.store.events import EventKind, LedgerEvent


class Source(Protocol):
    """What a reader is fed from."""

    @property
    def is_closed(self) -> bool:
        """Whether nothing comes any more."""

    def since(self, number: int) -> tuple[list[Told], int | None]:
        """Return what is at hand from a number on, and the number to go on from; None where some of it is gone."""

    def number_after(self, event_id: int, nothing_else: bool) -> int | None:
        """Return the number to go on from after an event; None where that is not at hand."""

    def page(self, last: int) -> tuple[int, int, list[LedgerEvent]]:
        """Return the newest id, up to which id events are no longer kept, and the first events after `last`."""

    def forget(self, follower: Follower) -> None:
        """Feed this reader no more."""


class Follower:
    """A reader's place. For one thread at a time, but for `on_news`.

    A reader who is slow keeps nobody waiting and fills no memory: it falls behind what is at hand, and
    goes on from the ledger.
    """

    def __init__(self, source: Source, which: EventFilter, last: int, number: int | None) -> None:
        self._source, self._which, self._number = source, which, number
        self.last = last
        """The id of the last event that this reader has been told of, or did not want."""
        self.tell: Callable[[], None] = lambda: None

    @property
    def wants_output(self) -> bool:
        """Whether this reader is told what runs print."""
        return EventKind.RUN_OUTPUT in self._which.kinds

    @property
    def is_behind(self) -> bool:
        """Whether what comes next has to be read from the ledger."""
        return self._number is None

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more, since the service ends."""
        return self._source.is_closed

    def on_news(self, tell: Callable[[], None]) -> None:
        """Call `tell` whenever there may be more, from another thread; it must neither raise nor wait."""
        self.tell = tell

    def take(self) -> list[Told]:
        """Return what is new and wanted, without waiting; nothing where this reader is behind."""
        if self._number is None:
            return []
        found, self._number = self._source.since(self._number)
        # What was read from the ledger may be at hand only now.
        new = [told for told in found if told.id is None or told.id > self.last]
        self.last = max([self.last, *(told.id for told in new if told.id is not None)])
        return [told for told in new if self._which.wants(told)]

    def catch_up(self) -> list[Told]:
        """Return what comes next from the ledger, which may take a moment; raise `Unavailable`.

        An id that no event has had yet is of another database, or of one that a backup has replaced.
        """
        newest, trimmed, page = self._source.page(self.last)
        told = [of_ledger(event) for event in page]
        if not trimmed <= self.last <= newest:
            goes_on = trimmed if self.last < trimmed else newest
            told.insert(0, gap(self.last, goes_on))
            self.last = goes_on
        self.last = max([self.last, *(event.id for event in page)])
        self._number = self._source.number_after(self.last, nothing_else=not page)
        return [event for event in told if self._which.wants(event)]

    def close(self) -> None:
        """Listen no more."""
        self._source.forget(self)
