"""Describe what people write: a Job, its policies, and where it may stand."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from scheduler.alerts import Expect, Notify
from scheduler.errors import InvalidRequest, Problem, ProblemFound, ProblemsFound, explain, shorten
from scheduler.given_moments import read_moment
from scheduler.spellings import SPELLING_FIELDS, Schedule, read_schedule
from scheduler.task_ids import TaskId

try:
    from tasks import TASK_TYPES
    from tasks.base import BaseTask
    from tasks.sandbox import SandboxRequest
except ImportError as error:  # pragma: no cover - needs a host program with a package of that name
    raise ImportError(
        "the package 'tasks' that was found is not the scheduler's: another 'tasks' stands before it on sys.path"
    ) from error


class Priority(StrEnum):
    """Which of the waiting runs a free worker takes first."""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Overlap(StrEnum):
    """What becomes of a fire time that finds as many runs as may be."""

    SKIP = "skip"
    QUEUE = "queue"


class JobStatus(StrEnum):
    """Where a job stands; `failed`: its rule has ended, and its last run failed."""

    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    DISABLED = "disabled"
    COMPLETED = "completed"
    FAILED = "failed"


class TaskStatus(StrEnum):
    """Where a piece of somebody's work stands, on a board; for programs that keep such work beside their jobs."""

    TODO = "todo"
    IN_PROGRESS = "in_progress"
    IN_REVIEW = "in_review"
    DONE = "done"
    CANCELLED = "cancelled"


MOST_RUNS = 10**9
"""The highest `max_runs`."""


Tag = Annotated[str, Field(min_length=1, max_length=64)]


def _read_grace(seconds: float) -> float:
    if seconds < 0 and seconds != -1:
        text = f"'misfire_grace_time' must be 0 or more, or -1 for no limit, not {seconds:g}"
        # No limit is what a negative number may mean, or a slip of the pen: nothing is suggested.
        raise ProblemFound(Problem("misfire_grace_time", text, seconds, ["a number from 0 up to 1000000000", -1]))
    return seconds


if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass as _ModelMeta
else:  # where pydantic keeps it is its own affair
    _ModelMeta = type(BaseModel)

JobType = Literal["command", "test", "script", "custom", "function", "callable"]
"""What kind of task a job may have. A `callable` is only a program's to define, and is seen by all."""


class _JobMeta(_ModelMeta):
    """Keep checkers from making up an `__init__` of each subclass's fields: theirs, too, takes every spelling."""


