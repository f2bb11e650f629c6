"""List every metric: its kind, its labels, its meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PREFIX = "task_scheduler_"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric. A counter's samples end in `_total`, those of an info in `_info`."""

    name: str
    kind: Literal["counter", "histogram", "gauge", "info"]
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """The name that monitors know it by, without what is added to samples."""
        return (PREFIX + self.name).rstrip("_")

    @property
    def sample_name(self) -> str:
        """The name that a query uses; a histogram's samples end in `_bucket`, `_sum` and `_count`."""
        return self.full_name + {"counter": "_total", "info": "_info"}.get(self.kind, "")


_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0)
_LONG = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 14400.0)
_WAITS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)
_WRITES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

COUNTED = (
    Family("runs", "counter", "Runs that ended, and fire times that got no run.", ("status", "type")),
    Family("run_duration_seconds", "histogram", "From a run's start to its end.", ("type",), _LONG),
    Family("run_lateness_seconds", "histogram", "From the due moment to the start of scheduled runs.", (), _SHORT),
    Family("queue_wait_seconds", "histogram", "From a run's row to its start.", ("priority",), _WAITS),
    Family("store_write_seconds", "histogram", "Transactions of the store, commits included.", (), _WRITES),
    Family("auth_failures", "counter", "Attempts to log in that failed or had to wait.", ("kind",)),
    Family(
        "http_requests",
        "counter",
        "Requests answered; those that wait when they are, streams when they begin.",
        ("endpoint", "method", "code"),
    ),
    Family("task_runs", "counter", "The same as runs, by task (SCHEDULER_METRICS_PER_TASK).", ("task_id", "status")),
)
"""What is added up in memory, and over processes in a file."""

LOOKED_UP = (
    Family("tasks", "gauge", "Tasks, by where they stand.", ("state",)),
    Family("queue_depth", "gauge", "Runs that wait for a worker or for their next attempt.", ("priority",)),
    Family("running", "gauge", "Runs that go on."),
    Family("workers", "gauge", "Runs that may go on at a time."),
    Family(
        "next_fire_timestamp_seconds",
        "gauge",
        "When the next task or attempt is due; absent where none is, or who fires is elsewhere.",
    ),
    Family("scheduling", "gauge", "1 while fire times start runs, 0 while the scheduler is stopped."),
    Family("lease_held", "gauge", "1 while any process fires, on this machine or another."),
    Family("lease_held_here", "gauge", "1 while a process of this machine fires."),
    Family("clock_alive", "gauge", "1 while the clock of the process that fires runs; absent unless it is here."),
    Family("store_up", "gauge", "1 while the store answers and takes writes."),
    Family("", "info", "Which service this is.", ("version", "python", "store")),
    Family("sandbox", "info", "How runs are confined.", ("level", "mode")),
)
"""What is looked up when somebody asks."""

BY_NAME = {family.name: family for family in COUNTED + LOOKED_UP}
