"""REST beside the action endpoint: creates in turns on one server, and lists of 10,000 tasks."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

from benchmarks import client, ours
from benchmarks.measure import MILLI, durations, folder, in_child, median
from benchmarks.table import Row
from tests.server import Server

CALLERS = 8


def rows(quick: bool) -> list[Row]:
    """Measure."""
    span, rounds = (0.4, 2) if quick else (1.0, 5)
    return [*_creates(span, rounds), *_lists(5 if quick else 20)]


def _creates(span: float, rounds: int) -> list[Row]:
    figures: dict[str, list[float]] = {}
    with folder() as place:
        server = Server(place).start()
        try:
            server.ok("start")
            for turn in range(rounds):
                for callers in (1, CALLERS):
                    for name, function, path in (
                        ("rest", creates, "/api/tasks"),
                        ("action", client.creates, "/schedule"),
                    ):
                        taken = in_child(function, server.port, path, callers, span, f"{name}-{turn}-{callers}")
                        figures.setdefault(f"{name} {callers}", []).append(len(taken) / span)
        finally:
            server.stop()
    each = {name: median(values) for name, values in figures.items()}
    return [
        Row(
            f"REST creates through HTTP, {callers} client{'s' * (callers > 1)}",
            each[f"rest {callers}"],
            "/s",
            [("action 'create'", each[f"action {callers}"])],
            "0.9 of it",
        )
        for callers in (1, CALLERS)
    ]


def _lists(times: int) -> list[Row]:
    with folder() as place:
        in_child(ours.fill, place, 10_000)
        server = Server(place).start()
        try:
            found = {limit: in_child(asks, server.port, f"/api/tasks?limit={limit}", times) for limit in (100, 10_000)}
        finally:
            server.stop()
    return [
        Row("REST list, 100 of 10,000 tasks, p50", median(found[100]) * MILLI, "ms", aim="15 ms"),
        Row("REST list, all of 10,000 tasks, p50", median(found[10_000]) * MILLI, "ms", aim="250 ms"),
    ]


class Caller:
    """One connection that stays open."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        """Send a request, which must succeed, and read its answer."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, path, text, client.HEADERS if text else {})
        answer = self._connection.getresponse()
        told = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {told[:500]!r}")


def creates(port: int, path: str, callers: int, span: float, name: str) -> list[float]:
    """Create tasks for so many seconds; return how long each took."""
    local = threading.local()

    def create(number: int) -> None:
        if not hasattr(local, "caller"):
            local.caller = Caller(port)
        body = client.create(f"{name}-{number}", "every 5 hours")
        local.caller.ask("POST", path, {field: value for field, value in body.items() if field != "action"})

    return durations(create, callers, span)


def asks(port: int, path: str, times: int) -> list[float]:
    """Ask so often for the same; return how long each took."""
    caller, taken = Caller(port), []
    for _ in range(times):
        begun = time.perf_counter()
        caller.ask("GET", path)
        taken.append(time.perf_counter() - begun)
    return taken
