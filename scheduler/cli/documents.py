"""Read files of definitions: documents that `export` gave, or lists of tasks, in JSON or YAML, with their lines."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from scheduler import yaml_text
from scheduler.errors import Problem

_LISTS = ("tasks", "jobs")


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a file holds: entries as `import` takes them, and how to say where one of them stands."""

    name: str
    entries: list[Any]
    is_export: bool
    path: tuple[str, ...]
    document: yaml_text.Document

    def place(self, field: str) -> str:
        """Return file and line of a problem's field, such as `tasks.3.interval`."""
        inner = re.sub(r"^tasks\.?(?:tasks\.?)?", "", field)
        parts = tuple(int(part) if part.isdecimal() else part for part in inner.split(".") if part)
        return f"{self.name}:{self.document.line((*self.path, *parts))}"

    @property
    def sent(self) -> Any:
        """What `import` is sent."""
        return {"format": self.document.value["format"], "tasks": self.entries} if self.is_export else self.entries


def read_definitions(name: str) -> Definitions:
    """Read a file, or standard input where the name is `-`; end the command where it holds no definitions."""
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        document = _read(raw.decode())
    except OSError as error:
        raise click.FileError(name, error.strerror) from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: not in UTF-8: {error.reason} at byte {error.start}") from error
    except yaml_text.YamlError as error:
        raise click.ClickException(f"{name}:{error.line}: {error.message}") from error
    value = document.value
    if isinstance(value, list):
        return Definitions(name, value, False, (), document)
    inner = next((field for field in _LISTS if isinstance(value, Mapping) and isinstance(value.get(field), list)), None)
    if inner is None:
        raise click.ClickException(
            f"{name}: no definitions: a list of tasks is taken, one under 'tasks', or what `export` gives"
        )
    return Definitions(name, value[inner], "format" in value, (inner,), document)


def _read(text: str) -> yaml_text.Document:
    """Read YAML or JSON; YAML reads nearly all of JSON the same, and says on which lines."""
    if not text.lstrip().startswith(("{", "[")):
        return yaml_text.read_yaml(text)
    lines = yaml_text.read_yaml(text.replace("\t", " ")).lines
    try:
        return yaml_text.Document(json.loads(text), lines)
    except ValueError:
        return yaml_text.read_yaml(text)


def located(definitions: Definitions, problem: Mapping[str, Any] | Problem) -> str:
    """Return one line that tells a problem with its place."""
    field, message = (
        (problem.field, problem.message) if isinstance(problem, Problem) else (problem["field"], problem["message"])
    )
    return f"{definitions.place(field)}: {re.sub(r'^tasks[.0-9a-z]*: ', '', message)}"
