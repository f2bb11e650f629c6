"""Match what was asked, planned and seen against the ledger, one to one. Pure: what it is given is all it knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from scheduler.models import Overlap
from scheduler.run import Origin
from scheduler.selftest import evidence_rules, request_rules, row_rules
from scheduler.selftest.facts import Facts
from scheduler.selftest.record import Finding

RULES: tuple[Callable[[Facts], Iterable[Finding]], ...] = (
    request_rules.find_lost_requests,
    request_rules.find_bad_answers,
    request_rules.find_unasked_runs,
    row_rules.find_lost_fire_times,
    row_rules.find_unplanned_rows,
    row_rules.find_repeated_rows,
    row_rules.find_unfinished_rows,
    row_rules.find_odd_ends,
    row_rules.find_odd_attempts,
    row_rules.find_unwanted_starts,
    evidence_rules.find_rowless_evidence,
    evidence_rules.find_missing_evidence,
    evidence_rules.find_double_starts,
    evidence_rules.find_overlaps,
    evidence_rules.find_orphans,
    evidence_rules.find_survivors_of_cancel,
)


def find_faults(facts: Facts) -> list[Finding]:
    """Return everything in a round that must not be, each with what happened around it."""
    found = [*facts.record.findings, *(finding for rule in RULES for finding in rule(facts))]
    return [replace(finding, details=[*finding.details, *facts.surroundings(finding)]) for finding in found]


def latenesses(facts: Facts) -> list[float]:
    """Return by how many milliseconds runs began late: those of the schedule that were due in quiet and did not have
    to wait for another run, since the rest says how long the disturbance or the run before lasted."""
    return [
        row.lateness_ms
        for row in facts.record.rows
        if row.lateness_ms is not None
        and row.trigger is Origin.SCHEDULE
        and facts.jobs[row.job_key].job.overlap is Overlap.SKIP
        and facts.planner.is_quiet(row.due_at or row.scheduled_for)
    ]
