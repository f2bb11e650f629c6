"""Remember what was changed in definitions, when and by whom: a bounded number of changes for each job.

A change is written in the transaction that makes it. What is secret is never written: of the environment only names,
of those who are told only the names that the settings give them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select

from scheduler.alerts import is_name
from scheduler.store.prepared import Prepared
from scheduler.store.tables import changes
from scheduler.stored_job import StoredJob

KEPT = 100
"""Changes kept of a task; the newest."""
LONGEST = 1000
"""Characters of a value; of longer ones, such as programs, the beginning tells enough."""
HIDDEN = "(hidden)"
_BY_LENGTH = 64

Fields = Mapping[str, tuple[Any, Any]]
"""What each field said before, and says since; None where it is not there."""

_ADD = Prepared(
    insert(changes).values({column.name: bindparam(column.name) for column in changes.c if column is not changes.c.id})
)
_LAST_KEPT = (
    select(changes.c.id)
    .where(changes.c.task_id == bindparam("task"))
    .order_by(changes.c.id.desc())
    .offset(KEPT - 1)
    .limit(1)
    .scalar_subquery()
)
_TRIM = Prepared(delete(changes).where(changes.c.task_id == bindparam("task"), changes.c.id < _LAST_KEPT))


@dataclass(frozen=True, slots=True)
class Change:
    """One change. `kind` is that of the event that told of it, `by` is None where it was the scheduler itself."""

    id: int
    kind: str
    at: datetime
    by: str | None
    fields: Fields


def note_change(
    connection: Connection, job: StoredJob, kind: str, at: datetime, by: str | None, fields: Fields
) -> None:
    """Remember a change, and forget the oldest of the task where there are more than are kept."""
    made_by = None if by is None else by[:_BY_LENGTH]
    row = {"job_key": job.key, "task_id": job.task_id, "kind": kind, "at": at, "made_by": made_by, "fields": fields}
    _ADD.change(connection, row)
    _TRIM.change(connection, {"task": job.task_id})


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return what differs, and of what is secret only that it does."""
    found: dict[str, tuple[Any, Any]] = {}
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        if name == "env":
            found |= _environment(old or {}, new or {})
        else:
            found[name] = (_kept(name, old), _kept(name, new))
    return found


def without_secrets(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Return a definition as it may be shown to whoever may read: without values of the environment and addresses."""
    shown = dict(definition)
    if shown.get("env"):
        shown["env"] = dict.fromkeys(shown["env"], HIDDEN)
    if shown.get("notify"):
        shown["notify"] = _told_whom(shown["notify"])
    return shown


def list_changes(connection: Connection, task_id: str, before: int | None, limit: int) -> list[Change]:
    """Return up to `limit` changes of the task of that id, newest first, older than the change `before`."""
    query = select(changes).where(changes.c.task_id == task_id).order_by(changes.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(changes.c.id < before)
    return [
        Change(row.id, row.kind, row.at, row.made_by, {name: (old, new) for name, (old, new) in row.fields.items()})
        for row in connection.execute(query)
    ]


def are_older(connection: Connection, before: datetime) -> bool:
    """Whether the oldest change was made before that moment."""
    oldest = connection.execute(select(changes.c.at).order_by(changes.c.id).limit(1)).scalar()
    return oldest is not None and oldest < before


def drop_older(connection: Connection, before: datetime, limit: int) -> None:
    """Forget up to `limit` of the changes made before that moment; ids go up with time."""
    oldest = select(changes.c.id, changes.c.at).order_by(changes.c.id).limit(limit)
    gone = [row.id for row in connection.execute(oldest) if row.at < before]
    connection.execute(delete(changes).where(changes.c.id.in_(gone)))


def _environment(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            yield f"env.{name}", (HIDDEN if name in old else None, HIDDEN if name in new else None)


def _kept(name: str, value: Any) -> Any:
    value = _told_whom(value) if name == "notify" and value else value
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return value if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _told_whom(notify: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**notify, "to": [one if is_name(one) else HIDDEN for one in notify["to"]]} if notify.get("to") else notify
