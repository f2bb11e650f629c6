"""The names that programs import; taking one away breaks somebody."""

from __future__ import annotations

import scheduler


def test_public_names() -> None:
    assert {
        "Job", "JobResult", "JobStatus", "Priority", "Run", "RunStatus", "SchedulerConfig", "SchedulerError",
        "TaskScheduler", "TaskStatus", "parse_cron_expression", "validate_cron_expression",
    } == set(scheduler.__all__)  # fmt: skip
    assert all(getattr(scheduler, name).__doc__ for name in scheduler.__all__)


def test_cron_helpers() -> None:
    assert scheduler.validate_cron_expression("0 2 * * *") == (True, None)
    valid, reason = scheduler.validate_cron_expression("60 * * * *")
    assert not valid
    assert "60" in str(reason)
    fields = {"minute": "0", "hour": "2", "day": "*", "month": "*", "day_of_week": "*"}
    assert scheduler.parse_cron_expression("0 2 * * *") == fields
