"""Put jobs in and get them out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    false,
    func,
    insert,
    literal,
    select,
    true,
    update,
)

from scheduler.moments import iso_or_none
from scheduler.store import changes, events, state
from scheduler.store.events import EventKind
from scheduler.store.prepared import Prepared
from scheduler.store.tables import bare, jobs, moment_of
from scheduler.store.tables import changes as changes_table
from scheduler.stored_job import StoredJob

IDS_A_QUERY = 500

IS_PRESENT = jobs.c.removed_at.is_(None)
IS_PLANNED = and_(IS_PRESENT, jobs.c.enabled == true(), jobs.c.paused == false(), jobs.c.ended == false())
ALL_COLUMNS = tuple(
    bare(column)
    for column in (
        *(jobs.c.key, jobs.c.task_id, jobs.c.definition, jobs.c.schedule, jobs.c.anchor, jobs.c.created_at),
        *(jobs.c.created_by, jobs.c.updated_at, jobs.c.enabled, jobs.c.paused, jobs.c.ended, jobs.c.next_fire_time),
        *(jobs.c.due_at, jobs.c.fired, jobs.c.origin, jobs.c.filed, jobs.c.removed_at, jobs.c.revision),
    )
)
"""What `stored_job` reads."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; a field that is None does not narrow."""

    type: str | None = None
    tag: str | None = None
    enabled: bool | None = None
    search: str | None = None

    def clause(self) -> ColumnElement[bool]:
        """Return the condition."""
        parts: list[ColumnElement[bool]] = [IS_PRESENT]
        if self.type is not None:
            parts.append(jobs.c.type == self.type)
        if self.tag is not None:
            parts.append(jobs.c.tags.contains(f"\n{self.tag}\n", autoescape=True))
        if self.enabled is not None:
            parts.append(jobs.c.enabled == self.enabled)
        if self.search is not None:
            parts.append(jobs.c.words.contains(self.search.casefold(), autoescape=True))
        return and_(*parts)


def made_after(key: int) -> ColumnElement[bool]:
    """Return the condition of jobs made after the one with that key, which a caller may have sent: any number."""
    return jobs.c.key > literal(key, BigInteger)


# Statements are made once: building one takes longer than running it.
_AT_FIRST = {
    column.name: column.default.arg if column.default is not None else None  # type: ignore[attr-defined]
    for column in jobs.columns
    if column is not jobs.c.key
}
_INSERT = Prepared(insert(jobs).values({name: bindparam(name) for name in _AT_FIRST}).returning(jobs.c.key))
_FIND = Prepared(select(*ALL_COLUMNS).where(jobs.c.task_id == bindparam("id"), IS_PRESENT))
_GET = Prepared(select(*ALL_COLUMNS).where(jobs.c.key == bindparam("job")))
_COUNT_ALL = select(func.count()).select_from(jobs).where(IS_PRESENT)
_COUNT_STATES = select(
    func.count(),
    func.count().filter(jobs.c.paused == true(), jobs.c.enabled == true()),
    func.count().filter(jobs.c.enabled == false()),
    func.count().filter(jobs.c.ended == true(), jobs.c.paused == false(), jobs.c.enabled == true()),
).where(IS_PRESENT)


def insert_job(connection: Connection, task_id: str, values: Mapping[str, Any]) -> tuple[int, int]:
    """Add a job and return its key and revision; raise `sqlalchemy.exc.IntegrityError` where the id is taken.

    Nobody is told of one that is removed as it is made.
    """
    revision = state.bump_revision(connection)
    row = {**_AT_FIRST, "task_id": task_id, "revision": revision, **_derived(task_id, values), **values}
    assert row.keys() == _AT_FIRST.keys(), f"no such columns: {row.keys() - _AT_FIRST.keys()}"
    key = int(_INSERT.value(connection, row))
    if values.get("removed_at") is None:
        events.note_job(connection, EventKind.TASK_CREATED, task_id, values["updated_at"], _told(values))
    return key, revision


def change_job(connection: Connection, job: StoredJob, values: Mapping[str, Any], by: str | None = None) -> None:
    """Change columns of a job, count the change, and remember it as one that `by` has made where somebody did."""
    revision, kind = state.bump_revision(connection), _kind_of(values)
    row = {"revision": revision, **_derived(job.task_id, values), **values}
    _change(tuple(sorted(row))).change(connection, {"job": job.key, **row})
    events.note_job(connection, kind, job.task_id, values["updated_at"], _told(values))
    fields = changes.changed_fields(job.definition, values.get("definition", job.definition))
    if fields or kind is not EventKind.TASK_UPDATED:
        changes.note_change(connection, job, kind.value, values["updated_at"], by, fields)


