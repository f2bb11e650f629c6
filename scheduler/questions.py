"""Tell what became of jobs and runs: all that is asked and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.calendar_year import CalendarYear, clock_changes, stretches, year_of
from scheduler.config import SchedulerConfig
from scheduler.definitions import Definitions, zone_of
from scheduler.errors import NotFound
from scheduler.explain import Explanation, Known, around, explain
from scheduler.job_book import JobBook, check_known, find
from scheduler.lease import Lease
from scheduler.listing import Listing, Page, Show
from scheduler.models import Job
from scheduler.previews import preview
from scheduler.run import Run
from scheduler.standing import JobInfo
from scheduler.store import Connection, Database, changes, deliveries, jobs, ledger_days, runs, state, stats, underway
from scheduler.store.changes import Change
from scheduler.store.deliveries import Delivery, DeliveryFilter
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.store.stats import Stats
from scheduler.stored_job import StoredJob
from scheduler.triggers import Once
from tasks.sandbox import OutputText, output_size, read_bytes, read_ends, read_from, read_output
from tasks.sandbox.output import OutputBytes, Stream


class Questions:
    """What TaskScheduler tells from the store and from the output of runs, in any process and at any time."""

    config: SchedulerConfig
    now: Callable[[], datetime]
    _store: Database
    _book: JobBook
    _definitions: Definitions
    _lease: Lease
    _listing: Listing
    _log_dir: Path

    # --- jobs ----------------------------------------------------------------------------------

    def get_job(self, task_id: str) -> JobInfo:
        """Return a job; raise `NotFound` naming the nearest id."""
        return self._book.get(task_id)

    def find_removed(self, task_id: str) -> JobInfo | None:
        """Return the job of that id that was removed last, as it was; None where that is not known (any more)."""

        def unit(connection: Connection) -> JobInfo | None:
            stored = jobs.find_removed(connection, task_id)
            return None if stored is None else self._book.info(connection, stored)

        return self._store.read(unit)

    def is_done(self, job: Job) -> bool:
        """Whether a job of that definition has been, and was removed since its rule had ended (`remove_when_done`)."""
        return self._book.is_done(job)

    def check_known(self, task_id: str) -> None:
        """Raise `NotFound` naming the nearest id where there is no such job, nor any run of one that was removed."""
        self._store.read(lambda connection: check_known(connection, task_id))

    def list_jobs(self, which: JobFilter, after_key: int, limit: int) -> tuple[list[JobInfo], int]:
        """Return up to `limit` matching jobs made after the one with `after_key`, and the count of all that match."""
        return self._book.matching(which, after_key, limit)

    def show_jobs(self, which: JobFilter, after_key: int, limit: int, show: Show) -> Page:
        """Return the jobs that `list_jobs` returns as the texts that `show` makes of them; most are at hand."""
        return self._store.read(
            lambda connection: self._listing.page(connection, which, after_key, limit, self.now(), show)
        )

    def list_changes(self, task_id: str, before: int | None, limit: int) -> list[Change]:
        """Return up to `limit` changes of a job, newest first, older than the change `before`."""

        def unit(connection: Connection) -> list[Change]:
            found = changes.list_changes(connection, task_id, before, limit)
            if not found:
                check_known(connection, task_id)
            return found

        return self._store.read(unit)

    def calendar(self, task_id: str, year: int) -> CalendarYear:
        """Return a year of a job by the days of its zone: what ran, what is planned, where the clocks change."""

        def unit(connection: Connection) -> CalendarYear:
            info = self._book.info(connection, find(connection, task_id))
            days = clock_changes(year, info.stored.zone)
            rows = ledger_days.read_days(connection, info.stored.key, stretches(year, info.stored.zone, days))
            reach = ledger_days.read_reach(connection, info.stored.key)
            return year_of(info, year, rows, reach, days, self.config, self.now())

        return self._store.read(unit)

    def explain(self, task_id: str, at: datetime | None = None) -> Explanation:
        """Say why a job did or did not run, for the moment `at` or just now, and what to ask next."""

        def unit(connection: Connection) -> Known:
            info = self._book.info(connection, find(connection, task_id))
            stored, trigger = info.stored, info.trigger
            before, after, is_fire_time = around(trigger, at)
            return Known(
                stored=stored,
                trigger=trigger,
                status=info.status,
                next_fire_time=info.next_fire_time,
                now=self.now(),
                running_since=state.planned_since(connection),
                holder_alive=self._lease.is_held(),
                runs=runs.newest(connection, stored.key, 5),
                waiting=underway.count_queued(connection),
                workers=self.config.max_workers,
                only_run=runs.run_for(connection, stored.key, trigger.moment) if isinstance(trigger, Once) else None,
                at=at,
                at_run=None if at is None else runs.run_for(connection, stored.key, at),
                is_fire_time=is_fire_time,
                nearest=(before, after),
            )

        return explain(self._store.read(unit))

    def preview(
        self, fields: Mapping[str, Any], timezone: str | None, after: datetime | None, count: int
    ) -> dict[str, Any]:
        """Return what a schedule means and when it would fire after `after`, which stands for the present."""
        zone = zone_of(timezone, fields.get("trigger"), self.config.zone)
        return preview(fields, zone, after or self._definitions.moment(), count)

    def stats(self, days: Sequence[datetime], task_id: str | None, limit: int) -> Stats:
        """Return how the runs of those days went, each given by its first moment; the newest day is the last."""

        def unit(connection: Connection) -> Stats:
            check_known(connection, task_id)
            return stats.read(connection, days, task_id, limit)

        return self._store.read(unit)

    # --- runs ----------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> Run:
        """Return a run; raise `NotFound`."""
        run = self._store.read(lambda connection: runs.find_run(connection, run_id))
        if run is None:
            raise no_run(run_id)
        return run

    def last_attempt(self, run_id: str) -> Run:
        """Return the newest attempt for the fire time of a run; raise `NotFound`."""
        run = self.get_run(run_id)
        return self._store.read(lambda connection: runs.last_attempt(connection, run))

    def get_runs(self, run_ids: Sequence[str]) -> list[Run]:
        """Return those of the runs that exist."""
        return self._store.read(lambda connection: runs.find_runs(connection, run_ids))

    def last_run(self, info: JobInfo) -> Run | None:
        """Return a job's newest run."""
        return self._store.read(lambda connection: runs.last_run(connection, info.stored.key))

    def list_runs(self, which: RunFilter, before: str | None, limit: int) -> list[Run]:
        """Return up to `limit` runs that match, newest first, older than `before`."""

        def unit(connection: Connection) -> list[Run]:
            check_known(connection, which.task_id)
            return runs.list_runs(connection, which, before, limit)

        return self._store.read(unit)

    def attempts(self, run: Run) -> tuple[StoredJob, list[Run]]:
        """Return the job of a run, removed or not, and all attempts for the run's fire time, the first one first."""
        return self._store.read(
            lambda connection: (jobs.get_job(connection, run.job_key), runs.attempts(connection, run))
        )

    def zones(self, of: Sequence[Run]) -> dict[int, ZoneInfo]:
        """Return the zone of each job that the runs belong to, by its key."""
        return self._store.read(lambda connection: jobs.zones(connection, {run.job_key for run in of}))

    def read_output(
        self, run_id: str, stream: Stream, tail: int | None, offset: int | None, goes_on: bool = False
    ) -> OutputText:
        """Return a part of what a run wrote to `stdout` or `stderr`.

        Of a run that `goes_on` a character at the end is left out as long as bytes of it are missing.
        """
        return read_output(self._log_dir, run_id, stream, tail_lines=tail, offset=offset, goes_on=goes_on)

    def read_log(self, run_id: str, stream: Stream) -> tuple[bytes, bool]:
        """Return all that is kept of what a run wrote, as it came, and whether bytes of its middle were cut."""
        return read_bytes(self._log_dir, run_id, stream)

    def output_size(self, run_id: str, stream: Stream) -> int:
        """Return how many bytes a run has written so far."""
        return output_size(self._log_dir, run_id, stream)

    def read_output_from(self, run_id: str, stream: Stream, offset: int, limit: int) -> OutputBytes:
        """Return up to `limit` bytes from `offset` on, or from the first that is still there."""
        return read_from(self._log_dir, run_id, stream, offset, limit)

    def output_ends(self, run: Run, stream: Stream, most: int) -> str:
        """Return what a run wrote, without its middle where that is over `most` bytes."""
        return read_ends(self._log_dir, run.run_id, stream, most)

    # --- notifications -------------------------------------------------------------------------

    def list_deliveries(self, which: DeliveryFilter, before: str | None, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries that match, newest first, older than `before`.

        Raise `NotFound` where there are none, nor the task or run that is asked for.
        """

        def unit(connection: Connection) -> list[Delivery]:
            found = deliveries.list_deliveries(connection, which, before, limit)
            if not found:
                check_known(connection, which.task_id)
                if which.event is not None and runs.find_run(connection, which.event) is None:
                    raise no_run(which.event)
            return found

        return self._store.read(unit)


def no_run(run_id: str) -> NotFound:
    """Return the error that there is no run of this id."""
    return NotFound(f"No run '{run_id}' exists.", code="run_not_found", listed_by="runs")
