"""Acknowledged durable creates, in process and through HTTP, and what else a busy server answers.

The peer is Flask under gunicorn (gthread, one worker, 8 threads) that commits one SQLite row a request. Clients
are threads of another process on the same machine, so part of what is measured is theirs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import client, ours
from benchmarks.measure import MILLI, durations, folder, in_child, median, percentile
from benchmarks.table import Row
from tests.server import ROOT, Server, free_port

CALLERS = 8
STATUS = {"action": "status"}
LONG_LIST = {"action": "list", "limit": 10_000}


def rows(quick: bool) -> list[Row]:
    """Measure."""
    span, rounds, long = (0.4, 1, 2.0) if quick else (1.0, 3, 5.0)
    return [*_in_process(span, rounds), *_through_http(span, rounds), *_busy(long), *_lists(long)]


def _in_process(span: float, rounds: int) -> list[Row]:
    found = [in_child(_embedded, span) for _ in range(rounds)]
    one, eight = (median([each[place] for each in found]) for place in range(2))
    return [
        Row("creates in process, 1 caller", one, "/s"),
        Row(f"creates in process, {CALLERS} callers", eight, "/s"),
    ]


def _embedded(span: float) -> tuple[float, float]:
    with folder() as place, ours.opened(place) as scheduler:

        def add(number: int) -> None:
            scheduler.add_job(ours.command(f"job-{number}", "every 5 hours"))

        one = len(durations(add, 1, span)) / span
        return one, len(durations(lambda number: add(10**7 + number), CALLERS, span)) / span


def _through_http(span: float, rounds: int) -> list[Row]:
    """Ask both servers in turns."""
    figures: dict[str, list[float]] = {}

    def measure(name: str, function: Any, *args: Any) -> None:
        figures.setdefault(name, []).append(len(in_child(function, *args)) / args[3])

    with _server() as server, _flask() as peer:
        server.ok("start")
        turns = [(turn, callers) for turn in range(rounds) for callers in (1, CALLERS)]
        for _, callers in turns:  # first, while there are no tasks to count
            measure(f"status {callers}", client.asks, server.port, "/schedule", callers, span / 2, STATUS)
            measure(f"bare {callers}", client.asks, peer, "/bare", callers, span / 2, STATUS)
        for turn, callers in turns:
            name = f"job-{turn}-{callers}"
            measure(f"create {callers}", client.creates, server.port, "/schedule", callers, span, name)
            measure(f"row {callers}", client.creates, peer, "/row", callers, span, name)
    each = {name: median(values) for name, values in figures.items()}
    return [
        *(
            Row(
                f"creates through HTTP, {_clients(callers)}",
                each[f"create {callers}"],
                "/s",
                [("Flask plus a row", each[f"row {callers}"])],
                "0.8 of it",
            )
            for callers in (1, CALLERS)
        ),
        *(
            Row(
                f"status through HTTP, {_clients(callers)}",
                each[f"status {callers}"],
                "/s",
                [("bare Flask", each[f"bare {callers}"])],
                "0.9 of it",
            )
            for callers in (1, CALLERS)
        ),
    ]


def _clients(number: int) -> str:
    return "1 client" if number == 1 else f"{number} clients"


def _busy(span: float) -> list[Row]:
    """Create, 50 a second, while 200 runs a second go on, and while none does."""
    with _server(SCHEDULER_MAX_WORKERS="8", SCHEDULER_SANDBOX="off") as server:
        quiet = in_child(client.paced, server.port, "/schedule", 50, span / 2, "quiet")
        for number in range(200):
            server.ok(
                "create", task_id=f"tick-{number}", type="command", command="/bin/true", interval="every 1 second"
            )
        server.ok("start")
        time.sleep(2)
        busy = in_child(client.paced, server.port, "/schedule", 50, span, "busy")
        going = _rate(server)
        server.ok("stop")
    what = f"create, 50 a second, while {going:.0f} runs a second go on"
    return [
        Row(f"{what}, p50", median(busy) * MILLI, "ms", [("while none does", median(quiet) * MILLI)]),
        Row(
            f"{what}, p99",
            percentile(busy, 0.99) * MILLI,
            "ms",
            [("while none does", percentile(quiet, 0.99) * MILLI)],
            "20 ms",
        ),
    ]


def _rate(server: Server) -> float:
    """Return how many runs the ledger shows a second, of late."""
    found = server.runs(run_status="completed", limit=600)
    return len(found) / max(0.001, _moment(found[-1]) - _moment(found[0]))


def _moment(run: dict[str, Any]) -> float:
    return datetime.fromisoformat(run["finished_at"]).timestamp()


def _lists(span: float) -> list[Row]:
    """Ask for lists of 10,000 tasks while ten jobs fire each second, and see how late those are."""
    with folder() as place:
        in_child(ours.fill, place, 10_000)
        with _server(place, SCHEDULER_SANDBOX="off") as server:
            for number in range(10):
                server.ok(
                    "create", task_id=f"tick-{number}", type="command", command="/bin/true", interval="every 1 second"
                )
                time.sleep(0.1)
            time.sleep(2)
            alone = _late(server, span, None)
            taken: list[float] = []
            beside = _late(server, span, taken)
    return [
        Row("list of 10,000 tasks through HTTP, p50", median(taken) * MILLI, "ms"),
        *(
            Row(
                f"lateness beside such lists, {name}",
                percentile(beside, share),
                "ms",
                [("without them", percentile(alone, share))],
            )
            for name, share in (("p50", 0.5), ("p99", 0.99))
        ),
    ]


def _late(server: Server, span: float, taken: list[float] | None) -> list[float]:
    """Return by how many milliseconds the jobs that fire during `span` seconds are late."""
    since = datetime.now(UTC)
    if taken is None:
        time.sleep(span)
    else:
        taken += in_child(client.asks, server.port, "/schedule", 1, span, LONG_LIST)
    time.sleep(0.3)
    found = server.runs(since=since.isoformat(), limit=10_000)
    return [run["lateness_ms"] for run in found if run["lateness_ms"] is not None][: int(span * 10)]


@contextmanager
def _server(place: Path | None = None, **settings: Any) -> Iterator[Server]:
    """Give a server of ours."""
    with folder() as fallback:
        server = Server(place or fallback, SCHEDULER_AUTOSTART="true" if place else "false", **settings)
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def _flask() -> Iterator[int]:
    """Give the port of the peer."""
    port = free_port()
    options = ["-k", "gthread", "-w", "1", "--threads", "8", "--keep-alive", "30", "--no-control-socket"]
    command = [sys.executable, "-m", "gunicorn", *options, "-b", f"127.0.0.1:{port}", "benchmarks.flask_peer:app"]
    with folder() as place:
        environment = os.environ | {"BENCHMARK_DATABASE": str(place / "peer.db"), "PYTHONPATH": str(ROOT)}
        # Started elsewhere: in our own folder gunicorn would find the settings of our own server.
        process = subprocess.Popen(command, cwd=place, env=environment, stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            client.Client(port, "/bare").post(STATUS)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
