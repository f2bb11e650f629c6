"""Say what went wrong so that a program can mend its call.

    SchedulerError
    ├── InvalidRequest   what was sent cannot be understood or is not accepted
    ├── NotFound         no such task, run or path
    ├── Conflict         it exists, is running, or belongs to somebody else
    ├── NotAllowed       who asks may not do this
    ├── LimitReached     too many, too fast, too large
    └── Unavailable      right, but not now: shutting down, store out of reach
        └── Unusable     and no waiting mends it: a damaged database, one of a newer version

Each error carries a stable `code`. Only scheduler/http/answers.py knows HTTP numbers.
"""

from __future__ import annotations

import copyreg
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scheduler.slips import fuller_name, slip_of


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a request, with all that is needed to put it right.

    `field` is the path of the field ("env.LD_PRELOAD"), `got` what came, `accepted` what is taken
    there, `suggestion` the nearest valid value, complete and ready to send. `instead` are fields that say
    when in place of the one that does not, where that is another one.
    """

    field: str
    message: str
    got: Any = None
    accepted: Sequence[Any] = ()
    suggestion: Any = None
    code: str = "invalid_field"
    instead: Mapping[str, Any] = dataclass_field(default_factory=dict)

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

    def __reduce__(self) -> tuple[Any, ...]:
        # An exception is made anew of its text, which is not what every one of these is made of.
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


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
    """No task, run or path of that name exists; `listed_by` is the action that tells which do."""

    code = "not_found"

    def __init__(self, message: str, code: str | None = None, listed_by: str | None = None, **details: Any) -> None:
        super().__init__(
            f"{message} Action '{listed_by}' tells which exist." if listed_by else message, code, **details
        )
        self.bare_message, self.listed_by = message, listed_by


class Conflict(SchedulerError):
    """The request contradicts what exists."""

    code = "task_exists"


class NotAllowed(SchedulerError):
    """The caller may not do this."""

    code = "forbidden"


class LimitReached(SchedulerError):
    """A limit on number, rate or size is reached; `retry_after` says in how many seconds to try again."""

    code = "rate_limited"

    def __init__(self, message: str, code: str | None = None, retry_after: float | None = None, **details: Any) -> None:
        super().__init__(message, code, **details)
        self.retry_after = retry_after


class Unavailable(SchedulerError):
    """The request is right, but cannot be carried out now."""

    code = "store_unavailable"


class Unusable(Unavailable):
    """The store cannot be used until somebody mends it or the settings."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that `word` was most likely meant to be, or None if none is close."""
    choices = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(word.lower(), choices, n=1, cutoff=0.6)
    return choices[found[0]] if found else None


class ProblemFound(ValueError):
    """Carry a whole Problem out of a pydantic validator, which would keep only the text of it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class ProblemsFound(ValueError):
    """Carry several Problems out of a validator."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = list(problems)


def explain(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Turn pydantic's errors about `model` into Problems: each with what came, what is accepted, what is near."""
    return [problem for details in error.errors(include_url=False) for problem in _explain_all(details, model)]


def shorten(value: Any, limit: int = 200) -> Any:
    """Return `value` if it is small enough to be repeated in an answer, else its beginning as text."""
    if isinstance(value, str):
        return value if len(value) <= limit else value[:limit] + "…"
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _json(value)
    return value if len(text) <= limit and isinstance(value, list | dict) else text[:limit] + "…"


def as_sent(value: Any, limit: int = 60) -> str:
    """Return a value as messages show it: a text in quotes, all else as JSON, and not all of what is long."""
    if isinstance(value, str):
        return repr(shorten(value, limit))
    text = _json(value)
    return text if len(text) <= limit else text[:limit] + "…"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _explain_all(details: ErrorDetails, model: type[BaseModel]) -> list[Problem]:
    raised = details.get("ctx", {}).get("error")
    return raised.problems if isinstance(raised, ProblemsFound) else [_explain(details, model)]


def _explain(details: ErrorDetails, model: type[BaseModel]) -> Problem:
    field = ".".join(str(part) for part in details["loc"]) or "request"
    raised = details.get("ctx", {}).get("error")
    if isinstance(raised, ProblemFound):
        return raised.problem
    kind, got = details["type"], shorten(details["input"])
    if kind == "extra_forbidden":
        *path, name = details["loc"]
        return unknown_field(str(name), _model_at(model, path).model_fields, got, path=[str(step) for step in path])
    if kind == "missing":
        return Problem(field, f"'{field}' is required", code="missing_field")
    if kind in ("literal_error", "enum"):
        accepted = re.findall(r"'([^']*)'", str(details.get("ctx", {}).get("expected", "")))
        guess = nearest(got, accepted) if isinstance(got, str) else None
        return not_one_of(field, got, accepted, guess)
    if isinstance(raised, ValueError):
        return Problem(field, f"'{field}': {raised}", got)
    if kind == "too_long":
        most, items = details["ctx"]["max_length"], list(details["input"])
        return Problem(field, f"'{field}' must have at most {most} items, not {len(items)}", got, (), items[:most])
    return Problem(field, f"'{field}' {_requirement(details)}", got)


def _model_at(model: type[BaseModel], path: Sequence[str | int]) -> type[BaseModel]:
    """Return the model of the object that is found at `path` in what `model` takes."""
    for step in path:
        field = model.model_fields.get(str(step))
        model = next(_models_in(field.annotation), model) if field is not None else model
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models that an annotation names, be they optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def unknown_field(name: str, known: Iterable[str], got: Any = None, path: Sequence[str] = ()) -> Problem:
    """Describe a field that nothing knows, of the object at `path`, naming the one that was meant.

    None is named that only looks alike: the value goes along, and would mean something else there.
    """
    known = sorted(known)
    guess = slip_of(name, known) or fuller_name(name, known)
    field = ".".join((*path, name))
    hint = f"; known: {', '.join(known)}" if known else "; none is known here"
    hint = f"; did you mean '{'.'.join((*path, guess))}'?" if guess else hint
    return Problem(field, f"unknown field '{field}'{hint}", shorten(got), known, guess, "unknown_field")


def not_one_of(field: str, got: Any, accepted: Sequence[str], guess: str | None = None) -> Problem:
    """Describe a value that is none of the accepted words."""
    hint = f" Did you mean '{guess}'?" if guess else ""
    words = ", ".join(f"'{word}'" for word in accepted)
    return Problem(field, f"'{field}' must be one of {words}, not {as_sent(got)}.{hint}", got, accepted, guess)


_TYPES = {
    "string_type": "must be a string",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "finite_number": "must be a finite number",
}


def _requirement(details: ErrorDetails) -> str:
    got = details["input"]
    if (text := _TYPES.get(details["type"])) is not None:
        return f"{text}, not {_kind(got)}"
    return details["msg"].replace("Input should be", "must be").replace("String should", "must") + f", not {_kind(got)}"


def _kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        return f"the string {as_sent(value)}"
    if isinstance(value, list):
        return "a list"
    # Only Python has more kinds of values than JSON.
    return "an object" if isinstance(value, dict | BaseModel) else f"a Python {type(value).__name__}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."
