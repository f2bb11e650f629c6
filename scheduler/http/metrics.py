"""Tell monitors how things are, in Prometheus' formats: the only door to its client library."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator
from itertools import accumulate

from flask import Flask, Response, request
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from scheduler.auth.scopes import Scope
from scheduler.errors import SchedulerError
from scheduler.firing import Firing
from scheduler.http.health import Service
from scheduler.metrics.counts import Counts
from scheduler.metrics.families import BY_NAME, COUNTED, Family
from scheduler.metrics.figures import Figures
from scheduler.models import Priority
from scheduler.task_scheduler import TaskScheduler
from scheduler.version import VERSION

Values = dict[tuple[str, ...], float]


def register(app: Flask, service: Service) -> None:
    """Answer `GET /metrics`."""

    @app.get("/metrics", strict_slashes=False, provide_automatic_options=False)
    def metrics() -> Response:
        scheduler = service.open()
        if scheduler.config.metrics_public:
            service.guard.check_host(request)
        else:
            service.guard.check(request, Scope.READ)
        scheduler.metrics.publish()
        write, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(write(SchedulerCollector(scheduler)), content_type=content_type)


class SchedulerCollector(Collector):
    """Collect, through any process, what all processes of this machine counted and what the store knows."""

    def __init__(self, scheduler: TaskScheduler) -> None:
        self._scheduler = scheduler

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics."""
        firing = self._firing()
        yield from _counted(self._scheduler.metrics.read().counts, bool(self._scheduler.config.metrics_per_task))
        yield from self._infos()
        yield _gauge("workers", {(): self._scheduler.config.max_workers})
        yield from _firing(firing)
        yield from _figures(self._scheduler.figures.read())
        yield from self._process(firing)

    def _firing(self) -> Firing | None:
        try:
            return self._scheduler.firing.look()
        except SchedulerError:
            return None  # the store has to be asked and does not answer: store_up tells

    def _infos(self) -> Iterator[Metric]:
        confined = self._scheduler.confinement
        python, store = platform.python_version(), self._scheduler.store_kind
        yield _info("", {"version": VERSION, "python": python, "store": store})
        yield _info("sandbox", {"level": str(confined.describe()["level"]), "mode": confined.mode})

    def _process(self, firing: Firing | None) -> Iterable[Metric]:
        """Tell of the process that fires, whichever is asked, so that the numbers are always of the same one."""
        pid = None if firing is None else firing.pid
        if pid is None:
            return []
        # Another process may not count its open files.
        found = ProcessCollector(pid=lambda: pid, registry=None).collect()
        return [metric for metric in found if not metric.name.endswith("_fds")]


def _counted(counts: Counts, by_task: bool) -> Iterator[Metric]:
    for family in COUNTED:
        if family.name == "task_runs" and not by_task:
            continue
        mine = {key[1:]: numbers for key, numbers in sorted(counts.numbers.items()) if key[0] == family.name}
        yield _histogram(family, mine) if family.kind == "histogram" else _counter(family, mine)


def _counter(family: Family, mine: dict[tuple[str, ...], list[float]]) -> Metric:
    metric = CounterMetricFamily(family.full_name, family.help, labels=family.labels)
    for labels, [number] in mine.items():
        metric.add_metric(labels, number)
    return metric


def _histogram(family: Family, mine: dict[tuple[str, ...], list[float]]) -> Metric:
    metric = HistogramMetricFamily(family.full_name, family.help, labels=family.labels)
    bounds = [*map(str, family.buckets), "+Inf"]
    for labels, numbers in mine.items():
        metric.add_metric(labels, list(zip(bounds, accumulate(numbers[:-1]), strict=True)), numbers[-1])
    return metric


def _firing(firing: Firing | None) -> Iterator[Metric]:
    held, here, alive = (firing.held, firing.here, firing.clock_alive) if firing else (None, None, None)
    due = firing.next_due if firing else None
    told = {"lease_held": held, "lease_held_here": here, "clock_alive": alive, "next_fire_timestamp_seconds": due}
    for name, value in told.items():
        yield _gauge(name, {} if value is None else {(): float(value)})


def _figures(figures: Figures | None) -> Iterator[Metric]:
    yield _gauge("store_up", {(): float(figures is not None)})
    if figures is not None:
        active = figures.active
        yield _gauge("scheduling", {(): float(figures.scheduling)})
        yield _gauge("tasks", {(state,): number for state, number in figures.tasks.items()})
        yield _gauge("queue_depth", {(level.value,): active.get(("queued", level.value), 0) for level in Priority})
        yield _gauge("running", {(): sum(number for (status, _), number in active.items() if status == "running")})


def _gauge(name: str, values: Values) -> Metric:
    family = BY_NAME[name]
    metric = GaugeMetricFamily(family.full_name, family.help, labels=family.labels)
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _info(name: str, values: dict[str, str]) -> Metric:
    family = BY_NAME[name]
    metric = InfoMetricFamily(family.full_name, family.help, labels=())
    metric.add_metric([], {label: values[label] for label in family.labels})
    return metric
