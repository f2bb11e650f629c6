"""What monitors see of a real server, whichever of its processes answers."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from typing import Any

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.test_many_processes import gunicorn
from tests.server import Server, free_port, wait_until

Totals = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scrape(server: Server) -> Totals:
    """Scrape over a connection of its own, so that any worker may take it; return what may only grow."""
    text = requests.get(f"{server.url}/metrics", timeout=30).text
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        if family.type in ("counter", "histogram")
        for sample in family.samples
    }


def completed(totals: Totals) -> float:
    return totals.get(("task_scheduler_runs_total", (("status", "completed"), ("type", "command"))), 0)


@pytest.mark.soak
def test_four_workers_tell_one_story_that_never_goes_backwards(make_server: Any) -> None:
    port = free_port()
    server = make_server(port=port, command=gunicorn(port))
    for number in range(5):
        server.ok("create", task_id=f"tick-{number}", type="command", interval="every 1 second", command="true")
    server.ok("start")
    before: Totals = {}
    for _ in range(40):
        now = scrape(server)
        backwards = {key: (number, now.get(key)) for key, number in before.items() if now.get(key, -1) < number}
        assert not backwards
        before = now
        time.sleep(0.15)  # runs go on meanwhile
    assert completed(before) > 5
    server.ok("stop")
    wait_until(lambda: not server.ok("status")["running"] and not server.ok("status")["queue"]["waiting"])
    rows = Counter(row["status"] for row in server.runs(limit=1000))
    wait_until(lambda: completed(scrape(server)) == rows["completed"], seconds=10, what="the last publication")
    stories = {completed(scrape(server)) for _ in range(40)}
    assert stories == {rows["completed"]}


@pytest.mark.soak
def test_totals_outlive_the_process_that_counted(make_server: Any) -> None:
    port = free_port()
    server = make_server(port=port, command=gunicorn(port, workers=2))
    server.ok("create", task_id="quick", type="command", interval="every 1 hour", command="true")
    for _ in range(5):
        server.ok("run_now", task_id="quick", wait=True)
    wait_until(lambda: completed(scrape(server)) == 5, what="the publication")
    os.kill(server.ok("status")["holder"]["pid"], signal.SIGKILL)
    wait_until(lambda: ready(server), what="the takeover")
    assert completed(scrape(server)) == 5
    server.ok("run_now", task_id="quick", wait=True)
    wait_until(lambda: completed(scrape(server)) == 6, what="the publication")
    server.kill(signal.SIGTERM)
    server.start()
    assert completed(scrape(server)) == 6


def ready(server: Server) -> bool:
    try:
        return requests.get(f"{server.url}/readyz", timeout=30).ok
    except requests.ConnectionError:
        return False


@pytest.mark.soak
def test_ready_while_another_process_fires(make_server: Any) -> None:
    servers = make_server(), make_server()
    for server in servers:
        wait_until(lambda server=server: ready(server), what="readiness")
    told = [requests.get(f"{server.url}/metrics", timeout=30).text for server in servers]
    for line in ("task_scheduler_lease_held 1.0", "task_scheduler_clock_alive 1.0", "task_scheduler_store_up 1.0"):
        assert all(line in text for text in told), line
    started = {line for text in told for line in text.splitlines() if line.startswith("process_start_time_seconds ")}
    assert len(started) == 1  # both tell of the process that fires
