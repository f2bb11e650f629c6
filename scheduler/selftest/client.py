"""Ask the server for things, as often as it takes to get an answer, and remember what was asked and answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from datetime import datetime
from typing import Any

from scheduler.models import utc_now
from scheduler.selftest.record import Outcome, Request, Span

ANSWER_SECONDS = 60.0
"""Longer than anything that is done to the server: an answer that does not come by then never does."""
_PAUSE_SECONDS = 0.1
_ONLY_ONCE = {"run_now"}
"""Actions that do something again when they are asked for again."""


class NotSent(Exception):
    """Nobody listens: the request cannot have had an effect."""


class Unanswered(Exception):
    """The connection ended without an answer: whether there was an effect is not known."""


def post(port: int, body: dict[str, Any], seconds: float = ANSWER_SECONDS) -> tuple[int, dict[str, Any]]:
    """Send one request on a connection of its own; raise `NotSent` or `Unanswered`."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
    try:
        try:
            connection.connect()
        except OSError as error:
            raise NotSent(str(error)) from error
        try:
            headers = {"Content-Type": "application/json", "Connection": "close"}
            connection.request("POST", "/schedule", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, dict(json.loads(response.read()))
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


class Client:
    """Many threads may ask at once. Who gives up waiting is `ended`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.requests: list[Request] = []
        self.ended = threading.Event()

    def do(self, action: str, task_id: str | None = None, **fields: Any) -> Request:
        """Ask until there is an answer; what must not be asked for twice is asked once where the answer got lost."""
        body = {"action": action, **({} if task_id is None else {"task_id": task_id}), **fields}
        request = _Asking(action, task_id, fields).ask(self, body)
        self.requests.append(request)
        return request


class _Asking:
    """One request under way."""

    def __init__(self, action: str, task_id: str | None, fields: dict[str, Any]) -> None:
        self._action, self._task_id, self._fields = action, task_id, fields
        self._first: datetime | None = None
        self._doubtful = self._refused = False
        self._faults: list[str] = []

    def ask(self, client: Client, body: dict[str, Any]) -> Request:
        while not client.ended.is_set():
            sent_at = utc_now()
            try:
                number, answer = post(client.port, body)
            except NotSent:
                time.sleep(_PAUSE_SECONDS)
                continue
            except Unanswered as error:
                self._first, self._doubtful = self._first or sent_at, True
                if self._action in _ONLY_ONCE:
                    return self._ended("unanswered", {"message": str(error)})
                time.sleep(_PAUSE_SECONDS)
                continue
            self._first = self._first or sent_at
            if number in (500, 503):
                self._note(number, answer)
                time.sleep(_PAUSE_SECONDS)
                continue
            return self._judged(number, answer)
        self._first = self._first or utc_now()
        return self._ended("unanswered", {"message": "the round ended first"})

    def _note(self, number: int, answer: dict[str, Any]) -> None:
        self._refused = True
        # Where the connection to the store broke in a commit nobody can know, and the answer says so.
        self._doubtful |= "not known whether" in str(answer.get("message"))
        if number == 500:
            self._faults.append(f"internal error {answer.get('error_id')}: see the server's log")

    def _judged(self, number: int, answer: dict[str, Any]) -> Request:
        """Say what the answer means, knowing which tries came before."""
        was_there = answer.get("status") == "info" or (number == 404 and self._action == "remove")
        if was_there and self._refused and not self._doubtful and self._action != "cancel":
            self._faults.append("it was refused as if nothing had changed, and carried out all the same")
        done = number == 200 or (was_there and self._doubtful)
        return self._ended("done" if done else "refused", answer)

    def _ended(self, outcome: Outcome, answer: dict[str, Any]) -> Request:
        assert self._first is not None
        when = Span(self._first, utc_now())
        return Request(self._action, self._task_id, self._fields, when, outcome, answer, tuple(self._faults))
