"""Describe what each action takes. `help` is made from these models, so it cannot drift from them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema, model_validator

from scheduler.alerts import Written
from scheduler.errors import Problem, ProblemFound
from scheduler.models import Job, JobType
from scheduler.task_ids import TaskId

OVERRIDE = "Change a task that a file defines, until its entry there changes."


def _cursor(pattern: str) -> AfterValidator:
    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ProblemFound(
                Problem(
                    "cursor",
                    "'cursor' must be the 'next_cursor' of an answer, unchanged; leave it out for the first page",
                    text[:200],
                    ["the 'next_cursor' of an answer"],
                )
            )
        return text

    return AfterValidator(check)


_OBJECT = {"type": "object"}
_OBJECTS = {"type": "array", "items": _OBJECT}
Limit = Annotated[int, Field(ge=1, le=10_000, description="Rows at most.")]
Cursor = Annotated[str, Field(max_length=200)]
KeyCursor = Annotated[Cursor, _cursor("[0-9]{1,18}")]
RunCursor = Annotated[Cursor, _cursor("[0-9a-hjkmnp-tv-z]{26}")]
# A database may take no NUL, not even to look for it.
RunId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00]+$", description="The run's id.")]
Id = Annotated[TaskId, Field(description="The task's id.")]


class Request(BaseModel):
    """The base of all requests: strict types, no unknown fields."""

    model_config = ConfigDict(extra="forbid", strict=True)

    action: str = Field(description="What to do.")


class Nothing(Request):
    """A request that takes no field."""


class Create(Job):
    """Everything that defines a task."""

    action: str = Field(description="What to do.")
    task_id: TaskId | None = Field(  # type: ignore[assignment]
        None, description="The task's id: 1 to 128 printable characters. Made up when left out."
    )
    replace: bool = Field(False, description="Replace a task of that id that has another definition.")
    override: bool = Field(False, description=OVERRIDE)


class Update(Request):
    """The id of a task, and any fields of `create` that shall change."""

    model_config = ConfigDict(extra="allow")

    task_id: Id
    override: bool = Field(False, description=OVERRIDE)

    @classmethod
    def model_json_schema(cls, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the schema with the fields of `create`: the scheduler, which knows the task, reads them."""
        own, create = super().model_json_schema(*args, **kwargs), Create.model_json_schema(*args, **kwargs)
        del create["properties"]["replace"]
        properties = create["properties"] | own["properties"]
        return own | {"properties": properties, "$defs": create.get("$defs", {}), "additionalProperties": False}


class List(Request):
    """Which tasks to list, and how many."""

    type: JobType | None = Field(None, description="Only tasks of that type; `callable`: functions of a program.")
    tag: str | None = Field(None, max_length=64, description="Only tasks with that tag.")
    enabled: bool | None = Field(None, description="Only tasks that are enabled, or only those that are not.")
    search: str | None = Field(None, max_length=200, description="Only tasks that have this text in id, name or words.")
    limit: Limit = 1000
    cursor: KeyCursor | None = Field(None, description="`next_cursor` of the page before.")


class OneTask(Request):
    """The id of a task."""

    task_id: Id


class ChangedTask(OneTask):
    """The id of a task that is changed."""

    override: bool = Field(False, description=OVERRIDE)


class RunNow(OneTask):
    """The id of a task to run at once."""

    wait: bool = Field(False, description="Answer when the run has ended.")
    wait_seconds: float = Field(60, gt=0, le=300, description="How long to wait at most.")
    force: bool = Field(False, description="Run it even beyond `max_instances`.")


class Cancel(Request):
    """The id of a run, or of a task whose runs shall all end."""

    run_id: RunId | None = Field(None, description="The run that shall end.")
    task_id: TaskId | None = Field(None, description="The task whose runs shall end.")

    @model_validator(mode="after")
    def _check_one(self) -> Cancel:
        accepted = ["run_id", "task_id"]
        if self.run_id is None and self.task_id is None:
            text = "'run_id' or 'task_id' is required: which run, or the runs of which task, shall end"
            raise ProblemFound(Problem("task_id", text, None, accepted, code="missing_field"))
        if self.run_id is not None and self.task_id is not None:
            text = "send either 'run_id' or 'task_id', not both"
            raise ProblemFound(Problem("task_id", text, self.task_id, accepted))
        return self


