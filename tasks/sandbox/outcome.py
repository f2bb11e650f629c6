"""Put into words how a process ended."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tasks.results import Status, TaskResult

Cause = Literal["itself", "timeout", "cancelled", "memory", "processes", "cpu"]

KILLED, UNKNOWN = f"killed by {signal.SIGKILL.name}", "how its main process ended is not known"
"""Why a run has failed whose processes were ended by somebody else."""

HINTS = {
    126: "Exit code 126 means: found, but it cannot be executed. Is its mode right (chmod +x)?",
    127: "Exit code 127 means: command not found. A task's PATH holds the service's Python and the "
    "system's folders; `env` may set another.",
}


@dataclass(frozen=True, slots=True)
class Ending:
    """How the main process of a run ended.

    `code` is its exit code, or minus the number of the signal that killed it, or None where that
    could not be learned. `cause` says what ended it: itself, its timeout, a cancellation, or a limit,
    which `limit` then tells in words.
    """

    code: int | None
    cause: Cause = "itself"
    cancel_reason: str | None = None
    timeout_seconds: float = 0
    limit: str = ""


def result_of(
    ending: Ending,
    *,
    hints: Sequence[str] = (),
    truncated: bool = False,
    usage: Mapping[str, Any] | None = None,
    sandbox: Mapping[str, Any] | None = None,
) -> TaskResult:
    """Return the result of a run that was started."""
    status, reason = _verdict(ending)
    own_hint = HINTS.get(ending.code or 0) if status == "failed" else None
    code = ending.code
    return TaskResult(
        status,
        exit_code=code if code is not None and code >= 0 else None,
        signal=signal_name(-code) if code is not None and code < 0 else None,
        reason=reason,
        hint=" ".join([*hints, *([own_hint] if own_hint else [])]) or None,
        truncated=truncated,
        usage=usage,
        sandbox=sandbox,
    )


def signal_name(number: int) -> str:
    """Return a signal's name, such as SIGKILL."""
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal between the two that have names
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"


def _verdict(ending: Ending) -> tuple[Status, str | None]:
    if ending.cause == "timeout":
        return "timeout", f"timed out after {ending.timeout_seconds:g} s"
    if ending.cause == "cancelled":
        return "cancelled", ending.cancel_reason
    if ending.limit:
        return "failed", ending.limit
    if ending.code is None:
        return "failed", UNKNOWN
    if ending.code < 0:
        return "failed", f"killed by {signal_name(-ending.code)}"
    return ("failed", f"exit code {ending.code}") if ending.code else ("completed", None)
