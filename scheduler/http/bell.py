"""Wake all streams of a loop at once."""

from __future__ import annotations

import asyncio


class Bell:
    """What streams on one loop wait by. Made and waited by on the loop, rung from any thread.

    One ring is one message to the loop, however many wait: a message each costs a turn of the interpreter each, so
    that the first of a hundred readers delays the others.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: set[asyncio.Event] = set()

    def add(self) -> asyncio.Event:
        """Return what is set with each ring."""
        news = asyncio.Event()
        self._waiting.add(news)
        return news

    def remove(self, news: asyncio.Event) -> None:
        """Let a stream go."""
        self._waiting.discard(news)

    def ring(self) -> None:
        """Wake all who wait."""
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for news in self._waiting:
            news.set()