class Job(BaseModel, metaclass=_JobMeta):
    """A named definition: what to do, when, and under which terms. Flat, as people write it.

    `timezone` is None until the scheduler fills in its own. Raise pydantic's `ValidationError`
    when made by hand; `read_job` gives Problems instead.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    task_id: TaskId = Field(description="The task's id: 1 to 128 printable characters. Made up when left out.")
    type: Literal["command", "test", "script", "custom", "function"] = Field(description="What kind of task it is.")
    interval: Annotated[Any, WithJsonSchema({"type": "string"})] | None = Field(
        None, description="When: a phrase ('daily at 10:30'), a 5-field cron expression, or an ISO 8601 time."
    )
    schedule: Annotated[Any, WithJsonSchema({"type": "string"})] | None = Field(
        None, description="Another name of `interval`."
    )
    trigger: dict[str, Any] | None = Field(
        None, description='When, as an object: {"type": "interval" | "cron" | "date", ...}.'
    )
    schedule_type: str | None = Field(None, description="hourly, daily, weekly, custom or manual.")
    schedule_config: Annotated[Any, WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "string"}]})] | None = Field(
        None, description="What `schedule_type` needs, as an object or its JSON text."
    )
    command: str | None = Field(None, description="The shell command of type `command`.")
    file_path: str | None = Field(
        None,
        description="The Python script of type `script`; the file or folder of type `test` (optional there).",
    )
    custom_script: str | None = Field(None, description="The Python code of type `custom`.")
    func: str | None = Field(None, description="The Python function of type `function`: package.module.name.")
    args: list[JsonValue] | None = Field(
        None,
        description="$1, $2 ... of a command, arguments of a script, pytest options of a test: texts. "
        "Of a function: any values.",
    )
    kwargs: dict[str, JsonValue] | None = Field(None, description="Arguments of a function by name: any values.")
    name: str | None = Field(None, max_length=200, description="A name for people.")
    description: str | None = Field(None, max_length=10_000, description="What the task is for.")
    tags: list[Tag] = Field(default=[], max_length=50, description="Words to find tasks by.")
    enabled: bool = Field(True, description="Whether fire times are planned.")
    timezone: str | None = Field(None, description="IANA zone of the schedule. Default: the server's.")
    start_at: str | None = Field(
        None, max_length=64, description="ISO 8601 time: the anchor of an interval, the earliest run of other rules."
    )
    until: str | None = Field(
        None, max_length=64, description="ISO 8601 time of the last run at most; a date is its last second."
    )
    max_runs: int | None = Field(
        None,
        ge=1,
        le=MOST_RUNS,
        description="Scheduled runs after which the task is completed; one that waits counts, even if it never begins.",
    )
    jitter_seconds: float = Field(
        0,
        ge=0,
        le=86400,
        allow_inf_nan=False,
        description="Spread of the start: a delay of at most so many seconds, "
        "always the same for a task and never past its next fire time.",
    )
    priority: Priority = Field(
        Priority.MEDIUM, strict=False, description="Which waiting run goes first: urgent, high, medium, low."
    )
    timeout_seconds: float = Field(
        300, gt=0, le=31 * 86400, allow_inf_nan=False, description="Seconds after which a run is ended."
    )
    max_instances: int = Field(
        1,
        ge=1,
        le=1000,
        description="Runs of the task at a time, waiting ones included; a fire time beyond is skipped.",
    )
    overlap: Overlap = Field(
        Overlap.SKIP, strict=False, description="What a fire time beyond `max_instances` does: skip, or queue."
    )
    max_retries: int = Field(0, ge=0, le=100, description="Further attempts after one that failed or timed out.")
    retry_delay_seconds: float = Field(
        10, ge=0, le=3600, allow_inf_nan=False, description="Seconds before the first further attempt."
    )
    retry_backoff: float = Field(
        2, ge=1, le=100, allow_inf_nan=False, description="By how much each delay is longer than the one before."
    )
    misfire_grace_time: Annotated[float, AfterValidator(_read_grace)] = Field(
        60,
        le=10**9,
        allow_inf_nan=False,
        json_schema_extra={"minimum": -1},
        description="Seconds that a fire time may be late (less than 1 counts as 1); -1: no limit.",
    )
    coalesce: bool = Field(True, description="Whether several late fire times become one run of the newest.")
    catch_up: bool = Field(False, description="Whether fire times past their grace run all the same.")
    at_least_once: bool = Field(False, description="Whether a run that the server died under is run again.")
    remove_when_done: bool = Field(False, description="Whether the task is removed when its rule has ended.")
    env: dict[str, str] = Field(default={}, description="Environment variables for the run.")
    sandbox: SandboxRequest | None = Field(
        None,
        description="What the task asks for less than the server allows: read, write, network, memory_mb, "
        "cpu_seconds, processes.",
    )
    notify: Notify | None = Field(
        None,
        description="Who is told what: on, to, every_minutes, late_after_seconds, subject, body. "
        "Default: the server's (SCHEDULER_NOTIFY_DEFAULT).",
    )
    expect: Expect | None = Field(
        None, description="What is alarmed of when it stays away: every, min_runs, max_duration_seconds."
    )
    working_directory: str | None = Field(
        None, description="Where it runs, inside the allowed directories. Default: the first of them."
    )

    def __init__(self, /, **fields: Any) -> None:
        super().__init__(**_spelled_out(fields))

    # What is read from JSON goes past the spellings of Python: there every field has its documented name.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    def __setattr__(self, name: str, value: Any) -> None:
        if type(self) in (Job, CallableJob) or name in type(self).model_fields:
            super().__setattr__(name, value)
        else:  # what people's own kinds of jobs keep beside their definition
            object.__setattr__(self, name, value)

    @property
    def id(self) -> str:
        """Another name of `task_id`."""
        return self.task_id

    @model_validator(mode="after")
    def _check_task(self) -> Job:
        problems = _task_problems(self)
        if problems:
            raise ProblemFound(problems[0]) if len(problems) == 1 else ProblemsFound(problems)
        return self

    @property
    def task(self) -> BaseTask:
        """What the job does."""
        return TASK_TYPES[self.type].model_validate(_task_fields(self))

    def definition(self) -> dict[str, Any]:
        """Return all that defines the job, after defaults, as plain JSON values: equal for equal jobs."""
        return self.model_dump(mode="json", include=self._defining() - {"task_id"}, exclude_none=True)

    @classmethod
    def _defining(cls) -> set[str]:
        """Return the fields that define a job, which those of people's own kinds of jobs do not."""
        return set(Job.model_fields)


class CallableJob(Job):
    """A job that calls a function of the program that made it; only Python can define one.

    `function` says where the function stands, for people: what is called is whatever the process that fires has
    registered under the job's id.
    """

    type: Literal["callable"] = Field("callable", description="What kind of task it is.")  # type: ignore[assignment]
    function: str = Field(min_length=1, max_length=1000, description="Module and name of the function.")

    @property
    def task(self) -> BaseTask:
        """Nothing that could be carried out by itself."""
        raise TypeError(f"'{self.task_id}' calls a function of the program that made it, and has no task of its own")

    @model_validator(mode="after")
    def _check_task(self) -> CallableJob:
        given = [name for name in (*_TASK_FIELDS, "env", "working_directory", "sandbox") if getattr(self, name)]
        problems = [_foreign(name, getattr(self, name), self.type, ["function"]) for name in given]
        if problems:
            raise ProblemsFound(problems)
        return self

    @classmethod
    def _defining(cls) -> set[str]:
        return set(CallableJob.model_fields)


