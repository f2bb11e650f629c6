"""A start under gunicorn: for what it waits, and for what it does not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from scheduler.errors import InvalidRequest, Problem, SchedulerError, Unavailable, Unusable
from scheduler.http import serving

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
