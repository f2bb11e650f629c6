"""A start under gunicorn: for what it waits, and for what it does not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from scheduler.errors import InvalidRequest, Problem, SchedulerError, Unavailable, Unusable
from scheduler.http import serving
from tests.http.conftest import COMMAND, Api

log = logging.getLogger("a worker")
LOCKED, FULL = Unavailable("database is locked"), Unavailable("disk is full")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Return a function that opens a service which fails in these ways first; each try takes a second."""
    now = [0.0]

    def sleep(_: float) -> None:
        now[0] += 1

    monkeypatch.setattr(serving, "time", SimpleNamespace(monotonic=lambda: now[0], sleep=sleep))

    def attempt(*faults: SchedulerError) -> Any:
        left = list(faults)

        def open_() -> str:
            if left:
                raise left.pop(0)
            return "a scheduler"

        return serving._opened(SimpleNamespace(open=open_), log, seconds=5)  # type: ignore[arg-type]

    return attempt


def test_it_waits_for_a_store_in_trouble_and_tells_each_kind_once(
    opened: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert opened(LOCKED, LOCKED, FULL, FULL) == "a scheduler"
    assert [record.getMessage() for record in caplog.records] == [
        "waiting for the store: database is locked",
        "waiting for the store: disk is full",
    ]


def test_it_does_not_wait_for_ever(opened: Callable[..., Any]) -> None:
    with pytest.raises(Unavailable, match="full"):
        opened(*[FULL] * 20)


@pytest.mark.parametrize("fault", [Unusable("file is not a database"), InvalidRequest([Problem("token", "is short")])])
def test_what_no_waiting_mends_is_told_at_once(opened: Callable[..., Any], fault: SchedulerError) -> None:
    with pytest.raises(type(fault)):
        opened(LOCKED, fault, LOCKED)


def test_a_worker_prepares_the_lists_of_the_tasks_that_it_finds(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        api.ok("create", task_id=f"task-{number}", **COMMAND)
    # What is done to the process as a whole is not for the process of the tests.
    for name in ("protect_process", "adopt_orphans", "keep_records_small", "_spare_the_collector"):
        monkeypatch.setattr(serving, name, lambda: None)
    monkeypatch.setattr(serving.sys, "setswitchinterval", lambda _: None)
    serving._open(SimpleNamespace(app=SimpleNamespace(wsgi=lambda: api.app), sockets=[], log=log))
    [thread] = [found for found in threading.enumerate() if found.name == "lists"] or [None]
    if thread is not None:  # else it is done
        thread.join(20)
    made: list[str] = []
    monkeypatch.setattr("scheduler.http.present._details", lambda info: made.append(info.stored.task_id) or {})
    assert len(api.ok("list")["tasks"]) == 3
    assert made == []
