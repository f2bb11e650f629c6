"""Find the tasks of a page: filtered and sorted by more than lists are, and how each went of late. Reads only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Text,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from scheduler.models import JobStatus
from scheduler.run import RunStatus
from scheduler.store.jobs import JobFilter
from scheduler.store.stats import FAILED
from scheduler.store.tables import IS_ACTIVE, IS_ENDED, jobs, runs

OUTCOMES = 30
SORTS = ("name", "next", "last", "state", "type")
BY_CALLS = "api"


@dataclass(frozen=True, slots=True)
class TableQuery:
    """Which tasks, and in which order; a field that is None does not narrow. `origin` is BY_CALLS, or a file."""

    search: str | None = None
    state: JobStatus | None = None
    type: str | None = None
    tag: str | None = None
    origin: str | None = None
    last: RunStatus | None = None
    sort: str = "name"
    descending: bool = False


class Found(NamedTuple):
    """One task of a page: where it stands, and its newest run that has ended."""

    task_id: str
    state: JobStatus
    last_run_id: str | None


class Outcome(NamedTuple):
    """What is shown of a run in a strip."""

    task_id: str
    run_id: str
    status: str


class Facets(NamedTuple):
    """What tasks can be told apart by: the tags that they have, and the files that define some."""

    tags: list[str]
    origins: list[str]


# Runs go by the name of their task: one that was removed and is back has the runs that it had.
_LAST = (
    select(runs.c.run_id)
    .where(runs.c.task_id == jobs.c.task_id, IS_ENDED)
    .order_by(runs.c.run_id.desc())
    .limit(1)
    .correlate(jobs)
    .scalar_subquery()
)
_LAST_STARTED = (
    select(runs.c.status)
    .where(runs.c.job_key == jobs.c.key, runs.c.started_at.is_not(None))
    .order_by(runs.c.scheduled_for.desc(), runs.c.attempt.desc())
    .limit(1)
    .correlate(jobs)
    .scalar_subquery()
)
_GOING = exists().where(runs.c.job_key == jobs.c.key, IS_ACTIVE, runs.c.status == "running").correlate(jobs)
_STATE = case(
    (_GOING, JobStatus.RUNNING.value),
    (jobs.c.enabled == false(), JobStatus.DISABLED.value),
    (jobs.c.paused == true(), JobStatus.PAUSED.value),
    (
        and_(jobs.c.ended == true(), _LAST_STARTED.in_([status.value for status in FAILED])),
        JobStatus.FAILED.value,
    ),
    (jobs.c.ended == true(), JobStatus.COMPLETED.value),
    else_=JobStatus.PENDING.value,
)
"""The same as scheduler.standing says of one task."""


class _Lowered(FunctionElement[str]):
    """A text with its letters from A to Z lowered, to be sorted by its bytes: alike in every database and language."""

    inherit_cache = True
    type = Text()


@compiles(_Lowered)
def _lower(element: _Lowered, compiler: SQLCompiler, **how: Any) -> str:
    return f"lower({compiler.process(element.clauses, **how)})"


@compiles(_Lowered, "postgresql")
def _lower_bytes(element: _Lowered, compiler: SQLCompiler, **how: Any) -> str:
    return f'lower({compiler.process(element.clauses, **how)} COLLATE "C")'


_IS_GONE = type_coerce(func.coalesce(jobs.c.filed, ""), Text).contains('"gone":true')
_IS_FILED = and_(jobs.c.origin.is_not(None), not_(_IS_GONE))


def page(connection: Connection, which: TableQuery, offset: int, limit: int) -> list[Found]:
    """Return up to `limit` of the tasks that match, behind the first `offset`."""
    query = _matching(which, jobs.c.task_id, _STATE, _LAST)
    ordered = query.order_by(*_order(which), jobs.c.key).offset(offset).limit(limit)
    return [Found(row[0], JobStatus(row[1]), row[2]) for row in connection.execute(ordered)]


def count(connection: Connection, which: TableQuery) -> int:
    """Count all that match."""
    matching = _matching(which, jobs.c.key).subquery()
    return int(connection.execute(select(func.count()).select_from(matching)).scalar_one())


def outcomes(connection: Connection, task_ids: Sequence[str]) -> dict[str, list[Outcome]]:
    """Return the newest OUTCOMES runs of each task, the oldest first: one query for all of them."""
    newest = select(runs.c.run_id).where(runs.c.task_id == jobs.c.task_id).order_by(runs.c.run_id.desc())
    first = newest.offset(OUTCOMES - 1).limit(1).correlate(jobs).scalar_subquery()
    present = and_(jobs.c.task_id.in_(task_ids), jobs.c.removed_at.is_(None))
    since = select(jobs.c.task_id, func.coalesce(first, "").label("first")).where(present).cte("since")
    query = select(runs.c.task_id, runs.c.run_id, runs.c.status).join(
        since, and_(runs.c.task_id == since.c.task_id, runs.c.run_id >= since.c.first)
    )
    found: defaultdict[str, list[Outcome]] = defaultdict(list)
    for row in connection.execute(query.order_by(runs.c.run_id)):
        found[row.task_id].append(Outcome(*row))
    return found


def facets(connection: Connection) -> Facets:
    """Return what all tasks can be told apart by."""
    present = jobs.c.removed_at.is_(None)
    tags = connection.execute(select(jobs.c.tags).where(present).distinct()).scalars()
    origins = connection.execute(select(jobs.c.origin).where(present, _IS_FILED).distinct()).scalars()
    return Facets(sorted({tag for text in tags for tag in text.split("\n") if tag}), sorted(map(str, origins)))


def _matching(which: TableQuery, *columns: ColumnElement[Any]) -> Select[Any]:
    parts = [JobFilter(which.type, which.tag, None, which.search).clause()]
    if which.state is not None:
        parts.append(_STATE.in_([which.state.value]))
    if which.origin == BY_CALLS:
        parts.append(or_(jobs.c.origin.is_(None), _IS_GONE))
    elif which.origin is not None:
        parts.append(and_(jobs.c.origin == which.origin, not_(_IS_GONE)))
    if which.last is not None:
        status = select(runs.c.status).where(runs.c.run_id == _LAST).correlate(jobs).scalar_subquery()
        parts.append(status == which.last.value)
    return select(*columns).select_from(jobs).where(*parts)


def _order(which: TableQuery) -> list[ColumnElement[Any]]:
    name = _Lowered(jobs.c.task_id)
    keys: dict[str, ColumnElement[Any]] = {
        "name": name,
        "next": jobs.c.next_fire_time,
        "last": _LAST,
        "state": _STATE,
        "type": jobs.c.type,
    }
    key = keys[which.sort]
    # What has no such moment comes last, whichever way it goes.
    return [key.is_(None), key.desc() if which.descending else key, name]
