"""Answer one page of the table of tasks: what is asked of the store for it, in one look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from scheduler.models import JobStatus
from scheduler.run import Run
from scheduler.standing import JobInfo, described
from scheduler.store import Connection, Database, jobs, runs, task_table
from scheduler.store.task_table import Facets, Outcome, TableQuery


@dataclass(frozen=True, slots=True)
class TableRow:
    """A task, its newest run that has ended, and its newest runs, the oldest first."""

    info: JobInfo
    last: Run | None
    outcomes: list[Outcome]


@dataclass(frozen=True, slots=True)
class TablePage:
    """The rows of page `number` of `pages`, and how many tasks match in all."""

    rows: list[TableRow]
    count: int
    number: int
    pages: int
    facets: Facets


class TaskTable:
    """Read pages of the table."""

    def __init__(self, store: Database, now: Callable[[], datetime]) -> None:
        self._store, self._now = store, now

    def read(self, which: TableQuery, number: int = 1, size: int = 100) -> TablePage:
        """Return a page; of numbers beyond the last, the last."""

        def unit(connection: Connection) -> TablePage:
            count = task_table.count(connection, which)
            pages = max(1, -(-count // size))
            shown = min(max(1, number), pages)
            rows = self._rows(connection, task_table.page(connection, which, (shown - 1) * size, size))
            return TablePage(rows, count, shown, pages, task_table.facets(connection))

        return self._store.read(unit)

    def _rows(self, connection: Connection, found: list[task_table.Found]) -> list[TableRow]:
        names, now = [each.task_id for each in found], self._now()
        stored = {job.task_id: job for job in jobs.find_jobs(connection, names)}
        last = {run.run_id: run for run in runs.find_runs(connection, [each.last_run_id or "" for each in found])}
        strips = task_table.outcomes(connection, names)
        return [
            TableRow(
                described(stored[task_id], state is JobStatus.RUNNING, state is JobStatus.FAILED, now),
                last.get(last_run_id or ""),
                strips.get(task_id, []),
            )
            for task_id, state, last_run_id in found
        ]
