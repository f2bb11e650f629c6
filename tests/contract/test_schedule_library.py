"""The parts of the `schedule` library that the clock leans on, and why its arithmetic is not used."""

from __future__ import annotations

import inspect

import schedule


def test_a_scheduler_runs_a_job_and_cancels_it_by_its_answer() -> None:
    scheduler = schedule.Scheduler()
    job = scheduler.every(1).seconds.do(lambda: schedule.CancelJob)
    scheduler._run_job(job)
    assert scheduler.get_jobs() == []


def test_a_job_has_the_fields_that_an_entry_sets() -> None:
    job = schedule.Job(1, schedule.Scheduler())
    for name in ("next_run", "last_run", "tags", "scheduler", "job_func", "unit"):
        assert hasattr(job, name)


def test_its_scan_looks_at_every_job() -> None:
    """The reason for the heap: the library's own run_pending goes through all jobs."""
    assert "for job in self.jobs" in inspect.getsource(schedule.Scheduler.run_pending)


def test_every_zero_would_never_return() -> None:
    """The reason to validate before the library sees a number: it accepts an interval of nothing."""
    assert schedule.Scheduler().every(0).interval == 0
