"""Connections that say nothing, little, or too slowly: they keep no thread, and nobody from being answered."""

from __future__ import annotations

import errno
import json
import resource
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
import requests

from scheduler.http import connection as connection_module
from scheduler.http.connection import PacedUnreader, PatientSocket
from scheduler.http.serving import CONNECTIONS, THREADS
from scheduler.http.worker import DRAIN_SECONDS, MOST_BODIES, MOST_UNSENT_BYTES
from tests.http.test_handoff import answer_of, children, request
from tests.server import ROOT, Server, wait_until

AT_ONCE = 3.0
"""Much less than any deadline of a connection, and enough for a machine that has much else to do."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that may have 1,024 descriptors, as many systems let it, and that is shared by these tests."""
    command = ["sh", "-c", 'ulimit -n 1024; exec "$@"', "sh", sys.executable, str(ROOT / "server.py")]
    server = Server(tmp_path_factory.mktemp("server"), command, SCHEDULER_STOP_GRACE_SECONDS="0")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def connect(server: Server) -> Iterator[Callable[..., socket.socket]]:
    """Return a function that opens a connection and sends something; they are closed in the end."""
    with ExitStack() as opened:

        def open_one(sent: bytes = b"") -> socket.socket:
            client = opened.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=30))
            client.sendall(sent)
            return client

        yield open_one


def assert_answered_at_once(server: Server) -> None:
    begun = time.monotonic()
    assert requests.get(f"{server.url}/healthz", timeout=30).ok
    assert time.monotonic() - begun < AT_ONCE


def test_more_silent_connections_than_descriptors_end_no_run(
    server: Server, connect: Callable[..., socket.socket]
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = CONNECTIONS + 100
    if hard != resource.RLIM_INFINITY and hard < 2 * count:
        pytest.skip(f"a process may have {hard} descriptors here, which are too few for this test")
    server.ok("create", task_id="long", type="command", interval="hourly", command="exec sleep 600")
    run_id = server.ok("run_now", task_id="long")["run_id"]
    wait_until(lambda: server.runs(task_id="long")[0]["status"] == "running")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * count), hard))
    try:
        clients = [connect() for _ in range(count)]
        assert_answered_at_once(server)
        assert clients[0].recv(1) == b"", "the oldest has to give way"
        [run] = server.runs(task_id="long")
        assert (run["run_id"], run["status"]) == (run_id, "running")
    finally:
        server.ok("cancel", run_id=run_id)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\nX-A: ",
        b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n",
    ],
    ids=["silent", "half a head", "half a head behind a request", "an answer, after which they do not close"],
)
def test_connections_without_a_whole_request_hold_no_thread(
    server: Server, connect: Callable[..., socket.socket], sent: bytes
) -> None:
    for _ in range(3 * THREADS):
        connect(sent)
    assert_answered_at_once(server)


@pytest.mark.soak
def test_byte_after_byte_holds_no_thread_and_gains_no_time(
    server: Server, connect: Callable[..., socket.socket]
) -> None:
    clients = [connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-A: ") for _ in range(THREADS)]
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.2):
            for client in clients:
                try:
                    client.sendall(b"x")
                except OSError:
                    over.set()

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        assert_answered_at_once(server)
        assert over.wait(30), "they are never closed"
    finally:
        over.set()
        dripping.join()


def test_a_head_that_comes_in_pieces_is_read(connect: Callable[..., socket.socket]) -> None:
    client = connect()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n":
        client.sendall(bytes([byte]))
    assert answer_of(client)[0] == 200


@pytest.mark.soak
def test_a_body_that_drips_is_refused(connect: Callable[..., socket.socket]) -> None:
    client = connect(request(b"{", length=100_000))
    begun = time.monotonic()
    while time.monotonic() - begun < 30:
        try:
            client.sendall(b" ")
            client.settimeout(0.5)
            number, _, body = answer_of(client)
            break
        except TimeoutError:
            continue
    assert (number, json.loads(body)["code"]) == (400, "invalid_request")
    assert "too slowly" in json.loads(body)["message"]


def test_bodies_that_come_slowly_hold_no_thread(server: Server, connect: Callable[..., socket.socket]) -> None:
    clients = [connect(request(b"{", length=1_000_000)) for _ in range(MOST_BODIES)]
    assert_answered_at_once(server)
    late = connect(request(b" " * 900_000 + b'{"action": "status"', length=900_020))
    assert_answered_at_once(server)
    late.sendall(b"}")
    assert answer_of(late)[0] == 200
    number, _, body = answer_of(clients[0])
    assert (number, json.loads(body)["code"]) == (400, "invalid_request")
    assert "too slowly" in json.loads(body)["message"], "the oldest has to give way"


def test_a_body_behind_a_request_is_waited_for(connect: Callable[..., socket.socket]) -> None:
    first, second = request({"action": "status"}), request({"action": "help"})
    client = connect(first + second[:-5])
    assert answer_of(client)[0] == 200
    client.sendall(second[-5:])
    assert answer_of(client)[0] == 200


def test_without_descriptors_connections_wait_and_the_server_goes_on(
    server: Server, connect: Callable[..., socket.socket]
) -> None:
    assert server.process is not None
    [worker] = children(server.process.pid)
    before = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path(f"/proc/{worker}/fd").iterdir())
    told = server.log.count("none can be accepted")
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (highest + 1, before[1]))
    try:
        for _ in range(highest):
            client = connect(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: server.log.count("none can be accepted") > told, what="a line in the log")
    finally:
        resource.prlimit(worker, resource.RLIMIT_NOFILE, before)
    assert answer_of(client)[0] == 200
    assert children(server.process.pid) == [worker]


