"""Give tests of the kernel's enforcement a confinement, a place, and things outside to reach for."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sandbox.ground import Ground, Targets, open_to_runs

_numbers = itertools.count(1)


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Ground]:
    """A ground whose runs are confined as strongly as this kernel can."""
    ground = Ground(open_to_runs(tmp_path))
    ground.confine()
    yield ground
    ground.close()


@pytest.fixture(scope="session")
def targets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Targets]:
    folder = tmp_path_factory.mktemp("targets")
    abstract = f"way-out-{os.getpid()}"
    with ExitStack() as stack:
        victim = subprocess.Popen(["sleep", "3600"], start_new_session=True)
        stack.callback(victim.wait)
        stack.callback(victim.kill)
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
        for name in (str(folder / "socket"), "\0" + abstract):
            local = stack.enter_context(socket.socket(socket.AF_UNIX))
            local.bind(name)
            local.listen(128)
        yield Targets(victim.pid, listener.getsockname()[1], str(folder / "socket"), abstract)


@pytest.fixture
def outside(tmp_path: Path) -> Callable[[], Path]:
    """Make a folder outside the workspace with a file, a program, a module and an empty folder."""

    def make() -> Path:
        folder = tmp_path / f"outside-{next(_numbers)}"
        (folder / "empty").mkdir(parents=True)
        (folder / "secret").write_text("secret")
        (folder / "planted.py").write_text("")
        shutil.copy("/bin/true", folder / "program")
        return folder

    return make
