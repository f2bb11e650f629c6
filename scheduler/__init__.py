"""Schedule tasks: what, when and under which terms."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from scheduler.config import SchedulerConfig
    from scheduler.cron import validate_cron_expression
    from scheduler.cron_arguments import parse_cron_expression
    from scheduler.errors import SchedulerError
    from scheduler.models import Job, JobStatus, Priority, TaskStatus
    from scheduler.results import JobResult
    from scheduler.run import Run, RunStatus
    from scheduler.task_scheduler import TaskScheduler

__all__ = [
    "Job",
    "JobResult",
    "JobStatus",
    "Priority",
    "Run",
    "RunStatus",
    "SchedulerConfig",
    "SchedulerError",
    "TaskScheduler",
    "TaskStatus",
    "parse_cron_expression",
    "validate_cron_expression",
]

# A name is imported when it is asked for: every command of the shell comes through here, and few need a database.
_HOMES = {
    "Job": "models",
    "JobResult": "results",
    "JobStatus": "models",
    "Priority": "models",
    "Run": "run",
    "RunStatus": "run",
    "SchedulerConfig": "config",
    "SchedulerError": "errors",
    "TaskScheduler": "task_scheduler",
    "TaskStatus": "models",
    "parse_cron_expression": "cron_arguments",
    "validate_cron_expression": "cron",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'scheduler' has no attribute '{name}'")
    return getattr(importlib.import_module(f"scheduler.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
