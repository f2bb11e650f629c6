"""Keep the newest events at hand for the readers that keep up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from scheduler.feed.told import Told

SIZE = 4096


class Window:
    """The newest events in a row, numbered as they came.

    Every event of the ledger above `floor`, up to `last`, is among them.
    """

    def __init__(self, last: int, size: int = SIZE) -> None:
        self._told: deque[Told] = deque()
        self._size, self._first = size, 0
        self.floor = self.last = last

    @property
    def end(self) -> int:
        """The number that the next event will have."""
        return self._first + len(self._told)

    def add(self, new: Iterable[Told]) -> None:
        """Put events at the end; the first ones go where there are too many."""
        for told in new:
            self._told.append(told)
            self.last = told.id or self.last
        while len(self._told) > self._size:
            self.floor = self._told.popleft().id or self.floor
            self._first += 1

    def since(self, number: int) -> list[Told] | None:
        """Return the events from that number on; None where the first of them are gone."""
        if number < self._first:
            return None
        new: list[Told] = []
        for told in reversed(self._told):
            if len(new) == self.end - number:
                break
            new.append(told)
        return new[::-1]

    def number_after(self, event_id: int) -> int | None:
        """Return from which number on all is later than an event; None where some of that is not here."""
        if event_id < self.floor:
            return None
        number = self.end
        for told in reversed(self._told):
            if told.id is not None and told.id <= event_id:
                break
            number -= 1
        return number
