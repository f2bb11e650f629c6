"""Answers over real sockets: waits that hold no thread, HTTP that is none, bodies that are too large."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from scheduler.http.connection import RECEIVE_SECONDS
from scheduler.http.serving import THREADS
from tests.http.conftest import check_problems
from tests.server import Server, wait_until

WAITERS = 60
"""Many more than the server has threads."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that is shared by the tests of this file."""
    server = Server(tmp_path_factory.mktemp("server"), SCHEDULER_MAX_WORKERS="4", SCHEDULER_STOP_GRACE_SECONDS="0")
    server.start()
    yield server
    server.stop()


def exchange(server: Server, sent: bytes, patience: float = 20) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes and read until the server closes or the answer is whole."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=patience) as connection:
        connection.sendall(sent)
        return answer_of(connection)


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    """Read one answer."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    line, *rest = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (text.partition(":") for text in rest)}
    while len(body) < int(headers["content-length"]):
        body += receive(connection)
    assert line.startswith("HTTP/1.")
    return int(line.split()[1]), headers, body


def receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    assert chunk, "the connection ended before the answer"
    return chunk


def request(body: Any, *lines: str, length: int | None = None) -> bytes:
    """Return the bytes of a POST."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = [
        "POST /schedule HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        f"Content-Length: {len(data) if length is None else length}",
        *lines,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


def open_sockets(server: Server) -> int:
    """Return how many sockets the server's processes hold."""
    assert server.process is not None
    found = 0
    for pid in [server.process.pid, *children(server.process.pid)]:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            try:
                found += str(link.readlink()).startswith("socket:")
            except FileNotFoundError:
                continue
    return found


