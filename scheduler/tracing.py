"""Tell of runs and requests as spans of OpenTelemetry, where that is installed and asked for: its only door.

It is asked for by the standard variables of its SDK. Nothing of it is imported otherwise.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from scheduler.models import Job
from scheduler.moments import iso
from scheduler.run import Run, RunStatus
from scheduler.version import VERSION

log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
PARENT = "traceparent"
"""The header, and the detail of a run, that says to which trace something belongs."""
VARIABLE = "TRACEPARENT"
"""What says the same to the process of a run."""
EXPORTERS = ("otlp", "console", "none")
PROTOCOL = "http/protobuf"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_FAILED = (RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED)


class Span:
    """Something that goes on and is told of when it ends."""

    def __init__(self, api: ModuleType, span: Any) -> None:
        self._api, self._span = api, span
        self._token: Any = None

    @property
    def traceparent(self) -> str:
        """What says to another process that it does a part of this."""
        context = self._span.get_span_context()
        return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"

    def enter(self) -> None:
        """Let what this thread does from now on be a part of it."""
        self._token = self._api.context.attach(self._api.trace.set_span_in_context(self._span))

    def leave(self) -> None:
        """Let what this thread does be no part of it any more, though it may go on."""
        if self._token is not None:
            self._api.context.detach(self._token)
            self._token = None

    def end(self, attributes: Mapping[str, Any], error: str | None = None, at: datetime | None = None) -> None:
        """Tell of it, with what is known by now; `error` says why it failed, if it did."""
        self._span.set_attributes({name: value for name, value in attributes.items() if value is not None})
        if error is not None:
            self._span.set_status(self._api.trace.Status(self._api.trace.StatusCode.ERROR, error))
        self._span.end(end_time=_nanoseconds(at))


@dataclass(frozen=True, slots=True)
class Tracing:
    """Where spans go: nowhere, unless there is a `provider`. `fault` says why there is none though one was asked for.

    A provider that is `shared` is the one of the program around us, which ends it.
    """

    provider: Any = None
    fault: str | None = None
    shared: bool = True

    @property
    def is_on(self) -> bool:
        """Whether anything is told."""
        return self.provider is not None

    def warnings(self) -> list[str]:
        """Say why nothing is told though it should be."""
        return [] if self.fault is None else [f"no traces are sent: {self.fault}"]

    def current(self) -> str | None:
        """Return what says that something is a part of what this thread does; None where that is traced by nobody."""
        if not self.is_on:
            return None
        api = _api()
        span = api.trace.get_current_span()
        return Span(api, span).traceparent if span.get_span_context().is_valid else None

    def begin(
        self,
        name: str,
        kind: str,
        carrier: Mapping[str, str],
        attributes: Mapping[str, Any],
        at: datetime | None = None,
    ) -> Span | None:
        """Begin a span of a kind (`SERVER`, `INTERNAL`), a part of what the carrier's `traceparent` names, if any."""
        if not self.is_on:
            return None
        api = _api()
        context = importlib.import_module("opentelemetry.trace.propagation.tracecontext")
        parent = context.TraceContextTextMapPropagator().extract(carrier, api.context.Context())
        tracer = self.provider.get_tracer("task-scheduler", VERSION)
        given = {field: value for field, value in attributes.items() if value is not None}
        kinds = api.trace.SpanKind
        span = tracer.start_span(name, parent, getattr(kinds, kind), given, start_time=_nanoseconds(at))
        return Span(api, span)

    def begin_run(self, run: Run, job: Job) -> Span | None:
        """Begin the span of a run that has started."""
        if not self.is_on:
            return None
        attributes = {
            "scheduler.task.id": run.task_id,
            "scheduler.task.type": job.type,
            "scheduler.run.id": run.run_id,
            "scheduler.run.attempt": run.attempt,
            "scheduler.run.trigger": run.trigger.value,
            "scheduler.run.scheduled_for": iso(run.scheduled_for, UTC),
            "scheduler.run.lateness_ms": run.lateness_ms,
        }
        return self.begin(f"run {run.task_id}", "INTERNAL", parent_of(run), attributes, run.started_at)

    def close(self) -> None:
        """Send what was not sent yet, if the collector takes it soon: nobody's end waits for that."""
        if not self.is_on or self.shared:
            return
        last = threading.Thread(target=self.provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(CLOSE_SECONDS)
        if last.is_alive():
            log.warning("the collector of traces takes nothing: the last spans are not sent")


OFF = Tracing()


def end_run(span: Span, run: Run) -> None:
    """Tell of a run that has ended."""
    reason = run.details.get("reason")
    attributes = {
        "scheduler.run.status": run.status.value,
        "scheduler.run.reason": reason,
        "process.exit.code": run.details.get("exit_code"),
    }
    error = (reason or run.status.value) if run.status in _FAILED else None
    span.end(attributes, error, run.finished_at)


def parent_of(run: Run) -> dict[str, str]:
    """Return what says that a run is a part of something, to stand among the details of its row; or nothing."""
    return {PARENT: run.details[PARENT]} if PARENT in run.details else {}


def open_tracing(environ: Mapping[str, str]) -> Tracing:
    """Return what the standard variables ask for."""
    if not _is_asked_for(environ):
        return OFF
    if (fault := _fault(environ)) is not None:
        return Tracing(fault=fault)
    try:
        return _with_provider(environ)
    except ImportError as error:
        missing = f"'{error.name}' is not installed: pip install 'task-scheduler-server[otel]'"
        return Tracing(fault=f"{missing}, or set OTEL_SDK_DISABLED=true")


def _is_asked_for(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    return exporter != "none" if exporter else any(environ.get(name) for name in _ENDPOINTS)


def _fault(environ: Mapping[str, str]) -> str | None:
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if exporter not in EXPORTERS:
        return f"OTEL_TRACES_EXPORTER={exporter} is not known here: use one of {', '.join(EXPORTERS)}"
    protocol = next((environ[name] for name in _PROTOCOLS if environ.get(name)), PROTOCOL)
    if exporter == "otlp" and protocol != PROTOCOL:
        return f"the protocol {protocol} is not known here: set {_PROTOCOLS[0]}={PROTOCOL}"
    return None


def _with_provider(environ: Mapping[str, str]) -> Tracing:
    api = _api()
    sdk = importlib.import_module("opentelemetry.sdk.trace")
    present = api.trace.get_tracer_provider()
    if isinstance(present, sdk.TracerProvider):
        return Tracing(present)
    export = importlib.import_module("opentelemetry.sdk.trace.export")
    if environ.get("OTEL_TRACES_EXPORTER", "").strip() == "console":
        exporter = export.ConsoleSpanExporter()
    else:
        exporter = importlib.import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
    provider = sdk.TracerProvider(resource=_resource(environ), shutdown_on_exit=False)
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return Tracing(provider, shared=False)


def _resource(environ: Mapping[str, str]) -> Any:
    """Say who tells; a name that the variables give goes before ours."""
    named = environ.get("OTEL_SERVICE_NAME") or "service.name=" in environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    ours = {"service.version": VERSION} | ({} if named else {"service.name": "task-scheduler"})
    return importlib.import_module("opentelemetry.sdk.resources").Resource.create(ours)


def _api() -> ModuleType:
    for name in ("opentelemetry.context", "opentelemetry.trace"):
        importlib.import_module(name)
    return importlib.import_module("opentelemetry")


def _nanoseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1_000_000) * 1000
