"""Give each test of tasks a workspace and a way to run things in it for real."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tasks import BaseTask, CommandTask, TaskResult
from tasks.sandbox import AllowedDirs, Cancellation, RunSpec, open_sandbox, read_ends

_numbers = itertools.count(1)


@dataclass
class Place:
    """A workspace with a log and a folder for private directories."""

    root: Path
    allowed: AllowedDirs = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = self.root / "workspace"
        self.workspace.mkdir()
        self.allowed = AllowedDirs([self.workspace])
        self.log_dir = self.root / "log"
        self.tmp_root = self.root / "tmp"
        self.last_id = ""
        self.env: dict[str, str] = {}

    def spec(self, **changes: Any) -> RunSpec:
        self.last_id = f"run-{os.getpid()}-{next(_numbers)}"
        values: dict[str, Any] = {
            "run_id": self.last_id,
            "task_id": "täsk 1",
            "scheduled_for": "2026-03-01T10:00:00+01:00",
            "attempt": 1,
            "timezone": "Europe/Berlin",
            "allowed": self.allowed,
            "working_directory": None,
            "env": self.env,
            "timeout_seconds": 20.0,
            "log_dir": self.log_dir,
            "tmp_root": self.tmp_root,
        }
        return RunSpec(**{**values, **changes})

    def run(self, task: BaseTask, cancellation: Cancellation | None = None, **changes: Any) -> TaskResult:
        """Run a task to its end."""
        with open_sandbox(self.spec(**changes), cancellation or Cancellation()) as sandbox:
            return task.run(sandbox)

    def sh(self, command: str, *args: str, **changes: Any) -> TaskResult:
        """Run a shell command to its end."""
        return self.run(CommandTask(command=command, args=list(args)), **changes)

    @property
    def out(self) -> str:
        return read_ends(self.log_dir, self.last_id, "stdout")

    @property
    def err(self) -> str:
        return read_ends(self.log_dir, self.last_id, "stderr")

    def write(self, name: str, text: str) -> Path:
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def read(self, name: str) -> str:
        path = self.workspace / name
        return path.read_text("utf-8") if path.exists() else ""


class Background:
    """A run that goes on in a thread while the test does something to it."""

    def __init__(self, place: Place, task: BaseTask, changes: Mapping[str, Any]) -> None:
        self.cancellation = Cancellation()
        self.result: TaskResult | None = None
        self.spec = place.spec(**changes)
        self.thread = threading.Thread(target=self._run, args=(task,))
        self.thread.start()

    def _run(self, task: BaseTask) -> None:
        with open_sandbox(self.spec, self.cancellation) as sandbox:
            self.result = task.run(sandbox)

    def join(self, seconds: float = 15) -> TaskResult:
        self.thread.join(seconds)
        assert self.result is not None, "the run has not ended"
        return self.result


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def background(place: Place) -> Any:
    """Start a run in a thread; what still goes on at the test's end is cancelled."""
    started: list[Background] = []

    def start(task: BaseTask | str, **changes: Any) -> Background:
        task = CommandTask(command=task) if isinstance(task, str) else task
        started.append(Background(place, task, changes))
        return started[-1]

    yield start
    for run in started:
        run.cancellation.cancel("the test is over")
        run.thread.join(15)


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait until a condition holds, and fail when it does not within the time."""

    def wait(condition: Callable[[], object], seconds: float = 8) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "it did not come true in time"
            time.sleep(0.005)

    return wait


@pytest.fixture
def is_alive() -> Callable[[int | str], bool]:
    """Tell whether a process lives: is there, and is no zombie."""

    def alive(pid: int | str) -> bool:
        try:
            stat = Path(f"/proc/{int(pid)}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        return stat.rpartition(")")[2].split()[0] not in "ZX"

    return alive


@pytest.fixture
def python() -> str:
    return sys.executable
