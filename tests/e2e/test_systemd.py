"""The units, and what the service tells systemd."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from tests.server import ROOT, Server

UNITS = sorted((ROOT / "deploy/systemd").glob("*/*.service"))
GUNICORN = [sys.executable, "-m", "gunicorn", "-w", "2", "server:app"]


class Manager:
    """A socket in systemd's place."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1))
        self.socket.settimeout(30)

    def wait_for(self, line: str) -> list[str]:
        """Return all lines that are told until one comes."""
        told: list[str] = []
        while line not in told:
            told += self.socket.recv(4096).decode().split("\n")
        return told


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the name of a socket."""
    return str(tmp_path / "notify") if request.param == "path" else f"@task-scheduler-test-{os.getpid()}"


@pytest.fixture
def manager(address: str) -> Iterator[Manager]:
    """Return who listens there."""
    found = Manager(address)
    yield found
    found.socket.close()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server and waits for nothing."""
    started: list[Server] = []

    def launch(command: list[str], **settings: str) -> Server:
        server = Server(tmp_path, command, **settings)
        started.append(server)
        return server.launch()

    yield launch
    for server in started:
        server.stop()


@pytest.mark.soak
@pytest.mark.parametrize("command", [[], GUNICORN], ids=["task-scheduler", "gunicorn"])
def test_it_tells_when_it_is_ready_that_it_lives_and_when_it_stops(
    manager: Manager, address: str, launch: Callable[..., Server], command: list[str]
) -> None:
    server = launch(command, NOTIFY_SOCKET=address, WATCHDOG_USEC="400000")
    assert manager.wait_for("READY=1") == ["READY=1", "STATUS=Serving"]
    assert requests.get(f"{server.url}/healthz", timeout=30).json()["status"] == "ok"
    for _ in range(3):
        assert "STATUS=Serving" in manager.wait_for("WATCHDOG=1")
    assert server.process is not None
    server.process.terminate()
    told = manager.wait_for("STOPPING=1")
    assert "WATCHDOG=trigger" not in told
    assert server.process.wait(30) == 0


@pytest.mark.soak
def test_a_watchdog_that_is_set_for_another_process_is_not_ours(
    manager: Manager, address: str, launch: Callable[..., Server]
) -> None:
    server = launch([], NOTIFY_SOCKET=address, WATCHDOG_USEC="1000", WATCHDOG_PID="1")
    manager.wait_for("READY=1")
    server.stop()
    assert "WATCHDOG=1" not in manager.wait_for("STOPPING=1")


@pytest.mark.soak
def test_wrong_settings_are_told_and_never_called_ready(
    manager: Manager, address: str, launch: Callable[..., Server], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    server = launch([], NOTIFY_SOCKET=address, SCHEDULER_LOG_FILE=str(tmp_path / "file/x.log"))
    assert server.process is not None
    assert server.process.wait(30) == 2
    assert "the log file" in server.log
    assert "Traceback" not in server.log
    manager.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        manager.socket.recv(4096)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_what_systemd_takes(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None and os.environ.get("REQUIRE_ALL") != "1":
        pytest.skip("needs systemd-analyze (Debian: systemd)")
    # The program that the unit names is not installed here.
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"^ExecStart=.*$", f"ExecStart={sys.executable}", unit.read_text(), flags=re.MULTILINE))
    scope = ["--user"] if unit.parent.name == "user" else []
    done = subprocess.run(
        ["systemd-analyze", *scope, "verify", copy],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def lines(unit: Path) -> dict[str, str]:
    """Return the settings of a unit."""
    return dict(re.findall(r"^(\w+)=(.*)$", unit.read_text(), re.MULTILINE))


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_leave_runs_their_grace(unit: Path) -> None:
    told = lines(unit)
    assert float(told["TimeoutStopSec"]) >= 10 + 20  # as docs/operations.md says
    assert (told["Type"], told["NotifyAccess"], told["KillMode"]) == ("notify", "all", "mixed")
    assert {"AF_UNIX", "AF_INET", "AF_INET6"} <= set(told["RestrictAddressFamilies"].split())
