"""Write events as readers get them, and say which of them a reader wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from scheduler.moments import iso
from scheduler.store.events import EventKind, LedgerEvent

GAP = "gap"
"""The kind of what a reader is told whose next events are no longer kept."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event as readers get it; `json` is made once for all of them.

    `id` is None where it is not in the ledger, so that nobody can come back to it.
    """

    id: int | None
    kind: str
    task_id: str | None
    run_id: str | None
    json: bytes


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a reader wants; a set that is empty does not narrow."""

    kinds: frozenset[EventKind]
    task_ids: frozenset[str] = frozenset()
    run_id: str | None = None

    def wants(self, told: Told) -> bool:
        """Whether an event is one of them; that some are missing, everybody must know."""
        if told.kind == GAP:
            return True
        return (
            told.kind in self.kinds
            and (not self.task_ids or told.task_id in self.task_ids)
            and self.run_id in (None, told.run_id)
        )


def of_ledger(event: LedgerEvent) -> Told:
    """Return an event of the ledger as it is told."""
    named = {"task_id": event.task_id, "run_id": event.run_id}
    return _told(event.id, event.kind, event.at, {name: text for name, text in named.items() if text}, event.data)


def of_output(task_id: str, run_id: str, at: datetime, piece: Mapping[str, Any]) -> Told:
    """Return what a run has printed as it is told."""
    return _told(None, EventKind.RUN_OUTPUT, at, {"task_id": task_id, "run_id": run_id}, piece)


def gap(after: int, up_to: int) -> Told:
    """Return what tells that events are missing; whoever comes back later comes from behind the gap."""
    text = (
        "Events are missing here: they are no longer kept, or the database is another one. "
        "Read tasks and runs anew (actions 'list' and 'runs'); what follows is complete again."
    )
    body = {"type": GAP, "after": after, "up_to": up_to, "message": text}
    return Told(up_to, GAP, None, None, orjson.dumps(body))


def _told(
    event_id: int | None, kind: EventKind, at: datetime, named: Mapping[str, str], data: Mapping[str, Any]
) -> Told:
    body = {"type": kind.value, "at": iso(at, UTC), **named, **data}
    return Told(event_id, kind.value, named.get("task_id"), named.get("run_id"), orjson.dumps(body))
