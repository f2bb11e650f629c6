"""Find out which fields were meant by names that an action does not take, and which words by values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from scheduler.errors import Problem, as_sent, not_one_of, shorten, unknown_field
from scheduler.http import requests
from scheduler.http.action_names import WHOLE, names_task, problem_of_task_beside
from scheduler.http.meanings import meant_fields, object_of
from scheduler.models import job_fields

ENTRY = re.compile(r"tasks\.(?:tasks\.)?\d+\.")
"""The path of an entry of a document that is imported."""
_WEEKDAYS = ("trigger.day_of_the_week", "trigger.dow", "trigger.weekday", "trigger.weekdays")

SYNONYMS = {
    "at": "interval",
    "cmd": "command",
    "code": "custom_script",
    "concurrency": "max_instances",
    "cron": "interval",
    "cron_expression": "interval",
    "backoff": "retry_backoff",
    "cwd": "working_directory",
    "datetime": "interval",
    "dir": "working_directory",
    "directory": "working_directory",
    "document": "tasks",
    "end": "until",
    "end_at": "until",
    "end_date": "until",
    "ends_at": "until",
    "environment": "env",
    "every": "interval",
    "expression": "interval",
    "frequency": "interval",
    "job": "task_id",
    "job_id": "task_id",
    "job_name": "task_id",
    "jobid": "task_id",
    "jobs": "tasks",
    "kind": "type",
    "labels": "tags",
    "job_type": "type",
    "lines": "tail",
    "name": "task_id",
    "n": "count",
    "overwrite": "replace",
    "phrase": "interval",
    "recurrence": "interval",
    "repeat": "interval",
    "run_at": "interval",
    "run_date": "interval",
    "path": "file_path",
    "script_path": "file_path",
    "start_date": "start_at",
    "task": "task_id",
    "task_type": "type",
    "task_id": "tasks",
    "task_ids": "task_id",
    "time_zone": "timezone",
    "tz": "timezone",
    "upsert": "replace",
    "when": "interval",
    "workdir": "working_directory",
}
"""What other schedulers call some of our fields, so that a refusal names ours."""
WORDS = {
    "priority": {
        "background": "low",
        "critical": "urgent",
        "default": "medium",
        "highest": "urgent",
        "lowest": "low",
        "normal": "medium",
    },
    "run_status": {
        "aborted": "cancelled",
        "done": "completed",
        "error": "failed",
        "failure": "failed",
        "finished": "completed",
        "killed": "cancelled",
        "ok": "completed",
        "pending": "queued",
        "succeeded": "completed",
        "success": "completed",
        "successful": "completed",
        "timed_out": "timeout",
        "waiting": "queued",
    },
    "type": {
        "bash": "command",
        "cmd": "command",
        "code": "custom",
        "inline": "custom",
        "py": "script",
        "pytest": "test",
        "python": "script",
        "sh": "command",
        "shell": "command",
        "unittest": "test",
    },
}
"""What other schedulers call some values of our fields."""


def with_known(problem: Problem, model: type[BaseModel], given: Mapping[str, Any]) -> Problem:
    """Name the field, or the word, that was most likely meant by an unknown one, of all that the action takes."""
    if model is requests.Import and (entry := ENTRY.match(problem.field)) is not None:
        return _with_known_of_entry(problem, entry.group(), given)
    known = _fields_of(model)
    meanings = meant_fields(given, known)
    if (word := _meant_word(problem, given, meanings)) is not None:
        return not_one_of(problem.field, problem.got, problem.accepted, word)
    if (fields := meanings.get(problem.field)) is not None:
        return _with_meaning(problem, fields, known)
    if problem.field in _WEEKDAYS and problem.code == "unknown_field":
        text = f"unknown field '{problem.field}'; did you mean 'trigger.day_of_week'?"
        return replace(problem, message=text, suggestion="day_of_week")
    if problem.code != "unknown_field" or problem.field not in given or problem.field in known:
        return problem
    if given.get("action") in WHOLE and names_task(problem.field):
        return problem_of_task_beside(problem.field, problem.got, given["action"])
    meant = SYNONYMS.get(problem.field.lower())
    if meant in known:
        text = f"unknown field '{problem.field}'; did you mean '{meant}'?"
        return Problem(problem.field, text, problem.got, sorted(known), meant, "unknown_field")
    return unknown_field(problem.field, known, problem.got)


def _with_known_of_entry(problem: Problem, path: str, given: Mapping[str, Any]) -> Problem:
    """Do the same for a field of an entry of a document, which is one of what `create` takes."""
    entry: Any = given
    for step in path.rstrip(".").split("."):
        entry = inside(entry, step)
    if not isinstance(entry, Mapping):
        return problem
    inner = with_known(problem.at(problem.field.removeprefix(path)), requests.Create, entry)
    # What an entry takes beside the fields of `create` is known where it was read.
    if inner.suggestion in (None, problem.suggestion) and not inner.instead:
        return problem
    place = path.rstrip(".")
    text = inner.message if inner.message.startswith(place) else f"{place}: {inner.message}"
    return replace(inner, field=problem.field, message=text)


def inside(holder: Any, name: str) -> Any:
    """Return what stands under a name of an object or at a place of a list; None where nothing does."""
    if isinstance(holder, list) and name.isdigit():
        return holder[int(name)] if int(name) < len(holder) else None
    return holder.get(name) if isinstance(holder, Mapping) else None


def _with_meaning(problem: Problem, fields: Mapping[str, Any], known: frozenset[str]) -> Problem:
    """Return the problem with the fields that mean the same as the one that was sent."""
    if problem.field in known:
        return replace(problem, suggestion=fields.get(problem.field), instead=fields)
    said = ", ".join(f"'{name}': {as_sent(value)}" for name, value in fields.items())
    text = f"unknown field '{problem.field}'; did you mean {said}?"
    name = next(name for name in fields if name != "type")
    return Problem(problem.field, text, problem.got, sorted(known), name, "unknown_field", fields)


def _meant_word(problem: Problem, given: Mapping[str, Any], meanings: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return the accepted word that was meant by another one; Python is written in one of two fields."""
    if not isinstance(problem.got, str):
        return None
    meant = WORDS.get(problem.field, {}).get(problem.got.lower())
    if problem.field != "type" or meant is None:
        return meant
    by_code = next((fields["type"] for fields in meanings.values() if "type" in fields), meant)
    return "custom" if "custom_script" in given and meant == "script" else by_code