class Runs(Request):
    """Which rows of the ledger to list, newest first."""

    task_id: TaskId | None = Field(None, description="Only runs of that task.")
    run_status: (
        Literal[
            "queued",
            "running",
            "completed",
            "failed",
            "timeout",
            "cancelled",
            "interrupted",
            "skipped",
            "missed",
        ]
        | None
    ) = Field(None, description="Only runs with that status.")
    run_trigger: Literal["schedule", "manual", "retry", "catch_up"] | None = Field(
        None, description="Only runs that were asked for so."
    )
    since: str | None = Field(None, max_length=64, description="Only runs scheduled for that ISO 8601 time or later.")
    limit: Limit = 1000
    cursor: RunCursor | None = Field(None, description="`next_cursor` of the page before.")


class Output(Request):
    """Which part of a run's output to read."""

    run_id: RunId
    stream: Literal["stdout", "stderr", "both"] = Field("both", description="Which stream.")
    tail: int | None = Field(None, ge=1, le=1_000_000, description="Only so many lines from the end.")
    offset: int | None = Field(
        None, ge=0, le=2**63 - 1, description="Only what follows so many bytes of one named stream."
    )

    @model_validator(mode="after")
    def _check_part(self) -> Output:
        if self.offset is not None and self.tail is not None:
            text = "send either 'offset' or 'tail', not both"
            raise ProblemFound(Problem("tail", text, self.tail, ["offset", "tail"]))
        if self.offset is not None and self.stream == "both":
            text = "'offset' counts bytes of one stream: name it in 'stream'"
            raise ProblemFound(Problem("stream", text, self.stream, ["stdout", "stderr"], "stdout"))
        return self


class Preview(Request):
    """A schedule in any accepted form."""

    interval: Any = Field(
        None, description="When: a phrase ('daily at 10:30'), a 5-field cron expression, or an ISO 8601 time."
    )
    schedule: Any = Field(None, description="Another name of `interval`.")
    trigger: dict[str, Any] | None = Field(None, description="When, as an object.")
    schedule_type: str | None = Field(None, description="hourly, daily, weekly, custom or manual.")
    schedule_config: Annotated[Any, WithJsonSchema({"anyOf": [_OBJECT, {"type": "string"}]})] | None = Field(
        None, description="What `schedule_type` needs, as an object or its JSON text."
    )
    timezone: str | None = Field(None, description="IANA zone. Default: the server's.")
    after: str | None = Field(None, max_length=64, description="ISO 8601 time that stands for the present.")
    count: int = Field(5, ge=1, le=1000, description="How many fire times to answer.")


class Deliveries(Request):
    """Which notifications to list, newest first."""

    task_id: TaskId | None = Field(None, description="Only those about that task.")
    run_id: RunId | None = Field(None, description="Only those about that run.")
    state: Literal["waiting", "delivered", "failed"] | None = Field(
        None, description="Only those that still wait, were delivered, or were given up."
    )
    limit: Limit = 1000
    cursor: RunCursor | None = Field(None, description="`next_cursor` of the page before.")


class TestNotification(Request):
    """Where to send a test message."""

    __test__ = False  # no test of pytest's

    target: Written = Field(description="A target as in `notify.to`.")


class Explain(OneTask):
    """A task, and the moment that the question is about."""

    at: str | None = Field(None, max_length=64, description="ISO 8601 time of the run that is asked about.")


class Export(Request):
    """Which definitions to write down."""

    tasks: list[TaskId] | None = Field(None, description="Ids of the tasks. Default: all.")
    progress: bool = Field(False, description="Say, too, how many runs have been made of those of `max_runs`.")


class Import(Request):
    """A document of definitions, or a list of them."""

    tasks: Annotated[Any, WithJsonSchema({"anyOf": [_OBJECT, _OBJECTS]})] = Field(
        description="The `document` of an `export`, or a list: fields of `create`, `paused`, `anchor`, `fired`."
    )
    replace: bool = Field(False, description="Replace tasks of the same ids that have other definitions.")
    override: bool = Field(False, description="Change tasks that files define, until their entries there change.")
    dry_run: bool = Field(False, description="Say what would be done; change nothing.")


class Help(Request):
    """What to explain."""

    topic: str | None = Field(None, max_length=100, description="An action, 'phrases' or 'errors'.")
