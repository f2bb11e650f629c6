"""Real servers for the tests of this folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server, wait_until

MakeServer = Callable[..., Server]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Make servers that are ended after the test; those made with the same `name` share data and workspace."""
    made: list[Server] = []

    def make(name: str = "server", **settings: Any) -> Server:
        server = Server(tmp_path / name, **settings)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def _lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("lasting"))
    yield server
    server.stop()


@pytest.fixture
def reused(_lasting: Server) -> Server:
    """The one server of a file, which each test finds running, stopped, without tasks, and with an empty workspace.

    Rows of the ledger stay: each test must name its tasks as no other of the file does.
    """
    server = _lasting
    if server.process is None or server.process.poll() is not None:
        return server.start()
    server.ok("stop")
    for task in server.ok("list", limit=10000)["tasks"]:
        server.ok("remove", task_id=task["id"])
    wait_until(lambda: not server.ok("status")["running"], what="the end of what the last test left running")
    shutil.rmtree(server.workspace)
    server.workspace.mkdir()
    return server


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """One server, started."""
    return make_server()
