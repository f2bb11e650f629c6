"""Start real servers on free ports of the loopback interface, talk to them, and end them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).parents[1]
PATIENCE = 90.0
"""How long anything may take on a machine that has much else to do; what holds comes true long before."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(condition: Callable[[], Any], seconds: float = PATIENCE, what: str = "the condition") -> Any:
    """Look until `condition` gives something true, and return that."""
    deadline, pause = time.monotonic() + seconds, 0.01
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(pause)
        pause = min(pause * 1.5, 0.15)  # a condition often asks a server, which costs more than to wait
    raise AssertionError(f"{what} did not come true in {seconds} s")


class Server:
    """One server process with a data directory and an allowed directory of its own."""

    def __init__(self, folder: Path, command: Sequence[str] = (), port: int | None = None, **settings: str) -> None:
        self.folder, self.port = folder, port or free_port()
        self.workspace, self.data = folder / "workspace", folder / "data"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self.command = list(command) or [sys.executable, str(ROOT / "server.py")]
        self.settings = {
            "SCHEDULER_PORT": str(self.port),
            "SCHEDULER_ALLOWED_DIRS": str(self.workspace),
            "SCHEDULER_DATA_DIR": str(self.data),
            "SCHEDULER_TIMEZONE": "UTC",
            "SCHEDULER_RATE_LIMIT": "off",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.http = requests.Session()

    @property
    def url(self) -> str:
        """The server's root."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "server.log").read_text()

    def start(self) -> Server:
        """Start it and wait until it answers."""
        self.launch()
        wait_until(self._answers, what=f"an answer of the server ({self.folder}/server.log)")
        return self

    def launch(self) -> Server:
        """Start it, waiting for nothing."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCHEDULER_")}
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=ROOT,
                env={**inherited, **self.settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        try:
            return requests.get(f"{self.url}/healthz", timeout=30).ok
        except requests.ConnectionError:
            return False

    def post(self, action: str | None = None, **fields: Any) -> requests.Response:
        """Send one action."""
        body = {"action": action, **fields} if action else fields
        return self.http.post(f"{self.url}/schedule", json=body, timeout=120)

    def ok(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send one action that must succeed and return its answer."""
        response = self.post(action, **fields)
        assert response.status_code == 200, response.text
        return dict(response.json())

    def runs(self, **fields: Any) -> list[dict[str, Any]]:
        """Return rows of the ledger, oldest first."""
        return list(reversed(self.ok("runs", **fields)["runs"]))

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send a signal to the whole group of the server and wait for its end."""
        assert self.process is not None
        self.http.close()  # a server that stops waits a while for what may still come on open connections
        self.http = requests.Session()
        os.killpg(self.process.pid, number)
        self.process.wait(60)

    def stop(self) -> None:
        """Stop it gracefully, if it lives."""
        self.http.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)
