"""Read an entry of a jobs file, in whichever spelling it is written, as the fields that `create` takes.

id, func, trigger, is_enabled, kwargs, replace_existing     a Python function or the path of an executable
id, name, command, schedule, enabled                        a command and a cron expression or phrase
task_id, type, interval and the rest                        the fields of `create`
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import ConfigDict, Field, WithJsonSchema

from scheduler.errors import Problem, as_sent
from scheduler.models import Job
from scheduler.task_ids import TaskId
from scheduler.trigger_objects import TRIGGER_FIELDS, TRIGGER_TYPES, UNITS

_ALIASES = {"id": "task_id", "is_enabled": "enabled", "replace_existing": "replace"}
_TYPES_BY_FIELD = {"func": "function", "command": "command", "file_path": "script", "custom_script": "custom"}
_NUMBERS = (*UNITS, "jitter")
_AMOUNT = re.compile(r"[0-9]{1,18}")
_TRIGGER_SCHEMA = {
    "type": "object",
    "properties": {
        "type": {"enum": list(TRIGGER_TYPES)},
        **{name: {"type": ["integer", "string"]} for name in TRIGGER_FIELDS},
    },
    "required": ["type"],
    "additionalProperties": False,
}


class JobEntry(Job):
    """An entry of a jobs file, all spellings in one: its fields are what an entry may have, and its JSON Schema."""

    model_config = ConfigDict(
        json_schema_extra={
            "allOf": [
                {"oneOf": [{"required": ["id"]}, {"required": ["task_id"]}]},
                {"anyOf": [{"required": [name]} for name in (*_TYPES_BY_FIELD, "type")]},
            ]
        }
    )

    # A Job has an attribute `id`, which a field may not hide.
    named: TaskId | None = Field(None, alias="id", description="The job's id: 1 to 128 printable characters.")
    task_id: TaskId | None = Field(None, description="Another name of `id`.")  # type: ignore[assignment]
    type: str | None = Field(  # type: ignore[assignment]
        None,
        description="What kind of task it is. Default: what follows from `command`, `func`, `file_path` or "
        "`custom_script`.",
        json_schema_extra={"enum": [*Job.model_json_schema()["properties"]["type"]["enum"], None]},
    )
    func: str | None = Field(
        None, description="A Python function (package.module.name), or the path of an executable file."
    )
    trigger: Annotated[dict[str, Any] | None, WithJsonSchema(_TRIGGER_SCHEMA)] = Field(
        None, description='When, as an object: {"type": "interval" | "cron" | "date", ...}.'
    )
    is_enabled: bool | None = Field(None, description="Another name of `enabled`.")
    replace_existing: bool | None = Field(
        None, description="Whether the file takes over a job of that id that somebody made by other means."
    )
    replace: bool | None = Field(None, description="Another name of `replace_existing`.")


ENTRY_FIELDS = [field.alias or name for name, field in JobEntry.model_fields.items()]
"""What an entry may have."""


@dataclass(frozen=True, slots=True)
class Translation:
    """An entry as fields of `create`; `written` maps the name of a field to the one that stands in the file."""

    fields: dict[str, Any]
    replace: bool
    written: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)


def translate(raw: Mapping[str, Any], directory: Path) -> Translation:
    """Turn an entry into the fields of `create`; relative paths start from `directory`, that of all tasks."""
    given = {name: value for name, value in raw.items() if value is not None}
    problems = [
        _twice(alias, name, given[alias]) for alias, name in _ALIASES.items() if alias in given and name in given
    ]
    written = {name: alias for alias, name in _ALIASES.items() if alias in given}
    fields = {_ALIASES.get(name, name): value for name, value in given.items()}
    replace = fields.pop("replace", False)
    if not isinstance(replace, bool):
        name = written.get("replace", "replace")
        problems.append(
            Problem(name, f"'{name}' must be true or false, not {as_sent(replace)}", replace, [True, False])
        )
    if "type" not in fields and _is_program(fields.get("func"), directory):
        if "command" in fields:
            problems.append(
                Problem("func", "'command' and 'func' both say what to do: write one of them", fields["func"])
            )
        fields = _as_command(fields, directory)
        written["command"] = "func"
    if "type" not in fields:
        kinds = [kind for name, kind in _TYPES_BY_FIELD.items() if name in fields]
        fields |= {"type": kinds[0]} if kinds else {}
    if isinstance(fields.get("trigger"), dict):
        fields["trigger"] = _with_numbers(fields["trigger"])
    return Translation(fields, replace is True, written, problems)


def _twice(alias: str, name: str, value: Any) -> Problem:
    return Problem(alias, f"'{alias}' and '{name}' say the same: write one of them", value)


def _is_program(func: Any, directory: Path) -> bool:
    """Whether `func` is the path of a file, not that of a function: it has a slash, or a file has that name."""
    return isinstance(func, str) and ("/" in func or os.path.isfile(directory / func))


def _as_command(fields: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Return the fields of a command that runs the executable, its arguments passed on as they are."""
    kept = {name: value for name, value in fields.items() if name != "func" and (name != "kwargs" or value)}
    path = os.path.normpath(directory / os.path.expanduser(fields["func"]))
    passed = ' "$@"' if kept.get("args") else ""
    return {**kept, "type": "command", "command": shlex.quote(path) + passed}


def _with_numbers(trigger: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trigger object whose amounts are numbers where they were written as texts: minutes: '5'."""
    return {
        name: int(value) if name in _NUMBERS and isinstance(value, str) and _AMOUNT.fullmatch(value) else value
        for name, value in trigger.items()
    }


def file_schema() -> dict[str, Any]:
    """Return the JSON Schema of a jobs file: one entry, a list of them, or an object with that list in `jobs`."""
    schema = JobEntry.model_json_schema(ref_template="#/$defs/{model}")
    definitions = schema.pop("$defs", {})
    entry = {"$ref": "#/$defs/JobEntry"}
    entries = {"type": "array", "items": entry}
    whole = {
        "type": "object",
        "properties": {"jobs": entries},
        "required": ["jobs"],
        "additionalProperties": False,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Jobs file of the task scheduler",
        "oneOf": [entries, whole, entry],
        "$defs": {**definitions, "JobEntry": schema},
    }
