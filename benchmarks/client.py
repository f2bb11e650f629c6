"""Be the clients of a server, with connections that stay open."""

from __future__ import annotations

import http.client
import json
import threading
import time
from typing import Any

from benchmarks.measure import durations

HEADERS = {"Content-Type": "application/json"}


class Client:
    """One connection to a server of this machine."""

    def __init__(self, port: int, path: str) -> None:
        self._path = path
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def post(self, body: dict[str, Any]) -> bytes:
        """Send JSON and return the answer, which must be a good one."""
        self._connection.request("POST", self._path, json.dumps(body), HEADERS)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {text[:500]!r}")
        return text

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Clients:
    """A connection for each thread."""

    def __init__(self, port: int, path: str) -> None:
        self._port, self._path = port, path
        self._local = threading.local()

    def post(self, body: dict[str, Any]) -> bytes:
        """Send JSON over this thread's connection."""
        if not hasattr(self._local, "client"):
            self._local.client = Client(self._port, self._path)
        answer: bytes = self._local.client.post(body)
        return answer


def create(task_id: str, interval: str, line: str = "/bin/true") -> dict[str, Any]:
    """Return the request that creates a task."""
    return {"action": "create", "task_id": task_id, "type": "command", "command": line, "interval": interval}


def creates(port: int, path: str, callers: int, span: float, name: str) -> list[float]:
    """Create tasks for so many seconds; return how long each took."""
    clients = Clients(port, path)
    return durations(lambda number: clients.post(create(f"{name}-{number}", "every 5 hours")), callers, span)


def asks(port: int, path: str, callers: int, span: float, body: dict[str, Any]) -> list[float]:
    """Send the same for so many seconds; return how long each took."""
    clients = Clients(port, path)
    return durations(lambda _: clients.post(body), callers, span)


def paced(port: int, path: str, rate: float, span: float, name: str) -> list[float]:
    """Create so many tasks a second, no more; return how long each took."""
    client = Client(port, path)
    taken: list[float] = []
    begun = time.perf_counter()
    for number in range(int(rate * span)):
        time.sleep(max(0.0, begun + number / rate - time.perf_counter()))
        before = time.perf_counter()
        client.post(create(f"{name}-{number}", "every 5 hours"))
        taken.append(time.perf_counter() - before)
    client.close()
    return taken
