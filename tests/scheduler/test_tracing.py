"""Who is told of traces, by the standard variables; and who is told that nobody is."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from typing import Any

import pytest

from scheduler import tracing
from scheduler.task_scheduler import TaskScheduler
from scheduler.tracing import OFF, Tracing, open_tracing
from tests.owned_time import Answering
from tests.receivers import http_receiver

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("environ", "on"),
    [
        ({}, False),
        ({"OTEL_SERVICE_NAME": "mine"}, False),
        ({"OTEL_TRACES_EXPORTER": "none", **ENDPOINT}, False),
        ({"OTEL_SDK_DISABLED": "TRUE", **ENDPOINT}, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        (ENDPOINT, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_TRACES_EXPORTER": "console"}, True),
    ],
)
def test_when_it_is_on(environ: dict[str, str], on: bool) -> None:
    opened = open_tracing(environ)
    opened.close()
    assert (opened.is_on, opened.warnings()) == (on, [])


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin is not known here: use one of otlp, console"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/protobuf"),
    ],
)
def test_what_cannot_be_done_is_said(environ: dict[str, str], said: str) -> None:
    opened = open_tracing(environ)
    assert not opened.is_on
    [warning] = opened.warnings()
    assert said in warning


@pytest.mark.parametrize("lacking", ["opentelemetry", "opentelemetry.exporter"])
def test_a_package_that_lacks_is_told_in_status(monkeypatch: pytest.MonkeyPatch, lacking: str, config: Any) -> None:
    found = importlib.import_module

    def without(name: str, package: str | None = None) -> Any:
        if name.startswith(lacking):
            raise ModuleNotFoundError(f"No module named '{lacking}'", name=lacking)
        return found(name, package)

    monkeypatch.setattr(importlib, "import_module", without)
    monkeypatch.setenv(*next(iter(ENDPOINT.items())))
    scheduler = Answering(config)
    [warning] = [line for line in scheduler.warnings() if "traces" in line]
    missing = f"'{lacking}' is not installed: pip install 'task-scheduler-server[otel]'"
    assert warning == f"no traces are sent: {missing}, or set OTEL_SDK_DISABLED=true"
    scheduler.close()


def test_switched_off_it_costs_nothing(scheduler: TaskScheduler) -> None:
    assert scheduler.tracing is OFF
    assert (OFF.current(), OFF.begin("name", "SERVER", {}, {})) == (None, None)
    code = "import sys, scheduler.http.app; print([name for name in sys.modules if name.startswith('opentel')])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_spans_reach_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    with http_receiver() as receiver:
        environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_SERVICE_NAME": "mine"}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        opened = open_tracing(environ)
        span = opened.begin("run nightly", "INTERNAL", {}, {})
        assert span is not None
        span.end({})
        opened.close()
        [sent] = receiver.wait_for(1)
    assert sent.path == "/v1/traces"
    assert b"run nightly" in sent.body
    assert b"mine" in sent.body


def test_a_collector_that_takes_nothing_holds_up_no_stop(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Provider:
        def shutdown(self) -> None:
            gate.wait(60)

    gate = threading.Event()
    monkeypatch.setattr(tracing, "CLOSE_SECONDS", 0.01)
    Tracing(Provider(), shared=False).close()
    gate.set()
    assert "takes nothing" in caplog.text


def test_the_provider_of_the_program_around_is_used_and_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    theirs = TracerProvider()
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: theirs)
    monkeypatch.setattr(theirs, "shutdown", lambda: pytest.fail("it is not ours"))
    opened = open_tracing(ENDPOINT)
    assert opened == Tracing(theirs)
    opened.close()
