"""Say what came of a task: refused before it ran, or ended with a result.

The records here know nothing of processes or paths, so that every file of the package may import them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

Status = Literal["completed", "failed", "timeout", "cancelled"]
RefusalCode = Literal["path_not_allowed", "invalid_field"]

MOST_REASON = 500
"""How many characters are kept of why something failed, where a program of others says it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One thing that makes a task definition unacceptable.

    `field` is the path of the field ("env.LD_PRELOAD"), `got` what came, `accepted` what is taken
    there, `suggestion` a value that would be accepted.
    """

    field: str
    message: str
    got: Any = None
    accepted: tuple[Any, ...] = ()
    suggestion: Any = None
    code: RefusalCode = "invalid_field"


class TaskRefused(Exception):
    """A task definition is not acceptable; `problems` holds every reason at once."""

    def __init__(self, problems: Sequence[Refusal]) -> None:
        super().__init__(" ".join(problem.message for problem in problems))
        self.problems: list[Refusal] = list(problems)


@dataclass(frozen=True, slots=True)
class TestCounts:
    """How the tests of one run went; `failing` are pytest node ids of failures and errors."""

    __test__: ClassVar[bool] = False  # pytest would take the class for tests by its name

    passed: int = 0
    failed: int = 0
    errors: int = 0
    skipped: int = 0
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskResult:
    """How one run of a task ended.

    `exit_code` and `signal` ("SIGKILL") are those of the main process, both None where it never
    started. `reason` is None exactly when the task completed. `truncated` tells that the middle of
    the output was cut. `outcome` is what a function gave back: its `result` or its `exception`. `usage`
    holds cpu_seconds and more where they were measured, `sandbox` what confined the run.
    """

    status: Status
    exit_code: int | None
    signal: str | None
    reason: str | None
    hint: str | None = None
    truncated: bool = False
    tests: TestCounts | None = None
    outcome: Mapping[str, Any] | None = None
    usage: Mapping[str, Any] | None = None
    sandbox: Mapping[str, Any] | None = None

    @classmethod
    def not_started(cls, reason: str, hint: str | None = None) -> TaskResult:
        """Return the failure of a run whose process could not be started."""
        return cls("failed", exit_code=None, signal=None, reason=reason, hint=hint)
