"""Real readers of events on real sockets: order, coming back after a crash, and readers who are slow, dead or many."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest
import requests

from scheduler.http.handoff import SEND_SECONDS
from scheduler.http.serving import THREADS
from tests.e2e.test_many_processes import gunicorn
from tests.server import PATIENCE, Server, free_port, wait_until
from tests.sse import Connection, Message, Reader


def finished(count: int) -> Any:
    """Return what is true of the `count`-th end of a run."""
    seen = iter(range(1, count))
    return lambda message: message.event == "run.finished" and next(seen, None) is None


def kinds(found: list[Message]) -> list[str]:
    return [message.event for message in found]


def test_each_reader_gets_all_in_order(reused: Server) -> None:
    readers = [Reader(reused.port, "?types=task.*,run.*") for _ in range(THREADS * 2)]
    assert readers[0].headers["content-type"] == "text/event-stream; charset=utf-8"
    assert (readers[0].headers["connection"], readers[0].headers["x-accel-buffering"]) == ("close", "no")
    reused.ok("create", task_id="ordered", type="command", interval="hourly", command="echo hi")
    run_id = reused.ok("run_now", task_id="ordered", wait=True)["run_id"]
    for reader in readers:
        found = reader.until(finished(1))
        assert kinds(found) == ["task.created", "run.queued", "run.started", "run.finished"]
        assert [message.id for message in found] == sorted(message.id or 0 for message in found)
        assert {message.data.get("run_id") for message in found[1:]} == {run_id}
        reader.close()


def test_a_log_while_the_run_goes_on(reused: Server) -> None:
    go = reused.workspace / "go"
    command = "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two >&2; exit 1"
    reused.ok("create", task_id="followed", type="command", interval="hourly", command=command)
    reader = Reader(reused.port, "?output=1")
    run_id = reused.ok("run_now", task_id="followed")["run_id"]
    reader.until(lambda message: message.event == "run.started")  # from here on its output is followed, too
    log = Connection(reused.port, f"/api/runs/{run_id}/log?follow=1")
    body = log.body()
    assert next(body) == b"one\n"
    go.touch()
    assert b"".join(body) == b"two\n"
    assert log.is_whole
    assert kinds(reader.until(finished(1)))[-2:] == ["run.output", "run.finished"]
    reader.close()


class Following(threading.Thread):
    """A reader that comes back by its last id whenever its connection ends, until it has seen an event."""

    def __init__(self, ports: list[int], last_task: str) -> None:
        super().__init__(daemon=True)
        self._ports, self._last_task = ports, last_task
        self.found: list[Message] = []
        self.connections, self.last_id = 0, "0"
        self.start()

    def run(self) -> None:
        """Follow."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            port = self._ports[self.connections % len(self._ports)]
            self.connections += 1
            try:
                if self._follow(Reader(port, Last_Event_ID=self.last_id)):
                    return
            except (OSError, ValueError, IndexError):
                time.sleep(0.05)  # the server is gone for a moment

    def _follow(self, reader: Reader) -> bool:
        with closing(reader):
            for message in reader:
                if message.id is not None:
                    self.found.append(message)
                    self.last_id = str(message.id)
                if message.data.get("task_id") == self._last_task and message.event == "run.finished":
                    return True
        return False


def expected(server: Server) -> Counter[tuple[str, str]]:
    """Return what the ledger of runs says that must have been told: the end of each run, once."""
    return Counter((run["run_id"], run["status"]) for run in server.runs())


def ends(found: list[Message]) -> Counter[tuple[str, str]]:
    return Counter((m.data["run_id"], m.data["status"]) for m in found if m.event == "run.finished")


@pytest.mark.soak
def test_nothing_is_lost_or_told_twice_when_the_server_is_killed(make_server: Any) -> None:
    server: Server = make_server()
    reader = Following([server.port], "last")
    for number in range(3):
        name = f"task-{number}"
        server.ok("create", task_id=name, type="command", interval="hourly", command="true", max_instances=10)
        server.ok("create", task_id=f"long-{number}", type="command", interval="hourly", command="sleep 600")
        server.ok("run_now", task_id=name, wait=True)
        server.ok("run_now", task_id=name)
        server.ok("run_now", task_id=f"long-{number}")
        wait_until(lambda name=f"long-{number}": server.runs(task_id=name)[0]["status"] == "running")  # type: ignore[misc]
        server.kill(signal.SIGKILL)
        server.start()
    server.ok("create", task_id="last", type="command", interval="hourly", command="true")
    wait_until(lambda: all(run["finished_at"] for run in server.runs()))
    server.ok("run_now", task_id="last", wait=True)
    reader.join(PATIENCE)
    assert not reader.is_alive()
    assert reader.connections >= 4
    ids = [message.id for message in reader.found]
    assert ids == sorted(set(ids))
    assert ends(reader.found) == expected(server)
    assert Counter(kinds(reader.found))["task.created"] == 7


