"""A thread stays with a connection for a moment, since programs send many requests in a row; never at others' cost."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore, Event
from typing import Any

import pytest
from gunicorn.workers.gthread import ThreadWorker

from scheduler.http import worker as worker_module
from scheduler.http.connection import PacedUnreader
from scheduler.http.worker import HandoffWorker

END = b"\r\n\r\n"


def _requests(count: int) -> bytes:
    return b"".join(b"%d" % number + END for number in range(count))


class Line:
    """A connection as gunicorn holds it, and its client's end."""

    unsent = b""

    def __init__(self) -> None:
        self.sock, self.client = socket.socketpair()
        self.received = PacedUnreader(self.sock)
        self.served = 0


@pytest.fixture
def line() -> Iterator[Line]:
    line = Line()
    yield line
    line.sock.close()
    line.client.close()


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a worker whose requests are a digit and the end of a head, and a connection goes on after them."""
    worker: Any = HandoffWorker.__new__(HandoffWorker)
    worker.alive, worker.answer = True, lambda: True
    worker.tpool, worker._stays = ThreadPoolExecutor(1), BoundedSemaphore(1)

    def handle(self: Any, conn: Line) -> Any:
        assert conn.received.read(5)[1:] == END
        conn.served += 1
        return self.answer()

    monkeypatch.setattr(ThreadWorker, "handle", handle)
    monkeypatch.setattr(worker_module, "STAY_SECONDS", 0.05)
    yield worker
    worker.tpool.shutdown()


def test_requests_that_follow_are_served_by_the_same_thread(worker: Any, line: Line) -> None:
    line.client.sendall(_requests(3))
    assert worker.handle(line) is True
    assert line.served == 3


def test_what_came_along_with_the_request_before_is_served(worker: Any, line: Line) -> None:
    line.received.unread(_requests(2))
    line.client.sendall(_requests(1))
    worker.answer = lambda: line.served < 2
    assert worker.handle(line) is False
    assert line.served == 2


def _stopped(worker: Any) -> None:
    worker.alive = False


def _all_stay(worker: Any) -> None:
    worker._stays.acquire()


def _closes(worker: Any) -> None:
    worker.answer = lambda: False


@pytest.mark.parametrize("change", [_stopped, _all_stay, _closes])
def test_the_connection_is_given_back_at_once(worker: Any, line: Line, change: Callable[[Any], None]) -> None:
    line.client.sendall(_requests(2))
    change(worker)
    worker.handle(line)
    assert line.served == 1


def test_the_connection_is_given_back_where_others_wait_for_a_thread(worker: Any, line: Line) -> None:
    over = Event()
    worker.tpool.submit(over.wait)
    worker.tpool.submit(over.wait)
    line.client.sendall(_requests(2))
    assert worker.handle(line) is True
    over.set()
    assert line.served == 1


def test_one_that_sends_nothing_more_keeps_no_thread(worker: Any, line: Line) -> None:
    line.client.sendall(_requests(1))
    assert worker.handle(line) is True
    assert worker._stays.acquire(blocking=False)


def test_one_whose_next_request_is_not_whole_keeps_no_thread(worker: Any, line: Line) -> None:
    line.client.sendall(_requests(1) + b"GET / HT")
    assert worker.handle(line) is True
    assert line.served == 1
    assert line.received.take_buffered() == b"GET / HT"
