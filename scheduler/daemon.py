"""Stay until the program is told to end: SIGINT or SIGTERM, or a word from another thread."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def told_by_signals(ended: threading.Event) -> Iterator[None]:
    """Set `ended` on a signal instead of what the program does then; outside the main thread there are no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hear(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was not set from Python, and so cannot be put back from there.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
