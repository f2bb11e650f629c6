"""Say what went wrong so that a program can mend its call.

    SchedulerError
    ├── InvalidRequest   what was sent cannot be understood or is not accepted
    ├── NotFound         no such task, run or path
    ├── Conflict         it exists, is running, or belongs to somebody else
    ├── NotAllowed       who asks may not do this
    ├── LimitReached     too many, too fast, too large
    └── Unavailable      right, but not now: shutting down, store out of reach

Each error carries a stable `code`. Only scheduler/http/errors.py knows HTTP numbers.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request, with all that is needed to put it right.

    `field` is the path of the field ("env.LD_PRELOAD"), `got` what came, `accepted` what is taken
    there, `suggestion` the nearest valid value, complete and ready to send.
    """

    field: str
    message: str
    got: Any = None
    accepted: Sequence[Any] = ()
    suggestion: Any = None
    code: str = "invalid_field"

    def at(self, field: str) -> Problem:
        """Return the same problem, reported for another field."""
        return replace(self, field=field)


class SchedulerError(Exception):
    """The base of every refusal; `code` is a stable word, the text is for people and language models."""

    code = "internal_error"

    def __init__(self, message: str, code: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code
        self.details = details


class InvalidRequest(SchedulerError):
    """Refuse what was sent, telling every problem at once and one whole request that would work."""

    code = "invalid_request"

    def __init__(self, problems: Sequence[Problem], example: dict[str, Any] | None = None) -> None:
        codes = {problem.code for problem in problems}
        super().__init__(
            " ".join(_sentence(problem.message) for problem in problems),
            code=codes.pop() if len(codes) == 1 else "invalid_request",
        )
        self.problems = list(problems)
        self.example = example


class NotFound(SchedulerError):
    """No task, run or path of that name exists."""

    code = "not_found"


class Conflict(SchedulerError):
    """The request contradicts what exists."""

    code = "task_exists"


class NotAllowed(SchedulerError):
    """The caller may not do this."""

    code = "forbidden"


class LimitReached(SchedulerError):
    """A limit on number, rate or size is reached; `retry_after` says in how many seconds to try again."""

    code = "rate_limited"

    def __init__(
        self, message: str, code: str | None = None, retry_after: float | None = None, **details: Any
    ) -> None:
        super().__init__(message, code, **details)
        self.retry_after = retry_after


class Unavailable(SchedulerError):
    """The request is right, but cannot be carried out now."""

    code = "store_unavailable"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was most likely meant to be, or None if none is close."""
    choices = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return choices[found[0]] if found else None


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."
