"""Schedule tasks: what, when and under which terms."""

from scheduler.config import SchedulerConfig
from scheduler.cron import parse_cron_expression, validate_cron_expression
from scheduler.errors import SchedulerError
from scheduler.models import Job, JobStatus, Priority, Run, RunStatus, TaskStatus
from scheduler.results import JobResult
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
