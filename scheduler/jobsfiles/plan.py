"""Compare what files say with what is kept. Pure: both are handed in, nothing is changed.

A job remembers the file that defines it (`origin`) and what that said last (`filed`). An entry is compared with the
latter, not with the job: what somebody changed with `override` stays until the entry itself changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from scheduler.errors import Problem
from scheduler.jobsfiles.reading import Entry, FileProblem
from scheduler.models import Job
from scheduler.stored_job import StoredJob


@dataclass(frozen=True, slots=True)
class Change:
    """An entry that says something else than before. `fields` differ; none where only the file is another."""

    entry: Entry
    stored: StoredJob
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be done so that the kept jobs are those of the files.

    `faulty` entries change nothing: the last good version of their job stays. `forgotten` are ids of jobs that
    somebody else removed and whose entry is gone, too: should it come back, it is new.
    """

    added: tuple[Entry, ...] = ()
    changed: tuple[Change, ...] = ()
    removed: tuple[StoredJob, ...] = ()
    unchanged: tuple[str, ...] = ()
    faulty: tuple[FileProblem, ...] = ()
    forgotten: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do."""
        return not (self.added or self.changed or self.removed or self.forgotten)

    def counts(self) -> dict[str, int]:
        """Return how many jobs are added, changed, removed and unchanged, and how many problems there are."""
        return {name: len(getattr(self, name)) for name in ("added", "changed", "removed", "unchanged", "faulty")}

    def lines(self) -> Iterator[str]:
        """Yield a line for each job that changes, and for each problem."""
        for entry in self.added:
            yield f"+ {entry.task_id} ({entry.file}:{entry.line})"
        for change in self.changed:
            what = ", ".join(change.fields) or "another file"
            yield f"~ {change.entry.task_id}: {what} ({change.entry.file}:{change.entry.line})"
        for stored in self.removed:
            yield f"- {stored.task_id} (no longer in {stored.origin})"
        for problem in self.faulty:
            yield f"! {problem}"


def plan(
    stored: Iterable[StoredJob],
    entries: Iterable[Entry],
    problems: Sequence[FileProblem] = (),
    paths: Sequence[Path] | None = None,
) -> Plan:
    """Say what has to be done.

    `stored` are the jobs that files define, those among them that were removed otherwise, and those that exist under
    the ids of `entries`. With `paths`, only jobs whose file is one of these, or lies in one, can be removed.
    """
    found = _Found(stored)
    added, changed, unchanged, faulty = [], [], [], list(problems)
    entries = list(entries)
    for entry in entries:
        outcome = found.compare(entry)
        if isinstance(outcome, FileProblem):
            faulty.append(outcome)
        elif isinstance(outcome, Change):
            changed.append(outcome)
        elif outcome:
            added.append(entry)
        else:
            unchanged.append(entry.task_id)
    named = {entry.task_id for entry in entries} | {problem.task_id for problem in faulty}
    gone = [job for job in found.without(named) if not _is_kept(job, problems) and _is_in(job, paths)]
    return Plan(
        added=tuple(added),
        changed=tuple(changed),
        removed=tuple(job for job in gone if job.removed_at is None),
        unchanged=tuple(unchanged),
        faulty=tuple(faulty),
        forgotten=tuple(job.task_id for job in gone if job.removed_at is not None),
    )


class _Found:
    """The jobs that are kept, by id; `removed` ones are kept in mind so that their entry does not bring them back."""

    def __init__(self, stored: Iterable[StoredJob]) -> None:
        self.present: dict[str, StoredJob] = {}
        self.removed: dict[str, StoredJob] = {}
        for job in stored:
            (self.present if job.removed_at is None else self.removed)[job.task_id] = job

    def compare(self, entry: Entry) -> Change | FileProblem | bool:
        """Return what becomes of an entry, as `judge_entry` does."""
        return judge_entry(entry, self.present.get(entry.task_id), self.removed.get(entry.task_id))

    def without(self, named: set[str | None]) -> list[StoredJob]:
        """Return the jobs of files that are not among those ids."""
        both = [*self.present.values(), *self.removed.values()]
        return [
            job
            for job in both
            if job.task_id not in named and (job.file is not None or (job.removed_at is not None and job.origin))
        ]


def judge_entry(entry: Entry, stored: StoredJob | None, removed: StoredJob | None) -> Change | FileProblem | bool:
    """Return what becomes of an entry: a change, a problem, True where it is new, False where it is as it was.

    `removed` is a job of that id that a file had defined when somebody else removed it. What a file has said since
    of the job that stands in its place goes before it.
    """
    if stored is not None and stored.origin is not None:
        if stored.file == str(entry.file) and is_filed(stored, entry.job):
            return False
        before = (stored.filed or {}).get("definition", {})
        return Change(entry, stored, _differences(before, entry.job))
    if removed is not None and is_filed(removed, entry.job):
        return False
    return True if stored is None else _taken_over(entry, stored)


def is_filed(stored: StoredJob, job: Job) -> bool:
    """Whether a file said the same of a job when it was looked at last, after defaults."""
    try:
        before = Job.model_validate({"task_id": stored.task_id, **(stored.filed or {}).get("definition", {})})
    except ValidationError:  # written by another version, or by nobody
        return False
    return before.definition() == job.definition()


def _taken_over(entry: Entry, stored: StoredJob) -> Change | FileProblem:
    """Return the change by which a file takes a job over that somebody made by other means, where it may."""
    fields = _differences(stored.definition, entry.job)
    if not fields or entry.replace:
        return Change(entry, stored, fields)
    message = (
        f"a task '{entry.task_id}' exists that was not made by a file (by {stored.created_by}), with another "
        "definition: choose another id, remove that task, or add 'replace_existing: true' to take it over"
    )
    problem = Problem("id", message, entry.task_id, code="task_exists")
    return FileProblem(entry.file, entry.line, problem, entry.task_id)


def _differences(before: Mapping[str, Any], job: Job) -> tuple[str, ...]:
    """Return the names of the fields that say something else than before."""
    try:
        before = Job.model_validate({"task_id": job.task_id, **before}).definition()
    except ValidationError:
        before = dict(before)
    after = job.definition()
    return tuple(name for name in sorted(before.keys() | after.keys()) if before.get(name) != after.get(name))


def _is_kept(job: StoredJob, problems: Sequence[FileProblem]) -> bool:
    """Whether a file is so faulty that nobody knows whether it still has the job's entry."""
    assert job.origin is not None
    unclear = [problem.file for problem in problems if problem.task_id is None]
    return any(Path(job.origin) == file or Path(job.origin).parent == file for file in unclear)


def _is_in(job: StoredJob, paths: Sequence[Path] | None) -> bool:
    assert job.origin is not None
    origin = Path(job.origin)
    return paths is None or any(origin == path or origin.parent == path for path in paths)
