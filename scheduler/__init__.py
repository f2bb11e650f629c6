"""Schedule tasks: what, when and under which terms."""

from scheduler.config import SchedulerConfig
from scheduler.cron import parse_cron_expression, validate_cron_expression
from scheduler.errors import SchedulerError
from scheduler.models import Job, JobStatus, Priority, Run, RunStatus
from scheduler.task_scheduler import TaskScheduler

__all__ = [
    "Job",
    "JobStatus",
    "Priority",
    "Run",
    "RunStatus",
    "SchedulerConfig",
    "SchedulerError",
    "TaskScheduler",
    "parse_cron_expression",
    "validate_cron_expression",
]
