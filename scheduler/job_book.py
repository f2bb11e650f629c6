"""Keep jobs: add, change, switch, remove and find them, each change with the rows of the ledger that it owes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from scheduler.config import SchedulerConfig
from scheduler.definitions import (
    Checked,
    Definitions,
    columns,
    is_moved,
    job_of,
    kept_fields,
    next_columns,
    paused_columns,
    same,
    says_when,
    told_of_kept,
)
from scheduler.errors import Conflict, InvalidRequest, LimitReached, NotFound, nearest
from scheduler.fire_times import Rule, free_after, pending_time, settle
from scheduler.importing import Imported, compare, read_jobs, write
from scheduler.models import Job, read_job
from scheduler.notify.teller import Teller
from scheduler.portable import read_document, write_document
from scheduler.run import Run
from scheduler.standing import JobInfo, Planned, described
from scheduler.store import Connection, Database, jobs, planning, runs, state, underway
from scheduler.store.jobs import JobFilter
from scheduler.stored_job import StoredJob
from scheduler.task_ids import may_be_task_id
from scheduler.triggers import Trigger


@dataclass(frozen=True, slots=True)
class JobBook:
    """The jobs of one store. It wakes nobody: whoever changes something through it rings for the process that fires."""

    store: Database
    definitions: Definitions
    teller: Teller
    config: SchedulerConfig
    now: Callable[[], datetime]

    # --- changes -----------------------------------------------------------------------------

    def add(
        self,
        job: Job | Checked,
        replace: bool,
        created_by: str,
        override: bool,
        given_at: datetime | None,
        before: Callable[[Job], None],
    ) -> Planned:
        """Keep a job, as `TaskScheduler.add_job` says; `before` is told how it will be kept, before it can fire."""
        now = job.anchor if isinstance(job, Checked) else self.definitions.moment()
        anchor = min(given_at or now, now)
        try:
            checked = self._checked(job, anchor)
        except InvalidRequest:
            if (unchanged := self.unchanged(job_of(job))) is None:
                raise
            return unchanged
        job, schedule = checked.job, checked.schedule
        before(job)
        pending = None if given_at is None else Rule(0, job, schedule, schedule.trigger.zone).next_after(anchor)

        def unit(connection: Connection) -> Planned:
            existing = _compare(connection, job, replace, override)
            if existing is not None and same(existing, job):
                return _planned(connection, "unchanged", self.info(connection, existing))
            if existing is None:
                values = columns(job, schedule, anchor, now, pending=pending)
                return self._insert(connection, job, {**values, "created_at": now, "created_by": created_by}, now)
            values = columns(job, schedule, anchor, now, 0, pending, free_after(connection, existing))
            self._settle(connection, existing, "its task was replaced", now)
            jobs.change_job(connection, existing, {**values, **paused_columns(existing, False)}, created_by)
            return _planned(connection, "replaced", self.info(connection, jobs.get_job(connection, existing.key)))

        return self.store.write(unit)

    def _checked(self, job: Job | Checked, anchor: datetime) -> Checked:
        if isinstance(job, Checked) and job.anchor == anchor:
            return job
        return self.definitions.check(job_of(job), anchor)

    def _insert(self, connection: Connection, job: Job, values: dict[str, Any], now: datetime) -> Planned:
        most = self.config.max_tasks
        key, revision = jobs.insert_job(connection, job.task_id, values)
        # Keys are never given twice, so a low one proves that there are few jobs.
        if key > most and jobs.count_jobs(connection) > most:
            raise LimitReached(
                f"{most} tasks exist, which is the limit (SCHEDULER_MAX_TASKS): remove some first",
                code="too_many_tasks",
                retry_after=60,
            )
        stored = StoredJob(key=key, task_id=job.task_id, paused=False, revision=revision, **values)
        return _planned(connection, "created", described(stored, False, False, now))

    def check(self, job: Job | Checked, replace: bool, created_by: str, override: bool) -> Planned:
        """Say what `add` would do, changing nothing; raise what it would raise."""
        now = job.anchor if isinstance(job, Checked) else self.definitions.moment()
        checked = self._checked(job, now)
        job, schedule = checked.job, checked.schedule

        def unit(connection: Connection) -> Planned:
            existing = _compare(connection, job, replace, override)
            if existing is not None and same(existing, job):
                return _planned(connection, "unchanged", self.info(connection, existing))
            after = Trigger.utc_after if existing is None else free_after(connection, existing)
            values = columns(job, schedule, now, now, following=after)
            stored = StoredJob(
                key=existing.key if existing else 0,
                task_id=job.task_id,
                paused=False,
                created_at=existing.created_at if existing else now,
                created_by=existing.created_by if existing else created_by,
                **values,
            )
            return _planned(connection, "replaced" if existing else "created", described(stored, False, False, now))

        return self.store.read(unit)

    def unchanged(self, job: Job) -> Planned | None:
        """Return the answer to a job that exists already, though it could not be given anew: its time has passed."""

        def unit(connection: Connection) -> Planned | None:
            existing = jobs.find_job(connection, job.task_id)
            if existing is None or not same(existing, self.definitions.complete(job)):
                return None
            return _planned(connection, "unchanged", self.info(connection, existing))

        return self.store.read(unit)

    def is_done(self, job: Job) -> bool:
        """Whether a job was removed since its rule had ended, and nobody has given another definition since."""
        wanted = self.definitions.complete(job)

        def unit(connection: Connection) -> bool:
            if jobs.find_job(connection, wanted.task_id) is not None:
                return False
            last = jobs.last_removed(connection, wanted.task_id)
            return last is not None and last.ended and last.definition == wanted.definition()

        return wanted.remove_when_done and self.store.read(unit)

    def read(self, fields: Mapping[str, Any]) -> Checked | Job:
        """Make a Job of what was sent, as `TaskScheduler.read_definition` says."""
        try:
            return self.definitions.read(fields)
        except InvalidRequest as error:
            if any(problem.code != "invalid_interval" for problem in error.problems):
                raise
            job = read_job(fields)
            if self.unchanged(job) is None:
                raise
            return job

    def update(
        self, task_id: str, changes: Mapping[str, Any], override: bool, by: str, given_at: datetime | None = None
    ) -> Planned:
        """Change fields of a job, as `TaskScheduler.update_job` says.

        `by` is who asks for it, here and of the changes below: that is kept with the change.
        """
        now = self.definitions.moment()
        before = self.store.read(lambda connection: find(connection, task_id))
        foreseen = self._changed(before, changes, given_at, now)

        def unit(connection: Connection) -> Planned:
            stored = find(connection, task_id)
            # What the changes leave out stays as it is now, not as it was when they were read.
            is_seen = stored.revision == before.revision
            changed = foreseen if is_seen else self._changed(stored, changes, given_at, now)
            if same(stored, changed.job):
                return _planned(connection, "unchanged", self.info(connection, stored))
            _check_file(stored, override)
            values, stays_due = _changed_columns(connection, changed, stored, now)
            if not stays_due:
                self._settle(connection, stored, "its task was changed", now)
            jobs.change_job(connection, stored, values, by)
            return _planned(connection, "updated", self.info(connection, jobs.get_job(connection, stored.key)))

        return self.store.write(unit)

    def check_update(self, task_id: str, changes: Mapping[str, Any], override: bool) -> Planned:
        """Say what `update` would do, changing nothing; raise what it would raise."""
        now = self.definitions.moment()

        def unit(connection: Connection) -> Planned:
            stored = find(connection, task_id)
            changed = self._changed(stored, changes, None, now)
            if same(stored, changed.job):
                return _planned(connection, "unchanged", self.info(connection, stored))
            _check_file(stored, override)
            values, _ = _changed_columns(connection, changed, stored, now)
            return _planned(connection, "updated", self.info(connection, stored._replace(**values)))

        return self.store.read(unit)

    def _changed(
        self, before: StoredJob, changes: Mapping[str, Any], given_at: datetime | None, now: datetime
    ) -> Checked:
        kept = kept_fields(before, changes)
        fields = {**kept, **changes, "task_id": before.task_id}
        anchor = min(given_at or now, now) if says_when(before, changes) else before.anchor
        try:
            return self.definitions.read(fields, anchor, type(before.job))
        except InvalidRequest as error:
            raise InvalidRequest(told_of_kept(error.problems, kept)) from error

    def remove(self, task_id: str, override: bool, by: str) -> list[str]:
        """Remove a job and ask for the end of its runs; return the ids of those to wait for."""
        now = self.now()

        def unit(connection: Connection) -> list[str]:
            stored = find(connection, task_id)
            _check_file(stored, override)
            self._settle(connection, stored, "its task was removed", now)
            jobs.change_job(connection, stored, {"removed_at": now, "updated_at": now}, by)
            return end_runs(connection, underway.active_runs(connection, stored.key), "its task was removed", now)

        return self.store.write(unit)

    def pause(self, task_id: str, override: bool, by: str) -> bool:
        """Plan no fire times of a job; False where it is paused already."""
        return self._switch(task_id, override, by, lambda stored: None if stored.stays_paused else {"paused": True})

    def resume(self, task_id: str, override: bool, by: str) -> bool:
        """Plan a job from now on, be it paused or disabled; False where it is planned already."""
        wanted = {"paused": False, "enabled": True}
        return self._switch(
            task_id, override, by, lambda stored: wanted if stored.paused or not stored.enabled else None
        )

    def _switch(
        self, task_id: str, override: bool, by: str, change: Callable[[StoredJob], Mapping[str, Any] | None]
    ) -> bool:
        now = self.now()

        def unit(connection: Connection) -> bool:
            stored = find(connection, task_id)
            values = change(stored)
            if values is None:
                return False
            _check_file(stored, override)
            planned = not values["paused"]
            job = stored.job.model_copy(update={"enabled": values.get("enabled", stored.enabled)})
            after = free_after(connection, stored)
            following = next_columns(job, stored.read_schedule(), now, stored.fired, planned, following=after)
            if not planned:
                following["ended"] = stored.ended
                self._settle(connection, stored, "its task was paused", now)
            switched = {**values, **paused_columns(stored, values["paused"])}
            changes = {**switched, "definition": job.definition(), "updated_at": now, **following}
            jobs.change_job(connection, stored, changes, by)
            return True

        return self.store.write(unit)

    def _settle(self, connection: Connection, stored: StoredJob, reason: str, now: datetime) -> None:
        """Account for what is due of a job before nobody notices it any more."""
        settle(connection, stored, planning.mind_start(connection, now), reason, now, self.teller)

    # --- documents ---------------------------------------------------------------------------

    def export(self, task_ids: Sequence[str] | None, progress: bool) -> dict[str, Any]:
        """Return the definitions of all jobs, or of these, as one document."""
        found = self.store.read(lambda connection: read_jobs(connection, task_ids))
        return write_document(found, self.config.policies, progress)

    def import_all(self, sent: object, replace: bool, created_by: str, override: bool) -> Imported:
        """Keep all definitions of a document or none; raise `InvalidRequest` with every problem of every one."""
        entries, now = read_document(self.definitions, sent), self.definitions.moment()

        def unit(connection: Connection) -> Imported:
            done, writes = compare(connection, entries, replace, override)
            settled = partial(self._settle, connection, reason="its task was replaced", now=now)
            write(connection, writes, now, created_by, self.config.max_tasks, settled)
            return done

        return self.store.write(unit)

    def check_import(self, sent: object, replace: bool, override: bool) -> Imported:
        """Say what `import_all` would do, changing nothing; raise what it would raise, but for limits."""
        entries = read_document(self.definitions, sent)
        return self.store.read(lambda connection: compare(connection, entries, replace, override))[0]

    # --- answers -----------------------------------------------------------------------------

    def get(self, task_id: str) -> JobInfo:
        """Return a job; raise `NotFound` naming the nearest id."""
        return self.store.read(lambda connection: self.info(connection, find(connection, task_id)))

    def matching(self, which: JobFilter, after_key: int, limit: int) -> tuple[list[JobInfo], int]:
        """Return up to `limit` matching jobs made after the one with `after_key`, and the count of all that match."""

        def unit(connection: Connection) -> tuple[list[JobInfo], int]:
            going = underway.running_jobs(connection)
            now = self.now()
            found = jobs.list_jobs(connection, which, after_key, limit)
            failed = runs.failed_last(connection, [job.key for job in found if job.ended])
            told = [described(job, job.key in going, job.key in failed, now) for job in found]
            return told, jobs.count_jobs(connection, which)

        return self.store.read(unit)

    def info(self, connection: Connection, stored: StoredJob) -> JobInfo:
        """Return where a job stands."""
        going = underway.is_going(connection, stored.key)
        failed = stored.ended and bool(runs.failed_last(connection, [stored.key]))
        return described(stored, going, failed, self.now())


def _changed_columns(
    connection: Connection, changed: Checked, stored: StoredJob, now: datetime
) -> tuple[dict[str, Any], bool]:
    """Return what the store keeps of a job after a change, and whether it stays due for what it is due for.

    Where it is due as before, its intervals count from the same moment as before.
    """
    moved = is_moved(stored, changed.job)
    schedule, anchor = (changed.schedule, changed.anchor) if moved else (stored.read_schedule(), stored.anchor)
    pending = pending_time(stored) if stored.planned and not moved else None
    values = columns(changed.job, schedule, anchor, now, stored.fired, pending, free_after(connection, stored))
    return values, pending is not None and values["next_fire_time"] is not None


def _planned(connection: Connection, change: str, info: JobInfo) -> Planned:
    return Planned(change, info, bool(state.is_running(connection)))


def find(connection: Connection, task_id: str) -> StoredJob:
    """Return a job; raise `NotFound` naming the nearest id."""
    stored = jobs.find_job(connection, task_id) if may_be_task_id(task_id) else None
    if stored is None:
        guess = nearest(task_id, jobs.names(connection))
        hint = f" Did you mean '{guess}'?" if guess else ""
        listed_by = None if guess else "list"
        raise NotFound(f"No task '{task_id}' exists.{hint}", "task_not_found", listed_by, suggestion=guess)
    return stored


def check_known(connection: Connection, task_id: str | None) -> None:
    """Raise `NotFound` naming the nearest id where there is no such job, nor any run of one that was removed."""
    if task_id is not None and not (may_be_task_id(task_id) and runs.has_runs(connection, task_id)):
        find(connection, task_id)


def end_runs(connection: Connection, found: Sequence[Run], reason: str, now: datetime) -> list[str]:
    """Ask for the end of those of the runs that go on; return their ids."""
    active = [run.run_id for run in found if not run.status.is_final]
    runs.request_cancel(connection, active, reason, now)
    return active


def _compare(connection: Connection, job: Job, replace: bool, override: bool) -> StoredJob | None:
    existing = jobs.find_job(connection, job.task_id)
    if existing is None or same(existing, job):
        return existing
    _check_file(existing, override)
    if not replace:
        raise Conflict(
            f"Task '{job.task_id}' exists with another definition. Send \"replace\": true to replace it, "
            "use action 'update' to change fields of it, or choose another task_id.",
        )
    return existing


def _check_file(stored: StoredJob, override: bool) -> None:
    """Refuse to change a job that a file defines, unless that is meant."""
    if stored.file is None or override:
        return
    raise Conflict(
        f"Task '{stored.task_id}' is defined in {stored.file}: change its entry there, which is live within 2 seconds. "
        'To change it here all the same, until that entry changes, send "override": true.',
        code="managed_by_file",
        file=stored.file,
    )
