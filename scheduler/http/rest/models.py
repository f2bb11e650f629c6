"""Describe what the REST routes answer. The document at /openapi.json is made from these models."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from scheduler.models import JobStatus, JobType, Priority
from scheduler.run import Origin, RunStatus


class Shown(BaseModel):
    """The base of all answers: further fields may be there, and more may come."""

    model_config = ConfigDict(extra="allow", json_schema_serialization_defaults_required=False)


class RunShown(Shown):
    """One row of the ledger: what became of one fire time, or of one request to run a task."""

    run_id: str
    task_id: str
    scheduled_for: str = Field(description="The fire time: ISO 8601.")
    started_at: str | None
    finished_at: str | None
    lateness_ms: float | None
    duration_ms: float | None
    attempt: int
    trigger: Origin
    status: RunStatus
    exit_code: int | None
    signal: str | None
    reason: str | None
    hint: str | None
    truncated: bool
    sandbox: Any
    usage: Any
    stdout: str = Field(description="What it wrote: start and end where that is long. /log has all that is kept.")
    stderr: str


class TaskShown(Shown):
    """A task: its definition, and where it stands. Beside the fields below stand those of its definition."""

    id: str = Field(description="The task's id.")
    type: JobType
    interval: str = Field(description="When, as it was sent; in words where that was no phrase.")
    command: str | None
    file_path: str | None
    custom_script: str | None
    next_run: str | None = Field(description="Local time of the next run; null where none is planned.")
    created_at: str
    next_run_at: str | None = Field(description="The same moments in ISO 8601, with offset.")
    created_at_iso: str
    updated_at: str
    updated_at_iso: str
    created_by: str
    state: JobStatus
    schedule_description: str
    kind: Literal["interval", "calendar", "cron", "once", "manual"]
    name: str | None
    description: str | None
    args: list[Any] | None
    working_directory: str | None
    enabled: bool
    timezone: str
    priority: Priority
    tags: list[str]
    env: dict[str, str]
    timeout_seconds: float
    max_instances: int
    max_retries: int
    hint: str | None = Field(None, description="There where the scheduler is stopped.")
    last_run: RunShown | None = Field(None, description="Of one task alone, not in lists nor after a change.")
    next_runs: list[str] | None = Field(None, description="Of one task alone: the next 5 times.")


class TaskPage(Shown):
    """Some of the tasks, in the order they were made."""

    tasks: list[TaskShown]
    count: int = Field(description="How many match in all.")
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end.")
    hint: str | None = Field(None, description="There where the scheduler is stopped.")


class RunPage(Shown):
    """Some of the runs, newest first."""

    runs: list[RunShown]
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end.")


class DeliveryShown(Shown):
    """One message to one target, and what has become of it."""

    delivery_id: str
    task_id: str
    run_id: str | None = Field(description="The run it tells of; null where it tells of none.")
    kind: str
    target: str = Field(description="Where it goes, without what may be secret.")
    subject: str
    count: int = Field(description="How many occasions it tells of.")
    state: Literal["waiting", "delivered", "failed", "superseded"]
    attempts: int
    created_at: str
    next_attempt_at: str | None
    finished_at: str | None
    error: str | None


class DeliveryPage(Shown):
    """Some of the notifications, newest first."""

    deliveries: list[DeliveryShown]
    next_cursor: str | None = Field(description="`cursor` of the next page; null at the end.")


class TriedShown(Shown):
    """What came of a test message."""

    status: Literal["success"]
    message: str
    delivery_id: str
    target: str
    delivered: bool
    answer: str = Field(description="What the other end said, or why it could not be reached.")
    seconds: float


class ScheduleShown(Shown):
    """When a task runs. Beside the fields below stand those that the schedule was given by."""

    task_id: str
    interval: str
    description: str
    kind: Literal["interval", "calendar", "cron", "once", "manual"]
    timezone: str
    next_run: str | None
    next_run_at: str | None
    next_runs: list[str]


class PathShown(BaseModel):
    """A path as it may be written on."""

    path: str = Field(description="That of a directory ends in a slash.")
    kind: Literal["directory", "file"]


class PathsShown(Shown):
    """How a path may go on."""

    paths: list[PathShown]
    truncated: bool = Field(description="Whether there are more.")


class CancelledRuns(Shown):
    """The runs that were ended, with all their processes."""

    cancelled: list[str]


class Said(Shown):
    """What was done: `info` where nothing had to be."""

    status: Literal["success", "info"]
    message: str


class ActionAnswer(Shown):
    """What an action answers. Further fields are those of the action."""

    status: Literal["success", "info"]
    message: str | None = None


class PreviewShown(Said):
    """What a schedule means."""

    next_runs: list[str]
    description: str
    kind: Literal["interval", "calendar", "cron", "once", "manual"]
    timezone: str


class StatusShown(Said):
    """How the scheduler is doing."""

    state: Literal["running", "stopped"] | None
    counts: dict[str, Any]
    queue: dict[str, Any]
    running: list[dict[str, Any]]
    version: str


class Durations(BaseModel):
    """How long runs took, in milliseconds."""

    p50: float | None
    p95: float | None
    max: float | None


class Figures(BaseModel):
    """How runs went. `success_rate` is of those that completed, failed, timed out or were interrupted."""

    runs: int
    by_status: dict[str, int]
    success_rate: float | None


class DayFigures(Figures):
    """How the runs of a day went."""

    day: str


class TaskFigures(Figures):
    """How the runs of a task went."""

    task_id: str
    duration_ms: Durations


class StatsShown(Figures):
    """How runs went of late. Overall durations are of the newest 20,000 runs; the tasks shown share as many."""

    since: str
    timezone: str
    duration_ms: Durations
    by_day: list[DayFigures]
    tasks: list[TaskFigures] = Field(description="Those that failed most often first, up to `limit`.")
    task_count: int = Field(description="How many tasks had runs.")


class TimelineTask(BaseModel):
    """A task, and how many of its runs began in the span and ended; `troubled`: failed, timed out, cut off, missed."""

    task_id: str
    tags: list[str]
    state: JobStatus
    runs: int
    troubled: int


class TimelineShown(Shown):
    """All tasks, in the order they were made. Times are in UTC."""

    since: str
    until: str
    now: str = Field(description="What time the service has.")
    tasks: list[TimelineTask]


class Bar(BaseModel):
    """One run, or several that lie within one slot: then status and id are those of the one that went worst."""

    start: str
    end: str | None = Field(description="null: it waits or goes on.")
    status: RunStatus
    run_id: str
    count: int


class LaneShown(BaseModel):
    """What lies on the line of a task."""

    task_id: str
    bars: list[Bar]
    planned: list[str] = Field(description="When it fires next: one a slot, and 60 at most.")


class LanesShown(Shown):
    """The lines of the tasks that were asked for and exist. Times are in UTC."""

    since: str
    until: str
    now: str = Field(description="What time the service has.")
    lanes: list[LaneShown]


class CalendarDay(BaseModel):
    """One day of a task's year."""

    day: str
    runs: int = Field(description="Fire times that have a row, each counted once.")
    by_status: dict[str, int]
    duration_ms: dict[str, float | None] = Field(description="`mean` and `max` of those that ran.")
    planned: int = Field(description="Fire times still to come.")
    planned_more: bool = Field(description="Whether more are to come than were counted.")


