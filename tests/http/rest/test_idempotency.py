"""Idempotency-Key: what is asked twice happens once, and is answered as it was the first time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from scheduler.http.app import create_app
from scheduler.retention import Retention
from scheduler.store import keys
from scheduler.task_scheduler import TaskScheduler
from tests.http.conftest import COMMAND
from tests.http.rest.conftest import HOST, Rest


@pytest.fixture
def rest(fresh_rest: Rest) -> Rest:
    return fresh_rest


def counts(rest: Rest) -> tuple[int, int]:
    return rest.ok("GET", "/api/tasks")["count"], len(rest.ok("GET", "/api/runs")["runs"])


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/tasks", COMMAND),
        ("/api/tasks/nightly/run", None),
        ("/api/tasks/nightly/run", {"wait": True}),
        ("/api/tasks/nightly/pause", None),
        ("/api/tasks/nightly/cancel", {}),
        ("/api/scheduler/start", None),
    ],
)
def test_the_same_request_is_answered_the_same_and_done_once(rest: Rest, path: str, body: Any) -> None:
    rest.create()
    first = rest("POST", path, body, Idempotency_Key="k")
    assert first.status_code < 300
    if path.endswith("/pause"):
        rest.ok("POST", "/api/tasks/nightly/resume")  # done a second time, it would be paused again
    before = counts(rest)
    for _ in range(2):
        again = rest("POST", path, body, Idempotency_Key="k")
        assert (again.status_code, again.data) == (first.status_code, first.data)
        assert {**again.headers} == {**first.headers}
    assert counts(rest) == before
    if path.endswith("/pause"):
        assert rest.ok("GET", "/api/tasks/nightly")["state"] == "pending"


def test_another_request_with_the_key_is_refused(rest: Rest) -> None:
    rest.create()
    rest.ok("POST", "/api/tasks", {**COMMAND, "task_id": "one"}, Idempotency_Key="k")
    for path, body in (
        ("/api/tasks", {**COMMAND, "task_id": "two"}),
        ("/api/tasks/nightly/run", None),
        ("/api/scheduler/stop", None),
    ):
        rest.refused(409, "idempotency_conflict", "POST", path, body, Idempotency_Key="k")
    assert counts(rest) == (2, 0)
    assert rest("POST", "/api/jobs/", {"task_id": "one", **COMMAND}, Idempotency_Key="k").status_code == 201


def test_what_was_refused_may_be_mended_under_the_same_key(rest: Rest) -> None:
    rest.refused(400, "missing_field", "POST", "/api/tasks", {"type": "command"}, Idempotency_Key="k")
    rest.refused(404, "task_not_found", "POST", "/api/tasks/nightly/run", Idempotency_Key="k")
    assert rest("POST", "/api/tasks", COMMAND, Idempotency_Key="k").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "k\u00e9y"])
def test_what_is_no_key_is_refused(rest: Rest, key: str) -> None:
    error = rest.refused(400, "invalid_field", "POST", "/api/tasks", COMMAND, Idempotency_Key=key)
    assert error["problems"][0]["field"] == "Idempotency-Key"


def test_two_at_once_are_one(rest: Rest) -> None:
    rest.create()
    clients = [create_app(lambda: rest.api.scheduler.config) for _ in range(2)]  # two processes on one store

    def run(number: int) -> bytes:
        client = (rest.api.app if number % 3 == 0 else clients[number % 3 - 1]).test_client()
        response = client.post("/api/tasks/nightly/run", headers={**HOST, "Idempotency-Key": "k"})
        assert response.status_code == 202
        return response.data

    try:
        with ThreadPoolExecutor(9) as pool:
            answers = set(pool.map(run, range(9)))
        assert len(answers) == 1
        assert counts(rest) == (1, 1)
    finally:
        for client in clients:
            client.extensions["task-scheduler"].close()


def test_a_change_and_its_answer_are_kept_together_or_not_at_all(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("the server dies here")

    with monkeypatch.context() as patch:
        patch.setattr(keys, "add", fail)
        assert rest("POST", "/api/tasks", COMMAND, Idempotency_Key="k").status_code == 500
    assert counts(rest) == (0, 0)
    assert rest("POST", "/api/tasks", COMMAND, Idempotency_Key="k").status_code == 201


def test_a_key_is_forgotten_after_a_day(rest: Rest) -> None:
    scheduler = rest.api.scheduler
    rest.ok("POST", "/api/tasks", COMMAND, Idempotency_Key="k")
    now = scheduler.now
    sweeps = Retention(scheduler._store, scheduler.events, scheduler.config, lambda: scheduler.now())

    def kept() -> bool:
        return scheduler._store.read(lambda connection: keys.are_older(connection, now() + timedelta(days=9)))

    scheduler.now = lambda: now() + timedelta(hours=23)
    sweeps.sweep()
    assert kept()
    rest.ok("POST", "/api/tasks", COMMAND, Idempotency_Key="k")
    assert counts(rest)[0] == 1
    scheduler.now = lambda: now() + timedelta(hours=25)
    rest.ok("POST", "/api/tasks", {**COMMAND, "command": "echo"}, Idempotency_Key="k")
    assert counts(rest)[0] == 2
    scheduler.now = lambda: now() + timedelta(hours=50)
    sweeps.sweep()
    assert not kept()


@pytest.mark.parametrize("path", ["/api/tasks", "/api/try"])
def test_a_repeat_is_answered_though_the_moment_in_it_has_passed(
    rest: Rest, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = rest.api.scheduler.now
    moment = (now() + timedelta(hours=1)).isoformat(timespec="seconds")
    body = {"type": "command", "command": "true", "interval": moment, "remove_when_done": True}
    first = rest("POST", path, body, Idempotency_Key="k")
    assert first.status_code < 300
    monkeypatch.setattr(rest.api.scheduler._definitions, "_now", lambda: now() + timedelta(hours=2))
    rest.refused(400, "invalid_interval", "POST", path, body, Idempotency_Key="another")
    rest.refused(400, "invalid_interval", "POST", path, body | {"name": "other"}, Idempotency_Key="k")
    again = rest("POST", path, body, Idempotency_Key="k")
    assert (again.status_code, again.data) == (first.status_code, first.data)


def test_a_test_message_is_sent_once(make_rest: Callable[..., Rest], monkeypatch: pytest.MonkeyPatch) -> None:
    rest = make_rest(notify_targets='{"ops": {"webhook": "http://127.0.0.1:9/hook", "secret": "of no use at all"}}')
    sent: list[Any] = []
    real = TaskScheduler.test_notification

    def send(scheduler: TaskScheduler, target: Any) -> Any:
        sent.append(target)
        if target == "ops":
            error = rest.refused(409, "idempotency_conflict", "POST", path, body, Idempotency_Key="k")
            assert "under way" in error["message"]
        return real(scheduler, target)

    monkeypatch.setattr(TaskScheduler, "test_notification", send)
    path, body = "/api/notifications/test", {"target": "ops"}
    rest.refused(400, "invalid_field", "POST", path, {"target": "nobody"}, Idempotency_Key="k")
    first = rest("POST", path, body, Idempotency_Key="k")
    again = rest("POST", path, body, Idempotency_Key="k")
    assert (again.status_code, again.data) == (first.status_code, first.data) == (200, first.data)
    assert sent == ["nobody", "ops"]
    rest.refused(409, "idempotency_conflict", "POST", path, {"target": "nobody"}, Idempotency_Key="k")
