"""Work out what a run's page says of the run: times, usage, confinement, attempts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scheduler.http.pages.words import say_duration
from scheduler.run import Run
from scheduler.stored_job import StoredJob
from scheduler.wording import say_count

LEVELS = {
    "none": "not confined",
    "paths-only": "paths checked, not confined",
    "seccomp-only": "system calls narrowed (seccomp)",
}


@dataclass(frozen=True, slots=True)
class RunView:
    """What is said of a run, beside its moments and its output."""

    ending: str
    """How its process ended: "exit code 1", "SIGKILL"."""
    reason: str
    hint: str
    usage: Sequence[tuple[str, str]]
    sandbox: str
    sandbox_details: Sequence[tuple[str, str]]
    environment: Sequence[str]
    tests: str
    failing: Sequence[str]
    result: str
    exception: str


def view_run(run: Run, job: StoredJob) -> RunView:
    """Return what is said of a run; of the environment only names, as its task has them now."""
    details = run.details
    sandbox = details.get("sandbox") or {}
    tests = details.get("tests") or {}
    outcome = details.get("outcome") or {}
    return RunView(
        ending=_ending(details),
        reason=str(details.get("reason") or run.cancel_reason or ""),
        hint=str(details.get("hint") or ""),
        usage=_usage(details.get("usage") or {}),
        sandbox=_level(str(sandbox.get("level", ""))),
        sandbox_details=[(name, _listed(value)) for name, value in sandbox.items() if name != "level" and value],
        environment=sorted(job.definition.get("env") or {}),
        tests=", ".join(
            f"{tests[name]} {name}" for name in ("failed", "errors", "passed", "skipped") if tests.get(name)
        ),
        failing=list(tests.get("failing") or ()),
        result="" if outcome.get("result") is None else str(outcome["result"]),
        exception=str(outcome.get("exception") or ""),
    )


def say_count_of(run: Run) -> str:
    """Return how many fire times a row stands for, where that are several."""
    return "" if run.count is None else say_count(run.count, "fire time")


def _ending(details: Mapping[str, Any]) -> str:
    if details.get("signal"):
        return str(details["signal"])
    return "" if details.get("exit_code") is None else f"exit code {details['exit_code']}"


def _usage(usage: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if usage.get("cpu_seconds") is not None:
        found.append(("CPU", say_duration(usage["cpu_seconds"] * 1000)))
    if usage.get("peak_memory_mb") is not None:
        found.append(("Peak memory", f"{usage['peak_memory_mb']:,.1f} MB"))
    if usage.get("processes") is not None:
        found.append(("Processes", str(usage["processes"])))
    return found


def _level(level: str) -> str:
    if level.startswith("landlock"):
        return f"files and system calls narrowed ({level})"
    return LEVELS.get(level, level)


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
