"""Slow those down who guess: after a few failures each further one costs a wait, which the caller is told of."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scheduler.errors import LimitReached

FREE_FAILURES = 4
LONGEST_SECONDS = 60.0
FORGOTTEN_SECONDS = 900.0
_MOST_KEYS = 10_000

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Record:
    failures: int
    failed_at: float

    @property
    def until(self) -> float:
        over = self.failures - FREE_FAILURES
        return self.failed_at + (min(LONGEST_SECONDS, 2.0 ** min(over - 1, 10)) if over > 0 else 0.0)


class Attempts:
    """Count failures for each address and each name.

    Whoever has logged in from an address before is counted apart there, under name and address together, so that
    somebody else who guesses for the name, or from another address, does not lock them out.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._records: dict[Key, _Record] = {}
        self._proven: dict[Key, None] = {}

    def check(self, address: str, name: str | None = None) -> None:
        """Raise `LimitReached` where the next attempt has to wait."""
        now = self._clock()
        with self._lock:
            wait = max(
                (self._records[key].until - now for key in self._keys(address, name) if key in self._records),
                default=0.0,
            )
        if wait > 0:
            raise LimitReached(
                "Too many failed attempts to log in with this name or from this address. "
                f"The next is looked at in {math.ceil(wait)} s, as Retry-After says; each that fails doubles the wait.",
                retry_after=wait,
            )

    def failed(self, address: str, name: str | None = None) -> None:
        """Count a failure."""
        now = self._clock()
        with self._lock:
            for key in self._keys(address, name):
                before = self._records.pop(key, None)
                counts = before is not None and now - before.failed_at <= FORGOTTEN_SECONDS
                self._records[key] = _Record(before.failures + 1 if before and counts else 1, now)
            _drop_oldest(self._records)

    def succeeded(self, address: str, name: str) -> None:
        """Remember that somebody has proven to be who they say, at this address."""
        pair = _pair(address, name)
        with self._lock:
            self._records.pop(pair, None)
            self._proven.pop(pair, None)
            self._proven[pair] = None
            _drop_oldest(self._proven)

    def _keys(self, address: str, name: str | None) -> list[Key]:
        if name is None:
            return [("token", _network(address))]
        pair = _pair(address, name)
        return [pair] if pair in self._proven else [("address", _network(address)), ("name", name)]


class Tally:
    """Count what became of attempts, for metrics: `password`, `token`, `delayed`, `busy`."""

    KINDS = ("password", "token", "delayed", "busy")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter(dict.fromkeys(self.KINDS, 0))

    def count(self, kind: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[kind] += 1

    def read(self) -> dict[str, int]:
        """Return how many there were of each kind in this process."""
        with self._lock:
            return dict(self._counts)


def _pair(address: str, name: str) -> Key:
    return ("pair", _network(address), name)


def _network(address: str) -> str:
    """Return what one client can choose among: of the new addresses it has 2**64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((int(parsed) >> 64 << 64, 64)))


def _drop_oldest(held: dict[Key, Any]) -> None:
    """Keep what is held bounded, whatever names and addresses come."""
    while len(held) > _MOST_KEYS:
        del held[next(iter(held))]