def children(pid: int) -> list[int]:
    return [int(text) for text in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


# --- waiting --------------------------------------------------------------------------------


def test_many_wait_while_others_are_answered(server: Server) -> None:
    gate = server.workspace / "gate"
    wait = "while [ ! -e gate ]; do sleep 0.05; done; echo $SCHEDULER_RUN_ID"
    server.ok("create", task_id="gated", type="command", interval="hourly", command=wait, max_instances=WAITERS)

    def run_and_wait(_: int) -> dict[str, Any]:
        body = {"action": "run_now", "task_id": "gated", "wait": True}
        response = requests.post(f"{server.url}/schedule", json=body, timeout=60)
        assert response.status_code == 200, response.text
        assert response.headers["Content-Type"] == "application/json"
        return dict(response.json())

    with ThreadPoolExecutor(WAITERS) as pool:
        waiting = [pool.submit(run_and_wait, number) for number in range(WAITERS)]
        wait_until(lambda: server.ok("status")["queue"]["waiting"] == WAITERS - 4, what="a queue of all runs")
        took = []
        for _ in range(20):
            begun = time.monotonic()
            server.ok("status")
            took.append(time.monotonic() - begun)
        assert not any(future.done() for future in waiting)
        gate.touch()
        answers = [future.result(60) for future in waiting]
    assert sorted(took)[10] < 0.5, took
    assert len({answer["run_id"] for answer in answers}) == WAITERS
    for answer in answers:
        assert answer["run"]["status"] == "completed"
        assert answer["run"]["stdout"] == f"{answer['run_id']}\n"


def test_a_wait_that_is_over_before_the_run(server: Server) -> None:
    server.ok("create", task_id="slow", type="command", interval="hourly", command="exec sleep 600")
    begun = time.monotonic()
    answer = server.ok("run_now", task_id="slow", wait=True, wait_seconds=0.3)
    assert 0.25 < time.monotonic() - begun < 10
    assert answer["run"]["status"] in ("queued", "running")
    assert answer["message"].endswith(" after 0.3 s")
    assert server.ok("cancel", task_id="slow")["cancelled"] == [answer["run_id"]]


def test_remove_waits_for_the_end_of_the_tree(server: Server) -> None:
    begun = server.workspace / "stubborn.begun"
    command = "touch stubborn.begun; sleep 600"
    server.ok("create", task_id="stubborn", type="command", interval="hourly", command=command)
    server.ok("run_now", task_id="stubborn")
    wait_until(begun.exists)
    assert server.ok("remove", task_id="stubborn") == {"status": "success", "message": "Task 'stubborn' removed"}
    assert server.runs(task_id="stubborn")[-1]["status"] == "cancelled"


def test_an_answer_that_was_waited_for_is_like_any_other(server: Server) -> None:
    server.ok("create", task_id="quick", type="command", interval="hourly", command="echo ü")
    number, headers, body = exchange(server, request({"action": "run_now", "task_id": "quick", "wait": True}))
    assert (number, headers["content-type"]) == (200, "application/json")
    assert json.loads(body)["run"]["stdout"] == "ü\n"
    assert headers["connection"] == "close"


def test_answers_that_were_waited_for_and_streams_are_counted(server: Server) -> None:
    server.ok("create", task_id="counted", type="command", interval="hourly", command="true")
    before = counted(server)
    server.ok("run_now", task_id="counted", wait=True)
    with server.http.get(f"{server.url}/api/events", stream=True, timeout=30) as stream:
        assert stream.status_code == 200
        after = counted(server)
    assert {name: after[name] - before[name] for name in after} == {"schedule": 1, "events": 1}


def counted(server: Server) -> dict[str, float]:
    """Return how many requests were answered so far."""
    text = server.http.get(f"{server.url}/metrics", timeout=30).text
    names = {"schedule": "POST", "events": "GET"}
    lines = {name: f'{{code="200",endpoint="{name}",method="{method}"}}' for name, method in names.items()}
    return {
        name: sum(float(line.split()[1]) for line in text.splitlines() if wanted in line)
        for name, wanted in lines.items()
    }


def test_who_goes_away_costs_nothing(server: Server) -> None:
    gate = server.workspace / "gone"
    wait = "while [ ! -e gone ]; do sleep 0.05; done"
    server.ok("create", task_id="left", type="command", interval="hourly", command=wait, max_instances=30)
    before = open_sockets(server)
    for number in range(20):
        connection = socket.create_connection(("127.0.0.1", server.port))
        connection.sendall(request({"action": "run_now", "task_id": "left", "wait": True}))
        wait_until(lambda number=number: len(server.runs(task_id="left")) > number)  # type: ignore[misc]
        connection.close()
    assert server.ok("status")["status"] == "success"
    gate.touch()
    wait_until(lambda: all(run["status"] == "completed" for run in server.runs(task_id="left")))
    wait_until(lambda: open_sockets(server) <= before + 2, what="the end of all sockets")
    assert "Traceback" not in server.log
    assert "ERROR" not in server.log


# --- the documented requests ----------------------------------------------------------------


def test_documented_requests_over_a_socket(server: Server) -> None:
    create = {
        "action": "create",
        "task_id": "backup_task",
        "type": "command",
        "interval": "every 1 hour",
        "command": "python backup.py",
    }
    documented: list[tuple[dict[str, Any], dict[str, Any] | set[str]]] = [
        ({"action": "start"}, {"status": "success", "message": "Scheduler started"}),
        ({"action": "start"}, {"status": "info", "message": "Scheduler is already running"}),
        (create, {"status", "message", "task_id", "next_run"}),
        ({"action": "list"}, {"status", "tasks", "count"}),
        (
            {"action": "remove", "task_id": "backup_task"},
            {"status": "success", "message": "Task 'backup_task' removed"},
        ),
        ({"action": "stop"}, {"status": "success", "message": "Scheduler stopped"}),
        ({"action": "stop"}, {"status": "info", "message": "Scheduler is not running"}),
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        for sent, expected in documented:
            connection.sendall(request(sent))
            number, headers, body = answer_of(connection)
            assert (number, headers["content-type"]) == (200, "application/json")
            answer = json.loads(body)
            assert (set(answer) if isinstance(expected, set) else answer) == expected


# --- HTTP that is none ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        b"hello\r\n\r\n",
        b"POST /schedule\r\n\r\n",
        b"POST /schedule HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"POST /schedule HTTP/1.1\r\nHost localhost\r\n\r\n",
        b"POST /schedule HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /schedule HTTP/1.1\r\nHost: localhost\r\nContent-Length: five\r\n\r\n",
        b"POST /schedule HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /schedule HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
        b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
def test_malformed_http_is_answered_in_json(server: Server, sent: bytes) -> None:
    number, headers, body = exchange(server, sent)
    assert 400 <= number < 500
    assert headers["content-type"] == "application/json"
    answer = json.loads(body)
    assert (answer["status"], answer["code"]) == ("error", "invalid_request")
    assert answer["message"]
    if number == 400:
        check_problems(answer)


@pytest.mark.parametrize("name", ["SCRIPT_NAME: /heal", "SCRIPT_NAME: /zzz", "PATH_INFO: /schedule"])
def test_no_header_moves_the_path(server: Server, name: str) -> None:
    sent = f"GET /healthz HTTP/1.1\r\nHost: localhost\r\n{name}\r\n\r\n"
    number, _, body = exchange(server, sent.encode())
    assert (number, json.loads(body)["status"]) == (200, "ok")


def test_http_1_0_without_host(server: Server) -> None:
    number, _, body = exchange(server, b"GET /schedule HTTP/1.0\r\n\r\n")
    assert (number, json.loads(body)["code"]) == (403, "forbidden_host")


def test_more_connections_than_threads_that_send_one_request_after_the_other(server: Server) -> None:
    """None is kept waiting by threads that stay with the others, and each gets all its answers in order."""

    def talk(number: int) -> list[str]:
        with requests.Session() as session:
            calls = [{"action": "get", "task_id": f"none-{number}-{turn}"} for turn in range(15)]
            return [session.post(f"{server.url}/schedule", json=call, timeout=20).json()["message"] for call in calls]

    with ThreadPoolExecutor(3 * THREADS) as pool:
        answers = list(pool.map(talk, range(3 * THREADS)))
    for number, messages in enumerate(answers):
        assert [f"none-{number}-{turn}'" in message for turn, message in enumerate(messages)] == [True] * 15


def test_requests_sent_without_waiting_are_answered_in_order(server: Server) -> None:
    bodies = [b'{"action":"get","task_id":"none-%d"}' % number for number in range(5)]
    head = b"POST /schedule HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(b"".join(head % len(body) + body for body in bodies))
        data = b""
        while data.count(b"HTTP/1.1 404") < 5 or not data.endswith(b"}\n"):
            data += receive(connection)
    told = [re.search(rb"none-(\d)'", answer) for answer in data.split(b"HTTP/1.1 404")[1:]]
    assert [found and int(found[1]) for found in told] == list(range(5))


def test_errors_of_the_framework_over_a_socket(server: Server) -> None:
    for method, path, number, code in (
        ("GET", "/nope", 404, "not_found"),
        ("DELETE", "/schedule", 405, "method_not_allowed"),
    ):
        response = requests.request(method, f"{server.url}{path}", timeout=20)
        assert (response.status_code, response.json()["code"]) == (number, code)
    number, _, body = exchange(server, request(b"{}").replace(b"application/json", b"text/plain"))
    assert (number, json.loads(body)["code"]) == (415, "unsupported_media_type")


# --- bodies that are too large --------------------------------------------------------------


def test_three_megabytes_are_answered_so_that_the_client_sees_it(server: Server) -> None:
    large = b'{"action": "status", "x": "' + b"x" * 3_000_000 + b'"}'
    for _ in range(3):
        response = requests.post(
            f"{server.url}/schedule", data=large, headers={"Content-Type": "application/json"}, timeout=20
        )
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


def test_chunks_have_the_same_limit(server: Server) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield b'{"action": "status"'
        for _ in range(size // 65536):
            yield b" " * 65536
        yield b"}"

    headers = {"Content-Type": "application/json"}
    small = requests.post(f"{server.url}/schedule", data=chunks(500_000), headers=headers, timeout=20)
    assert small.status_code == 200
    large = requests.post(f"{server.url}/schedule", data=chunks(3_000_000), headers=headers, timeout=20)
    assert (large.status_code, large.json()["code"]) == (413, "body_too_large")


def test_who_says_much_and_sends_little_is_answered(server: Server) -> None:
    number, _, body = exchange(server, request(b"{", length=5_000_000), patience=30)
    assert (number, json.loads(body)["code"]) == (413, "body_too_large")


@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n\r\n", b"2\r\n{}XX0\r\n\r\n"])
def test_badly_cut_chunks(server: Server, chunks: bytes) -> None:
    head = request(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    number, headers, body = exchange(server, head + chunks)
    assert (number, headers["content-type"]) in ((400, "application/json"), (413, "application/json"))
    answer = json.loads(body)
    assert answer["code"] in ("invalid_request", "invalid_json", "body_too_large")


# --- clients that are slow ------------------------------------------------------------------


@pytest.mark.soak
def test_who_stops_half_way_holds_no_thread_for_long(server: Server) -> None:
    whole = request({"action": "status"})
    slow = []
    try:
        for number in range(THREADS):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            connection.sendall(whole[:30] if number % 2 else whole[:-5])
            slow.append(connection)
        begun = time.monotonic()
        assert server.ok("status")["status"] == "success"
        assert time.monotonic() - begun < 10 * RECEIVE_SECONDS
        number, _, body = answer_of(slow[0])
        assert (number, json.loads(body)["code"]) == (400, "invalid_request")
        assert "stopped sending" in json.loads(body)["message"]
        assert slow[1].recv(100) == b""
    finally:
        for connection in slow:
            connection.close()
    assert "Traceback" not in server.log


# --- off loopback ---------------------------------------------------------------------------


@pytest.mark.soak
def test_off_loopback_a_token_is_made_and_asked_for(tmp_path: Path) -> None:
    server = Server(tmp_path, SCHEDULER_HOST="0.0.0.0")
    server.start()
    try:
        token = (server.data / "token").read_text().strip()
        assert server.log.count(token) == 1
        refused = server.post("status")
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        server.http.headers["Authorization"] = f"Bearer {token}"
        assert server.ok("status")["status"] == "success"
        server.http.headers["Host"] = "rebound.example"
        assert server.post("status").json()["code"] == "forbidden_host"
        server.http.close()
        server.stop()
        server.start()
        assert server.log.count(token) == 1
    finally:
        server.stop()
