"""The compose file: what it says, and the example of an agent in it against a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.yaml_text import read_yaml
from tests.server import ROOT, Server

FILE = ROOT / "deploy/docker-compose.yml"
AGENT = ROOT / "deploy/agent/agent.py"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Return what the file says of each service."""
    return dict(read_yaml(FILE.read_bytes()).value["services"])


def has_compose() -> bool:
    """Whether there is a client that reads compose files."""
    try:
        return subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def test_docker_itself_takes_the_file() -> None:
    if not has_compose():
        pytest.skip("needs `docker compose`, which Debian's packages do not bring")
    for profile in ([], ["--profile", "agent"]):
        subprocess.run(["docker", "compose", "-f", FILE, *profile, "config", "--quiet"], check=True)


def test_the_agent_is_there_only_when_it_is_asked_for(services: dict[str, Any]) -> None:
    assert [name for name, spec in services.items() if "profiles" not in spec] == ["scheduler"]
    assert services["agent"]["profiles"] == ["agent"]


def test_the_agent_reaches_the_scheduler_by_a_name_that_may_call(services: dict[str, Any]) -> None:
    scheduler, agent = services["scheduler"], services["agent"]
    assert agent["environment"]["SCHEDULER_URL"] == "http://scheduler:10800"
    assert scheduler["environment"]["SCHEDULER_ALLOWED_HOSTS"] == "scheduler"
    assert agent["environment"]["SCHEDULER_TOKEN"] == scheduler["environment"]["SCHEDULER_TOKEN"]
    assert agent["image"] == scheduler["image"]
    assert not any(volume.startswith("data:") for volume in agent["volumes"])


def test_files_that_are_mounted_exist(services: dict[str, Any]) -> None:
    source, target, _ = services["agent"]["volumes"][0].split(":")
    assert services["agent"]["command"][1] == f"{target}/{AGENT.name}"
    assert (FILE.parent / source / AGENT.name) == AGENT
    assert AGENT.is_file()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """Return a server with a token."""
    found = Server(tmp_path, SCHEDULER_TOKEN="shared").start()
    yield found
    found.stop()


def run_agent(server: Server, token: str) -> subprocess.CompletedProcess[str]:
    """Run the example."""
    env = {**os.environ, "SCHEDULER_URL": server.url, "SCHEDULER_TOKEN": token}
    return subprocess.run([sys.executable, AGENT], capture_output=True, text=True, check=False, env=env, timeout=60)


@pytest.mark.soak
def test_the_example_of_an_agent_works(server: Server) -> None:
    done = run_agent(server, "shared")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "completed: hello from greeting"
    assert "create: " in run_agent(server, "wrong").stderr
    assert "set SCHEDULER_TOKEN" in run_agent(server, "").stderr
