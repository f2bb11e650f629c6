"""Run a real server, as an operator would, and do to it what happens to servers."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from scheduler.selftest.client import NotSent, Unanswered, post
from tasks.sandbox import processes
from tasks.sandbox.processes import Process

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
READY_SECONDS = 60.0
_LOOK_SECONDS = 0.03
_CONFIGURATION = "from scheduler.http.serving import gunicorn_settings\n\nglobals().update(gunicorn_settings())\n"


class ServerFault(Exception):
    """The server did what it never should: it ended by itself, or did not come back."""


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """gunicorn with some workers on a data directory of its own."""

    def __init__(self, folder: Path, workers: int, settings: Mapping[str, str]) -> None:
        self.folder, self.workers, self.port = folder, workers, free_port()
        self.workspace, self.data = folder / "workspace", folder / "data"
        self.workspace.mkdir(parents=True)
        self._configuration = folder / "gunicorn.conf.py"
        self._configuration.write_text(_CONFIGURATION)
        self._environ = {name: value for name, value in os.environ.items() if not name.startswith("SCHEDULER_")} | {
            "SCHEDULER_PORT": str(self.port),
            "SCHEDULER_ALLOWED_DIRS": str(self.workspace),
            "SCHEDULER_DATA_DIR": str(self.data),
            "SCHEDULER_TIMEZONE": "UTC",
            "SCHEDULER_RATE_LIMIT": "off",
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._limited: list[Process] = []
        self._ended_by_us = False

    @property
    def log(self) -> Path:
        """The file with all that it has logged."""
        return self.folder / "server.log"

    def start(self) -> None:
        """Start it and wait until it fires."""
        command = [sys.executable, "-m", "gunicorn", "-c", str(self._configuration), "-w", str(self.workers)]
        self._process = subprocess.Popen(
            [*command, "server:app"],
            cwd=ROOT,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        # Through us into the file, because a server whose files may not grow could not log either.
        threading.Thread(target=self._keep_log, args=(self._process.stdout,), daemon=True).start()
        self._ended_by_us = False

    def wait_ready(self) -> Process:
        """Wait until one of the workers fires, and return it; raise `ServerFault` where none does in time."""
        return self._wait(self._holder, "no worker fires")

    def holder_or_any(self) -> Process | None:
        """Return the worker that fires, or failing that any; None where there are none."""
        return self._holder() or next(iter(self.worker_processes()), None)

    def worker_processes(self) -> list[Process]:
        """Return the workers that are alive."""
        return [process for process in self._group() if process.pid != self._pid]

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the whole server: gunicorn's first process and all workers, not their runs."""
        for process in sorted(self._group(), key=lambda process: process.pid):
            processes.send(process, number)

    def kill(self) -> None:
        """End it as a crash of the machine would, as far as its processes are concerned."""
        self._ended_by_us = True
        self.send(signal.SIGKILL)
        self._wait_gone(10)

    def stop(self, seconds: float = 60) -> None:
        """Ask it to end and wait for that; raise `ServerFault` where it does not."""
        assert self._process is not None
        self._ended_by_us = True
        self._process.terminate()
        self._wait_gone(seconds)

    def limit_files(self, room: int) -> None:
        """Let no file of the workers grow beyond the size of the database's log and `room`, like a full disk."""
        log = self.data / "scheduler.db-wal"
        size = room + (log.stat().st_size if log.exists() else 0)
        self._limited = self.worker_processes()
        for process in self._limited:
            _limit(process, size)

    def unlimit_files(self) -> None:
        """Let them grow again."""
        for process in self._limited:
            _limit(process, resource.RLIM_INFINITY)

    def check(self) -> None:
        """Raise `ServerFault` where it is gone and nobody ended it."""
        if not self._ended_by_us and not self.is_up():
            raise ServerFault("the server ended by itself")

    def is_up(self) -> bool:
        """Whether gunicorn's first process is there."""
        return self._process is not None and self._process.poll() is None

    def close(self) -> None:
        """End whatever is left of it."""
        if self._process is not None:
            self.send(signal.SIGKILL)
            self._process.wait(10)

    def status(self) -> dict[str, Any] | None:
        """Return what one of the workers says about the scheduler, or None where none answers."""
        try:
            number, answer = post(self.port, {"action": "status"}, seconds=10)
        except (NotSent, Unanswered):
            return None
        return answer if number == 200 else None

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _holder(self) -> Process | None:
        """Return the worker that fires, asked by itself."""
        answer = self.status()
        if answer is None or not answer["holder"]["here"]:
            return None
        return next((worker for worker in self.worker_processes() if worker.pid == answer["holder"]["pid"]), None)

    def _group(self) -> list[Process]:
        # While gunicorn's first process is not collected its number is no one else's.
        everything = processes.all_processes().values()
        return [process for process in everything if process.group == self._pid and not process.dead]

    def _wait_gone(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._group():
            if time.monotonic() > deadline:
                self.send(signal.SIGKILL)
                raise ServerFault(f"the server did not end within {seconds:g} s")
            time.sleep(_LOOK_SECONDS)
        assert self._process is not None
        self._process.wait(10)

    def _wait(self, look: Callable[[], T | None], complaint: str) -> T:
        deadline = time.monotonic() + READY_SECONDS
        while (found := look()) is None:
            self.check()
            if time.monotonic() > deadline:
                raise ServerFault(f"{complaint} after {READY_SECONDS:g} s")
            time.sleep(_LOOK_SECONDS)
        return found

    def _keep_log(self, pipe: Any) -> None:
        with pipe, self.log.open("ab", buffering=0) as file:
            while data := os.read(pipe.fileno(), 65536):
                file.write(data)


def _limit(process: Process, size: int) -> None:
    found = processes.read_process(process.pid)
    if found is None or found.started != process.started:
        return
    with suppress(ProcessLookupError):
        hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)[1]
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, hard))
