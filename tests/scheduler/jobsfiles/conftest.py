"""Write files of jobs, and follow them with a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.definitions import Definitions
from scheduler.jobsfiles import Reading, read_jobs
from scheduler.models import utc_now
from scheduler.task_scheduler import TaskScheduler
from tests.owned_time import Time


@pytest.fixture
def config(config: SchedulerConfig, tmp_path: Path) -> SchedulerConfig:
    # What confines runs is none of this folder's business, and every scheduler would start it.
    files = {"jobs_file": tmp_path / "jobs.yaml", "jobs_dir": tmp_path / "jobs"}
    return config.model_copy(update={"sandbox": "off", **files})


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a file beside the data directory; its folder is made."""

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def read(config: SchedulerConfig) -> Callable[..., Reading]:
    """Read files as a scheduler with the test's settings would."""
    definitions = Definitions(config, utc_now)

    def read(*paths: Path) -> Reading:
        return read_jobs(paths, lambda fields: definitions.read(fields).job, config.allowed_dirs[0])

    return read


@pytest.fixture
def make_scheduler(config: SchedulerConfig, time: Time) -> Iterator[Callable[..., TaskScheduler]]:
    """Make schedulers with settings of their own, on one database."""
    made: list[TaskScheduler] = []

    def make(now: Any = time, kind: type[TaskScheduler] = TaskScheduler, **settings: Any) -> TaskScheduler:
        made.append(kind(config.model_copy(update=settings), now))
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.close()