class CalendarClockChange(BaseModel):
    """A moment at which the clocks of the task's zone are set."""

    day: str
    at: str
    minutes: float = Field(description="How far the clocks are put forward; negative: back.")


class CalendarShown(Shown):
    """A year of a task."""

    task_id: str
    year: int
    timezone: str
    today: str
    created_at: str
    kept_since: str
    days: list[CalendarDay]
    clock_changes: list[CalendarClockChange]


class ChangedField(BaseModel):
    """One field of a definition; null: it was not there. What is secret is "(hidden)"."""

    field: str
    old: Any
    new: Any


class ChangeShown(BaseModel):
    """One change of a task."""

    at: str
    by: str | None = Field(description="Who made it; null: the scheduler itself.")
    kind: Literal["updated", "paused", "resumed", "removed"]
    fields: list[ChangedField]


class ChangePage(Shown):
    """Some of the changes, newest first."""

    changes: list[ChangeShown]
    next_cursor: int | None = Field(description="`cursor` of the next page; null at the end.")


class Health(BaseModel):
    """Whether the service is alive, and why not."""

    status: Literal["ok", "degraded"]
    reasons: list[str]
    version: str


class Readiness(BaseModel):
    """Whether the service can do what it is for, and why not."""

    status: Literal["ok", "not ready"]
    reasons: list[str]
    version: str


class ProblemShown(BaseModel):
    """One thing that is wrong with a request, and what would be right."""

    field: str
    message: str
    got: Any
    accepted: list[Any]
    suggestion: Any


class ExampleRequest(BaseModel):
    """A whole request that works."""

    method: str
    path: str
    body: dict[str, Any] | None = None


class ErrorShown(Shown):
    """Why a request was refused. Every 400 has `problems` and `example`."""

    status: Literal["error"]
    code: str = Field(description="A stable word.")
    message: str = Field(description="What was wrong, what is accepted, and the nearest valid value.")
    problems: list[ProblemShown] | None = None
    example: ExampleRequest | dict[str, Any] | None = None
