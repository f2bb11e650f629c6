"""Read files of jobs: entries that are right, and for all others what is wrong, with file, line and field."""

from __future__ import annotations

import json
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from scheduler.errors import InvalidRequest, Problem, ProblemFound, shorten, unknown_field
from scheduler.jobsfiles.entry import ENTRY_FIELDS, translate
from scheduler.models import Job
from scheduler.task_ids import read_task_id
from scheduler.yaml_text import MOST_BYTES, Document, YamlError, read_yaml
from scheduler.yaml_text import Path as Place

SUFFIXES = (".yaml", ".yml")
Judge = Callable[[Mapping[str, Any]], Job]
"""Makes a Job of the fields of `create`, or raises `InvalidRequest` with all that is wrong with them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file as it was found: its bytes, or why there are none. `missing`: it is not there, which is no fault."""

    path: Path
    content: bytes | None = None
    error: str | None = None
    missing: bool = False


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing wrong with a file. `task_id` is None where it is not known which job it keeps from being read."""

    file: Path
    line: int
    problem: Problem
    task_id: str | None = None

    def __str__(self) -> str:
        job = f" (job '{self.task_id}')" if self.task_id is not None else ""
        return f"{self.file}:{self.line}: {self.problem.message}{job}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A job as a file defines it. `replace`: it takes over a job of that id that somebody made by other means."""

    job: Job
    file: Path
    line: int
    replace: bool = False

    @property
    def task_id(self) -> str:
        """The job's id."""
        return self.job.task_id


class Reading(NamedTuple):
    """What stands in files: at most one entry for an id, and what is wrong with the others."""

    entries: tuple[Entry, ...]
    problems: tuple[FileProblem, ...]


def read_jobs(paths: Sequence[Path], judge: Judge, directory: Path) -> Reading:
    """Read files, and the YAML files in directories; relative paths of tasks start from `directory`.

    Changes nothing and raises nothing for what stands in the files: that is told in `problems`.
    """
    return read_entries(read_sources(paths), judge, directory)


def read_sources(paths: Sequence[Path]) -> list[Source]:
    """Take in files, and the YAML files in directories but for hidden ones, in the order of their names."""
    files: dict[Path, Source] = {}
    for path in paths:
        for file in files_of(path):
            files.setdefault(file, _take_in(file))
    return list(files.values())


def files_of(path: Path) -> list[Path]:
    """Return the files that a path stands for: itself, or the YAML files in a directory."""
    return _files_in(path) if os.path.isdir(path) else [path]


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and not path.name.startswith("."))
    except OSError:
        return [folder]  # which fails again, and is told


def _take_in(path: Path) -> Source:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return Source(path, error="the name of the file is not UTF-8, and a job could not say where it is defined")
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return Source(path, error="the file is no plain file")
        with path.open("rb") as file:
            return Source(path, file.read(MOST_BYTES + 1))
    except FileNotFoundError:
        return Source(path, missing=True)
    except OSError as error:
        return Source(path, error=f"the file cannot be read: {error.strerror}")


def read_entries(sources: Sequence[Source], judge: Judge, directory: Path) -> Reading:
    """Read what was taken in."""
    entries: list[Entry] = []
    problems: list[FileProblem] = []
    places: defaultdict[str, list[tuple[Path, int]]] = defaultdict(list)
    for source in sources:
        for raw in _raw_entries(source, problems):
            if raw.task_id is not None:
                places[raw.task_id].append((source.path, raw.line_of("id", "task_id")))
            entry = raw.read(judge, directory, problems)
            entries += [entry] if entry is not None else []
    twice = {task_id: found for task_id, found in places.items() if len(found) > 1}
    problems += [problem for task_id, found in twice.items() for problem in told_twice(task_id, found)]
    return Reading(tuple(entry for entry in entries if entry.task_id not in twice), tuple(problems))


def told_twice(task_id: str, places: Sequence[tuple[Path, int]]) -> Iterator[FileProblem]:
    """Yield a problem for each place of an id that is given at several, or at one more than once."""
    for here in dict.fromkeys(places):
        others = list(places)
        others.remove(here)
        named = ", ".join(f"{file}:{line}" for file, line in dict.fromkeys(others))
        message = f"the id '{task_id}' is given more than once, also at {named}: none of these entries is applied"
        yield FileProblem(*here, Problem("id", message, task_id), task_id)


