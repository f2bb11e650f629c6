"""Make run ids that sort by the time they were made."""

from __future__ import annotations

import os
import threading
from datetime import datetime
from uuid import UUID

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RANDOM_BITS = 80


class RunIds:
    """Make ULIDs in lower case: 48 bits of milliseconds, 80 random bits, as 26 characters of Crockford's base 32.

    Two ids of one process never sort against the order they were made in: within a millisecond,
    and when the clock is set back, the last id counts on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def make(self, now: datetime) -> str:
        """Return a new id for the moment `now`."""
        fresh = (int(now.timestamp() * 1000) << _RANDOM_BITS) | int.from_bytes(os.urandom(10), "big")
        with self._lock:
            self._last = number = max(fresh, self._last + 1)
        return _text(number)


new_run_id = RunIds().make


def first_run_id(moment: datetime) -> str:
    """Return the lowest id that a run made at `moment` could have: all made before sort below it.

    No run was made before 1970, and no id tells of that time.
    """
    return _text(max(0, int(moment.timestamp() * 1000)) << _RANDOM_BITS)


def _text(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def as_uuid(run_id: str) -> str:
    """Return the 128 bits of an id in the form of a UUID, for those who take nothing else."""
    number = 0
    for letter in run_id:
        number = number << 5 | _ALPHABET.index(letter)
    return str(UUID(int=number))
