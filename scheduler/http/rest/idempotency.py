"""Do once what is asked twice: a POST that carries an Idempotency-Key is answered again as it was answered first."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime

from scheduler.errors import Conflict, InvalidRequest, Problem, shorten
from scheduler.http.actions import KEY_HEADER
from scheduler.http.answers import error_body
from scheduler.http.auth import current
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.store import Connection, keys
from scheduler.store.keys import KEPT_FOR, KeptAnswer

MOST = 255
_GOES_ON = (
    f"The request that came with this {KEY_HEADER} first is under way, or broke off before it was answered: "
    "what it did is not known. Ask again in a moment, or send a new key to do it again."
)


class AnsweredBefore(Exception):
    """The request was carried out before; raised to leave its transaction without doing it again."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a request, and what the request says: the same key with another request is a mistake.

    Keys of two callers have nothing to do with one another.
    """

    text: str
    owner: str
    fingerprint: str
    now: datetime

    @property
    def _sum(self) -> str:
        return hashlib.sha256(f"{self.owner}\n{self.text}".encode()).hexdigest()

    def check(self, connection: Connection) -> None:
        """Raise `AnsweredBefore` where the key was used for this request, `Conflict` where for another."""
        kept = keys.find(connection, self._sum, self.now - KEPT_FOR)
        if kept is None:
            return
        if kept.fingerprint != self.fingerprint:
            raise Conflict(
                f"The {KEY_HEADER} '{shorten(self.text, 60)}' was sent with another request in the last 24 hours: "
                "send a new key with a new request, and the same one only to repeat a request as it was.",
                code="idempotency_conflict",
            )
        raise AnsweredBefore(Answer.from_plain(kept.answer))

    def reserve(self, connection: Connection) -> None:
        """Raise what `check` raises; else take the key for what is done outside of a transaction.

        Until `keep` has its answer, or `forget` gives the key back, whoever repeats the request is told to wait.
        """
        self.check(connection)
        self.keep(connection, Answer(409, error_body(Conflict(_GOES_ON, code="idempotency_conflict"))))

    def forget(self, connection: Connection) -> None:
        """Give the key back: nothing was done."""
        keys.remove(connection, self._sum)

    def keep(self, connection: Connection, answer: Answer) -> None:
        """Remember what is answered."""
        keys.add(connection, self._sum, KeptAnswer(self.fingerprint, answer.plain()), self.now)


def read_key(call: Call) -> Key | None:
    """Return the key of a call, or None where it has none; raise `InvalidRequest` where it is no key."""
    text = call.request.headers.get(KEY_HEADER)
    if text is None:
        return None
    if not (1 <= len(text) <= MOST and text.isascii() and text.isprintable()):
        raise InvalidRequest(
            [
                Problem(
                    KEY_HEADER,
                    f"'{KEY_HEADER}' must be 1 to {MOST} printable ASCII characters, such as a UUID",
                    shorten(text),
                    [f"1 to {MOST} printable ASCII characters"],
                )
            ]
        )
    said = [call.route.endpoint, dict(call.ids), dict(call.fields)]
    fingerprint = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
    caller = current()
    return Key(text, f"{caller.kind} {caller.name}", fingerprint, call.scheduler.now())
