"""A start under gunicorn: for what it waits, and for what it does not."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, Problem, SchedulerError, Unavailable, Unusable
from scheduler.http import serving
from scheduler.http.app import EXTENSION
from tests.http.conftest import COMMAND, Api
from tests.server import PATIENCE, Server

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


@pytest.mark.parametrize(
    ("fault", "code"),
    [(FULL, 3), (Unusable("file is not a database"), 4), (InvalidRequest([Problem("token", "is short")]), 4)],
)
def test_a_worker_that_cannot_open_says_whether_to_try_again(
    monkeypatch: pytest.MonkeyPatch, fault: SchedulerError, code: int
) -> None:
    def fail(*_: object) -> None:
        raise fault

    for name in ("protect_process", "adopt_orphans", "keep_records_small"):
        monkeypatch.setattr(serving, name, lambda: None)
    monkeypatch.setattr(serving.sys, "setswitchinterval", lambda _: None)
    monkeypatch.setattr(serving, "_opened", fail)
    app = SimpleNamespace(wsgi=lambda: SimpleNamespace(extensions={EXTENSION: SimpleNamespace()}))
    with pytest.raises(SystemExit) as ended:
        serving._open(SimpleNamespace(app=app, sockets=[], log=log))
    assert ended.value.code == code


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"SCHEDULER_DATA_DIR": "{tmp}/file"}, "SCHEDULER_DATA_DIR"),
        ({"SCHEDULER_DATA_DIR": "{tmp}/file/below"}, "SCHEDULER_DATA_DIR"),
        ({"SCHEDULER_DATA_DIR": "/proc/nope"}, "SCHEDULER_DATA_DIR"),
        ({"SCHEDULER_DATABASE_URL": "nonsense"}, "SCHEDULER_DATABASE_URL"),
        ({"SCHEDULER_DATABASE_URL": "mysql://host/database"}, "SCHEDULER_DATABASE_URL"),
    ],
)
def test_wrong_settings_are_told_before_anything_is_started(
    tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    (tmp_path / "file").touch()
    given = {name: text.format(tmp=tmp_path) for name, text in settings.items()}
    work = {"SCHEDULER_ALLOWED_DIRS": str(tmp_path / "work"), "SCHEDULER_DATA_DIR": str(tmp_path / "data")}
    config = SchedulerConfig.from_environment(work | given)
    with pytest.raises(SchedulerError, match=told):
        serving.gunicorn_settings(config)


@pytest.mark.parametrize("settings", [{"DATA_DIR": "{tmp}/file"}, {"DATABASE_URL": "sqlite:///{tmp}/nowhere/x.db"}])
def test_a_server_with_wrong_settings_ends_with_2_and_a_line(tmp_path: Path, settings: dict[str, str]) -> None:
    (tmp_path / "file").touch()
    given = {f"SCHEDULER_{name}": text.format(tmp=tmp_path) for name, text in settings.items()}
    server = Server(tmp_path, **given).launch()
    assert server.process is not None
    assert server.process.wait(PATIENCE) == 2
    assert "Traceback" not in server.log
    assert "cannot be used" in server.log
    assert server.log.splitlines()[-1].startswith("task-scheduler: ")


@pytest.mark.parametrize("command", [[], [sys.executable, "-m", "gunicorn", "-w", "2", "server:app"]])
def test_an_unknown_variable_is_told_once_however_it_is_served(tmp_path: Path, command: list[str]) -> None:
    server = Server(tmp_path, command, SCHEDULER_MAX_WORKRES="3").start()
    server.stop()
    told = "warning: SCHEDULER_MAX_WORKRES is no setting; did you mean SCHEDULER_MAX_WORKERS?"
    assert server.log.count(told) == 1


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
