"""Work out what a task's page says of its definition and of the changes that it had. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from scheduler.http.pages.local import run_path, task_path
from scheduler.models import Job
from scheduler.store.changes import Change, without_secrets
from scheduler.stored_job import StoredJob
from scheduler.wording import say_count

WHAT = {
    "command": ("Shell command", "command"),
    "script": ("Script", "file_path"),
    "test": ("Tests", "file_path"),
    "custom": ("Python", "custom_script"),
    "function": ("Function", "func"),
    "callable": ("Function of the program", "func"),
}
"""For each type what it is called, and the field that says most."""
_LABELS = {
    "args": "Arguments",
    "interpreter": "Interpreter",
    "working_directory": "Directory",
    "priority": "Priority",
    "timeout_seconds": "Time limit",
    "max_retries": "Retries",
    "retry_delay_seconds": "Pause before a retry",
    "retry_backoff": "Each pause longer by",
    "max_instances": "At a time",
    "overlap": "While that many go on",
    "misfire_grace_time": "Grace",
    "coalesce": "Several late ones",
    "catch_up": "After a standstill",
    "at_least_once": "At least once",
    "start_at": "From",
    "until": "Until",
    "max_runs": "Runs at most",
    "jitter_seconds": "Start moved by up to",
    "remove_when_done": "Removed when done",
    "notify": "Told of it",
    "expect": "Expected",
    "sandbox": "Sandbox",
    "kwargs": "Keyword arguments",
}
_SECONDS = ("timeout_seconds", "retry_delay_seconds", "misfire_grace_time", "jitter_seconds")
_SHOWN_APART = ("type", "interval", "timezone", "name", "description", "tags", "enabled", "env")
_ALWAYS = ("priority", "timeout_seconds", "max_retries", "max_instances")
_WHEN = ("schedule", "trigger", "schedule_type", "schedule_config")


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A definition for people, and as JSON without what is secret."""

    kind: str
    code: str
    rows: Sequence[tuple[str, str]]
    folded: int
    """How many policies are as they are by default, and so are not told."""
    environment: Sequence[str]
    json: str


@dataclass(frozen=True, slots=True)
class ChangeView:
    """One change: when, by whom, what was done, and the fields before and after."""

    at: datetime
    by: str
    did: str
    fields: Sequence[tuple[str, str, str]]


def view_definition(stored: StoredJob) -> DefinitionView:
    """Return what is said of a definition: what is as usual is left out."""
    definition = without_secrets(stored.definition)
    kind, main = WHAT.get(definition["type"], (definition["type"], "command"))
    shown = {**definition, "jitter_seconds": stored.jitter_seconds}
    told = [name for name in _LABELS if name != main and _is_told(name, shown)]
    return DefinitionView(
        kind=kind,
        code=str(definition.get(main) or ""),
        rows=[(_LABELS[name], _say(name, shown[name])) for name in told],
        folded=sum(name in definition for name in _LABELS) - len(told),
        environment=sorted(definition.get("env") or {}),
        json=json.dumps({"task_id": stored.task_id, **definition}, indent=2, ensure_ascii=False),
    )


def view_change(change: Change) -> ChangeView:
    """Return a change as it is told."""
    fields = [(name, _text(old), _text(new)) for name, (old, new) in change.fields.items()]
    return ChangeView(change.at, change.by or "the scheduler", change.kind.removeprefix("task."), fields)


def link_of(call: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return where a page leads that does what an explanation asks for next, and what the link says."""
    task_id = str(call.get("task_id", ""))
    match call["action"]:
        case "output":
            return run_path(call["run_id"]), "See what it wrote"
        case "start" | "status":
            return "/", "To the dashboard"
        case "update":
            return f"{task_path(task_id)}/edit", "Change the task"
    return None


def _is_told(name: str, definition: Mapping[str, Any]) -> bool:
    if name not in definition or name in _SHOWN_APART or name in _WHEN:
        return False
    field = Job.model_fields.get(name)
    return name in _ALWAYS or field is None or definition[name] != field.get_default(call_default_factory=True)


def _say(name: str, value: Any) -> str:
    if name == "misfire_grace_time" and value == -1:
        return "no limit"
    if name in _SECONDS:
        return say_count(value, "second") if isinstance(value, int) else f"{value:g} seconds"
    if name == "retry_backoff":
        return f"{value:g} times"
    if name == "overlap":
        return {"skip": "skip the fire time", "queue": "wait in line"}.get(value, str(value))
    if name == "coalesce":
        return "become one run" if value else "each run"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return _text(value)


def _text(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
