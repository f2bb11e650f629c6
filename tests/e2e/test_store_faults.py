"""A store in trouble stops no clock, loses nothing that was acknowledged, and is told of."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.sandbox import processes
from tests.e2e.conftest import MakeServer
from tests.e2e.test_restart import create_counting, fire_times
from tests.server import PATIENCE, ROOT, Server, wait_until

pytestmark = pytest.mark.soak


@pytest.fixture
def server(reused: Server) -> Server:
    """Return the one server of this file."""
    return reused


def test_a_lock_of_seconds_delays_and_loses_nothing(server: Server) -> None:
    create_counting(server, "ticker")
    server.ok("start")
    wait_until(lambda: fire_times(server, "ticker"))
    with sqlite3.connect(server.data / "scheduler.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        assert server.ok("status")["state"] == "running"  # reading goes on
        known = len(fire_times(server, "ticker"))
        wait_until(lambda: server.runs(task_id="ticker"))
        subprocess.run(["sleep", "3"], check=True)  # the lock lasts
        assert len(fire_times(server, "ticker")) <= known + 1
        other.execute("COMMIT")
    other.close()
    wait_until(lambda: len(fire_times(server, "ticker")) >= known + 2)
    server.ok("stop")
    rows = server.runs(task_id="ticker")
    assert {row["status"] for row in rows} <= {"completed", "skipped"}
    assert len({row["scheduled_for"] for row in rows}) == len(rows)


def test_a_full_disk_refuses_creates_and_is_told_and_passes(server: Server) -> None:
    create_counting(server, "full")
    server.ok("start")
    wait_until(lambda: fire_times(server, "full"))
    pid = server.ok("status")["holder"]["pid"]
    _limit_file_size(pid, 0)  # as good as a full disk: no file may grow
    response = wait_until(lambda: _refused(server), what="a refusal")
    assert response["code"] == "store_unavailable"
    assert server.ok("status")["store"]["state"] == "degraded"
    health = server.http.get(f"{server.url}/healthz")
    assert (health.status_code, health.json()["status"]) == (503, "degraded")
    _limit_file_size(pid, -1)
    wait_until(lambda: server.ok("status")["store"]["state"] == "ok", what="recovery")
    known = len(fire_times(server, "full"))
    wait_until(lambda: len(fire_times(server, "full")) >= known + 2)
    server.ok("stop")
    moments = [row["scheduled_for"] for row in server.runs(task_id="full")]
    assert len(set(moments)) == len(moments)


def _limit_file_size(pid: int, size: int) -> None:
    resource = pytest.importorskip("resource")
    unlimited = resource.RLIM_INFINITY
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (unlimited if size < 0 else size, unlimited))


def _refused(server: Server) -> dict[str, Any] | None:
    response = server.post("create", type="command", interval="every 1 hour", command="true")
    return response.json() if response.status_code == 503 else None


def test_a_deleted_file_is_noticed_and_nothing_goes_into_the_void(server: Server) -> None:
    server.ok("create", task_id="kept", type="command", interval="every 1 hour", command="true")
    database = server.data / "scheduler.db"
    database.rename(server.folder / "moved.db")
    response = server.post("create", task_id="lost", type="command", interval="every 1 hour", command="true")
    assert response.status_code == 503
    assert "deleted or replaced" in response.json()["message"]
    (server.folder / "moved.db").rename(database)
    server.ok("create", task_id="later", type="command", interval="every 1 hour", command="true")
    assert {task["id"] for task in server.ok("list")["tasks"]} == {"kept", "later"}


@pytest.mark.parametrize("how", ["rubbish", "torn"])
def test_a_damaged_database_is_refused_at_start_and_left_alone(make_server: MakeServer, how: str) -> None:
    server = make_server()
    server.ok("create", task_id="kept", type="command", interval="every 1 hour", command="true")
    server.stop()
    database = server.data / "scheduler.db"
    content = database.read_bytes()
    damaged = b"this is no database " * 500 if how == "rubbish" else content[:100] + b"\xff" * (len(content) - 100)
    database.write_bytes(damaged)
    ended = subprocess.run(
        [sys.executable, str(ROOT / "server.py")], env={**os.environ, **server.settings}, cwd=ROOT,
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert ended.returncode != 0
    assert "cannot be used" in ended.stderr
    assert ".recover" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert database.read_bytes() == damaged


def test_a_start_waits_for_a_store_in_trouble(tmp_path: Path) -> None:
    # 16 KiB a file: less than a new database takes, and more than is logged.
    limited = ["/bin/sh", "-c", 'ulimit -S -f 32; exec "$@"', "sh"]
    server = Server(tmp_path, [*limited, sys.executable, str(ROOT / "server.py")]).launch()
    try:
        wait_until(lambda: "waiting for the store" in server.log)
        assert server.process is not None
        for process in processes.all_processes().values():
            if process.group == server.process.pid:
                _limit_file_size(process.pid, -1)
        wait_until(lambda: "holds the lease" in server.log)
        assert server.ok("status")["store"]["state"] == "ok"
        assert server.log.count("waiting for the store") == 1
    finally:
        server.stop()


def test_a_suspended_server_loses_and_doubles_nothing(server: Server) -> None:
    create_counting(server, "suspended")
    server.ok("start")
    wait_until(lambda: len(fire_times(server, "suspended")) >= 2)
    pid = server.ok("status")["holder"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    subprocess.run(["sleep", "3"], check=True)  # the machine sleeps
    os.kill(pid, signal.SIGCONT)
    known = len(fire_times(server, "suspended"))
    wait_until(lambda: len(fire_times(server, "suspended")) >= known + 2)
    server.ok("stop")
    rows = server.runs(task_id="suspended")
    moments = sorted(row["scheduled_for"] for row in rows)
    assert len(set(moments)) == len(moments)
    assert any("coalesced into" in (row["reason"] or "") for row in rows)
