"""Rules: what was acknowledged is in the database, what was refused is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from scheduler.run import Origin, RunStatus
from scheduler.selftest.facts import Facts
from scheduler.selftest.planned import full, merged
from scheduler.selftest.record import Finding, Request
from scheduler.stored_job import StoredJob


def find_lost_requests(facts: Facts) -> Iterator[Finding]:
    """Find acknowledged requests that had no effect, and definitions other than those that were sent."""
    jobs = {job.task_id: job for job in facts.jobs.values()}
    for task_id in sorted({r.task_id for r in facts.record.requests if r.task_id is not None}):
        yield from _find_lost_of_task(facts, task_id, jobs.get(task_id))
    yield from _find_lost_runs(facts)
    switches = facts.requests_for(None, "start", "stop")
    if switches and facts.record.running is not (switches[-1].action == "start"):
        yield _fault(switches[-1], f"the scheduler's state in the database is not what '{switches[-1].action}' made it")


def _find_lost_of_task(facts: Facts, task_id: str, job: StoredJob | None) -> Iterator[Finding]:
    asked = facts.requests_for(task_id, "create", "update", "pause", "resume", "remove")
    creates = [request for request in asked if request.action == "create"]
    if job is None:
        yield from (
            _fault(r, "an acknowledged task is not in the database") for r in creates[:1] if r.outcome == "done"
        )
        return
    if not creates:
        refused = next(r for r in facts.record.requests if r.task_id == task_id)
        yield _fault(refused, "a refused task is in the database", "unaccounted")
        return
    yield from _find_wrong_presence(facts, asked, job)
    definition: dict[str, object] = {}
    for request in asked:
        if request.action in ("create", "update"):
            definition = merged(definition, request)
    if asked[-1].outcome == "done" and full(definition, job) != job.definition:
        yield _fault(asked[-1], f"the definition in the database is not the one sent: {dict(job.definition)}")


def _find_wrong_presence(facts: Facts, asked: list[Request], job: StoredJob) -> Iterator[Finding]:
    last, present = asked[-1], job.key in facts.record.present
    if last.outcome != "done":
        return
    if last.action == "remove" and present:
        yield _fault(last, "an acknowledged removal is not in the database")
    if last.action != "remove" and not present and not job.definition.get("remove_when_done"):
        yield _fault(last, "a task that nobody removed is gone")
    if present and job.paused is not (last.action == "pause"):
        yield _fault(last, f"whether the task is paused is not what '{last.action}' made it")


def _find_lost_runs(facts: Facts) -> Iterator[Finding]:
    for request in facts.record.requests:
        if request.outcome != "done":
            continue
        if request.action == "run_now" and request.answer["run_id"] not in facts.rows:
            yield _fault(request, f"the acknowledged run {request.answer['run_id']} has no row")
        for run_id in request.answer.get("cancelled", ()):
            row = facts.rows.get(run_id)
            if row is None or row.status is not RunStatus.CANCELLED:
                yield _fault(request, f"the run {run_id} was told to be cancelled, and is not")


def find_bad_answers(facts: Facts) -> Iterator[Finding]:
    """Find answers that a server should never give, and requests that got none."""
    for request in facts.record.requests:
        yield from (_fault(request, fault, "unaccounted") for fault in request.faults)
        if request.outcome == "unanswered" and request.action != "run_now":
            yield _fault(request, "nobody answered before the round was over", "unaccounted")
        if request.outcome == "refused" and request.answer.get("code") != "already_running":
            yield _fault(request, f"it was refused: {request.answer.get('message')}", "unaccounted")


def find_unasked_runs(facts: Facts) -> Iterator[Finding]:
    """Find manual runs that nobody asked for."""
    asked = {r.answer["run_id"] for r in facts.record.requests if r.action == "run_now" and r.outcome == "done"}
    doubtful = Counter(r.task_id for r in facts.record.requests if r.action == "run_now" and r.outcome == "unanswered")
    for row in facts.record.rows:
        if row.trigger is Origin.MANUAL and row.run_id not in asked:
            doubtful[row.task_id] -= 1
            if doubtful[row.task_id] < 0:
                yield facts.row_fault("unaccounted", "nobody asked for this manual run", row)


def _fault(request: Request, text: str, category: str = "lost") -> Finding:
    subject = request.task_id or "scheduler"
    details = [f"asked: {request.action} {dict(request.fields)}", f"answered: {dict(request.answer)}"]
    return Finding(
        "unaccounted" if category == "unaccounted" else "lost", f"{subject}: {text}", details, request.when.ended
    )
