"""Tell the parts of one process what happened to its runs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from scheduler.run import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run's process is about to start; its row says `running`."""

    run: Run


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run has ended and its row is on disk."""

    run: Run


Event = RunStarted | RunFinished
Listener = Callable[[Event], None]


class Events:
    """Hand events to whoever subscribed, in the thread that publishes them."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()
        self._lock = Lock()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every event from now on; call what is returned to end that."""
        with self._lock:
            self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            with self._lock:
                self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell all listeners; one that raises is logged and keeps no other from hearing."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                log.exception("a listener failed", extra={"run_id": event.run.run_id})