# --- who does not read ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask_for_much(server: Server) -> bytes:
    """Return a request whose answer has 6 MB, more than a system keeps for a client that does not read."""
    command = r"head -c 1000000 /dev/zero | tr '\0' '\1'"
    server.ok("create", task_id="much", type="command", interval="hourly", command=command)
    run_id = server.ok("run_now", task_id="much", wait=True)["run_id"]
    return request({"action": "output", "run_id": run_id, "stream": "stdout"})


@pytest.fixture
def connect_narrowly(connect: Callable[..., socket.socket]) -> Callable[[], socket.socket]:
    """Return a function that opens a connection through which little comes unless it is read."""

    def open_one() -> socket.socket:
        client = connect()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        return client

    return open_one


def test_who_does_not_read_a_large_answer_holds_no_thread_and_loses_nothing(
    server: Server, connect_narrowly: Callable[[], socket.socket], ask_for_much: bytes
) -> None:
    clients = [connect_narrowly() for _ in range(2 * THREADS - 1)]
    for client in clients:
        client.sendall(ask_for_much)
    assert_answered_at_once(server)
    number, _, body = answer_of(clients[0])
    assert number == 200
    assert json.loads(body)["stdout"] == "\1" * 1_000_000
    clients[0].sendall(ask_for_much)
    assert answer_of(clients[0])[2] == body, "the connection goes on"
    assert answer_of(clients[-1])[2] == body


def test_who_reads_nothing_gives_way_where_too_much_waits(
    server: Server, connect_narrowly: Callable[[], socket.socket], ask_for_much: bytes
) -> None:
    clients = [connect_narrowly() for _ in range(1 + MOST_UNSENT_BYTES // 1_000_000)]
    for client in clients:
        client.sendall(ask_for_much)
        assert client.recv(1, socket.MSG_PEEK) == b"H"
    assert_answered_at_once(server)
    assert answer_of(clients[-1])[0] == 200
    with pytest.raises((AssertionError, ConnectionResetError)):
        answer_of(clients[0])


def test_little_that_is_taken_counts_though_there_is_no_room_for_more() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with PatientSocket(fileno=ours.detach()) as sock, theirs:
        sock.sendall(b"x" * 5_000_000)
        left = len(sock.unsent)
        assert 0 < left < 5_000_000
        assert sock.takes()
        assert not sock.takes(), "nothing since"
        theirs.recv(100_000)
        assert sock.takes()
        assert len(sock.unsent) == left


@pytest.mark.soak
def test_who_reads_slowly_holds_up_neither_the_end_of_runs_nor_that_of_the_service(
    tmp_path: Path,
) -> None:
    server = Server(tmp_path, SCHEDULER_STOP_GRACE_SECONDS="0", SCHEDULER_AUTOSTART="1").start()
    command = r"head -c 1000000 /dev/zero | tr '\0' '\1'"
    server.ok("create", task_id="much", type="command", interval="hourly", command=command)
    much = server.ok("run_now", task_id="much", wait=True)["run_id"]
    server.ok("create", task_id="long", type="command", interval="hourly", command="exec sleep 600")
    server.ok("run_now", task_id="long")
    wait_until(lambda: server.runs(task_id="long")[0]["status"] == "running")
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.sendall(request({"action": "output", "run_id": much, "stream": "stdout"}))
        assert client.recv(1) == b"H"
        assert server.process is not None
        begun = time.monotonic()
        server.process.terminate()
        # The end of the run is told while the service still waits for the client.
        wait_until(lambda: "interrupted" in server.log, DRAIN_SECONDS, "the end of the run")
        server.process.wait(30)
    assert time.monotonic() - begun < DRAIN_SECONDS + AT_ONCE
    with closing(sqlite3.connect(server.data / "scheduler.db")) as store:
        assert store.execute("SELECT status FROM runs WHERE task_id = 'long'").fetchall() == [("interrupted",)]


# --- the pace -------------------------------------------------------------------------------


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PacedUnreader, socket.socket]]:
    """Return what reads from a connection at 1,000 bytes a second and a fifth of a second behind, and the other end."""
    monkeypatch.setattr(connection_module, "RECEIVE_SECONDS", 0.2)
    monkeypatch.setattr(connection_module, "LEAST_BYTES_A_SECOND", 1000)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield PacedUnreader(ours), theirs


def _send(client: socket.socket, piece: bytes, pause: float, over: threading.Event) -> None:
    while not over.wait(pause):
        client.sendall(piece)


@pytest.mark.parametrize("piece", [b"", b"x"], ids=["nothing more", "byte after byte"])
def test_what_was_sent_fast_is_no_credit_for_later(ends: tuple[PacedUnreader, socket.socket], piece: bytes) -> None:
    unreader, client = ends
    client.sendall(b"x" * 5000)
    over = threading.Event()
    sending = threading.Thread(target=_send, args=(client, piece, 0.02, over))
    sending.start()
    begun = time.monotonic()
    try:
        with pytest.raises(ConnectionResetError) as raised:
            unreader.read(6000)
    finally:
        over.set()
        sending.join()
    assert raised.value.errno == errno.ECONNRESET
    assert time.monotonic() - begun < 1


def test_a_slow_line_may_take_its_time(ends: tuple[PacedUnreader, socket.socket]) -> None:
    unreader, client = ends
    over = threading.Event()
    sending = threading.Thread(target=_send, args=(client, b"x" * 200, 0.05, over))
    sending.start()
    try:
        assert len(unreader.read(2000)) == 2000
    finally:
        over.set()
        sending.join()


def test_what_is_there_is_read_however_late(ends: tuple[PacedUnreader, socket.socket]) -> None:
    unreader, client = ends
    client.sendall(b"x" * 100)
    time.sleep(0.25)
    assert len(unreader.read(100)) == 100
