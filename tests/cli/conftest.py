"""Call the command in this process, and a server over its port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scheduler.cli import NAME, command
from tests.local_server import LocalServer
from tests.server import Server


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    out: str
    err: str
    code: int


class Shell:
    """Somebody at a shell; `say` splits at blanks, and takes further arguments as they are."""

    def __init__(self, **environment: str) -> None:
        of_callers = ("SCHEDULER_URL", "SCHEDULER_TOKEN", "SCHEDULER_USER", "SCHEDULER_PASSWORD")
        self.environment = {**dict.fromkeys((*of_callers, "NO_COLOR")), **environment}

    def say(self, words: str, *more: str, stdin: str | None = None) -> Said:
        """Call the command."""
        runner = CliRunner(env=self.environment)
        done = runner.invoke(command, [*words.split(), *more], prog_name=NAME, input=stdin)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Said(done.stdout, done.stderr, done.exit_code)

    def ok(self, words: str, *more: str, stdin: str | None = None) -> str:
        """Call it where it must end with 0, and return what it printed."""
        said = self.say(words, *more, stdin=stdin)
        assert said.code == 0, said
        return said.out

    def json(self, words: str, *more: str) -> dict[str, Any]:
        """Call it with --json and return the one document that it printed."""
        return dict(json.loads(self.say(f"{words} --json", *more).out))


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return one server for all tests of this folder; each uses ids of its own."""
    server = LocalServer(tmp_path_factory.mktemp("cli"), SCHEDULER_STOP_GRACE_SECONDS="0").start()
    yield server
    server.stop()


@pytest.fixture
def shell(served: Server) -> Shell:
    """Return a shell that knows the server."""
    return Shell(SCHEDULER_URL=served.url, SCHEDULER_TIMEZONE="UTC")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder, and be in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
