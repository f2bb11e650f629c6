"""A client that a public generator makes of /openapi.json creates a task, runs it, and reads its run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.server import Server

PROGRAM = """
import sys
from scheduler_client import Client
from scheduler_client.api.runs import get_run, list_runs_of_task
from scheduler_client.api.tasks import create_task, get_task, run_task
from scheduler_client.models import CreateTask, CreateTaskType, RunShown, RunTask, TaskShown

client = Client(base_url=sys.argv[1], raise_on_unexpected_status=True)
body = CreateTask(type_=CreateTaskType.COMMAND, task_id="a/b", command="echo made by a client", interval="hourly")
task = create_task.sync(client=client, body=body)
assert isinstance(task, TaskShown), task
assert get_task.sync("a/b", client=client).command == "echo made by a client"
run = run_task.sync(task.id, client=client, body=RunTask(wait=True))
assert isinstance(run, RunShown), run
assert get_run.sync(run.run_id, client=client).stdout == "made by a client\\n"
print(*[run.status for run in list_runs_of_task.sync(task.id, client=client).runs])
"""


@pytest.mark.soak
def test_a_generated_client_creates_a_task_and_reads_its_run(tmp_path: Path) -> None:
    server = Server(tmp_path / "server").start()
    try:
        document = tmp_path / "openapi.json"
        document.write_bytes(requests.get(f"{server.url}/openapi.json", timeout=60).content)
        settings = tmp_path / "settings.yml"
        settings.write_text("package_name_override: scheduler_client\nproject_name_override: client\npost_hooks: []\n")
        generated = subprocess.run(
            [
                *(sys.executable, "-m", "openapi_python_client", "generate", "--fail-on-warning"),
                *("--path", document, "--config", settings, "--output-path", tmp_path / "client"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert generated.returncode == 0, generated.stdout + generated.stderr
        used = subprocess.run(
            [sys.executable, "-", server.url],
            input=PROGRAM,
            cwd=tmp_path / "client",
            capture_output=True,
            text=True,
            check=False,
        )
        assert used.stdout == "completed\n", used.stdout + used.stderr
    finally:
        server.stop()
