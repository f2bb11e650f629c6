"""What the watchdog is told: that a process is well, nothing for a moment, and at last that it stays unwell."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from scheduler.http.serving import _condition
from scheduler.http.systemd import Condition, Systemd, hide_socket
from tests.http.conftest import Api


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Return a socket in systemd's place."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(20)
        yield listener


def test_one_that_stays_unwell_does_not_hide_behind_others(manager: socket.socket) -> None:
    found = iter([True, True, False, True, False, False])  # the first is asked for as it becomes ready
    systemd = Systemd(manager.getsockname(), watchdog_seconds=0.01)
    systemd.keep_told(lambda: Condition(next(found, False), "x"))
    told = [manager.recv(4096).decode().split("\n") for _ in range(6)]
    systemd.stop()
    assert told[0] == ["READY=1", "STATUS=x"]
    signs = [[line for line in lines if line.startswith("WATCHDOG")] for lines in told[1:]]
    assert signs == [["WATCHDOG=1"], [], ["WATCHDOG=1"], [], ["WATCHDOG=trigger"]]


def test_nothing_is_told_where_nobody_listens(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Systemd(None, 0.01).keep_told(lambda: pytest.fail("asked for"))
    systemd = Systemd(str(tmp_path / "gone"))
    systemd.keep_told(lambda: Condition(True, "x"))
    systemd.stop()
    assert "systemd could not be told" in caplog.text


def test_the_socket_is_hidden_once_and_stays_known(tmp_path: Path) -> None:
    environ = {"NOTIFY_SOCKET": "/x", "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"}
    for _ in range(2):
        hide_socket(environ)
        assert environ == {"TASK_SCHEDULER_NOTIFY_SOCKET": "/x"}


def test_a_store_in_trouble_is_told_but_mended_by_no_restart(api: Api) -> None:
    assert _condition(api.scheduler) == Condition(True, "Serving")
    api.scheduler.health = lambda: {"reasons": ["the disk is full"]}  # type: ignore[method-assign]
    assert _condition(api.scheduler) == Condition(True, "Degraded: the disk is full")
    api.scheduler.has_clock = lambda: False  # type: ignore[method-assign]
    assert not _condition(api.scheduler).well
