"""List the fields of the form of a task, and say how each is written there and what a text in it means. Pure.

static/definition.js reads the same table, by the attributes that fields have in the page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from scheduler.job_defaults import POLICIES
from scheduler.models import Job

Kind = Literal["text", "raw", "number", "flag", "choice", "words", "lines", "env"]
AREAS: tuple[Kind, ...] = ("raw", "lines", "env")
"""Kinds that take several lines."""
TYPES = ("command", "script", "test", "custom")
TYPE_WORDS = {"command": "Shell command", "script": "Python script", "test": "Tests", "custom": "Python code"}
NOTHING: Any = object()
"""What stands for a value that no call can take away."""

_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[-+]?[0-9]+)?", re.IGNORECASE)
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. `cleared` is what a call sends to take a value away, where anything does."""

    name: str
    label: str
    kind: Kind = "text"
    choices: tuple[str, ...] = ()
    cleared: Any = NOTHING
    hint: str = ""
    unit: str = ""

    @property
    def full_label(self) -> str:
        """What stands before it, with the unit of what it takes."""
        return f"{self.label}, {self.unit}" if self.unit else self.label

    @property
    def meaning(self) -> str:
        """What is said below it: as the API describes it."""
        said = self.hint or str(Job.model_fields[self.name].description)
        return said.replace("`", "")


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
)
ENABLED = Field(
    "enabled", "Enabled: its fire times are planned", "flag", cleared=True, hint="Else it runs by hand only."
)
FIELDS = {each.name: each for each in (*WHAT, *BASE, *WHEN, *(each for _, some in TERMS for each in some), ENABLED)}
"""All fields but id and type, by name."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a task has that does not say otherwise: the models' defaults, the settings' policies, the server's zone."""

    policies: Mapping[str, Any]
    timezone: str

    def of(self, name: str) -> Any:
        """Return the default of a field, None where it has none."""
        if name == "timezone":
            return self.timezone
        found = self.policies[name] if name in self.policies else Job.model_fields[name].default
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
        case "words":
            return ", ".join(value)
        case "lines":
            return "\n".join(map(str, value))
        case "env":
            return "\n".join(f"{name}={text}" for name, text in value.items())
    return str(value)


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
        case "words":
            return [word.strip() for word in text.split(",") if word.strip()] or None
        case "lines":
            return [line for line in text.split("\n") if line.strip()] or None
        case "env":
            return _variables(text) or None
    return text.strip() or None


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
    return text not in ("", defaults.text(name)) or (not text and defaults.text(name) == "on")


def in_short(field: Field, text: str, defaults: Defaults) -> str:
    """Return what a field says in a few words, for a part of the form that is folded away."""
    label = field.label[:1].lower() + field.label[1:]
    if field.kind == "flag":
        return f"{field.name.replace('_', ' ')} {'yes' if text == 'on' else 'no'}"
    if field.kind == "env":
        return f"{label} {len(_variables(text)) or 'none'}"
    said = text or defaults.text(field.name)
    return f"{label} {said or '–'}{' s' if field.unit == 'seconds' and said else ''}"
