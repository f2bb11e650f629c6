"""Write definitions as one document, the same bytes for the same state, and read such documents back. Pure."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.definitions import Checked, Definitions
from scheduler.errors import InvalidRequest, Problem, as_sent, shorten, unknown_field
from scheduler.given_moments import meant_moment, read_moment
from scheduler.models import MOST_RUNS, Job, job_fields, read_job, read_when
from scheduler.moments import iso
from scheduler.spellings import Schedule
from scheduler.stored_job import StoredJob

FORMAT = 1
BESIDE = ("paused", "anchor", "fired")
"""What an entry of a document has beside the fields of a definition."""
PARTS = ("format", "tasks")
"""What a document is made of."""

_UTC = ZoneInfo("UTC")
_FAR = datetime(2999, 12, 31, 23, 59, 59, tzinfo=UTC)


def write_document(stored: Sequence[StoredJob], policies: Mapping[str, Any], progress: bool = False) -> dict[str, Any]:
    """Return the definitions of jobs as one document, ordered by id.

    `policies` are those that this scheduler gives to tasks that name none of their own: one that is not
    the usual is written out in every entry, since its absence would mean another elsewhere. Nothing in it
    changes by itself, unless `progress` is asked for: how many runs have been made of those that `max_runs` allows.
    Jobs that call functions are left out: only the program that has the function can define one.
    """
    filled = {name for name, value in policies.items() if value != Job.model_fields[name].default}
    portable = [job for job in stored if job.definition["type"] != "callable"]
    ordered = sorted(portable, key=lambda job: job.task_id)
    return {"format": FORMAT, "tasks": [_write_entry(job, filled, progress) for job in ordered]}


def _write_entry(stored: StoredJob, filled: Collection[str], progress: bool) -> dict[str, Any]:
    entry = write_fields(stored.job, filled)
    if stored.paused:
        entry["paused"] = True
    if _is_anchored(stored):
        entry["anchor"] = iso(stored.anchor, UTC)
    if progress and stored.runs_left is not None:
        entry["fired"] = stored.fired
    return entry


def write_fields(job: Job, filled: Collection[str] = ()) -> dict[str, Any]:
    """Return the fields of a job in the order of the model, without defaults that are the same everywhere."""
    told = job.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    told |= job.model_dump(mode="json", exclude_none=True, include=set(filled))
    return {name: told[name] for name in job_fields() if name in told}


def _is_anchored(stored: StoredJob) -> bool:
    """Whether the moment that a schedule was given at is part of its meaning: 'every 5 minutes', 'in 2 hours'.

    A moment that has passed is taken from nobody anew, hence needs it, too.
    """
    try:
        later = read_when(stored.definition, stored.zone, _FAR)
    except InvalidRequest:
        return True
    return later.trigger != stored.read_schedule().trigger


@dataclass(frozen=True, slots=True)
class Entry:
    """One definition of a document, ready to be kept.

    `overdue` holds what is wrong with its time alone: nothing, where the same definition exists already.
    """

    job: Job
    schedule: Schedule | None
    anchor: datetime
    paused: bool
    fired: int = 0
    """How many runs its schedule has made, of those that `max_runs` allows."""
    overdue: Sequence[Problem] = ()


def read_document(definitions: Definitions, sent: object, field: str = "tasks") -> list[Entry]:
    """Read a document, or the list of its entries; raise `InvalidRequest` with every problem of every entry.

    `field` is the path of what was sent, and begins the paths of the problems.
    """
    path, found = _entries(sent, field)
    now = definitions.moment()
    entries: list[Entry] = []
    problems = _doubled(found, path)
    overdue: list[Problem] = []
    for number, fields in enumerate(found):
        try:
            entry = _read_entry(definitions, fields, now, f"{path}.{number}")
        except InvalidRequest as error:
            problems += error.problems
        else:
            entries.append(entry)
            overdue += entry.overdue
    if problems:
        # What would be forgiven to a task that exists is told, too: the rest must be mended anyway.
        raise InvalidRequest(problems + overdue)
    return entries


def _entries(sent: object, field: str) -> tuple[str, list[Any]]:
    """Return the entries of a document, and the path at which they stand."""
    if isinstance(sent, list):
        return field, sent
    accepted = ['the "document" of an answer to "export"', "a list of tasks"]
    if not isinstance(sent, Mapping):
        text = f"'{field}' must be a document that 'export' gave, or a list of tasks"
        raise InvalidRequest([Problem(field, text, shorten(sent), accepted)])
    problems = [unknown_field(name, PARTS).at(f"{field}.{name}") for name in sent if name not in PARTS]
    if sent.get("format") != FORMAT:
        text = f"'{field}.format' must be {FORMAT}: documents of another format are not known here"
        problems.append(Problem(f"{field}.format", text, shorten(sent.get("format")), [FORMAT], FORMAT))
    if not isinstance(sent.get("tasks"), list):
        text = f"'{field}.tasks' must be a list of tasks"
        problems.append(Problem(f"{field}.tasks", text, shorten(sent.get("tasks")), ["a list of tasks"]))
    if problems:
        raise InvalidRequest(problems)
    return f"{field}.tasks", sent["tasks"]


def _read_entry(definitions: Definitions, fields: object, now: datetime, path: str) -> Entry:
    if not isinstance(fields, Mapping):
        text = f"'{path}' must be an object"
        raise InvalidRequest([Problem(path, text, shorten(fields), ["an object"])])
    given = {name: value for name, value in fields.items() if value is not None}
    problems: list[Problem] = []
    paused, anchor = _read_paused(given, problems), _read_anchor(given, problems) or now
    fired = _read_fired(given, problems)
    plain = {name: value for name, value in given.items() if name not in BESIDE}
    read, overdue = _read_job(definitions, plain, anchor, problems)
    if problems or read is None:
        raise InvalidRequest([_within(problem, path) for problem in problems + overdue])
    if isinstance(read, Checked):
        return Entry(read.job, read.schedule, anchor, paused, fired)
    overdue = [_within(problem, path) for problem in overdue]
    return Entry(definitions.complete(read), None, anchor, paused, fired, overdue)


def _read_job(
    definitions: Definitions, fields: Mapping[str, Any], anchor: datetime, problems: list[Problem]
) -> tuple[Checked | Job | None, list[Problem]]:
    """Return the job, and apart from all other problems what is wrong with its time, which may have passed."""
    try:
        return definitions.read(fields, anchor), []
    except InvalidRequest as error:
        if all(problem.code == "invalid_interval" for problem in error.problems):
            with contextlib.suppress(InvalidRequest):
                return read_job(fields), error.problems
        problems += [_known(problem) for problem in error.problems]
        return None, []


def _known(problem: Problem) -> Problem:
    if problem.code != "unknown_field" or problem.field in job_fields() or "." in problem.field:
        return problem
    return unknown_field(problem.field, [*job_fields(), *BESIDE], problem.got)


def _read_paused(given: Mapping[str, Any], problems: list[Problem]) -> bool:
    paused = given.get("paused", False)
    if not isinstance(paused, bool):
        text = f"'paused' must be true or false, not {as_sent(paused)}"
        problems.append(Problem("paused", text, shorten(paused), [True, False]))
    return paused is True


def _read_fired(given: Mapping[str, Any], problems: list[Problem]) -> int:
    fired = given.get("fired", 0)
    if isinstance(fired, int) and not isinstance(fired, bool) and 0 <= fired <= MOST_RUNS:
        return fired
    text = f"'fired' must be a whole number from 0 to {MOST_RUNS}, not {shorten(fired, 60)!r}"
    problems.append(Problem("fired", text, shorten(fired), [f"0 to {MOST_RUNS}"]))
    return 0


def _read_anchor(given: Mapping[str, Any], problems: list[Problem]) -> datetime | None:
    text = given.get("anchor")
    if text is None:
        return None
    accepted = ["2026-12-24T18:00:00+00:00"]
    if not isinstance(text, str):
        message = "'anchor' must be an ISO 8601 time with its offset"
        problems.append(Problem("anchor", message, shorten(text), accepted, meant_moment(text, _UTC)))
        return None
    try:
        return read_moment(text, "anchor", _UTC)
    except InvalidRequest as error:
        problems.extend(error.problems)
        return None


def _doubled(entries: Sequence[Any], path: str) -> list[Problem]:
    """Return a problem for each entry whose id another entry before it has."""
    first: dict[str, int] = {}
    problems = []
    for number, fields in enumerate(entries):
        task_id = fields.get("task_id") if isinstance(fields, Mapping) else None
        if not isinstance(task_id, str):
            continue
        if (before := first.setdefault(unicodedata.normalize("NFC", task_id), number)) != number:
            text = f"'{path}.{number}.task_id': '{shorten(task_id, 140)}' stands at '{path}.{before}' already"
            problems.append(Problem(f"{path}.{number}.task_id", text, shorten(task_id)))
    return problems


def _within(problem: Problem, path: str) -> Problem:
    """Return a problem of an entry as one of the document."""
    return replace(problem, field=f"{path}.{problem.field}", message=f"{path}: {problem.message}")
