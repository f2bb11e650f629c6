"""Spans of requests and of the runs that they ask for, as one trace."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from scheduler import task_scheduler
from scheduler.store.runs import RunFilter
from scheduler.tracing import Tracing
from tests.http.conftest import JSON_TYPE, Api

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
TRACE = CALLER.split("-")[1]


class Told:
    """The spans that were told of."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    def all(self, start: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name.startswith(start)]

    def one(self, start: str) -> ReadableSpan:
        [span] = self.all(start)
        return span


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    told = Told()
    monkeypatch.setattr(task_scheduler, "open_tracing", lambda _: Tracing(told.provider))
    return told


@pytest.fixture
def traced(told: Told, make_api: Callable[..., Api]) -> Api:
    api = make_api()
    assert api.scheduler.tracing.is_on
    return api


def ids(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


def parent(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def test_from_the_caller_through_the_request_into_the_process_of_the_run(traced: Api, told: Told) -> None:
    traced.create("job", command='echo "$TRACEPARENT"')
    told.exporter.clear()
    headers = {"Host": "localhost:10800", "traceparent": CALLER, **JSON_TYPE}
    path = "/api/tasks/job/run"
    run_id = traced.client.post(path, json={"wait": True}, headers=headers).json["run_id"]
    request, run = told.one("POST"), told.one("run job")
    assert (ids(request)[0], parent(request)) == (TRACE, CALLER.split("-")[2])
    assert (ids(run)[0], parent(run)) == (TRACE, ids(request)[1])
    assert traced.ok("output", run_id=run_id)["stdout"].strip() == f"00-{TRACE}-{ids(run)[1]}-01"

    assert request.name == "POST /api/tasks/<id:task_id>/run"
    assert request.kind is SpanKind.SERVER
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/api/tasks/<id:task_id>/run",
        "url.path": path,
        "http.response.status_code": 200,
    }
    shown = traced.scheduler.get_run(run_id)
    assert dict(run.attributes or {}) == {
        "scheduler.task.id": "job",
        "scheduler.task.type": "command",
        "scheduler.run.id": run_id,
        "scheduler.run.attempt": 1,
        "scheduler.run.trigger": "manual",
        "scheduler.run.scheduled_for": shown.scheduled_for.isoformat(timespec="milliseconds"),
        "scheduler.run.lateness_ms": shown.lateness_ms,
        "scheduler.run.status": "completed",
        "process.exit.code": 0,
    }
    assert shown.started_at is not None
    assert shown.finished_at is not None
    assert run.start_time == pytest.approx(shown.started_at.timestamp() * 1e9, abs=2000)
    assert run.end_time == pytest.approx(shown.finished_at.timestamp() * 1e9, abs=2000)
    assert run.status.status_code is StatusCode.UNSET


def test_each_attempt_that_fails_is_an_error_of_the_same_trace(traced: Api, told: Told) -> None:
    traced.create("job", command="exit 3", max_retries=1, retry_delay_seconds=0.01)
    told.exporter.clear()
    traced.run("job")
    first, second = told.all("run job")
    assert [(run.attributes or {})["scheduler.run.attempt"] for run in (first, second)] == [1, 2]
    assert {ids(run)[0] for run in (first, second)} == {ids(told.one("POST"))[0]}
    for run in (first, second):
        assert (run.attributes or {})["process.exit.code"] == 3
        assert run.status.status_code is StatusCode.ERROR
        assert run.status.description == (run.attributes or {})["scheduler.run.reason"]


def test_the_ledger_says_to_which_trace_a_run_belongs_that_another_process_carries_out(traced: Api, told: Told) -> None:
    traced.create("job")
    told.exporter.clear()
    traced.ok("run_now", task_id="job")
    trace, span = ids(told.one("POST"))
    [run] = traced.scheduler.list_runs(RunFilter("job"), None, 10)
    assert run.details["traceparent"][:-2] == f"00-{trace}-{span}-"


def test_what_a_task_names_itself_goes_before(traced: Api) -> None:
    traced.create("job", command='echo "$TRACEPARENT"', env={"TRACEPARENT": "mine"})
    assert traced.run("job")["stdout"] == "mine\n"


@pytest.mark.parametrize(
    ("method", "path", "name", "status"),
    [
        ("GET", "/api/tasks/none", "GET /api/tasks/<id:task_id>", 404),
        ("GET", "/nowhere", "GET", 404),
        ("BREW", "/schedule", "other", 405),
    ],
)
def test_what_is_wrong_with_a_request_is_no_error_of_ours(
    traced: Api, told: Told, method: str, path: str, name: str, status: int
) -> None:
    traced.client.open(path, method=method, headers={"Host": "localhost:10800", "traceparent": "nonsense"})
    [span] = told.exporter.get_finished_spans()
    assert (span.name, (span.attributes or {})["http.response.status_code"]) == (name, status)
    assert span.status.status_code is StatusCode.UNSET
    assert span.parent is None


def test_a_fault_of_ours_is_one(traced: Api, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traced.scheduler, "get_job", lambda _: 1 / 0)
    traced.client.get("/api/tasks/job", headers={"Host": "localhost:10800"})
    assert told.one("GET").status.status_code is StatusCode.ERROR


def test_a_thread_forgets_the_request_that_it_has_answered(traced: Api, told: Told) -> None:
    traced.create("one")
    assert traced.scheduler.tracing.current() is None
    with told.provider.get_tracer("a program").start_as_current_span("theirs") as theirs:
        run = traced.scheduler.run_now("one")
    assert run.details["traceparent"].split("-")[2] == f"{theirs.get_span_context().span_id:016x}"
