"""Show how fast it could be: the least that would do, kept nowhere or in bare SQLite."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any


class BareTimer:
    """A heap, a condition variable, and a pool of 8; nothing is kept."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Callable[[], Any]]] = []
        self._changed = threading.Condition()
        self._count = itertools.count()
        self._pool = ThreadPoolExecutor(8)
        threading.Thread(target=self._run, daemon=True).start()

    def at(self, moment: float, call: Callable[[], Any]) -> None:
        """Call in a thread of the pool at a moment of time.time()."""
        with self._changed:
            heapq.heappush(self._heap, (moment, next(self._count), call))
            if self._heap[0][0] == moment:
                self._changed.notify()

    def _run(self) -> None:
        with self._changed:
            while True:
                wait = self._heap[0][0] - time.time() if self._heap else None
                if wait is not None and wait <= 0:
                    self._pool.submit(heapq.heappop(self._heap)[2])
                else:
                    self._changed.wait(wait)


def durable(path: Path) -> sqlite3.Connection:
    """Open a database that has a commit on disk when it returns."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


class BareWriter:
    """One thread that puts whatever statements wait into one commit."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._queue: SimpleQueue[tuple[Future[None], str, tuple[Any, ...]]] = SimpleQueue()
        threading.Thread(target=self._run, daemon=True).start()

    def execute(self, statement: str, values: tuple[Any, ...]) -> None:
        """Return once the statement is on disk."""
        future: Future[None] = Future()
        self._queue.put((future, statement, values))
        future.result()

    def _run(self) -> None:
        while True:
            batch = [self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get())
            self._connection.execute("BEGIN IMMEDIATE")
            for _, statement, values in batch:
                self._connection.execute(statement, values)
            self._connection.execute("COMMIT")
            for future, _, _ in batch:
                future.set_result(None)


class BareJobs:
    """Jobs in a heap and in bare SQLite."""

    TABLE = "CREATE TABLE IF NOT EXISTS jobs (key INTEGER PRIMARY KEY, due REAL NOT NULL, definition TEXT NOT NULL)"
    DEFINITION = '{"type": "command", "command": "/bin/true", "interval": "2090-01-01 00:00", "timezone": "UTC"}'

    def __init__(self, path: Path) -> None:
        self._connection = durable(path)
        self._connection.execute(self.TABLE)
        self._heap: list[tuple[float, int]] = []
        self._lock = threading.Lock()
        self.load()

    def load(self) -> None:
        """Make the heap anew."""
        self._heap = [(due, key) for key, due in self._connection.execute("SELECT key, due FROM jobs")]
        heapq.heapify(self._heap)

    def fill(self, count: int) -> None:
        """Add many in one commit."""
        rows = [(key, 3.8e9 + key, self.DEFINITION) for key in range(count)]
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT INTO jobs VALUES (?, ?, ?)", rows)
        self._connection.execute("COMMIT")
        self.load()

    def add(self, key: int) -> None:
        """Add one, durably."""
        with self._lock:
            self._connection.execute("INSERT INTO jobs VALUES (?, ?, ?)", (key, 3.8e9 + key, self.DEFINITION))
            heapq.heappush(self._heap, (3.8e9 + key, key))

    def list(self, most: int = -1) -> list[Any]:
        """Return them all, or the first ones."""
        return self._connection.execute("SELECT * FROM jobs LIMIT ?", (most,)).fetchall()

    def remove(self, key: int) -> None:
        """Remove one, durably; its place in the heap is found when it comes up."""
        with self._lock:
            self._connection.execute("DELETE FROM jobs WHERE key = ?", (key,))
