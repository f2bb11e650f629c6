"""Read the policies that tasks have which name none of their own: fields of `create`, with the same rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, ValidationError, create_model

from scheduler.errors import Problem, ProblemFound, ProblemsFound, explain
from scheduler.models import Job

POLICIES = (
    *("priority", "timeout_seconds", "max_retries", "retry_delay_seconds", "retry_backoff"),
    *("max_instances", "overlap", "misfire_grace_time", "coalesce", "catch_up", "at_least_once"),
)
_EXAMPLE = '{"max_retries": 2, "priority": "low"}'

_FIELDS: dict[str, Any] = {name: (Job.model_fields[name].annotation, Job.model_fields[name]) for name in POLICIES}
_Defaults = create_model("JobDefaults", __config__=ConfigDict(extra="forbid", strict=True), **_FIELDS)


def read_job_defaults(given: Any) -> dict[str, Any]:
    """Return the policies given by a mapping or its JSON text; raise a ValueError with the Problems of it."""
    values = _from_text(given) if isinstance(given, str) else given
    if not isinstance(values, Mapping):
        text = f"'job_defaults' must be an object of policies, for example {_EXAMPLE}"
        raise ProblemFound(Problem("job_defaults", text, given, POLICIES))
    try:
        policies = _Defaults.model_validate({name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise ProblemsFound([_inside(problem) for problem in explain(error, _Defaults)]) from error
    return {name: getattr(policies, name) for name in policies.model_fields_set}


def with_defaults(job: Job, defaults: Mapping[str, Any]) -> Job:
    """Return the job with the defaults of those policies that it does not name."""
    missing = {name: value for name, value in defaults.items() if name not in job.model_fields_set}
    return job.model_copy(update=missing) if missing else job


def _from_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        message = f"'job_defaults' is no JSON ({error}); an example: {_EXAMPLE}"
        raise ProblemFound(Problem("job_defaults", message, text)) from error


def _inside(problem: Problem) -> Problem:
    return problem.at(f"job_defaults.{problem.field}")
