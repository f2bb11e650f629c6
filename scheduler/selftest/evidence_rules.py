"""Rules: what runs wrote about themselves, and the processes that were seen, agree with the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from scheduler.moments import iso
from scheduler.run import Origin, Run, RunStatus
from scheduler.selftest.facts import Facts, by_time, tell_line, tell_row, tell_sighting
from scheduler.selftest.record import Finding, Line

ORPHAN_SECONDS = timedelta(seconds=10)
_RAN = {RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED, RunStatus.INTERRUPTED}


def find_rowless_evidence(facts: Facts) -> Iterator[Finding]:
    """Find lines that no row accounts for, or that a row contradicts."""
    for line in facts.record.lines:
        row = facts.rows.get(line.run_id)
        fault = "a run that wrote this has no row" if row is None else _contradiction(facts, line, row)
        if fault is not None:
            details = [f"evidence: {tell_line(line)}", *([] if row is None else [f"row: {tell_row(row)}"])]
            yield Finding("unaccounted", f"{line.task_id}: {fault}", details, line.at)


def _contradiction(facts: Facts, line: Line, row: Run) -> str | None:
    told = (line.task_id, line.scheduled_for, line.attempt)
    if told != (row.task_id, iso(row.scheduled_for, facts.jobs[row.job_key].zone), row.attempt):
        return "a run was told other things about itself than its row says"
    if row.status.is_final and (row.started_at is None or row.status not in _RAN):
        return f"a run whose row says '{row.status.value}', never started, did start"
    return None


def find_missing_evidence(facts: Facts) -> Iterator[Finding]:
    """Find rows of runs that ended by themselves or by their time limit, and wrote nothing."""
    for row in facts.record.rows:
        by_itself = row.status is RunStatus.FAILED and row.details.get("exit_code") is not None
        ran = by_itself or row.status in (RunStatus.COMPLETED, RunStatus.TIMEOUT)
        if ran and not facts.starts[row.run_id]:
            yield facts.row_fault("unaccounted", f"its row says '{row.status.value}', and it wrote nothing", row)
        elif row.status is RunStatus.COMPLETED and not facts.ends[row.run_id]:
            yield facts.row_fault("unaccounted", "its row says 'completed', and it did not write of its end", row)


def find_double_starts(facts: Facts) -> Iterator[Finding]:
    """Find runs, and attempts for one fire time, that started more than once."""
    for run_id, lines in facts.starts.items():
        if len(lines) > 1:
            yield _doubled(f"the run {run_id} started {len(lines)} times", lines)
    manual = {row.run_id for row in facts.record.rows if row.trigger is Origin.MANUAL}
    scheduled = [line for lines in facts.starts.values() for line in lines[:1] if line.run_id not in manual]
    often = Counter((line.task_id, line.scheduled_for, line.attempt) for line in scheduled)
    for key, count in often.items():
        if count > 1:
            same = [line for line in scheduled if (line.task_id, line.scheduled_for, line.attempt) == key]
            yield _doubled(f"the fire time {key[1]}, attempt {key[2]}, started {count} times", same)


def _doubled(text: str, lines: list[Line]) -> Finding:
    details = [f"evidence: {tell_line(line)}" for line in lines]
    return Finding("doubled", f"{lines[0].task_id}: {text}", details, lines[-1].at)


def find_overlaps(facts: Facts) -> Iterator[Finding]:
    """Find attempts that began before the one before was dead, and more runs of a task at once than may be."""
    for key, rows in facts.rows_of.items():
        for before, after in pairwise(by_time(rows)):
            one, other = facts.life(before.run_id), facts.life(after.run_id)
            if one and other and before.scheduled_for == after.scheduled_for and other[0] <= one[1]:
                yield facts.row_fault(
                    "doubled", "it began before the attempt before it was dead", after, tell_row(before)
                )
        limit = facts.jobs[key].job.max_instances
        lives = [(life, row) for row in rows if (life := facts.life(row.run_id)) is not None]
        for (began, _), row in lives:
            at_once = [other for (start, end), other in lives if start <= began <= end]
            if len(at_once) > limit:
                others = (tell_row(other) for other in at_once if other is not row)
                yield facts.row_fault("doubled", f"{len(at_once)} runs at once, {limit} may be", row, *others)


def find_orphans(facts: Facts) -> Iterator[Finding]:
    """Find processes that outlived their run by more than ten seconds."""
    for seen in facts.record.sightings:
        row = facts.rows.get(seen.run_id)
        if row is None:
            text = f"?: a process carries the run id {seen.run_id}, which has no row"
            yield Finding("unaccounted", text, [f"seen: {tell_sighting(seen)}"], seen.last_seen)
        elif row.finished_at is not None and seen.last_seen > row.finished_at + ORPHAN_SECONDS:
            yield facts.row_fault("orphans", f"the process {seen.pid} outlived it", row)


def find_survivors_of_cancel(facts: Facts) -> Iterator[Finding]:
    """Find processes of runs that were told to be dead when `cancel` or `remove` answered."""
    for request in facts.record.requests:
        if request.action == "cancel" and request.outcome == "done":
            for run_id in request.answer.get("cancelled", ()):
                yield from _find_alive(facts, run_id, request.when.ended)
        said_all = request.answer.get("status") == "success" and "hint" not in request.answer
        if request.action == "remove" and request.outcome == "done" and said_all:
            for row in facts.record.rows:
                if row.task_id == request.task_id:
                    yield from _find_alive(facts, row.run_id, request.when.ended)


def _find_alive(facts: Facts, run_id: str, after: datetime) -> Iterator[Finding]:
    for seen in facts.sightings[run_id]:
        if seen.last_seen > after and (row := facts.rows.get(run_id)) is not None:
            yield facts.row_fault(
                "orphans", f"the process {seen.pid} was alive after the answer that told its end", row
            )
