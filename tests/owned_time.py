"""A scheduler whose time the test owns, with everything else real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.models import Job
from scheduler.task_scheduler import TaskScheduler

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON
        self._stepped = timedelta()

    def __call__(self) -> datetime:
        return self.now

    def monotonic(self) -> float:
        """Return the seconds that have passed, however the clock was set."""
        return (self.now - NOON - self._stepped).total_seconds()

    def move(self, **span: float) -> None:
        """Let time pass, or go back."""
        self.now += timedelta(**span)

    def step(self, **span: float) -> None:
        """Set the clock forward, or back, while no time passes."""
        self.now += timedelta(**span)
        self._stepped += timedelta(**span)


@pytest.fixture
def time() -> Time:
    """Return the time of the test."""
    return Time()


@pytest.fixture
def config(tmp_path: Path) -> SchedulerConfig:
    """Return settings with folders of the test's own."""
    (tmp_path / "workspace").mkdir()
    return SchedulerConfig(
        allowed_dirs=(tmp_path / "workspace",),
        data_dir=tmp_path / "data",
        namespace="default",
        timezone="UTC",
        max_workers=4,
        stop_grace_seconds=0,
    )


class Answering(TaskScheduler):
    """A scheduler that answers but does not take part: nothing happens unless the test makes it."""

    def open(self) -> None:
        """Stay out of it."""


@pytest.fixture
def scheduler(config: SchedulerConfig, time: Time) -> Iterator[TaskScheduler]:
    """Return a scheduler that answers but does not fire."""
    scheduler = Answering(config, time)
    yield scheduler
    scheduler.close()


@pytest.fixture
def job() -> Callable[..., Job]:
    """Make jobs with little to say."""

    def make(task_id: str = "job", interval: str = "every 10 seconds", **fields: Any) -> Job:
        fields = {"type": "command", "command": "true"} | fields
        return Job(task_id=task_id, interval=interval, **fields)

    return make