@lru_cache(maxsize=64)
def _change(names: tuple[str, ...]) -> Prepared:
    """Return the statement that changes these columns of a job."""
    return Prepared(
        update(jobs).where(jobs.c.key == bindparam("job")).values({name: bindparam(name) for name in names})
    )


def _kind_of(values: Mapping[str, Any]) -> EventKind:
    """Say what a change is: one that brings no schedule but says whether the job is paused does nothing else."""
    if values.get("removed_at") is not None:
        return EventKind.TASK_REMOVED
    if "paused" in values and "schedule" not in values:
        return EventKind.TASK_PAUSED if values["paused"] else EventKind.TASK_RESUMED
    return EventKind.TASK_UPDATED


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event says of a job: when it is due next, where that was set."""
    return {"next_run_at": iso_or_none(values["next_fire_time"], UTC)} if "next_fire_time" in values else {}


def find_job(connection: Connection, task_id: str) -> StoredJob | None:
    """Return the job of that id, or None."""
    found = _FIND.rows(connection, {"id": task_id})
    return stored_job(found[0]) if found else None


def of_files(connection: Connection) -> list[StoredJob]:
    """Return the jobs that files define, and those that files did define when somebody else removed them."""
    query = select(*ALL_COLUMNS).where(jobs.c.origin.is_not(None)).order_by(jobs.c.key)
    return [stored_job(row) for row in connection.execute(query)]


def find_jobs(connection: Connection, task_ids: Sequence[str]) -> list[StoredJob]:
    """Return those of the jobs that exist."""
    found: list[StoredJob] = []
    for start in range(0, len(task_ids), IDS_A_QUERY):
        some = jobs.c.task_id.in_(task_ids[start : start + IDS_A_QUERY])
        found += map(stored_job, connection.execute(select(*ALL_COLUMNS).where(some, IS_PRESENT)))
    return found


def removed_of_files(connection: Connection) -> dict[str, StoredJob]:
    """Return the jobs that files defined when somebody else removed them, by their ids."""
    query = select(*ALL_COLUMNS).where(_REMOVED_OF_FILE).order_by(jobs.c.key)
    return {job.task_id: job for job in map(stored_job, connection.execute(query))}


def last_removed(connection: Connection, task_id: str) -> StoredJob | None:
    """Return the job of that id that was removed last, or None."""
    query = select(*ALL_COLUMNS).where(jobs.c.task_id == task_id, jobs.c.removed_at.is_not(None))
    found = connection.execute(query.order_by(jobs.c.key.desc()).limit(1)).first()
    return None if found is None else stored_job(found)


def forget_removed(connection: Connection, task_id: str) -> None:
    """Let a removed job be no file's any more, so that the file may define it anew."""
    mine = and_(jobs.c.task_id == task_id, _REMOVED_OF_FILE)
    connection.execute(update(jobs).where(mine).values(origin=None, filed=None))


_REMOVED_OF_FILE = and_(jobs.c.removed_at.is_not(None), jobs.c.origin.is_not(None))


def get_job(connection: Connection, key: int) -> StoredJob:
    """Return the job with that key, removed or not."""
    [row] = _GET.rows(connection, {"job": key})
    return stored_job(row)


def find_removed(connection: Connection, task_id: str) -> StoredJob | None:
    """Return the job of that id that was removed last; None where nothing tells of one any more.

    A trial was never there, so nothing tells of its removal.
    """
    told = select(changes_table.c.job_key).where(
        changes_table.c.task_id == task_id, changes_table.c.kind == EventKind.TASK_REMOVED.value
    )
    query = select(*ALL_COLUMNS).where(jobs.c.key.in_(told), jobs.c.removed_at.is_not(None))
    row = connection.execute(query.order_by(jobs.c.key.desc()).limit(1)).one_or_none()
    return None if row is None else stored_job(row)


def count_jobs(connection: Connection, which: JobFilter | None = None) -> int:
    """Count the jobs that match."""
    query = _COUNT_ALL if which is None else select(func.count()).select_from(jobs).where(which.clause())
    return int(connection.execute(query).scalar_one())