_TASK_FIELDS = ("command", "file_path", "custom_script", "func", "args", "kwargs")


def _task_fields(job: Job) -> dict[str, Any]:
    sent = {name: getattr(job, name) for name in _TASK_FIELDS}
    return {"type": job.type, **{name: value for name, value in sent.items() if value is not None}}


def _task_problems(job: Job) -> list[Problem]:
    """Say which of the task's fields are missing, empty, or belong to another type of task."""
    kind = TASK_TYPES[job.type]
    problems = []
    for name in _TASK_FIELDS:
        value, spec = getattr(job, name), kind.model_fields.get(name)
        if spec is None and value is not None:
            takes = [field for field in kind.model_fields if field != "type"]
            problems.append(_foreign(name, value, job.type, takes))
        elif spec is not None and spec.is_required() and value is None:
            problems.append(
                Problem(name, f"'{name}' is required for a task of type '{job.type}'", code="missing_field")
            )
        elif spec is not None and spec.is_required() and not str(value).strip():
            problems.append(Problem(name, f"'{name}' is empty", value))
    if problems:
        return problems
    try:
        kind.model_validate(_task_fields(job))
    except ValidationError as error:
        return [_with_text(problem) for problem in explain(error, kind)]
    return []


def _with_text(problem: Problem) -> Problem:
    """Say that an argument must be a text, which the field does not tell: a function takes any."""
    if not problem.field.startswith("args."):
        return problem
    written = isinstance(problem.got, int | float) and not isinstance(problem.got, bool)
    return replace(problem, accepted=["a string"], suggestion=str(problem.got) if written else None)


def _foreign(name: str, value: Any, kind: str, takes: list[str]) -> Problem:
    listed = ", ".join(f"'{field}'" for field in takes)
    text = f"'{name}' does not belong to a task of type '{kind}', which takes {listed}"
    return Problem(name, text, shorten(value), takes, code="unknown_field")


_TYPE_OF = {"command": "command", "custom_script": "custom", "func": "function"}


def _spelled_out(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Give what people write in Python the names that it has in JSON: `id`, `task` as an object, no `type`."""
    given = dict(fields)
    if "id" in given and "task_id" not in given:
        given["task_id"] = given.pop("id")
    if isinstance(task := given.get("task"), BaseTask):
        del given["task"]
        given = task.model_dump(mode="json", exclude_unset=True) | {"type": task.type} | given
    if "type" not in given:
        said = [name for name in _TYPE_OF if given.get(name) is not None]
        if len(said) == 1 and given.get("file_path") is None:
            given["type"] = _TYPE_OF[said[0]]
    given.setdefault("task_id", f"{given.get('type', 'task')}-{secrets.token_hex(4)}")
    return given


WHEN_FIELDS = (*SPELLING_FIELDS, "start_at", "until")
"""The fields that say when, beside `timezone`."""


def read_when(fields: Mapping[str, Any], zone: ZoneInfo, anchor: datetime) -> Schedule:
    """Read the schedule that WHEN_FIELDS mean, counted from `anchor`; raise `InvalidRequest`."""
    problems: list[Problem] = []
    limits: dict[str, datetime | None] = {}
    for name in ("start_at", "until"):
        try:
            text = fields.get(name)
            limits[name] = None if text is None else read_moment(text, name, zone, now=anchor, end=name == "until")
        except InvalidRequest as error:
            problems.extend(error.problems)
    if problems:
        raise InvalidRequest(problems)
    spelling = {name: fields.get(name) for name in SPELLING_FIELDS}
    try:
        return read_schedule(spelling, zone=zone, now=anchor, **limits)
    except InvalidRequest as error:
        raise InvalidRequest([_as_sent(problem, fields) for problem in error.problems]) from error


def _as_sent(problem: Problem, fields: Mapping[str, Any]) -> Problem:
    """Return the problem with what was sent for its field, where it does not tell that yet."""
    value: Any = fields
    for name in problem.field.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return problem if problem.got is not None else replace(problem, got=shorten(value))


def read_job(fields: Mapping[str, Any], model: type[Job] = Job) -> Job:
    """Make a Job of what a person sent; an explicit null is an absent field.

    Raise `InvalidRequest` with every problem at once.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        raise InvalidRequest(explain(error, model)) from error


@lru_cache(maxsize=1)
def job_fields() -> tuple[str, ...]:
    """Return the names of all fields that a definition may have."""
    return tuple(Job.model_fields)


def utc_now() -> datetime:
    """Return the present as an aware UTC datetime; the default of every `now` that is handed around."""
    return datetime.now(UTC)
