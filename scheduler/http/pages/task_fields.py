"""List the fields of the form of a task, and say how each is written there and what a text in it means. Pure.

A field of the form is one of a definition, or a part of one: `sandbox.memory_mb`. static/definition.js reads the same
table, by the attributes that fields have in the page.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import orjson
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from scheduler.alerts import Expect, Notify, Occasion
from scheduler.job_defaults import POLICIES
from scheduler.models import Job
from tasks.sandbox import SandboxRequest

Kind = Literal["text", "raw", "number", "flag", "choice", "ticks", "words", "lines", "env", "paths", "targets"]
AREAS: tuple[Kind, ...] = ("raw", "lines", "env", "paths", "targets")
"""Kinds that take several lines."""
LISTS: tuple[Kind, ...] = ("lines", "paths", "targets")
"""Kinds that take an item a line."""
EMPTY = "[]"
"""What stands alone in a field of paths or targets where its list is empty: left empty, it is not given."""
WHOLE: dict[str, type[BaseModel]] = {"sandbox": SandboxRequest, "expect": Expect, "notify": Notify}
"""Fields of a definition that the form shows in parts, and what each of them holds."""
TYPES = ("command", "script", "test", "custom")
TYPE_WORDS = {"command": "Shell command", "script": "Python script", "test": "Tests", "custom": "Python code"}
NOTHING: Any = object()
"""What stands for a value that no call can take away."""

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?", re.IGNORECASE)
_EXACT = 2**53
_SHORT = {"seconds": " s", "minutes": " min", "MB": " MB"}


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. `cleared` is what a call sends to take a value away, where anything does.

    `empty` is what a choice says that is not made.
    """

    name: str
    label: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    cleared: Any = NOTHING
    hint: str = ""
    unit: str = ""
    empty: str = ""

    @property
    def full_label(self) -> str:
        """What stands before it, with the unit of what it takes."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def meaning(self) -> str:
        """What is said below it: as the API describes it."""
        said = self.hint or str(spec_of(self.name).description)
        return said.replace("`", "")


def spec_of(name: str) -> FieldInfo:
    """Return what the models say of a field of the form."""
    whole, _, part = name.partition(".")
    return (WHOLE[whole] if part else Job).model_fields[part or whole]


WHAT = (
    Field("command", "Command", "raw", hint="Lines of /bin/sh."),
    Field("file_path", "File", hint="A file in the allowed directories; of tests also a folder, or file::test."),
    Field("custom_script", "Code", "raw", hint="Python. Tab indents; Escape, then Tab goes on to the next field."),
    Field("args", "Arguments", "lines", cleared=[], hint="One a line. Of a command $1, $2 and so on."),
)
BASE = (
    Field("name", "Name for people", cleared="", hint="Shown beside its id."),
    Field("description", "What it is for", "raw", cleared="", hint="Words for whoever looks after it."),
    Field("tags", "Tags", "words", cleared=[], hint="Words to find it by, with commas between."),
)
WHEN = (
    Field("interval", "When", hint="A phrase, a cron expression, or a date and time."),
    Field("timezone", "Time zone", hint="Default: the server's."),
)
PREVIEWED = ("interval", "timezone")
TERMS: tuple[tuple[str, tuple[Field, ...]], ...] = (
    (
        "How long, and how often again",
        (
            Field("timeout_seconds", "Timeout", "number", unit="seconds"),
            Field("max_retries", "Retries", "number"),
            Field("retry_delay_seconds", "First delay", "number", unit="seconds"),
            Field("retry_backoff", "Backoff factor", "number"),
        ),
    ),
    (
        "When runs meet",
        (
            Field("max_instances", "Runs at a time", "number"),
            Field("overlap", "Beyond that", "choice", ("skip", "queue")),
            Field("priority", "Priority", "choice", ("urgent", "high", "medium", "low")),
            Field("jitter_seconds", "Spread", "number", cleared=0, unit="seconds"),
        ),
    ),
    (
        "When it is late",
        (
            Field("misfire_grace_time", "Grace", "number", unit="seconds"),
            Field("coalesce", "Make one run of several late ones", "flag"),
            Field("catch_up", "Run what is past its grace, too", "flag"),
            Field("at_least_once", "Run again if the server died under it", "flag"),
        ),
    ),
    (
        "From, until, and how often",
        (
            Field("start_at", "Not before"),
            Field("until", "Not after"),
            Field("max_runs", "Runs in all", "number"),
            Field("remove_when_done", "Remove it when its rule has ended", "flag", cleared=False),
        ),
    ),
    (
        "Where it runs",
        (
            Field("working_directory", "Directory"),
            Field("env", "Environment", "env", cleared={}, hint="NAME=value, one a line."),
        ),
    ),
    (
        "What it may use",
        (
            Field(
                "sandbox.network",
                "Network",
                "choice",
                ("all", "tcp", "none"),
                hint="All of this can only narrow what the server allows.",
                empty="as the server allows",
            ),
            Field("sandbox.memory_mb", "Memory", "number", hint="Of all its processes together.", unit="MB"),
            Field("sandbox.cpu_seconds", "CPU time", "number", hint="Of all its processes together.", unit="seconds"),
            Field("sandbox.processes", "Processes", "number", hint="At a time, of all that it starts."),
            Field(
                "sandbox.read",
                "Paths to read",
                "paths",
                hint="The only ones that it may read beside the system's, one a line; [] alone: none.",
            ),
            Field(
                "sandbox.write",
                "Paths to change",
                "paths",
                hint="The only ones that it may change, one a line; [] alone: none. Left empty beside paths to read: "
                "none, too.",
            ),
        ),
    ),
    (
        "What is expected of it",
        (
            Field(
                "expect.every", "Expected every", hint="A span such as 1 day or 90 minutes, if anything is expected."
            ),
            Field("expect.min_runs", "Successes in that span", "number"),
            Field("expect.max_duration_seconds", "Longest run", "number", unit="seconds"),
        ),
    ),
    (
        "Who is told what",
        (
            Field(
                "notify.to",
                "Who is told",
                "targets",
                hint="One a line: a name of the server's settings, mailto:someone@example.com, a URL of Apprise, or an "
                'object such as {"webhook": "https://example.com/hook"}; [] alone: nobody.',
            ),
            Field("notify.on", "What is told", "ticks", get_args(Occasion), hint="What is expected is told anyhow."),
            Field("notify.every_minutes", "Pause between messages", "number", unit="minutes"),
            Field(
                "notify.late_after_seconds",
                "Late after",
                "number",
                hint="Counted from when it was due.",
                unit="seconds",
            ),
            Field(
                "notify.subject", "Subject", hint="A template: {name}, {headline} and the like stand for what happened."
            ),
            Field("notify.body", "Message", "raw", hint="A template, too: {details} and {output} tell most."),
        ),
    ),
)
ENABLED = Field(
    "enabled", "Enabled: its fire times are planned", "flag", cleared=True, hint="Else it runs by hand only."
)
FIELDS = {each.name: each for each in (*WHAT, *BASE, *WHEN, *(each for _, some in TERMS for each in some), ENABLED)}
"""All fields but id and type, by name."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a task has that does not say otherwise: the models' defaults, the settings' policies, the server's zone.

    `parts` are what the server has for parts of fields, by name.
    """

    policies: Mapping[str, Any]
    timezone: str
    parts: Mapping[str, Any] = field(default_factory=dict)

    def of(self, name: str) -> Any:
        """Return the default of a field, None where it has none."""
        if name == "timezone":
            return self.timezone
        given = self.parts if "." in name else self.policies
        spec = spec_of(name)
        found = given[name] if name in given else None if spec.is_required() else spec.default
        return str(found) if name in ("priority", "overlap") else found

    def text(self, name: str) -> str:
        """Return the default as it is shown."""
        value = self.of(name)
        return "" if value is None else write_text(FIELDS[name], value)

    def can_be_sent_cleared(self, name: str) -> bool:
        """Whether a PATCH can say that the value of a field is gone."""
        return self.cleared(name) is not NOTHING

    def cleared(self, name: str) -> Any:
        """Return what a call sends to take a value away: the default, where that can be said."""
        if name in POLICIES or name == "timezone":
            return self.of(name)
        return FIELDS[name].cleared


def write_text(field: Field, value: Any) -> str:
    """Return a value as it stands in the form."""
    match field.kind:
        case "flag":
            return "on" if value else ""
        case "number":
            return f"{value:g}" if isinstance(value, float) and value.is_integer() and value < 1e6 else str(value)
        case "ticks":
            return ", ".join(choice for choice in field.choices if choice in value)
        case "words":
            return ", ".join(value)
        case "lines":
            return "\n".join(map(str, value))
        case "paths" | "targets":
            return "\n".join(map(write_item, value)) or EMPTY
        case "env":
            return "\n".join(f"{name}={text}" for name, text in value.items())
    return str(value)


def write_item(value: Any) -> str:
    """Return an item of a list as it stands on its line."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def read_value(field: Field, text: str) -> Any:
    """Return what a text means, None where it says nothing; one that means nothing comes back as it is.

    So the scheduler, which judges every value, says what is wrong with it.
    """
    match field.kind:
        case "flag":
            return text == "on"
        case "raw":
            return text if text.strip() else None
        case "number":
            return _number(text.strip())
        case "ticks":
            return text.split(", ") if text else []
        case "words":
            return [word.strip() for word in text.split(",") if word.strip()] or None
        case "lines":
            return lines_of(text) or None
        case "paths":
            return _items(text, str)
        case "targets":
            return _items(text, _target)
        case "env":
            return _variables(text) or None
    return text.strip() or None


