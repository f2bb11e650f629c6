"""Carry a plan out: write jobs as files define them, and let go of those that no file defines any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from scheduler.definitions import columns, is_moved
from scheduler.errors import Problem
from scheduler.fire_times import free_after, pending_time, settle
from scheduler.jobsfiles.plan import Plan, judge_entry
from scheduler.jobsfiles.reading import Entry, FileProblem
from scheduler.notify.teller import Teller
from scheduler.spellings import Schedule
from scheduler.store import Connection, jobs, planning, runs, underway
from scheduler.stored_job import StoredJob

CREATED_BY = "file"
"""What is told of who made a job that a file defines."""


Removed = Mapping[str, StoredJob]
"""Jobs that files defined when somebody else removed them, by their ids; looking for one takes as long as for all."""


class Applier(Protocol):
    """What can carry out a plan: the TaskScheduler."""

    def apply_files(self, plan: Plan) -> list[FileProblem]:
        """Do what the plan says; return what could not be done."""


def apply(service: Applier, plan: Plan) -> list[FileProblem]:
    """Do what a plan says, and return what could not be done. A second time, it changes nothing."""
    return service.apply_files(plan)


@dataclass(frozen=True, slots=True)
class Steps:
    """Units of work for the store, each of which looks at the present row first: it may be run twice."""

    now: datetime
    removed: Literal["pause", "remove"]
    most: int
    teller: Teller

    def keep(
        self, connection: Connection, removed_ones: Removed, entry: Entry, schedule: Schedule
    ) -> FileProblem | None:
        """Add a job or change it to what its entry says, where that is still to be done: since the plan was made
        somebody may have made a job of that id, changed or removed it."""
        stored = jobs.find_job(connection, entry.task_id)
        is_filed = stored is not None and stored.origin is not None
        removed = None if is_filed else removed_ones.get(entry.task_id)
        outcome = judge_entry(entry, stored, removed)
        if isinstance(outcome, FileProblem):
            return outcome
        if outcome is False:
            return None
        if stored is None and jobs.count_jobs(connection) >= self.most:
            return _too_many(entry, self.most)
        if removed is not None:
            jobs.forget_removed(connection, entry.task_id)
        self._write(connection, stored, entry, schedule)
        return None

    def _write(self, connection: Connection, stored: StoredJob | None, entry: Entry, schedule: Schedule) -> None:
        """Write a job as its entry says; one that is moved to another time loses its phase."""
        filed = {"origin": str(entry.file), "filed": {"definition": entry.job.definition()}}
        if stored is None:
            values = columns(entry.job, schedule, self.now, self.now)
            jobs.insert_job(connection, entry.task_id, {**values, **filed, **self._made()})
            return
        moved = is_moved(stored, entry.job)
        planned, anchor = (schedule, self.now) if moved else (stored.read_schedule(), stored.anchor)
        pending = pending_time(stored) if stored.planned and not moved else None
        after = free_after(connection, stored)
        values = columns(entry.job, planned, anchor, self.now, stored.fired, pending, after)
        if pending is None or values["next_fire_time"] is None:
            self._settle(connection, stored, "its task was changed")
        jobs.change_job(connection, stored, {**values, **filed, "paused": stored.stays_paused}, CREATED_BY)

    def _settle(self, connection: Connection, stored: StoredJob, reason: str) -> None:
        settle(connection, stored, planning.mind_start(connection, self.now), reason, self.now, self.teller)

    def _made(self) -> Mapping[str, Any]:
        return {"created_at": self.now, "created_by": CREATED_BY}

    def forget(self, connection: Connection, _: Removed, task_id: str) -> None:
        """Forget a job that somebody else removed, whose entry is gone, too."""
        jobs.forget_removed(connection, task_id)

    def let_go(self, connection: Connection, _: Removed, planned: StoredJob) -> None:
        """Pause or remove a job whose entry is gone."""
        stored = jobs.find_job(connection, planned.task_id)
        if stored is None or (stored.key, stored.file) != (planned.key, planned.file):
            return  # it is another one's by now
        self._settle(connection, stored, f"its task was {self.removed}d")
        if self.removed == "remove":
            gone = {"removed_at": self.now, "updated_at": self.now, "origin": None, "filed": None}
            jobs.change_job(connection, stored, gone, CREATED_BY)
            active = underway.active_ids(connection, stored.key)
            runs.request_cancel(connection, active, "its task was removed", self.now)
            return
        filed = {**(stored.filed or {}), "gone": True, "paused": stored.paused}
        unplanned = {"paused": True, "next_fire_time": None, "due_at": None}
        jobs.change_job(connection, stored, {**unplanned, "filed": filed, "updated_at": self.now}, CREATED_BY)


def _too_many(entry: Entry, most: int) -> FileProblem:
    text = f"{most} tasks exist, which is the limit (SCHEDULER_MAX_TASKS): remove some first"
    return FileProblem(entry.file, entry.line, Problem("id", text, entry.task_id, code="too_many_tasks"), entry.task_id)
