"""The matcher of the chaos test: a sound round gives nothing, and each kind of fault is found, under its name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from scheduler.definitions import columns
from scheduler.ids import new_run_id
from scheduler.models import Priority, read_job, read_when
from scheduler.moments import iso
from scheduler.run import Origin, Run, RunStatus
from scheduler.selftest.facts import Facts
from scheduler.selftest.matching import RULES, find_faults, latenesses
from scheduler.selftest.plan import STORE_FAULTS, make_plan
from scheduler.selftest.record import CATEGORIES, Disturbance, Finding, Line, Outcome, Record, Request, Sighting, Span
from scheduler.selftest.report import Totals, tell_findings, tell_totals
from scheduler.selftest.rounds import RoundResult
from scheduler.stored_job import StoredJob

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
LENGTH = 10
NAME = "ticker-1"
DEFINITION = {"type": "command", "command": "true", "interval": "every 1 second"}


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def span(began: float, seconds: float = 0.02) -> Span:
    return Span(at(began), at(began + seconds))


def asked(action: str, when: float, outcome: Outcome = "done", seconds: float = 0.02, **fields: Any) -> Request:
    answer = {"status": "success", **fields.pop("answer", {})}
    return Request(action, None if action in ("start", "stop") else NAME, fields, span(when, seconds), outcome, answer)


def job(created: float = 0, **changes: Any) -> StoredJob:
    """Return a task as the store has it, created at `created`."""
    definition = read_job({**DEFINITION, **changes, "task_id": NAME, "timezone": "UTC"})
    schedule = read_when(definition.definition(), ZoneInfo("UTC"), at(created))
    values = columns(definition, schedule, at(created), at(created))
    return StoredJob(key=1, task_id=NAME, paused=False, created_at=at(created), created_by="selftest", **values)


def row(second: float, status: RunStatus = RunStatus.COMPLETED, **changes: Any) -> Run:
    """Return the row of a fire time, by default of a run that took half a second."""
    started = status not in (RunStatus.SKIPPED, RunStatus.MISSED)
    details = {"exit_code": 0} if status is RunStatus.COMPLETED else {"reason": "because"}
    values: dict[str, Any] = {
        "run_id": new_run_id(at(second)), "job_key": 1, "task_id": NAME, "scheduled_for": at(second), "attempt": 1,
        "trigger": Origin.SCHEDULE, "status": status, "priority": Priority.MEDIUM, "created_at": at(second + 0.002),
        "due_at": at(second), "started_at": at(second + 0.003) if started else None,
        "finished_at": at(second + 0.5), "details": details,
    }  # fmt: skip
    return Run(**{**values, **changes})


def lines(run: Run, end: bool = True) -> list[Line]:
    """Return the evidence of a run."""
    assert run.started_at is not None
    told = (run.task_id, run.run_id, iso(run.scheduled_for, UTC), run.attempt, 4711)
    start = Line("start", *told, run.started_at + timedelta(milliseconds=10))
    return [start, Line("end", *told, run.started_at + timedelta(milliseconds=400))][: 1 + end]


def sound(**changes: Any) -> Record:
    """Return a round in which a task ran each second, and all was well."""
    rows = [row(second) for second in range(1, LENGTH + 1)]
    return Record(
        requests=[asked("create", 0, **DEFINITION, **changes), asked("start", 0.1), asked("stop", LENGTH + 0.7)],
        jobs=[job(0, **changes)],
        present={1},
        running=False,
        rows=rows,
        lines=[line for run in rows for line in lines(run)],
    )


def faults(record: Record) -> list[Finding]:
    return find_faults(Facts(record, at(60)))


def add(record: Record, run: Run, evidence: bool = True, end: bool = True) -> Run:
    """Add a run with its evidence."""
    record.rows.append(run)
    record.lines += lines(run, end) if evidence else []
    return run


def take(record: Record, second: float) -> Run:
    """Take the run for a fire time away, with its evidence, and return it."""
    [run] = [run for run in record.rows if run.scheduled_for == at(second)]
    record.rows.remove(run)
    record.lines = [line for line in record.lines if line.run_id != run.run_id]
    return run


def put(record: Record, second: float, evidence: bool = True, end: bool = True, **changes: Any) -> Run:
    """Change the run for a fire time."""
    run = take(record, second)
    return add(record, replace(run, **changes), evidence, end)


def interrupted(second: float, **changes: Any) -> dict[str, Any]:
    return {"status": RunStatus.INTERRUPTED, "finished_at": at(second + 0.8), "details": {"reason": "died"}, **changes}


def kill(when: float, seconds: float = 0.8) -> Disturbance:
    return Disturbance("kill -9 the worker that fires", span(when, seconds), cuts_off=True)


def seen(run: Run, until: float) -> Sighting:
    return Sighting(run.run_id, 4712, at(until), "sleep 60")


def test_a_sound_round_gives_nothing() -> None:
    assert faults(sound()) == []


# --- what must be found ------------------------------------------------------------------------

FAULTS: list[tuple[str, str, Callable[[Record], Any]]] = []


def fault(category: str, text: str) -> Callable[[Callable[[Record], Any]], Callable[[Record], Any]]:
    """Enter a way to spoil a sound round, and the finding that it must give."""

    def enter(spoil: Callable[[Record], Any]) -> Callable[[Record], Any]:
        FAULTS.append((category, text, spoil))
        return spoil

    return enter


@fault("lost", "12:00:05+00:00 has no row")
def a_fire_time_without_a_row(record: Record) -> None:
    take(record, 5)


@fault("lost", "12:00:05+00:00 has no row")
def a_fire_time_of_a_downtime_without_a_row(record: Record) -> None:
    take(record, 5)
    record.disturbances.append(kill(4.5, 1))


@fault("lost", "12:00:10+00:00 has no row")
def a_fire_time_that_the_stop_overtook(record: Record) -> None:
    record.disturbances.append(Disturbance("lock the store", span(9.9, 0.5)))
    take(record, 10)


@fault("lost", "12:00:05+00:00 has no row")
def a_fire_time_that_a_pause_overtook(record: Record) -> None:
    record.disturbances.append(Disturbance("fill the store", span(4.9, 0.2)))
    record.requests += [asked("pause", 5.2), asked("resume", 5.4)]
    take(record, 5)


@fault("lost", "not in the database")
def an_acknowledged_task_that_is_not_there(record: Record) -> None:
    record.requests.append(replace(asked("create", 1, **DEFINITION), task_id="other-2"))


@fault("lost", "is gone")
def a_task_that_went_by_itself(record: Record) -> None:
    record.present.clear()


@fault("lost", "removal is not in the database")
def an_acknowledged_removal_that_was_not_done(record: Record) -> None:
    record.requests.append(asked("remove", LENGTH + 0.8))


@fault("lost", "not the one sent")
def an_acknowledged_update_that_was_not_kept(record: Record) -> None:
    record.requests.append(asked("update", 3, description="new"))


@fault("lost", "what 'pause' made it")
def an_acknowledged_pause_that_was_not_kept(record: Record) -> None:
    record.requests.append(asked("pause", LENGTH + 0.6))


@fault("lost", "has no row")
def an_acknowledged_run_without_a_row(record: Record) -> None:
    record.requests.append(asked("run_now", 3, answer={"run_id": "nowhere"}))


@fault("lost", "told to be cancelled, and is not")
def a_cancelled_run_that_is_not(record: Record) -> None:
    record.requests.append(asked("cancel", 3.4, answer={"cancelled": [record.rows[2].run_id]}))


@fault("lost", "the scheduler's state")
def a_stop_that_was_not_kept(record: Record) -> None:
    record.running = True


@fault("lost", "should have been tried again")
def an_interrupted_run_that_was_to_be_tried_again(record: Record) -> None:
    record.jobs = [job(0, at_least_once=True)]
    record.requests[0] = asked("create", 0, **DEFINITION, at_least_once=True)
    record.disturbances.append(kill(5.2))
    put(record, 5, end=False, **interrupted(5))


@fault("doubled", "started 2 times")
def a_run_that_started_twice(record: Record) -> None:
    record.lines.append(replace(lines(record.rows[4])[0], pid=4713, at=at(5.02)))


@fault("doubled", "attempt 1, started 2 times")
def a_fire_time_that_started_twice_under_two_ids(record: Record) -> None:
    record.lines.append(replace(lines(record.rows[4])[0], run_id="another", pid=4713, at=at(5.6)))


@fault("doubled", "has another row")
def an_attempt_with_two_rows(record: Record) -> None:
    record.rows.append(replace(record.rows[4], run_id="another", status=RunStatus.SKIPPED, started_at=None))


@fault("doubled", "against its terms")
def an_interrupted_run_that_was_tried_again_against_its_terms(record: Record) -> None:
    record.disturbances.append(kill(5.2))
    put(record, 5, end=False, **interrupted(5))
    when = {"started_at": at(5.85), "created_at": at(5.8), "finished_at": at(5.95)}
    again = add(record, row(5, attempt=2, trigger=Origin.RETRY, **when), evidence=False)
    record.lines += [replace(line, at=at(5.86)) for line in lines(again)]


@fault("doubled", "before the attempt before it was dead")
def a_retry_while_the_first_attempt_lives(record: Record) -> None:
    record.jobs = [job(0, max_retries=1, max_instances=2)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_retries=1, max_instances=2)
    first = put(record, 5, status=RunStatus.FAILED, details={"exit_code": 1}, finished_at=at(5.1))
    record.sightings.append(seen(first, 5.9))
    add(record, row(5, attempt=2, trigger=Origin.RETRY, created_at=at(5.1), started_at=at(5.5), finished_at=at(5.95)))


@fault("doubled", "2 runs at once, 1 may be")
def more_runs_at_once_than_may_be(record: Record) -> None:
    record.sightings.append(seen(record.rows[4], 6.3))


@fault("unaccounted", "has no row")
def evidence_without_a_row(record: Record) -> None:
    run = take(record, 5)
    record.lines += lines(run)[:1]
    record.rows.append(
        replace(run, run_id="another", status=RunStatus.SKIPPED, started_at=None, details={"reason": "r"})
    )


@fault("unaccounted", "never started, did start")
def evidence_of_a_run_that_was_skipped(record: Record) -> None:
    run = take(record, 5)
    record.lines += lines(run)
    record.rows.append(replace(run, status=RunStatus.SKIPPED, started_at=None, details={"reason": "overlap"}))


@fault("unaccounted", "other things about itself")
def evidence_of_another_fire_time(record: Record) -> None:
    run = put(record, 5, evidence=False)
    record.lines += [replace(line, scheduled_for=iso(at(4), UTC), attempt=9) for line in lines(run)]


@fault("unaccounted", "and it wrote nothing")
def a_completed_row_without_evidence(record: Record) -> None:
    put(record, 5, evidence=False)


@fault("unaccounted", "did not write of its end")
def a_completed_row_without_an_end(record: Record) -> None:
    put(record, 5, end=False)


@fault("unaccounted", "left 'running'")
def a_row_left_running(record: Record) -> None:
    put(record, 5, status=RunStatus.RUNNING, finished_at=None, details={})


@fault("unaccounted", "left 'queued'")
def a_row_left_queued(record: Record) -> None:
    put(record, 5, evidence=False, status=RunStatus.QUEUED, started_at=None, finished_at=None, details={})


@fault("unaccounted", "no such fire time was planned")
def a_row_of_no_fire_time(record: Record) -> None:
    add(record, row(5.7, started_at=at(5.71), finished_at=at(5.9)), evidence=False)
    record.lines += [replace(line, at=at(5.72)) for line in lines(record.rows[-1])]


@fault("unaccounted", "planned no more")
def a_row_made_after_a_pause(record: Record) -> None:
    record.requests += [asked("pause", 5.1), asked("resume", 5.8)]
    put(record, 5, created_at=at(5.2))


@fault("unaccounted", "no server was ended")
def an_interrupted_run_though_nothing_was_killed(record: Record) -> None:
    record.disturbances.append(Disturbance("lock the store", span(5, 1)))
    put(record, 5, **interrupted(5))


@fault("unaccounted", "which nobody sent")
def a_run_ended_by_a_signal(record: Record) -> None:
    put(record, 5, status=RunStatus.FAILED, details={"signal": "SIGKILL"})


@fault("unaccounted", "could not be started")
def a_run_that_could_not_be_started(record: Record) -> None:
    put(record, 5, evidence=False, status=RunStatus.FAILED, details={"reason": "no room"})


@fault("unaccounted", "nobody asked for that")
def a_run_cancelled_by_nobody(record: Record) -> None:
    put(record, 5, status=RunStatus.CANCELLED, details={"reason": "cancelled"})


@fault("unaccounted", "within its grace")
def a_fire_time_missed_within_its_grace(record: Record) -> None:
    put(record, 5, evidence=False, status=RunStatus.MISSED, started_at=None)


@fault("unaccounted", "without a reason")
def a_fire_time_skipped_without_a_reason(record: Record) -> None:
    put(record, 5, evidence=False, status=RunStatus.SKIPPED, started_at=None, details={})


@fault("unaccounted", "a stop that nobody asked for")
def a_fire_time_skipped_for_a_stop(record: Record) -> None:
    put(record, 5, evidence=False, status=RunStatus.SKIPPED, started_at=None, details={"reason": "scheduler stopped"})


@fault("unaccounted", "the attempt before this one has no row")
def a_second_attempt_without_a_first(record: Record) -> None:
    record.jobs = [job(0, max_instances=2)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_instances=2)
    add(record, row(5, attempt=3, trigger=Origin.RETRY, created_at=at(5.4), started_at=at(5.55)))


@fault("unaccounted", "while the scheduler was stopped")
def a_retry_after_a_stop(record: Record) -> None:
    record.jobs = [job(0, max_retries=1)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_retries=1)
    put(record, 10, status=RunStatus.FAILED, details={"exit_code": 1}, finished_at=at(10.8))
    later = {"created_at": at(10.8), "started_at": at(11), "finished_at": at(11.5)}
    add(record, row(10, attempt=2, trigger=Origin.RETRY, **later))


@fault("unaccounted", "after its task was removed")
def a_retry_after_a_removal(record: Record) -> None:
    record.jobs = [job(0, max_retries=1)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_retries=1)
    record.requests.insert(1, asked("remove", 10.55))
    record.present.clear()
    put(record, 10, status=RunStatus.FAILED, details={"exit_code": 1}, finished_at=at(10.54))
    later = {"created_at": at(10.6), "started_at": at(10.61), "finished_at": at(11.5)}
    add(record, row(10, attempt=2, trigger=Origin.RETRY, **later))


@fault("unaccounted", "nobody asked for this manual run")
def a_manual_run_that_nobody_asked_for(record: Record) -> None:
    add(record, row(5.6001, trigger=Origin.MANUAL, started_at=at(5.601), finished_at=at(5.7)), evidence=False)
    record.lines += [replace(line, at=at(5.61)) for line in lines(record.rows[-1])]


@fault("unaccounted", "a refused task is in the database")
def a_refused_task_that_is_there(record: Record) -> None:
    refused = {"outcome": "refused", "answer": {"status": "error", "code": "already_running"}}
    record.requests[0] = replace(record.requests[0], **refused)  # type: ignore[arg-type]
    record.rows, record.lines = [], []


@fault("unaccounted", "internal error")
def an_answer_that_is_a_fault(record: Record) -> None:
    record.requests[1] = replace(record.requests[1], faults=("internal error 1",))


@fault("unaccounted", "nobody answered")
def a_request_without_an_answer(record: Record) -> None:
    record.requests.append(asked("update", 10.6, outcome="unanswered", description="new"))


@fault("unaccounted", "it was refused: no")
def a_request_that_was_refused(record: Record) -> None:
    answer = {"status": "error", "message": "no", "code": "invalid_request"}
    record.requests.append(asked("update", 3, outcome="refused", answer=answer))


@fault("unaccounted", "which has no row")
def a_process_of_an_unknown_run(record: Record) -> None:
    record.sightings.append(Sighting("unknown", 4712, at(5), "sleep 60"))


@fault("orphans", "outlived it")
def a_process_that_outlives_its_run(record: Record) -> None:
    record.rows, record.lines = record.rows[-1:], lines(record.rows[-1])
    record.requests[:2] = [asked("create", 9.1, start_at=iso(at(0), UTC), **DEFINITION), asked("start", 9.2)]
    record.jobs = [job(9.11, start_at=iso(at(0), UTC))]
    record.sightings.append(seen(record.rows[0], LENGTH + 11))


@fault("orphans", "alive after the answer")
def a_process_that_outlives_the_answer_to_cancel(record: Record) -> None:
    run = put(record, 10, end=False, status=RunStatus.CANCELLED, details={"reason": "cancelled"})
    record.requests.append(asked("cancel", 10.3, answer={"cancelled": [run.run_id]}))
    record.sightings.append(seen(run, 10.9))


@fault("orphans", "alive after the answer")
def a_process_that_outlives_the_answer_to_remove(record: Record) -> None:
    run = put(record, 10, end=False, status=RunStatus.CANCELLED, details={"reason": "its task was removed"})
    record.requests.append(asked("remove", 10.3))
    record.present.clear()
    record.sightings.append(seen(run, 10.9))


@pytest.mark.parametrize(("category", "text", "spoil"), FAULTS, ids=[spoil.__name__ for _, _, spoil in FAULTS])
def test_a_fault_is_found(category: str, text: str, spoil: Callable[[Record], Any]) -> None:
    record = sound()
    spoil(record)
    found = faults(record)
    fitting = [finding for finding in found if finding.category == category and text in finding.text]
    assert fitting, found
    assert all(finding.details for finding in found)
    assert len(found) <= 2, found  # one fault may break a second rule, not all of them


# --- what must not be taken for a fault --------------------------------------------------------

INNOCENT: list[Callable[[Record], Any]] = []


def innocent(change: Callable[[Record], Any]) -> Callable[[Record], Any]:
    """Enter a way in which a round may go and all is well."""
    INNOCENT.append(change)
    return change


@innocent
def a_run_cut_off_before_its_process(record: Record) -> None:
    record.disturbances.append(kill(5.001))
    put(record, 5, evidence=False, **interrupted(5))


@innocent
def a_run_cut_off_between_its_end_and_its_row(record: Record) -> None:
    record.disturbances.append(kill(5.45))
    put(record, 5, **interrupted(5))


@innocent
def a_fire_time_during_the_answer_to_pause(record: Record) -> None:
    record.requests += [asked("pause", 4.99, seconds=0.1), asked("resume", 5.2)]
    take(record, 5)


@innocent
def a_fire_time_after_a_pause_that_may_have_come_late(record: Record) -> None:
    record.requests += [asked("pause", 4.5, seconds=0.7), asked("resume", 5.3)]


@innocent
def a_one_shot_overtaken_by_stop_and_start(record: Record) -> None:
    """Its moment passed while the server was down; before it came up, the scheduler was stopped and started."""
    record.requests = [asked("create", 0, **DEFINITION | {"interval": "in 3 seconds"}), asked("start", 0.1)]
    record.requests += [asked("stop", 4), asked("start", 5), asked("stop", 9)]
    record.jobs = [job(0, interval="in 3 seconds")]
    record.rows = [row(3, RunStatus.MISSED, created_at=at(5.1), finished_at=at(5.1))]
    record.lines = []


@innocent
def fire_times_of_a_stopped_time(record: Record) -> None:
    record.requests += [asked("stop", 3.8), asked("start", 6.2)]
    for second in (4, 5, 6):
        take(record, second)


@innocent
def another_interval_from_a_moment_on(record: Record) -> None:
    changes = {"interval": "every 2 seconds", "start_at": iso(at(5.1), UTC)}
    record.requests.append(asked("update", 5.6, **changes))
    record.jobs = [job(0, **changes)._replace(created_at=at(0))]
    for second in range(6, 11):
        take(record, second)
    for moment in (7.1, 9.1):
        add(record, row(moment))


@innocent
def a_change_of_words_that_moves_nothing(record: Record) -> None:
    record.requests.append(asked("update", 5.001, description="new"))
    record.jobs = [job(0, description="new")]


@innocent
def one_row_for_many_fire_times(record: Record) -> None:
    for second in (4, 5, 6):
        take(record, second)
    collapsed = {"scheduled_until": at(6), "count": 3, "finished_at": at(70)}
    record.rows.append(row(4, RunStatus.MISSED, created_at=at(6.1), **collapsed))


@innocent
def a_late_fire_time_that_was_missed(record: Record) -> None:
    record.jobs = [job(0, misfire_grace_time=0.5)]
    record.requests[0] = asked("create", 0, **DEFINITION, misfire_grace_time=0.5)
    record.disturbances.append(Disturbance("stop and continue the worker that fires", span(4.9, 0.8)))
    late = {"created_at": at(5.71), "finished_at": at(5.71), "started_at": None}
    put(record, 5, evidence=False, status=RunStatus.MISSED, **late)


@innocent
def a_retry_after_a_failure(record: Record) -> None:
    record.jobs = [job(0, max_retries=1)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_retries=1)
    put(record, 5, status=RunStatus.FAILED, details={"exit_code": 1}, finished_at=at(5.45))
    again = {"created_at": at(5.45), "started_at": at(5.5), "finished_at": at(5.95)}
    add(record, row(5, attempt=2, trigger=Origin.RETRY, **again))


@innocent
def no_retry_after_a_stop(record: Record) -> None:
    record.jobs = [job(0, max_retries=1)]
    record.requests[0] = asked("create", 0, **DEFINITION, max_retries=1)
    put(record, 10, status=RunStatus.FAILED, details={"exit_code": 1}, finished_at=at(10.9))


@innocent
def a_manual_run_whose_answer_got_lost(record: Record) -> None:
    record.requests.append(asked("run_now", 5.599, outcome="unanswered"))
    add(record, row(5.6001, trigger=Origin.MANUAL, started_at=at(5.601), finished_at=at(5.7)), evidence=False)
    record.lines += [replace(line, at=at(5.61)) for line in lines(record.rows[-1])]


@innocent
def a_removed_task(record: Record) -> None:
    record.requests.append(asked("remove", 5.7))
    record.present.clear()
    for second in range(6, 11):
        take(record, second)


@innocent
def a_process_that_dies_within_ten_seconds(record: Record) -> None:
    record.sightings.append(seen(record.rows[-1], LENGTH + 9))


@pytest.mark.parametrize("change", INNOCENT, ids=[change.__name__ for change in INNOCENT])
def test_what_may_happen_is_no_fault(change: Callable[[Record], Any]) -> None:
    record = sound()
    change(record)
    assert faults(record) == []


@pytest.mark.parametrize(("start", "status"), [(0.1, RunStatus.COMPLETED), (3.5, RunStatus.MISSED)])
def test_a_one_shot_has_its_row_also_when_its_moment_passed_while_stopped(start: float, status: RunStatus) -> None:
    definition = {**DEFINITION, "interval": "in 3 seconds"}
    run = row(3, status, **({} if status is RunStatus.COMPLETED else {"created_at": at(3.6), "finished_at": at(3.6)}))
    record = Record(
        requests=[asked("create", 0, **definition), asked("start", start), asked("stop", LENGTH)],
        jobs=[job(0, interval="in 3 seconds")], present={1}, running=False,
        rows=[run], lines=lines(run) if run.started_at else [],
    )  # fmt: skip
    assert faults(record) == []
    record.rows, record.lines = [], []
    assert [finding.category for finding in faults(record)] == ["lost"]


def test_every_rule_finds_something() -> None:
    """A rule that none of these spoilt rounds breaks is not tested."""
    silent = set(RULES)
    for _, _, spoil in FAULTS:
        record = sound()
        spoil(record)
        facts = Facts(record, at(60))
        silent -= {rule for rule in RULES if list(rule(facts))}
    assert not silent


# --- around it ---------------------------------------------------------------------------------


def test_lateness_is_that_of_quiet_times() -> None:
    record = sound()
    record.disturbances.append(Disturbance("lock the store", span(4.9, 1)))
    put(record, 5, started_at=at(5.9), finished_at=at(5.95))
    found = latenesses(Facts(record, at(60)))
    assert len(found) == 10 - 4  # 5 to 8 came in the lock, or too soon after it
    assert set(found) == {3.0}


@pytest.mark.parametrize("store", list(STORE_FAULTS))
def test_a_seed_gives_the_same_plan_again(store: str) -> None:
    assert make_plan(7, 2, store) == make_plan(7, 2, store)
    assert make_plan(7, 2, store) != make_plan(8, 2, store)


def test_plans_are_such_as_can_be_carried_out() -> None:
    for seed in range(200):
        plan = make_plan(seed, 2, "sqlite")
        assert len({task.task_id for task in plan.tasks}) == len(plan.tasks)
        for steps in [*plan.lanes, *(task.steps for task in plan.tasks)]:
            assert [step.at for step in steps] == sorted(step.at for step in steps)
        for task in plan.tasks:
            read_job({**task.fields, "task_id": task.task_id, "start_at": None})


def test_what_is_told_of_findings_and_totals() -> None:
    record = sound()
    take(record, 5)
    record.disturbances.append(kill(4.5, 1))
    said: list[str] = []
    totals = Totals()
    result = RoundResult(3, 9, faults(record), [1.0, 2.0, 3.0], 8.0)
    totals.add(result)
    tell_findings(said.append, result.findings, "replay it", "/the/folder")
    tell_totals(said.append, totals)
    text = "\n".join(said)
    for part in ("LOST", NAME, "kill -9 the worker that fires", "asked: create", "replay it", "/the/folder"):
        assert part in text
    assert [f"{category:13} {int(category == 'lost')}" in text for category in CATEGORIES] == [True] * 4
    assert "p50 2.0 ms, p99 3.0 ms" in text
    assert not totals.clean
