"""Put what is known of a round in order, so that rules can ask for it, and tell it where one is broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from scheduler.run import Origin, Run
from scheduler.selftest.planned import PlannedTime, Planner
from scheduler.selftest.record import Category, Disturbance, Finding, Line, Record, Request, Sighting
from scheduler.stored_job import StoredJob

AROUND = timedelta(seconds=10)
"""How far before and after a moment it is told what was done to the server."""
SECOND = timedelta(seconds=1)


class Facts:
    """Everything that is known of a round, by what one asks for."""

    def __init__(self, record: Record, until: datetime) -> None:
        self.record = record
        self.planner = Planner(record.requests, record.disturbances, until)
        self.jobs = {job.key: job for job in record.jobs}
        self.rows = {row.run_id: row for row in record.rows}
        self.planned = {job.key: list(self.planner.fire_times(job)) for job in record.jobs}
        self.rows_of: dict[int, list[Run]] = defaultdict(list)
        self.starts: dict[str, list[Line]] = defaultdict(list)
        self.ends: dict[str, list[Line]] = defaultdict(list)
        self.sightings: dict[str, list[Sighting]] = defaultdict(list)
        for row in record.rows:
            self.rows_of[row.job_key].append(row)
        for line in record.lines:
            (self.starts if line.kind == "start" else self.ends)[line.run_id].append(line)
        for sighting in record.sightings:
            self.sightings[sighting.run_id].append(sighting)

    def requests_for(self, task_id: str | None, *actions: str) -> list[Request]:
        """Return what was asked for a task that may have had an effect, in order."""
        found = [r for r in self.record.requests if r.task_id == task_id and r.outcome != "refused"]
        return sorted((r for r in found if not actions or r.action in actions), key=lambda r: r.when.began)

    def disturbances(self, began: datetime, ended: datetime) -> list[Disturbance]:
        """Return what was done to the server between two moments."""
        return [d for d in self.record.disturbances if d.when.began <= ended and d.when.ended >= began]

    def origin(self, row: Run) -> Origin:
        """Return what asked for the first attempt at the fire time of a row."""
        same = (other for other in self.rows_of[row.job_key] if other.scheduled_for == row.scheduled_for)
        return min(same, key=lambda other: other.attempt).trigger

    def life(self, run_id: str) -> tuple[datetime, datetime] | None:
        """Return from when until when at least a run lived, or None where it left no trace."""
        starts = [line.at for line in self.starts[run_id]]
        if not starts:
            return None
        later = [line.at for line in self.ends[run_id]] + [seen.last_seen for seen in self.sightings[run_id]]
        return min(starts), max([*starts, *later])

    def row_fault(self, category: Category, text: str, row: Run, *more: str) -> Finding:
        """Make a finding about a row."""
        traces = [f"evidence: {tell_line(line)}" for line in (*self.starts[row.run_id], *self.ends[row.run_id])]
        traces += [f"seen: {tell_sighting(seen)}" for seen in self.sightings[row.run_id]]
        at = row.finished_at or row.started_at or row.scheduled_for
        return Finding(category, f"{row.task_id}: {text}", [f"row: {tell_row(row)}", *traces, *more], at)

    def lost_time(self, job: StoredJob, planned: PlannedTime) -> Finding:
        """Make a finding about a fire time that has no row."""
        text = f"{job.task_id}: the fire time {planned.moment.isoformat()} has no row"
        near = sorted(self.rows_of[job.key], key=lambda row: abs(row.scheduled_for - planned.moment))[:3]
        details = [f"was due: {planned.due_at.isoformat()}", *(f"near: {tell_row(row)}" for row in near)]
        return Finding("lost", text, details, planned.due_at)

    def surroundings(self, finding: Finding) -> Iterator[str]:
        """Yield what was done to the server, and asked for the task, around a finding."""
        if finding.at is not None:
            for disturbance in self.disturbances(finding.at - AROUND, finding.at + AROUND):
                yield f"{tell_span(disturbance.when.began, disturbance.when.ended)} {disturbance.what}"
        task_id = finding.text.partition(":")[0]
        for request in self.record.requests:
            if request.task_id == task_id or request.action in ("start", "stop"):
                yield f"{tell_span(*request.when)} asked: {request.action} -> {request.outcome}"


def tell_row(row: Run) -> str:
    """Return a row in one line."""
    parts = [
        *(row.run_id, f"for {row.scheduled_for.isoformat()}", f"attempt {row.attempt}", row.trigger.value),
        *(row.status.value, f"made {_clock(row.created_at)}", f"started {_clock(row.started_at)}"),
        *(f"finished {_clock(row.finished_at)}", str(dict(row.details))),
    ]
    return " ".join(parts)


def tell_line(line: Line) -> str:
    """Return a line of evidence as text."""
    return f"{line.kind} {line.run_id} for {line.scheduled_for} attempt {line.attempt} pid {line.pid} {_clock(line.at)}"


def tell_sighting(seen: Sighting) -> str:
    """Return a process that was seen as text."""
    return f"pid {seen.pid} until {_clock(seen.last_seen)}: {seen.command[:120]}"


def tell_span(began: datetime, ended: datetime) -> str:
    """Return a span of time as text."""
    return f"{_clock(began)} .. {_clock(ended)}"


def by_time(rows: Iterable[Run]) -> Sequence[Run]:
    """Return rows in the order of their fire times and attempts."""
    return sorted(rows, key=lambda row: (row.scheduled_for, row.attempt))


def _clock(moment: datetime | None) -> str:
    return "-" if moment is None else moment.strftime("%H:%M:%S.%f")[:-3]