def unwrapped(model: type[BaseModel], given: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    """Return what was sent, with fields that lie in a needless object beside the others, and what to say of those."""
    known = _fields_of(model)
    others = known - {"task_id"}  # which is never an object
    wrappers = {
        name: value
        for name, value in _unpacked(given).items()
        if name not in known
        and SYNONYMS.get(name.lower()) not in others
        and isinstance(value, dict)
        and any(_stands_for(inner, known) for inner in value)
    }
    fields = {name: value for name, value in given.items() if name not in wrappers}
    for inside in wrappers.values():
        fields = {name: value for name, value in inside.items() if value is not None} | fields
    problems = [
        Problem(name, f"unknown field '{name}': put its fields at the top level", shorten(value), code="unknown_field")
        for name, value in wrappers.items()
    ]
    return fields, problems


def _unpacked(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was sent, objects that came as their JSON text as what they are."""
    return {name: (object_of(value) or value if isinstance(value, str) else value) for name, value in given.items()}


def _stands_for(name: str, known: frozenset[str]) -> bool:
    return name in known or SYNONYMS.get(name.lower()) in known


@cache
def _fields_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of all fields that an action takes."""
    own = frozenset(model.model_fields)
    return (own | frozenset(job_fields())) - {"action"} if model in (requests.Create, requests.Update) else own
