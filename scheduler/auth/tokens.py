"""Make named tokens, revoke them, and find the one that a caller shows."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from scheduler.auth.scopes import Caller, Scope, read_scopes, scopes_text
from scheduler.errors import Conflict, InvalidRequest, NotFound, Problem, Unavailable, nearest
from scheduler.store import Connection, Database, tokens
from scheduler.store.tokens import TokenRow

REMEMBERED_SECONDS = 0.5
"""How long a process goes by what it last read: a token that was revoked is refused everywhere after this."""
_PREFIX = "ts"
_SPAN = re.compile(r"(\d{1,6})\s*(m|h|d|w)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class TokenBook:
    """The named tokens of one database.

    What is kept of a token is a plain SHA-256: the secret is 256 random bits, which nobody guesses, so that
    nothing would be gained by making a guess as slow as argon2 makes it for passwords, and each request would pay.
    """

    def __init__(
        self, store: Database, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store, self._now, self._clock = store, now, clock
        self._lock = threading.Lock()
        self._rows: dict[str, TokenRow] = {}
        self._known = False
        self._trouble: str | None = None
        self._looked_at: float | None = None

    # --- for whoever administers ---------------------------------------------------------------

    def add(self, name: str, scopes: frozenset[Scope], lifetime: timedelta | None) -> tuple[str, TokenRow]:
        """Make a token and return it with its row: this is the only time that anybody sees it."""
        now = self._now()
        token_id, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        expires_at = None if lifetime is None else now + lifetime
        values = {"token_id": token_id, "name": name, "digest": _digest(secret), "scopes": scopes_text(scopes)}

        def unit(connection: Connection) -> TokenRow:
            existing = tokens.find_token(connection, name)
            if existing is not None:
                if existing.fault(now) is None:
                    raise Conflict(f"A token {name!r} exists. Revoke it first, or choose another name.")
                tokens.delete_token(connection, existing.token_id)
            tokens.insert_token(connection, values | {"created_at": now, "expires_at": expires_at})
            return TokenRow(**values, created_at=now, expires_at=expires_at, revoked_at=None)

        return f"{_PREFIX}_{token_id}_{secret}", self._store.write(unit)

    def all(self) -> list[TokenRow]:
        """Return all tokens, the revoked and expired ones too."""
        return self._store.read(tokens.all_tokens)

    def revoke(self, name: str) -> bool:
        """Let a token be good for nothing from now on; False where it is already. NotFound names the nearest."""
        now = self._now()

        def unit(connection: Connection) -> bool:
            row = _find(connection, name)
            if row.fault(now) is not None:
                return False
            tokens.revoke_token(connection, row.token_id, now)
            return True

        return self._store.write(unit)

    def forget(self, name: str) -> None:
        """Remove the row of a token that was revoked or has expired; raise `Conflict` where it is still good."""
        now = self._now()

        def unit(connection: Connection) -> None:
            row = _find(connection, name)
            if row.fault(now) is None:
                raise Conflict(f"The token {name!r} is still good. Revoke it first.")
            tokens.delete_token(connection, row.token_id)

        self._store.write(unit)

    # --- for whoever lets callers in -----------------------------------------------------------

    def exist(self) -> bool:
        """Whether any token was ever made and not forgotten.

        The revoked and expired ones count: the end of the last token must not open the door. Where the store
        does not answer, what was last known holds; that no token is let in meanwhile is up to `find`.
        """
        try:
            return bool(self._current())
        except Unavailable:
            if not self._known:
                raise
            return bool(self._rows)

    def find(self, shown: str) -> TokenRow | None:
        """Return the row of the token that a caller shows, be it good or not; None where there is none."""
        prefix, _, rest = shown.partition("_")
        token_id, _, secret = rest.partition("_")
        if prefix != _PREFIX or not secret:
            return None
        row = self._current().get(token_id) or self._current(at_most=0).get(token_id)
        # The id is no secret; what is secret is compared in constant time.
        return row if row is not None and hmac.compare_digest(row.digest, _digest(secret)) else None

    def good(self, name: str) -> TokenRow | None:
        """Return the good token of that name; None where there is none."""
        rows = [row for row in self._current().values() if row.name == name and self.fault(row) is None]
        return rows[0] if rows else None

    def caller(self, row: TokenRow) -> Caller:
        """Return a good token's bearer."""
        return Caller(row.name, "token", read_scopes([row.scopes]))

    def fault(self, row: TokenRow) -> str | None:
        """Say why a token is good for nothing any more, or None where it is."""
        return row.fault(self._now())

    def _current(self, at_most: float = REMEMBERED_SECONDS) -> dict[str, TokenRow]:
        """Return the rows by their ids, read anew where the last look is more than `at_most` seconds ago."""
        asked_at = self._clock()
        with self._lock:
            if self._looked_at is None or asked_at - self._looked_at >= at_most:
                began_at = self._clock()
                self._look()
                self._looked_at = began_at
            if self._trouble is not None:
                raise Unavailable(self._trouble)
            return self._rows

    def _look(self) -> None:
        try:
            self._rows, self._trouble, self._known = {row.token_id: row for row in self.all()}, None, True
        except Unavailable as error:
            # Remembered, too, or every request would wait for a store that does not answer.
            self._trouble = error.message


def read_lifetime(text: str) -> timedelta:
    """Return a span such as 30d; raise `InvalidRequest` where it is none."""
    match = _SPAN.fullmatch(text.strip().lower())
    if match and int(match[1]):
        return timedelta(**{_UNITS[match[2]]: int(match[1])})
    accepted = ["30m", "12h", "30d", "8w"]
    raise InvalidRequest(
        [Problem("expires", f"{text!r} is no span of time: write {', '.join(accepted)}", text, accepted, "30d")]
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _find(connection: Connection, name: str) -> TokenRow:
    row = tokens.find_token(connection, name)
    if row is None:
        guess = nearest(name, [known.name for known in tokens.all_tokens(connection)])
        raise NotFound(f"There is no token {name!r}.{f' Did you mean {guess!r}?' if guess else ''}")
    return row
