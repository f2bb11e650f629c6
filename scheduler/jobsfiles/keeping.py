"""Bring files of jobs and the store together: what the files say, a plan, and the plan carried out."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from scheduler.config import SchedulerConfig
from scheduler.definitions import Definitions
from scheduler.errors import InvalidRequest
from scheduler.jobsfiles.applying import Removed, Steps
from scheduler.jobsfiles.plan import Plan, is_filed, plan
from scheduler.jobsfiles.reading import Entry, FileProblem, Judge, Reading, Source, read_entries, read_sources
from scheduler.models import WHEN_FIELDS, Job, read_job
from scheduler.notify.teller import Teller
from scheduler.phrases import read_zone
from scheduler.spellings import Schedule
from scheduler.store import Connection, Database, jobs
from scheduler.stored_job import StoredJob

Unit = Callable[[Connection, Removed], FileProblem | None]

STEPS_A_COMMIT = 100
"""So many jobs are written in one transaction: fire times wait for it."""


def usual_dir() -> Path:
    """Return the directory that programs look for jobs in where their settings name none."""
    return Path("jobs").absolute()


class FiledJobs:
    """The jobs that files define, of one scheduler."""

    def __init__(
        self,
        config: SchedulerConfig,
        store: Database,
        definitions: Definitions,
        teller: Teller,
        now: Callable[[], datetime],
    ) -> None:
        self._config, self._store, self._definitions, self._now = config, store, definitions, now
        self._teller = teller
        self.paths = [path for path in (config.jobs_file, config.jobs_dir) if path is not None]

    def take_in(self, paths: Sequence[Path] | None = None) -> list[Source]:
        """Read the bytes of files, those of the settings where none are named; a directory that is gone, that of a
        file, too, is a fault, a file is not."""
        sources = read_sources(self.paths if paths is None else paths)
        return [replace(source, error=self._fault(source.path)) if source.missing else source for source in sources]

    def _fault(self, missing: Path) -> str | None:
        """Say why nobody knows what a path would hold that is not there; None where it was deleted."""
        if missing in (self._config.jobs_dir, usual_dir()):
            return "the directory does not exist: its jobs stay as they are until it is there"
        folder = Path(os.path.realpath(missing)).parent  # of a link, where it leads
        if folder.is_dir():
            return None
        return f"the directory {folder} does not exist: the jobs of the file stay as they are until it is there"

    def read(self, sources: Sequence[Source]) -> Reading:
        """Return what stands in files, judged by the settings."""
        return read_entries(sources, self._judge(self._store.read(jobs.of_files)), self._config.allowed_dirs[0])

    def compare(self, reading: Reading, paths: Sequence[Path] | None = None) -> Plan:
        """Say what has to be done; with `paths`, only jobs of those files or directories can be removed."""
        ids = [entry.task_id for entry in reading.entries]

        def unit(connection: Connection) -> list[StoredJob]:
            filed = jobs.of_files(connection)
            known = {job.task_id for job in filed if job.removed_at is None}
            return filed + jobs.find_jobs(connection, [task_id for task_id in ids if task_id not in known])

        return plan(self._store.read(unit), reading.entries, reading.problems, paths)

    def plan(self, paths: Sequence[Path] | None = None) -> Plan:
        """Read files (those of the settings where none are named) and say what has to be done."""
        return self.compare(self.read(self.take_in(paths)), paths)

    def apply(self, planned: Plan) -> list[FileProblem]:
        """Do what a plan says; return what could not be done."""
        now = self._definitions.moment()
        steps = Steps(now, self._config.jobs_removed, self._config.max_tasks, self._teller)
        units: list[Unit] = [partial(steps.let_go, planned=stored) for stored in planned.removed]
        units += [partial(steps.forget, task_id=task_id) for task_id in planned.forgotten]
        problems: list[FileProblem] = []
        for entry in (*planned.added, *(change.entry for change in planned.changed)):
            try:
                units.append(partial(steps.keep, entry=entry, schedule=self._schedule(entry, now)))
            except InvalidRequest as error:  # its time has passed since it was read
                problems += [FileProblem(entry.file, entry.line, found, entry.task_id) for found in error.problems]
        for start in range(0, len(units), STEPS_A_COMMIT):
            problems += self._store.write(partial(_together, units=units[start : start + STEPS_A_COMMIT]))
        return problems

    def _schedule(self, entry: Entry, now: datetime) -> Schedule:
        return self._definitions.check(entry.job, now).schedule

    def _judge(self, filed: Iterable[StoredJob]) -> Judge:
        """Return what makes a Job of an entry. One that was right when it was filed is not wrong once its time has
        passed."""
        known: defaultdict[str, list[StoredJob]] = defaultdict(list)
        for stored in filed:
            known[stored.task_id].append(stored)

        def judge(fields: Mapping[str, Any]) -> Job:
            try:
                return self._definitions.read(fields).job
            except InvalidRequest as error:
                if any(problem.field.partition(".")[0] not in WHEN_FIELDS for problem in error.problems):
                    raise
                job = self._definitions.complete(read_job(fields))
                job = job.model_copy(update={"timezone": read_zone(job.timezone).key})
                if not any(is_filed(stored, job) for stored in known[job.task_id]):
                    raise
                return job

        return judge


def _together(connection: Connection, units: Sequence[Unit]) -> list[FileProblem]:
    removed = jobs.removed_of_files(connection)
    return [problem for unit in units if (problem := unit(connection, removed)) is not None]
