"""How long it takes from a commit until the last of 100 readers has the event, in one process and through another.

Readers hold sockets of a real server. Time is counted from the sending of a `create`, so that the request, its commit
and the answer are part of the figure. Beside it: the request alone.
"""

from __future__ import annotations

import selectors
import socket
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import MILLI, folder, in_child, median, percentile
from benchmarks.table import Row
from tests.server import Server
from tests.sse import Reader

READERS = 100


def rows(quick: bool) -> list[Row]:
    """Measure."""
    here, there, request = in_child(_measure, 20 if quick else 60)
    alone = [("the request alone, p50", median(request))]
    return [
        Row(f"an event at the last of {READERS} readers, p50", median(here), "ms", alone, "100"),
        Row("... p99", percentile(here, 0.99), "ms", aim="100"),
        Row("... made by another process, p50", median(there), "ms", alone, "100"),
        Row("... p99", percentile(there, 0.99), "ms", aim="100"),
    ]


def _measure(count: int) -> tuple[list[float], list[float], list[float]]:
    with folder() as place, ExitStack() as stack:
        server = _serve(place, stack)
        other = _serve(place, stack)
        readers = [Reader(server.port, "?types=task.created") for _ in range(READERS)]
        here, there, request = [], [], []
        for number in range(count):
            begun = time.perf_counter()
            _create(server, f"here-{number}")
            request.append((time.perf_counter() - begun) * MILLI)
            here.append((_last(readers) - begun) * MILLI)
            begun = time.perf_counter()
            _create(other, f"there-{number}")
            there.append((_last(readers) - begun) * MILLI)
        for reader in readers:
            reader.close()
        return here, there, request


def _serve(place: Path, stack: ExitStack) -> Server:
    server = Server(place).start()
    stack.callback(server.stop)
    return server


def _create(server: Server, task_id: str) -> None:
    server.ok("create", task_id=task_id, type="command", interval="hourly", command="true")


def _last(readers: list[Reader]) -> float:
    """Return when each of the readers has got something."""
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            selector.register(reader.socket, selectors.EVENT_READ)
        waiting = {reader.socket for reader in readers}
        while waiting:
            for key, _ in selector.select(30):
                got = key.fileobj
                assert isinstance(got, socket.socket)
                got.recv(65536)
                selector.unregister(got)
                waiting.discard(got)
        return time.perf_counter()
