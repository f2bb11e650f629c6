"""Read files of definitions, in JSON or YAML: what `export` gave, or files of jobs in any of their spellings."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scheduler import yaml_text
from scheduler.cli.client import unsendable
from scheduler.cli.ending import plain, suggested
from scheduler.cli.inputs import read_text, unreadable
from scheduler.errors import Problem, unknown_field
from scheduler.jobsfiles.entry import translate
from scheduler.jobsfiles.reading import FileProblem, RawEntry, raw_entries, told_twice
from scheduler.portable import BESIDE, PARTS

_PREFIX = re.compile(r"^tasks\.?(?:tasks\.?)?")
_OPENING = re.compile(r"^tasks[.0-9a-z]*: ")


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of a file of jobs as it stands there; `names` are those of its fields that the file has others for."""

    raw: RawEntry
    names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a file holds: entries as `import` takes them, and how to say where one of them stands."""

    name: str
    document: yaml_text.Document
    entries: list[Any]
    path: tuple[str, ...] = ()
    is_export: bool = False
    written: Sequence[Written] = ()
    """The same entries of a file of jobs; none for what `export` gave."""
    faults: Sequence[FileProblem] = ()
    """What is wrong with a file whoever judges its entries."""

    @property
    def sent(self) -> Any:
        """What `import` is sent."""
        if not self.is_export:
            return self.entries
        return {**self.document.value, "tasks": self.entries}

    def unsendable(self) -> Iterator[FileProblem]:
        """Yield a problem for the first value that no request can hold."""
        if fault := unsendable(self.sent):
            yield self.told(Problem(".".join(("tasks", *map(str, _place_of(self.sent)))), fault))

    def told(self, problem: Problem) -> FileProblem:
        """Return a problem of what is sent, such as one of `tasks.3.interval`, as one of the file."""
        parts = [part for part in _PREFIX.sub("", problem.field).split(".") if part]
        bare = replace(problem, message=_OPENING.sub("", problem.message))
        if self.written and len(parts) > 1:
            entry = self.written[int(parts[0])]
            return entry.raw.told(bare.at(".".join(parts[1:])), entry.names)
        place = tuple(int(part) if part.isdecimal() else part for part in parts)
        path = () if parts and not parts[0].isdecimal() else self.path  # it is no entry, but stands beside them
        return FileProblem(Path(self.name), self.document.line((*path, *place)), bare)


def _place_of(value: Any) -> tuple[str | int, ...]:
    """Return the path to the first value inside of one that cannot be sent that cannot be sent either."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next(((name, *_place_of(part)) for name, part in inner if unsendable(part)), ())


def read_definitions(name: str, directory: Callable[[], Path]) -> Definitions:
    """Read a file, or standard input where the name is `-`; end the command where it holds no definitions.

    `directory` tells where relative paths of executables begin, and is asked only where a file of jobs needs it.
    """
    try:
        document = _read(read_text(name))
    except yaml_text.YamlError as error:
        raise unreadable(name, error.message, error.line) from error
    value = document.value
    if isinstance(value, Mapping) and isinstance(value.get("tasks"), list):
        return _of_tasks(name, document, value)
    if isinstance(value, list) or (isinstance(value, Mapping) and not value.keys() & {"format", "tasks"}):
        return _of_jobs(name, document, directory())
    raise unreadable(name, "no definitions: what `export` gives is taken, a list under 'tasks', or a file of jobs")


def _read(text: str) -> yaml_text.Document:
    """Read YAML or JSON; YAML reads nearly all of JSON the same, and says on which lines."""
    if not text.lstrip().startswith(("{", "[")):
        return yaml_text.read_yaml(text)
    lines = yaml_text.read_yaml(text.replace("\t", " ")).lines
    try:
        return yaml_text.Document(json.loads(text), lines)
    except ValueError:
        return yaml_text.read_yaml(text)


def _of_tasks(name: str, document: yaml_text.Document, value: Mapping[str, Any]) -> Definitions:
    """Take what `export` gave, whose parts are judged with it, or a list under 'tasks', which alone is sent."""
    is_export = "format" in value
    beside = [] if is_export else [part for part in value if part not in PARTS]
    faults = [FileProblem(Path(name), document.line((part,)), unknown_field(part, PARTS)) for part in beside]
    return Definitions(name, document, value["tasks"], ("tasks",), is_export, faults=faults)


def _of_jobs(name: str, document: yaml_text.Document, directory: Path) -> Definitions:
    """Read a file of jobs: its entries as fields of `create`, whichever spelling each has."""
    faults: list[FileProblem] = []
    entries, written = [], []
    for raw in raw_entries(Path(name), document, faults):
        meant = translate(raw.values, directory)
        faults += [raw.told(problem, {}) for problem in (*meant.problems, *_beside(raw.values))]
        entries.append(meant.fields)
        written.append(Written(raw, meant.written))
    return Definitions(name, document, entries, written=written, faults=faults)


def _beside(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a problem for each field that a file of jobs, unlike a document, has no place for."""
    for name in BESIDE:
        if name in values:
            text = f"'{name}' is for documents: a file of jobs that a server follows cannot say it"
            yield Problem(name, f"{text}. Put the list under 'tasks', or leave '{name}' out", values[name])


def given_twice(read: Sequence[Definitions]) -> Iterator[FileProblem]:
    """Yield a problem for each place of an id that several files of jobs give."""
    places: defaultdict[str, list[tuple[Path, int]]] = defaultdict(list)
    for raw in (entry.raw for definitions in read for entry in definitions.written):
        if raw.task_id is not None:
            places[raw.task_id].append((raw.file, raw.line_of("id", "task_id")))
    for task_id, found in places.items():
        if len({file for file, _ in found}) > 1:
            yield from told_twice(task_id, found)


def in_a_line(told: FileProblem) -> str:
    """Return a problem as one line: file, line, field, what is wrong, and what would be right."""
    field = re.sub(r"^(?:tasks\.)*\d+\.", "", told.problem.field)
    named = "" if f"'{field}'" in told.problem.message or field == "entry" else f"{field}: "
    return f"{told.file}:{told.line}: {named}{told.problem.message}{suggested(plain(told.problem))}"


def as_plain(told: FileProblem) -> dict[str, Any]:
    """Return a problem with its place as plain values."""
    return {"file": str(told.file), "line": told.line, **plain(told.problem)}
