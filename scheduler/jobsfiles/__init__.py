"""Follow files of jobs: read, compare with what is kept, plan, apply, and watch for the next change."""

from scheduler.jobsfiles.applying import apply
from scheduler.jobsfiles.entry import JobEntry, file_schema
from scheduler.jobsfiles.plan import Change, Plan, plan
from scheduler.jobsfiles.reading import Entry, FileProblem, Reading, Source, read_jobs, read_sources

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