@dataclass(frozen=True, slots=True)
class RawEntry:
    """An entry as it stands in a file, with the place of each of its values."""

    file: Path
    document: Document
    place: Place
    values: Mapping[str, Any]

    @property
    def line(self) -> int:
        """The line on which it begins."""
        return self.document.line(self.place)

    @property
    def task_id(self) -> str | None:
        """Its id, or None where there is no usable one: then nobody knows which job it is meant for."""
        given = [self.values[name] for name in ("id", "task_id") if self.values.get(name) is not None]
        ids = {_usable_id(value) for value in given}
        return ids.pop() if len(ids) == 1 else None

    def line_of(self, *names: str) -> int:
        """Return the line of the first of those fields that stands in the entry, else that of the entry."""
        lines = (self.document.line((*self.place, name)) for name in names if name in self.values)
        return max(self.line, next(lines, self.line))  # what an alias brings in stands before the entry

    def read(self, judge: Judge, directory: Path, problems: list[FileProblem]) -> Entry | None:
        """Return the entry; where it is wrong, None, and what is wrong goes to `problems`."""
        meant = translate(self.values, directory)
        found, job = list(meant.problems), None
        try:
            job = judge(meant.fields)
        except InvalidRequest as error:
            found += [self._as_written(problem, meant.written) for problem in error.problems]
        problems += [self._placed(problem) for problem in found]
        return None if job is None or found else Entry(job, self.file, self.line, meant.replace)

    def told(self, problem: Problem, written: Mapping[str, str]) -> FileProblem:
        """Return a problem of the fields of `create` that this entry stands for, told in the words of the file."""
        return self._placed(self._as_written(problem, written))

    def _placed(self, problem: Problem) -> FileProblem:
        return FileProblem(self.file, self._line(problem), problem, self.task_id)

    def _line(self, problem: Problem) -> int:
        parts = tuple(int(part) if part.isdecimal() else part for part in problem.field.split("."))
        return self.document.line((*self.place, *parts))

    def _as_written(self, problem: Problem, written: Mapping[str, str]) -> Problem:
        """Return a problem in the words of the file."""
        first, _, rest = problem.field.partition(".")
        if problem.code == "missing_field" and first == "task_id":
            near = self.file.stem
            return Problem("id", f"'id' is required, such as '{near}'", None, (), near, problem.code)
        if problem.code == "missing_field" and first == "type":
            names = ["command", "func", "file_path", "custom_script"]
            text = f"what to do is missing: one of {', '.join(names)}, or a type"
            return Problem("command", text, None, names, code=problem.code)
        if problem.code == "unknown_field" and problem.field in self.values and first not in ENTRY_FIELDS:
            return unknown_field(problem.field, ENTRY_FIELDS, self.values[problem.field])
        name = written.get(first, first)
        text = problem.message.replace(f"'{first}'", f"'{name}'")
        return replace(problem, field=f"{name}.{rest}" if rest else name, message=text)


def _usable_id(value: Any) -> str | None:
    try:
        return read_task_id(value) if isinstance(value, str) else None
    except ProblemFound:
        return None


def _raw_entries(source: Source, problems: list[FileProblem]) -> Iterator[RawEntry]:
    """Yield the entries of a file, whatever they say; what is no entry goes to `problems`."""
    if source.content is None:
        if source.error is not None:
            problems.append(FileProblem(source.path, 1, Problem("file", source.error)))
        return
    try:
        document = read_yaml(source.content)
    except YamlError as error:
        problems.append(FileProblem(source.path, error.line, Problem("file", f"no readable YAML: {error.message}")))
        return
    yield from raw_entries(source.path, document, problems)


def raw_entries(file: Path, document: Document, problems: list[FileProblem]) -> Iterator[RawEntry]:
    """Yield the entries of a document, whatever they say; what is no entry goes to `problems`."""
    for place, value in _places(document, file, problems):
        if fault := _fault(value):
            problems.append(FileProblem(file, document.line(place), Problem("entry", fault, shorten(value))))
        else:
            yield RawEntry(file, document, place, value)


def _places(document: Document, file: Path, problems: list[FileProblem]) -> Iterator[tuple[Place, Any]]:
    value: Any = document.value
    place: Place = ()
    if isinstance(value, dict) and "jobs" in value:
        for name in value.keys() - {"jobs"}:
            problem = unknown_field(name, ["jobs"], value[name])
            problems.append(FileProblem(file, document.line((name,)), problem))
        value, place = value["jobs"], ("jobs",)
        if not isinstance(value, list | None):
            problem = Problem("jobs", "'jobs' must be a list of entries", shorten(value))
            problems.append(FileProblem(file, document.line(place), problem))
            return
    if isinstance(value, list):
        yield from (((*place, number), item) for number, item in enumerate(value))
    elif value is not None:
        yield place, value


def _fault(value: Any) -> str | None:
    """Say what keeps a value from being an entry at all."""
    if not isinstance(value, dict):
        return "an entry must be an object with fields such as id, command and schedule"
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "an entry holds half of a surrogate pair, which is no text"
    return None
