"""Follow files of jobs: read, compare with what is kept, plan, apply, and watch for the next change."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from scheduler.jobsfiles.entry import JobEntry, file_schema
from scheduler.jobsfiles.plan import Change, Plan, plan
from scheduler.jobsfiles.reading import Entry, FileProblem, Reading, Source, read_jobs, read_sources

if TYPE_CHECKING:
    from scheduler.jobsfiles.applying import apply

__all__ = [
    "Change",
    "Entry",
    "FileProblem",
    "JobEntry",
    "Plan",
    "Reading",
    "Source",
    "apply",
    "file_schema",
    "plan",
    "read_jobs",
    "read_sources",
]


def __getattr__(name: str) -> Any:
    # Imported when it is asked for: files are checked from a shell, too, which needs no database.
    if name != "apply":
        raise AttributeError(f"module 'scheduler.jobsfiles' has no attribute '{name}'")
    return importlib.import_module("scheduler.jobsfiles.applying").apply
