"""Check passwords without letting the cost of it be a weapon: few at a time, and not again for a while."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from collections.abc import Callable

from scheduler.auth.passwords import is_right
from scheduler.auth.users import User, Users
from scheduler.errors import LimitReached

AT_ONCE = 2
IN_ALL = 4
"""How many threads may check or wait for it: half of those that serve, so that others are answered meanwhile."""
REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 1000


class PasswordCheck:
    """Check a password against a user's hash, or, for as long, against the decoy where there is no such user.

    A right one is remembered for a minute by an HMAC with a key that this process alone knows, over the
    password and the hash it was right for: a new password or a removed user is noticed at once.
    """

    def __init__(
        self,
        verify: Callable[[str, str], bool] = is_right,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._verify, self._clock = verify, clock
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._good: dict[bytes, float] = {}
        self._places, self._turns = threading.BoundedSemaphore(IN_ALL), threading.BoundedSemaphore(AT_ONCE)

    def passes(self, users: Users, user: User | None, password: str) -> bool:
        """Whether the password is the user's; raise `LimitReached` where too many are being checked."""
        kept = users.decoy if user is None else user.password_hash
        mark = hmac.digest(self._key, f"{kept}\0{password}".encode("utf-8", "surrogateescape"), "sha256")
        if self._is_remembered(mark):
            return user is not None
        if not self._places.acquire(blocking=False):
            raise LimitReached("Many passwords are being checked at this moment: try again in a second.", retry_after=1)
        try:
            with self._turns:
                # Whoever waited here may have waited for the same password.
                right = self._is_remembered(mark) or self._verify(kept, password)
                passes = right and user is not None
                if passes:
                    self._remember(mark)  # before the next has its turn
        finally:
            self._places.release()
        return passes

    def _is_remembered(self, mark: bytes) -> bool:
        with self._lock:
            return self._good.get(mark, float("-inf")) > self._clock()

    def _remember(self, mark: bytes) -> None:
        now = self._clock()
        with self._lock:
            self._good.pop(mark, None)
            self._good[mark] = now + REMEMBERED_SECONDS
            while len(self._good) > _MOST_REMEMBERED or next(iter(self._good.values())) <= now:
                del self._good[next(iter(self._good))]