def lines_of(text: str) -> list[str]:
    """Return the lines that say something."""
    return [line for line in text.split("\n") if line.strip()]


def _items(text: str, read: Callable[[str], Any]) -> list[Any] | None:
    return [] if text.strip() == EMPTY else [read(line) for line in lines_of(text)] or None


def _target(line: str) -> Any:
    """Return an object where one is written; what only begins as one stays a text, and is judged as that."""
    text = line.strip()
    try:
        return orjson.loads(text) if text.startswith("{") else text
    except ValueError:
        return text


def _number(text: str) -> Any:
    """Return a number as JavaScript would send it: a whole one without a fraction, however it was written."""
    if not text:
        return None
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not math.isfinite(number):
        return text
    return int(number) if number.is_integer() and abs(number) <= _EXACT else number


def _variables(text: str) -> dict[str, str]:
    pairs = [line.partition("=") for line in text.split("\n") if line.strip()]
    return {name.strip(): value for name, _, value in pairs}


def is_unusual(name: str, text: str, defaults: Defaults) -> bool:
    """Whether a field says something else than it would by default."""
    usual = defaults.text(name)
    return text != usual if FIELDS[name].kind in ("flag", "ticks") else text not in ("", usual)


def in_short(field: Field, text: str, defaults: Defaults) -> str:
    """Return what a field says in a few words, for a part of the form that is folded away."""
    label = field.label if field.label[:2].isupper() else field.label[:1].lower() + field.label[1:]
    if field.kind == "flag":
        return f"{field.name.replace('_', ' ')} {'yes' if text == 'on' else 'no'}"
    if field.kind == "env":
        return f"{label} {len(_variables(text)) or 'none'}"
    if field.kind == "ticks":
        return f"{label} {text or 'nothing'}"
    if field.kind == "raw":
        return f"{label} {'its own' if text.strip() else 'the usual'}"
    said = ", ".join(lines_of(text or defaults.text(field.name))) or field.empty
    return f"{label} {said or '–'}{_SHORT.get(field.unit, '') if said else ''}"
