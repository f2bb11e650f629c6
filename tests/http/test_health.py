"""`GET /healthz` and `GET /readyz`: for whoever restarts services, or sends them requests."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import TestResponse

from scheduler.errors import Unavailable
from scheduler.firing import Firing
from scheduler.store import Connection
from scheduler.version import VERSION
from tests.http.conftest import Api, watch_for

HOST = {"Host": "localhost"}


@pytest.fixture
def api(fresh: Api) -> Api:
    return fresh


def ready(api: Api, query: str = "", **headers: str) -> TestResponse:
    return api.client.get(f"/readyz{query}", headers={**HOST, **headers})


def reasons(api: Api) -> list[str]:
    response = ready(api)
    body = response.json
    assert response.status_code == (503 if body["reasons"] else 200)
    assert body["status"] == ("not ready" if body["reasons"] else "ok")
    return list(body["reasons"])


def when_ready(api: Api) -> Api:
    watch_for(lambda: ready(api).status_code == 200)
    return api


def test_ready(api: Api) -> None:
    assert when_ready(api).client.get("/readyz", headers=HOST).json == {
        "status": "ok",
        "reasons": [],
        "version": VERSION,
    }


def test_alive(shared: Api) -> None:
    response = shared.client.get("/healthz", headers=HOST)
    assert (response.status_code, response.json) == (200, {"status": "ok", "reasons": [], "version": VERSION})


def test_health_tells_of_a_clock_that_is_gone(shared: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.scheduler, "health", lambda: {"status": "degraded", "reasons": ["the clock"]})
    response = shared.client.get("/healthz", headers=HOST)
    assert (response.status_code, response.json["reasons"]) == (503, ["the clock"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_needs_no_token_but_a_known_host(make_api: Callable[..., Api], path: str) -> None:
    api = when_ready(make_api(token="a-long-enough-secret-token"))
    assert api.client.get(path, headers=HOST).status_code == 200
    assert api.client.get(path, headers={"Host": "evil.example"}).status_code == 403


def test_plain_text_when_asked_for(shared: Api) -> None:
    api = when_ready(shared)
    for path in ("/healthz", "/readyz"):
        for response in (
            api.client.get(f"{path}?format=text", headers=HOST),
            api.client.get(path, headers={**HOST, "Accept": "text/plain"}),
        ):
            assert (response.mimetype, response.text) == ("text/plain", "ok\n")
        for accept in ("*/*", "application/json", "text/html", "text/plain;q=0.5, application/json"):
            assert api.client.get(path, headers={**HOST, "Accept": accept}).mimetype == "application/json"
        assert api.client.get(f"{path}?format=json", headers={**HOST, "Accept": "text/plain"}).is_json


def test_an_unknown_format_is_refused_with_the_nearest(shared: Api) -> None:
    response = ready(shared, "?format=txt")
    assert response.status_code == 400
    [problem] = response.json["problems"]
    assert (problem["field"], problem["got"], problem["accepted"]) == ("format", "txt", ["json", "text"])
    assert problem["suggestion"] == "text"


def test_plain_text_gives_reasons_too(api: Api) -> None:
    when_ready(api)
    api.scheduler.firing.look = lambda: Firing(False, False, None)  # type: ignore[method-assign]
    response = ready(api, "?format=text")
    assert response.status_code == 503
    assert response.text == "not ready\n- no process holds the lease: nothing fires until one does\n"


@pytest.mark.parametrize(
    ("firing", "reason"),
    [
        (Firing(True, True, True), None),
        (Firing(True, False, None), None),
        (Firing(True, True, False), "the clock's thread is not running in the process that fires"),
        (Firing(True, True, None), "the process that holds the lease has not planned all tasks yet"),
        (Firing(False, False, None), "no process holds the lease: nothing fires until one does"),
    ],
)
def test_who_fires_decides(shared: Api, monkeypatch: pytest.MonkeyPatch, firing: Firing, reason: str | None) -> None:
    when_ready(shared)
    monkeypatch.setattr(shared.scheduler.firing, "look", lambda: firing)
    assert reasons(shared) == ([reason] if reason else [])


def test_a_store_in_trouble(api: Api) -> None:
    when_ready(api)
    api.scheduler.readiness._probed_at = float("-inf")
    api.scheduler._store._writer._check = _refuse
    [reason] = reasons(api)
    assert "the disk is full" in reason
    assert api.client.get("/healthz", headers=HOST).status_code == 503


def _refuse() -> None:
    raise Unavailable("the store does not answer: the disk is full")


def test_a_store_that_stands_still_holds_nobody(api: Api) -> None:
    when_ready(api)
    api.scheduler.readiness._probed_at = float("-inf")
    begun, free = threading.Event(), threading.Event()

    def stand_still(_: Connection) -> Any:
        begun.set()
        free.wait(60)

    api.scheduler._store.write_soon(stand_still, lambda _: None)
    assert begun.wait(60)
    try:
        assert reasons(api) == ["the store has taken no write for 1 s"]
        assert reasons(api) == ["the store has taken no write for 1 s"]  # and no further write waits behind it
        assert api.scheduler._store._writer._queue.qsize() == 1
    finally:
        free.set()
    when_ready(api)


def test_the_store_is_written_to_once_a_second_at_most(api: Api) -> None:
    when_ready(api)
    probes = []
    probe_soon = api.scheduler._store.probe_soon
    api.scheduler._store.probe_soon = lambda: probes.append(1) or probe_soon()  # type: ignore[method-assign,func-returns-value]
    api.scheduler.readiness._probed_at = float("-inf")
    for _ in range(20):
        assert reasons(api) == []
    assert len(probes) <= 2  # twenty answers may take a second on a busy machine


def test_before_it_takes_part(api: Api) -> None:
    when_ready(api)
    api.scheduler.readiness._begun = False
    assert reasons(api) == ["this process has not finished starting"]


def test_another_process_learns_how_the_clock_of_the_one_that_fires_is(api: Api, make_api: Callable[..., Api]) -> None:
    when_ready(api)
    other = make_api(data_dir=api.data)
    watch_for(lambda: ready(other).status_code == 200)
    assert other.scheduler.firing.look() == Firing(True, True, True, os.getpid())
    vitals = api.scheduler._holder.vitals()
    assert vitals is not None
    api.scheduler.metrics._vitals = lambda: replace(vitals, clock_alive=False)
    api.scheduler.metrics.publish()
    assert reasons(other) == ["the clock's thread is not running in the process that fires"]
    api.scheduler.metrics._vitals = lambda: replace(vitals, pid=1)  # one that held the lease before
    api.scheduler.metrics.publish()
    assert reasons(other) == ["the process that holds the lease has not planned all tasks yet"]
