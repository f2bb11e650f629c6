"""Remember which browsers have signed in, so that any process on the database knows, and forgets them at once."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal, cast

from scheduler.auth.scopes import Caller
from scheduler.store import Connection, Database, sessions
from scheduler.store.sessions import SessionRow

LIFETIME = timedelta(days=7)
Kind = Literal["operator", "user", "token"]


class SessionBook:
    """The sessions of one database.

    A session is a secret that a browser's cookie holds. Kept of it are its digest, who signed in, and an HMAC by the
    secret over what they have shown: their password's hash, or the token. Where that is another one by now, or
    gone, the session is over, and from what is kept nobody can make a cookie or try words against a token.
    """

    def __init__(self, store: Database, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def begin(self, caller: Caller, shown: bytes) -> str:
        """Keep a session of somebody who has shown that, and return its secret; those that are over go."""
        secret, now = new_secret(), self._now()
        row = SessionRow(_digest(secret), caller.kind, caller.name, _proof(secret, shown), now, now + LIFETIME)

        def unit(connection: Connection) -> None:
            sessions.delete_expired(connection, now)
            sessions.insert_session(connection, row)

        self._store.write(unit)
        return secret

    def resume(self, secret: str, known: Callable[[Kind, str | None], tuple[Caller, bytes] | None]) -> Caller | None:
        """Return who has the session of that secret, by what `known` tells of them now; None where it is over."""
        row = self._store.read(lambda connection: sessions.find_session(connection, _digest(secret)))
        if row is None or row.expires_at <= self._now():
            return None
        found = known(cast(Kind, row.kind), row.name)
        if found is None or not hmac.compare_digest(row.proof, _proof(secret, found[1])):
            return None
        return found[0]

    def end(self, secret: str) -> None:
        """Let a session be over."""
        self._store.write(lambda connection: sessions.delete_session(connection, _digest(secret)))


def new_secret() -> str:
    """Return a secret that nobody guesses."""
    return secrets.token_urlsafe(32)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def _proof(secret: str, shown: bytes) -> str:
    return hmac.digest(secret.encode("utf-8", "surrogateescape"), b"shown\0" + shown, "sha256").hex()
