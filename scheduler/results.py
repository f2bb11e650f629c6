"""Say what came of one attempt of a job: what `execute_job` returns, and what becomes of its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from enum import Enum
from math import isfinite
from types import NoneType
from typing import Any

import orjson

from scheduler.run import RunStatus
from tasks.base import TaskResult, TestCounts
from tasks.results import MOST_REASON

ENDINGS = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED)
"""How an attempt that was made can have ended."""

MOST_RESULT_BYTES = 64 * 1024

_DETAILS = tuple(field.name for field in fields(TaskResult) if field.name != "status")


_KINDS = {"exit_code": (int, NoneType), "stdout": (str,), "stderr": (str,), "reason": (str, NoneType)}


@dataclass(frozen=True, slots=True)
class JobResult:
    """What came of one attempt of a job.

    `success` and `status` say the same; either may be left out of one made by hand, where `status` is then
    `completed` or `failed`. `stdout` and `stderr` are cut in the middle where they are long. `result` is what a
    function returned, `task` what was measured of processes.
    """

    success: bool | None = None
    status: RunStatus | None = None
    exit_code: int | None = None
    stdout: str = ""
    stderr: str = ""
    reason: str | None = None
    result: Any = None
    duration_seconds: float | None = None
    attempt: int = 1
    run_id: str | None = None
    task: TaskResult | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            if not isinstance(value := getattr(self, name), kinds):
                raise TypeError(f"a JobResult's '{name}' is {' or '.join(k.__name__ for k in kinds)}, not {value!r}")
        if self.exit_code is not None and abs(self.exit_code) >= 2**31:
            raise ValueError("a JobResult's 'exit_code' is a number of at most 31 bits, as those of processes are")
        if self.success is None and self.status is None:
            raise ValueError("a JobResult needs 'success' or 'status'")
        status = RunStatus(self.status or (RunStatus.COMPLETED if self.success else RunStatus.FAILED))
        if status not in ENDINGS:
            raise ValueError(f"a JobResult's status is one of {', '.join(ENDINGS)}, not '{status}'")
        success = status is RunStatus.COMPLETED
        if self.success not in (None, success):
            raise ValueError(f"success={self.success} contradicts status '{status}': change both, or set one to None")
        object.__setattr__(self, "status", status)
        object.__setattr__(self, "success", success)


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ends: its status, and what its row tells beside, in values that can be kept."""

    status: RunStatus
    details: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "details", storable(self.details))


def storable(value: Any) -> Any:
    """Return a value as JSON takes it: text without halves of surrogate pairs, integers of 64 bits, the rest as text.

    What a program says of itself may be anything, and a run that cannot be written would never end.
    """
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {storable(str(name)): storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [storable(inner) for inner in value]
    if value is None or isinstance(value, bool | float) or (isinstance(value, int) and _fits(value)):
        return value
    return str(value)


def text_of(error: BaseException) -> str:
    """Return what an exception says, as much as is kept of it and fit to be, also where it fails to say anything."""
    try:
        return str(storable(str(error)[:MOST_REASON]))
    except Exception as fault:  # its own __str__
        return f"its text cannot be made: {type(fault).__name__}"


def ending_of_task(result: TaskResult) -> Ending:
    """Return how a run ends whose task was carried out."""
    details = {
        name: asdict(value) if isinstance(value, TestCounts) else value
        for name in _DETAILS
        if (value := getattr(result, name)) is not None and value is not False
    }
    return Ending(RunStatus(result.status), details)


def ending_of(result: JobResult) -> Ending:
    """Return how a run ends whose result a program had the last word on."""
    assert result.status is not None
    measured = ending_of_task(result.task).details if result.task is not None else {}
    value, hint = as_json(result.result)
    reason = None if result.reason is None else result.reason[:MOST_REASON]
    said: dict[str, Any] = {"exit_code": result.exit_code, "reason": reason, "hint": hint}
    if value is not None:
        said["outcome"] = {"result": value, "exception": None}
    details = {name: value for name, value in {**measured, **said}.items() if value is not None}
    if result.success:
        details.pop("reason", None)
    else:
        details.setdefault("reason", "execute_job said so, without a reason")
    return Ending(result.status, details)


def as_json(value: Any) -> tuple[Any, str | None]:
    """Return what is kept of a value that a function returned, and a hint where that is nothing."""
    try:
        text = orjson.dumps(value)
    except TypeError:
        return None, f"what it returned, of type {type(value).__name__}, is no JSON and was not kept"
    if len(text) > MOST_RESULT_BYTES:
        return None, f"what it returned is larger than {MOST_RESULT_BYTES} bytes and was not kept"
    if (number := next(filter(_is_lost, _scalars(value)), None)) is not None:
        return None, f"what it returned holds the number {number}, which JSON does not keep, and was not kept"
    return orjson.loads(text), None


def _scalars(value: Any) -> Iterator[Any]:
    """Return all that stands in a value that became JSON; so it is neither endless nor deep."""
    if isinstance(value, Enum):
        value = value.value
    if is_dataclass(value):
        value = [getattr(value, field.name, None) for field in fields(value) if not field.name.startswith("_")]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _scalars(inner)
    else:
        yield value


def _is_lost(value: Any) -> bool:
    """Whether a value is a number that would come back as another value."""
    return not isfinite(value) if isinstance(value, float) else isinstance(value, int) and not _fits(value)


def _fits(number: int) -> bool:
    """Whether a whole number has at most 64 bits, as databases and most readers of JSON take it."""
    return -(2**63) <= number < 2**63
