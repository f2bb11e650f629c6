"""Find out which fields were meant by names that an action does not take, and which words by values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

from scheduler.errors import Problem, not_one_of, shorten, unknown_field
from scheduler.http import requests
from scheduler.http.action_names import WHOLE, names_task, problem_of_task_beside
from scheduler.models import job_fields

SYNONYMS = {
    "at": "interval",
    "cmd": "command",
    "code": "custom_script",
    "concurrency": "max_instances",
    "cron": "interval",
    "cron_expression": "interval",
    "cwd": "working_directory",
    "datetime": "interval",
    "dir": "working_directory",
    "document": "tasks",
    "end_at": "until",
    "end_date": "until",
    "ends_at": "until",
    "environment": "env",
    "every": "interval",
    "expression": "interval",
    "job": "task_id",
    "job_id": "task_id",
    "job_name": "task_id",
    "jobid": "task_id",
    "jobs": "tasks",
    "labels": "tags",
    "lines": "tail",
    "name": "task_id",
    "n": "count",
    "overwrite": "replace",
    "phrase": "interval",
    "run_at": "interval",
    "run_date": "interval",
    "script_path": "file_path",
    "start_date": "start_at",
    "task": "task_id",
    "task_id": "tasks",
    "task_ids": "task_id",
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
    known = _fields_of(model)
    if (word := _meant_word(problem, given)) is not None:
        return not_one_of(problem.field, problem.got, problem.accepted, word)
    if problem.code != "unknown_field" or problem.field not in given or problem.field in known:
        return problem
    if given.get("action") in WHOLE and names_task(problem.field):
        return problem_of_task_beside(problem.field, problem.got, given["action"])
    meant = SYNONYMS.get(problem.field.lower())
    if meant in known:
        text = f"unknown field '{problem.field}'; did you mean '{meant}'?"
        return Problem(problem.field, text, problem.got, sorted(known), meant, "unknown_field")
    return unknown_field(problem.field, known, problem.got)


def _meant_word(problem: Problem, given: Mapping[str, Any]) -> str | None:
    """Return the accepted word that was meant by another one; Python is written in one of two fields."""
    if not isinstance(problem.got, str):
        return None
    meant = WORDS.get(problem.field, {}).get(problem.got.lower())
    return "custom" if meant == "script" and "custom_script" in given else meant


def unwrapped(model: type[BaseModel], given: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[Problem]]:
    """Return what was sent, with fields that lie in a needless object beside the others, and what to say of those."""
    known = _fields_of(model)
    others = known - {"task_id"}  # which is never an object
    wrappers = {
        name: value
        for name, value in given.items()
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


def _stands_for(name: str, known: frozenset[str]) -> bool:
    return name in known or SYNONYMS.get(name.lower()) in known


@cache
def _fields_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of all fields that an action takes."""
    own = frozenset(model.model_fields)
    return (own | frozenset(job_fields())) - {"action"} if model in (requests.Create, requests.Update) else own
