"""Say how the scheduler itself is doing: its state, its health, and what an operator should know of its settings."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import lru_cache
from pathlib import Path
from typing import Any

from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError, Unavailable
from scheduler.holder import Holder
from scheduler.lease import Lease, here
from scheduler.store import Connection, Database, Remembered, deliveries, jobs, runs, state, underway

Counts = Mapping[str, Any]


def status(store: Database, counts: Remembered[Counts], lease: Lease, holder: Holder) -> dict[str, Any]:
    """Return how the scheduler is doing, as plain values; what a store in trouble cannot tell is None.

    `counts` is what remembers `count` of that store.
    """
    ready, clock = holder.is_ready, holder.clock
    try:
        found = {name: copy(value) for name, value in counts.read().items()}
        place, trouble = here() if ready else lease.holder(), store.trouble
    except Unavailable as error:
        found = {"running": None, "tasks": None, "active": [], "lateness_ms": None, "notifications": None}
        place, trouble = None, error.message
    return {
        **found,
        "holder": {"pid": place and place.pid, "host": place and place.host, "here": ready},
        "store": {"kind": store.kind, "state": "degraded" if trouble else "ok", "reason": trouble},
        "clock": {"kind": clock.kind, "alive": clock.alive, "last_jump": clock.last_jump} if ready else None,
    }


def health(store: Database, holder: Holder) -> dict[str, Any]:
    """Return `status` `ok` or `degraded`, and why."""
    reasons = []
    try:
        store.read(state.revision)
        reasons.extend([f"the store takes nothing: {store.trouble}"] if store.trouble else [])
    except SchedulerError as error:
        reasons.append(error.message)
    if not has_clock(holder):
        reasons.append("the clock's thread is not running")
    return {"status": "degraded" if reasons else "ok", "reasons": reasons}


def has_clock(holder: Holder) -> bool:
    """Whether this process fires what is due, if it is the one that should; only a restart mends it otherwise."""
    return not holder.is_ready or holder.clock.alive


def warnings(config: SchedulerConfig, jobs_paths: Sequence[Path], more: Sequence[Callable[[], list[str]]]) -> list[str]:
    """Say what an operator should know of the settings and of where jobs are read from, and `more`."""
    unconfined = "SCHEDULER_SANDBOX=off: runs are not confined, they may do all that the server may"
    general = [unconfined] * (config.sandbox == "off")
    general += [line for tell in (config.warnings, *more) for line in tell()]
    general += [
        f"the jobs of {path} lie inside the allowed directory {allowed}: a task could change them"
        for path in jobs_paths
        for allowed in config.allowed_dirs
        if Path(os.path.realpath(path)).is_relative_to(allowed)
    ]
    return general + _told_of_code(config.allowed_dirs)


@lru_cache(maxsize=16)
def _told_of_code(allowed_dirs: tuple[Path, ...]) -> list[str]:
    code = Path(__file__).parent.parent
    return [
        f"the service's own code in {code} lies inside the allowed directory {allowed}: a task could change it"
        for allowed in allowed_dirs
        if code.is_relative_to(allowed)
    ]


def count(connection: Connection) -> Counts:
    """Return what `status` tells of the rows of the store."""
    late = [micros / 1000 for micros in runs.recent_lateness(connection)]
    return {
        "running": bool(state.is_running(connection)),
        "tasks": jobs.count_states(connection),
        "active": underway.active_runs(connection),
        "lateness_ms": _spread(late),
        "notifications": {
            **deliveries.count_states(connection),
            "last_error": deliveries.last_error(connection),
        },
    }


def _spread(values: Sequence[float]) -> dict[str, Any]:
    if not values:
        return {"runs": 0, "p50": None, "p99": None, "max": None}
    ordered = sorted(values)
    return {
        "runs": len(ordered),
        "p50": round(statistics.median(ordered), 3),
        "p99": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))], 3),
        "max": round(ordered[-1], 3),
    }
