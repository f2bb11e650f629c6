"""Real servers for the tests of this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import Server

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


@pytest.fixture
def server(make_server: MakeServer) -> Server:
    """One server, started."""
    return make_server()
