"""A server with a configuration file: its settings hold, its log file is written by all processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.server import Server, wait_until


@pytest.mark.soak
@pytest.mark.parametrize("workers", [None, 2])
def test_a_server_lives_by_its_file(tmp_path: Path, workers: int | None) -> None:
    (tmp_path / "workspace").mkdir()
    file = tmp_path / "workspace/scheduler.yaml"
    file.write_text("log_file: ../logs/a.log\ndefault_timeout_seconds: 7\nmax_concurrent_jobs: 3\n")
    command = [sys.executable, "-m", "gunicorn", "-w", str(workers), "server:app"] if workers else []
    server = Server(tmp_path, command, SCHEDULER_CONFIG=str(file)).start()
    try:
        status = server.ok("status")
        assert status["workers"] == 3
        assert any(f"{file} lies inside the allowed directory" in line for line in status["warnings"])
        server.ok("create", task_id="t", type="command", interval="every 1 hour", command="true")
        assert server.ok("get", task_id="t")["task"]["details"]["timeout_seconds"] == 7
        log = tmp_path / "logs/a.log"
        assert log.read_text() == server.log
        log.rename(tmp_path / "logs/a.log.1")
        server.ok("run_now", task_id="t", wait=True)
        wait_until(log.exists)
        assert "run completed" in log.read_text()
    finally:
        server.stop()
