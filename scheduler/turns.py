"""Take steps one after the other, each in a thread: whoever waits for one may give up, and it is taken all the same."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait


class Turns:
    """Steps that must not meet. They belong to no event loop, so that they outlive the one that they were asked from.

    The program's end waits for them.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._asking = threading.Lock()
        self._last: Future[None] | None = None

    def take(self, step: Callable[[], None]) -> Future[None]:
        """Take a step after all that were asked for before; the future, which cannot be cancelled, says how it went."""
        taken: Future[None] = Future()
        taken.set_running_or_notify_cancel()
        with self._asking:
            threading.Thread(target=_take, args=(self._last, step, taken), name=self._name).start()
            self._last = taken
        return taken


def _take(before: Future[None] | None, step: Callable[[], None], taken: Future[None]) -> None:
    if before is not None:
        wait([before])
    try:
        step()
    except BaseException as error:  # whoever waits for it is given it
        taken.set_exception(error)
    else:
        taken.set_result(None)
