"""A FastAPI application under uvicorn with two workers on one database: each job fires once."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from scheduler import Run, SchedulerConfig, TaskScheduler
from scheduler.store.runs import RunFilter
from tests.server import ROOT, free_port, wait_until

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        (importlib.util.find_spec("fastapi") is None or importlib.util.find_spec("uvicorn") is None)
        and os.environ.get("REQUIRE_ALL") != "1",
        reason="it needs fastapi and uvicorn",
    ),
]

APPLICATION = """
import os
from contextlib import asynccontextmanager

from fastapi import FastAPI

from scheduler.aio import SchedulerConfig, TaskScheduler

scheduler = TaskScheduler(SchedulerConfig(database_url=os.environ["DATABASE"], allowed_dirs=["workspace"]))


def note(name):
    with open("fired", "a") as file:
        file.write(f"{name} {os.getpid()}\\n")


@scheduler.interval(seconds=1)
async def periodic_task():
    note("periodic")


@scheduler.interval(seconds=1, job_id="plain")
def plain_task():
    note("plain")


@asynccontextmanager
async def lifespan(app: FastAPI):
    await scheduler.start()
    yield
    await scheduler.shutdown()


app = FastAPI(lifespan=lifespan)


@app.get("/jobs")
async def list_jobs():
    return {"pid": os.getpid(), "jobs": await scheduler.get_jobs()}

"""


@contextmanager
def served(folder: Path, database: str) -> Iterator[str]:
    """Serve the application and return its URL."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "application:app", "--workers", "2", "--port", str(port)]
    environ = {**os.environ, "DATABASE": database, "PYTHONPATH": str(ROOT)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def answers(url: str) -> bool:
    """Whether anybody answers there."""
    try:
        return requests.get(f"{url}/jobs", timeout=30).ok
    except requests.ConnectionError:
        return False


def ledger(database: str, folder: Path) -> list[Run]:
    """Return all rows that the application has left."""
    allowed = (folder / "workspace",)
    scheduler = TaskScheduler(SchedulerConfig(database_url=database, namespace="application", allowed_dirs=allowed))
    rows = scheduler.list_runs(RunFilter(), None, 1000)
    scheduler.close()
    return rows


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_workers_fire_each_job_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    folder = tmp_path / "program"
    (folder / "workspace").mkdir(parents=True)
    (folder / "application.py").write_text(APPLICATION)
    database = f"sqlite:///{tmp_path}/jobs.db"
    if kind == "postgresql":
        database = request.getfixturevalue("postgres").new_database()
    fired = folder / "fired"
    with served(folder, database) as url:
        wait_until(lambda: answers(url), 60, f"an answer ({folder}/log)")
        pids = set()

        def both() -> bool:
            answer = requests.get(f"{url}/jobs", headers={"Connection": "close"}, timeout=20).json()
            pids.add(answer["pid"])
            assert [job["id"] for job in answer["jobs"]] == ["application.periodic_task", "plain"]
            return len(pids) == 2

        wait_until(both, 60, "answers of both workers")
        wait_until(lambda: fired.exists() and len(fired.read_text().splitlines()) >= 8, 60, "four rounds")
    rows, calls = ledger(database, folder), Counter(line.split()[0] for line in fired.read_text().splitlines())
    assert set(Counter((run.task_id, run.scheduled_for) for run in rows).values()) == {1}
    for task_id, name in (("application.periodic_task", "periodic"), ("plain", "plain")):
        statuses = Counter(run.status.value for run in rows if run.task_id == task_id)
        assert set(statuses) <= {"completed", "interrupted", "skipped"}
        # One that was interrupted may have got to its note, or not.
        assert statuses["completed"] <= calls[name] <= statuses["completed"] + statuses["interrupted"]
    if kind == "sqlite":
        assert (tmp_path / "jobs.application.db").exists()
        assert not (tmp_path / "jobs.db").exists()
