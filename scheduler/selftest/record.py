"""Hold what happened in a round: what was asked, done to the server, left in the ledger, and seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from scheduler.run import Run
from scheduler.stored_job import StoredJob

Category = Literal["lost", "doubled", "unaccounted", "orphans"]
CATEGORIES: tuple[Category, ...] = ("lost", "doubled", "unaccounted", "orphans")
Outcome = Literal["done", "refused", "unanswered"]


class Span(NamedTuple):
    """From a moment to a later one."""

    began: datetime
    ended: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that was asked of the server, tried until there was an answer.

    It took effect, if it did, within `when`: from the first try that may have reached the server to
    the answer. `faults` are answers that a server should never give.
    """

    action: str
    task_id: str | None
    fields: Mapping[str, Any]
    when: Span
    outcome: Outcome
    answer: Mapping[str, Any]
    faults: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Disturbance:
    """Something that was done to the server, until the server was seen to be well again.

    `cuts_off` says that runs under way may have been cut off by it.
    """

    what: str
    when: Span
    cuts_off: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of evidence that a run wrote about itself, at its start or at its end."""

    kind: Literal["start", "end"]
    task_id: str
    run_id: str
    scheduled_for: str
    attempt: int
    pid: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A process that carries a run's id, and when it was last seen alive."""

    run_id: str
    pid: int
    last_seen: datetime
    command: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that must not be, with what is needed to look into it."""

    category: Category
    text: str
    details: Sequence[str] = ()
    at: datetime | None = None


@dataclass(slots=True)
class Record:
    """All of one round. `present` holds the keys of the jobs that were not removed."""

    requests: list[Request] = field(default_factory=list)
    disturbances: list[Disturbance] = field(default_factory=list)
    jobs: list[StoredJob] = field(default_factory=list)
    present: set[int] = field(default_factory=set)
    running: bool | None = None
    rows: list[Run] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
