"""What was acknowledged outlives the server, and nothing runs twice."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from datetime import datetime
from typing import Any

import pytest
from requests import RequestException

from tests.server import Server, wait_until

COUNT = "echo $SCHEDULER_SCHEDULED_FOR >> {name}.log"


def create_counting(server: Server, name: str, interval: str = "every 1 second") -> None:
    """Create a task that writes down each fire time it runs for."""
    server.ok("create", task_id=name, type="command", interval=interval, command=COUNT.format(name=name))


def fire_times(server: Server, name: str) -> list[str]:
    """Return the fire times that a task wrote down."""
    path = server.workspace / f"{name}.log"
    return path.read_text().split() if path.exists() else []


@pytest.fixture
def server(reused: Server) -> Server:
    """Return the one server of this file."""
    return reused


def test_kill_9_while_eight_threads_create(make_server: Any) -> None:
    server = make_server()
    server.ok("start")
    create_counting(server, "ticker")
    acknowledged: list[str] = []

    def create(number: int) -> None:
        for turn in range(1000):
            task_id = f"task-{number}-{turn}"
            try:
                response = server.post(
                    "create", task_id=task_id, type="command", interval="every 1 hour", command=f"echo {task_id}"
                )
            except RequestException:
                return
            if response.status_code == 200:
                acknowledged.append(task_id)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    wait_until(lambda: len(acknowledged) > 200 and fire_times(server, "ticker"), what="200 tasks and a run")
    server.kill()
    for thread in threads:
        thread.join()
    server.start()
    there = {task["id"] for task in server.ok("list", limit=10000)["tasks"]}
    assert set(acknowledged) <= there
    assert server.ok("status")["state"] == "running"
    before = len(fire_times(server, "ticker"))
    wait_until(lambda: len(fire_times(server, "ticker")) > before, what="the ticker going on")
    assert max(Counter(fire_times(server, "ticker")).values()) == 1


def test_every_fire_time_across_a_kill_has_one_row(server: Server) -> None:
    create_counting(server, "ticker")
    server.ok("start")
    wait_until(lambda: len(fire_times(server, "ticker")) >= 2)
    server.kill()
    server.start()
    known = len(fire_times(server, "ticker"))
    wait_until(lambda: len(fire_times(server, "ticker")) >= known + 2)
    server.ok("stop")
    wait_until(lambda: not server.ok("status")["running"])
    rows = server.runs(task_id="ticker")
    moments = [datetime.fromisoformat(row["scheduled_for"]).timestamp() for row in rows]
    gaps = {round(later - earlier, 3) for earlier, later in zip(sorted(moments), sorted(moments)[1:], strict=False)}
    assert gaps == {1.0}  # the grid is kept, and no fire time is without a row
    ran = {row["scheduled_for"] for row in rows if row["status"] == "completed"}
    assert ran <= {time.replace("Z", "+00:00") for time in fire_times(server, "ticker")}


def test_a_run_under_the_dying_server_becomes_interrupted_and_its_processes_end(server: Server) -> None:
    server.ok("create", task_id="long", type="command", interval="every 1 hour", command="echo $$ > pid; sleep 1000")
    run_id = server.ok("run_now", task_id="long")["run_id"]
    pid = wait_until(lambda: (server.workspace / "pid").exists() and (server.workspace / "pid").read_text().strip())
    server.kill()
    server.start()
    wait_until(lambda: server.ok("status")["holder"]["here"])
    [run] = wait_until(lambda: server.runs(task_id="long", run_status="interrupted"))
    assert run["run_id"] == run_id
    assert "died" in run["reason"]
    assert not _runs_sleep(int(pid))


def _runs_sleep(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return "sleep" in file.read()
    except FileNotFoundError:
        return False


@pytest.mark.soak
def test_a_graceful_stop_interrupts_what_does_not_end_in_time(make_server: Any) -> None:
    server = make_server(SCHEDULER_STOP_GRACE_SECONDS="1")
    for name, command in (("long", "sleep 1000"), ("short", "sleep 0.5")):
        server.ok("create", task_id=name, type="command", interval="every 1 hour", command=command)
        server.ok("run_now", task_id=name)
    wait_until(lambda: len(server.ok("status")["running"]) == 2)
    server.stop()
    server.start()
    assert {row["task_id"]: row["status"] for row in server.runs()} == {"long": "interrupted", "short": "completed"}


@pytest.mark.soak
def test_a_restart_keeps_phase_state_and_definitions(server: Server) -> None:
    create_counting(server, "hourly", "every 1 hour")
    server.ok("create", task_id="off", type="command", interval="daily at 2:00", command="true", enabled=False)
    server.ok("pause", task_id="hourly")
    server.ok("resume", task_id="hourly")
    server.ok("start")
    before = server.ok("list")["tasks"]
    server.kill(signal.SIGTERM)
    server.start()
    assert server.ok("list")["tasks"] == before
    assert server.ok("status")["state"] == "running"


@pytest.mark.soak
def test_a_fresh_server_is_stopped_and_autostart_starts_it_once(make_server: Any) -> None:
    server = make_server()
    assert server.ok("status")["state"] == "stopped"
    auto = make_server("auto", SCHEDULER_AUTOSTART="1")
    assert auto.ok("status")["state"] == "running"
    auto.ok("stop")
    auto.kill(signal.SIGTERM)
    auto.start()
    assert auto.ok("status")["state"] == "stopped"


def test_a_one_shot_that_passed_while_stopped_is_missed_once(server: Server) -> None:
    server.ok("create", task_id="once", type="command", interval="in 1 second", command="touch ran")
    create_counting(server, "beat")
    wait_until(lambda: server.ok("get", task_id="once")["task"]["details"]["next_run"] is None)
    server.ok("start")
    [row] = wait_until(lambda: server.runs(task_id="once"))
    assert row["status"] == "missed"
    assert server.ok("get", task_id="once")["task"]["details"]["state"] == "completed"
    wait_until(lambda: fire_times(server, "beat"))
    assert {run["status"] for run in server.runs(task_id="beat")} <= {"completed", "running", "skipped"}
    assert not (server.workspace / "ran").exists()