@pytest.mark.soak
def test_two_workers_tell_the_same(make_server: Any) -> None:
    port = free_port()
    server: Server = make_server(port=port, command=gunicorn(port, 2))
    readers = [Reader(port) for _ in range(12)]  # some of them with either worker
    for number in range(5):
        server.ok("create", task_id=f"task-{number}", type="command", interval="hourly", command="true")
        server.ok("run_now", task_id=f"task-{number}", wait=True)
    first = readers[0].until(finished(5))
    assert len(first) == 20
    for reader in readers[1:]:
        assert reader.until(finished(5)) == first
    back = Reader(port, Last_Event_ID=str(first[7].id))
    assert back.until(finished(4 if first[7].event != "run.finished" else 3))[0] == first[8]
    for reader in (*readers, back):
        reader.close()


@pytest.mark.soak
def test_the_end_of_the_service_is_told_at_once(make_server: Any) -> None:
    server: Server = make_server(SCHEDULER_STOP_GRACE_SECONDS="30")
    server.ok("create", task_id="long", type="command", interval="hourly", command="echo begun; sleep 3")
    run_id = server.ok("run_now", task_id="long")["run_id"]
    reader, log = Reader(server.port), Connection(server.port, f"/api/runs/{run_id}/log?follow=1")
    body = log.body()
    assert next(body) == b"begun\n"
    assert server.process is not None
    begun = time.monotonic()
    server.process.terminate()
    assert kinds(list(reader))[-1] == "scheduler.closing"
    took = time.monotonic() - begun
    assert reader.is_whole
    assert list(body) == []
    assert not log.is_whole  # the run goes on: this is not its end
    assert took < 2.5, took  # a second, and what a busy machine adds
    server.stop()
    assert "Traceback" not in server.log


@pytest.fixture
def busy(reused: Server) -> Server:
    """Return a server with a task that prints much, again and again."""
    command = "head -c 200000 /dev/zero | tr '\\0' x"
    reused.ok("create", task_id="prints", type="command", interval="hourly", command=command, max_instances=5)
    return reused


def dead_reader(server: Server) -> socket.socket:
    """Return the socket of a reader that asks for everything and reads nothing."""
    dead = socket.socket()
    dead.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    dead.connect(("127.0.0.1", server.port))
    dead.sendall(b"GET /api/events?output=1 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return dead


@pytest.mark.soak
def test_who_never_reads_costs_the_others_nothing(busy: Server) -> None:
    dead = [dead_reader(busy) for _ in range(THREADS * 2)]
    reader = Reader(busy.port, "?types=run.finished")
    count = 25
    begun = time.monotonic()
    for _ in range(count):
        busy.ok("run_now", task_id="prints", wait=True)
    assert len(reader.until(finished(count))) == count
    assert time.monotonic() - begun < PATIENCE
    # Those who took nothing for long are let go; a reader who comes back finds everything.
    wait_until(lambda: "it did not read" in busy.log, SEND_SECONDS + PATIENCE, "the end of a dead reader")
    for each in dead:
        each.close()
    reader.close()


@pytest.mark.soak
def test_two_hundred_readers_while_requests_are_answered(reused: Server) -> None:
    reused.ok("create", task_id="quick", type="command", interval="hourly", command="true", max_instances=50)
    readers = [Reader(reused.port) for _ in range(200)]
    reused.ok("run_now", task_id="quick", wait=True)
    took = []
    for _ in range(20):
        begun = time.monotonic()
        reused.ok("status")
        took.append(time.monotonic() - begun)
    assert sorted(took)[10] < 0.5, took
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: reused.ok("run_now", task_id="quick", force=True), range(30)))
    first = readers[0].until(finished(31))
    for reader in readers[1:]:
        assert reader.until(finished(31)) == first
    for reader in readers[:100]:
        reader.close()
    reused.ok("run_now", task_id="quick", wait=True)
    assert kinds(readers[150].until(finished(1)))[-1] == "run.finished"
    for reader in readers[100:]:
        reader.close()
    assert requests.get(f"{reused.url}/healthz", timeout=20).ok
    assert "Traceback" not in reused.log
