"""Everything that a job can do. Tasks know what to run and nothing of when."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tasks.base import BaseTask, Refusal, Sandbox, TaskRefused, TaskResult, TestCounts
from tasks.command import CommandTask
from tasks.function import FunctionTask
from tasks.inline_code import CustomTask
from tasks.pytest_run import TestTask
from tasks.script import ScriptTask

__all__ = [
    "TASK_TYPES",
    "BaseTask",
    "CommandTask",
    "CustomTask",
    "FunctionTask",
    "Refusal",
    "Sandbox",
    "ScriptTask",
    "Task",
    "TaskRefused",
    "TaskResult",
    "TestCounts",
    "TestTask",
]

Task = Annotated[CommandTask | TestTask | ScriptTask | CustomTask | FunctionTask, Field(discriminator="type")]

TASK_TYPES: dict[str, type[BaseTask]] = {
    "command": CommandTask,
    "test": TestTask,
    "script": ScriptTask,
    "custom": CustomTask,
    "function": FunctionTask,
}
