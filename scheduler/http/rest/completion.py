"""Complete paths for forms: what lies in the allowed directories."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from scheduler.http import requests
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.task_scheduler import TaskScheduler
from tasks.sandbox.paths import MAX_PATH_BYTES


class PathsQuery(requests.Request):
    """How the path begins."""

    prefix: str = Field(
        "",
        max_length=MAX_PATH_BYTES,
        description="How the path begins; one that is not absolute starts at the first allowed directory.",
    )


def read_paths(service: TaskScheduler, asked: PathsQuery) -> dict[str, Any]:
    """Return what the path may become."""
    offered = service.complete_path(asked.prefix)
    kinds = {True: "directory", False: "file"}
    return {
        "paths": [{"path": each.path, "kind": kinds[each.is_directory]} for each in offered.found],
        "truncated": not offered.is_whole,
    }


def list_paths(call: Call) -> Answer:
    """Say how a path may go on."""
    return Answer(200, call.perform(read_paths))