def list_jobs(connection: Connection, which: JobFilter, after_key: int, limit: int) -> list[StoredJob]:
    """Return up to `limit` matching jobs with a key above `after_key`, in the order they were made."""
    query = select(*ALL_COLUMNS).where(which.clause(), made_after(after_key)).order_by(jobs.c.key).limit(limit)
    return [stored_job(row) for row in connection.execute(query)]


def count_states(connection: Connection) -> Mapping[str, int]:
    """Count all jobs, and those that are paused, disabled or ended."""
    total, paused, disabled, ended = connection.execute(_COUNT_STATES).one()
    planned = total - paused - disabled - ended
    return {"total": total, "planned": planned, "paused": paused, "disabled": disabled, "completed": ended}


_STATE = case(
    (jobs.c.removed_at.is_not(None), "removed"),
    (jobs.c.enabled == false(), "disabled"),
    (jobs.c.paused == true(), "paused"),
    (jobs.c.ended == true(), "completed"),
    else_="planned",
)
STATES = ("removed", "planned", "paused", "disabled", "completed")


def states_since(connection: Connection, revision: int | None) -> tuple[int, list[tuple[int, str]]]:
    """Return the present revision, and key and state of each job changed after `revision`, of all where it is None.

    The states are those of `count_states`, and `removed`.
    """
    now = state.revision(connection)
    query = select(jobs.c.key, _STATE)
    if revision is not None:
        query = query.where(jobs.c.revision > revision)
    return now, [(key, name) for key, name in connection.execute(query)] if now != revision else []


def types(connection: Connection, keys: Collection[int]) -> dict[int, str]:
    """Return the types of jobs, removed or not."""
    found: dict[int, str] = {}
    wanted = iter(keys)
    while some := list(islice(wanted, IDS_A_QUERY)):
        query = select(jobs.c.key, jobs.c.type).where(jobs.c.key.in_(some))
        found |= {row.key: row.type for row in connection.execute(query)}
    return found


def zones(connection: Connection, keys: Collection[int]) -> dict[int, ZoneInfo]:
    """Return the zones of jobs, removed or not."""
    query = select(jobs.c.key, jobs.c.definition).where(jobs.c.key.in_(keys))
    return {row.key: ZoneInfo(row.definition["timezone"]) for row in connection.execute(query)}


def names(connection: Connection, limit: int = 5000) -> list[str]:
    """Return task ids, for offering the nearest to one that does not exist."""
    return list(connection.execute(select(jobs.c.task_id).where(IS_PRESENT).limit(limit)).scalars())


def all_names(connection: Connection) -> list[str]:
    """Return all task ids, in the order the tasks were made."""
    return list(connection.execute(select(jobs.c.task_id).where(IS_PRESENT).order_by(jobs.c.key)).scalars())


def _derived(task_id: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that follow from the definition: those that lists are filtered by."""
    definition = values.get("definition")
    if definition is None:
        return {}
    tags = definition.get("tags", [])
    words = [task_id, *tags] + [
        str(definition[name])
        for name in ("name", "description", "interval", "command", "file_path", "func")
        if definition.get(name)
    ]
    return {
        "type": definition["type"],
        "tags": "\n" + "".join(f"{tag}\n" for tag in tags),
        "words": "\n".join(words).casefold(),
    }


def stored_job(row: Sequence[Any]) -> StoredJob:
    """Return what a row of ALL_COLUMNS says.

    Moments that are mostly one, such as those of a job that was never changed, are made once.
    """
    (key, task_id, definition, schedule, anchor, created, created_by, updated, enabled, paused, ended, following, due,
     fired, origin, filed, removed, revision) = row  # fmt: skip
    created_at, next_fire_time = moment_of(created), None if following is None else moment_of(following)
    return StoredJob(
        key,
        task_id,
        orjson.loads(definition),
        orjson.loads(schedule),
        created_at if anchor == created else moment_of(anchor),
        created_at,
        created_by,
        created_at if updated == created else moment_of(updated),
        bool(enabled),
        bool(paused),
        bool(ended),
        next_fire_time,
        next_fire_time if due == following else None if due is None else moment_of(due),
        fired,
        origin,
        None if filed is None else orjson.loads(filed),
        None if removed is None else moment_of(removed),
        revision,
    )
