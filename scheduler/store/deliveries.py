"""Put messages that are to be delivered in and get them out, and how each job stands with those who are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, insert, not_, or_, select, true, update

from scheduler.store.fence import may_fire
from scheduler.store.tables import HAS_FAILED, IS_WAITING, deliveries, standings

WAITING, DELIVERED, FAILED, SUPERSEDED = "waiting", "delivered", "failed", "superseded"
PING = "ping."
"""How the kinds of pings begin."""
_ENDS = (f"{PING}success", f"{PING}fail")
_IS_PING = deliveries.c.kind.startswith(PING)
_STEP = timedelta(seconds=1)
"""What was written so much ahead was written before the clock was set back; less, after somebody looked at it."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one target.

    `event` names what happened, so that it is told a target once; `target` is as somebody wrote it, as JSON.
    Deliveries of one `route` go one after the other. `planned_at` is when it was to go out first.
    """

    delivery_id: str
    job_key: int
    task_id: str
    event: str
    kind: str
    target: str
    route: str
    message: Mapping[str, Any]
    count: int
    created_at: datetime
    planned_at: datetime
    next_attempt_at: datetime
    attempts: int = 0
    state: str = WAITING
    finished_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """Which deliveries to list; a field that is None does not narrow."""

    task_id: str | None = None
    event: str | None = None
    state: str | None = None

    def clause(self) -> ColumnElement[bool]:
        """Return the condition."""
        wanted = {name: getattr(self, name) for name in ("task_id", "event", "state")}
        return and_(true(), *(deliveries.c[name] == value for name, value in wanted.items() if value is not None))


def standing(connection: Connection, job_key: int) -> Mapping[str, Any]:
    """Return how a job stands with those who are told; empty where nothing is known."""
    query = select(standings.c.standing).where(standings.c.job_key == job_key)
    return connection.execute(query).scalar() or {}


def keep_standing(connection: Connection, job_key: int, values: Mapping[str, Any]) -> None:
    """Remember how a job stands."""
    connection.execute(delete(standings).where(standings.c.job_key == job_key))
    connection.execute(insert(standings).values(job_key=job_key, standing=values))


def add(connection: Connection, new: Delivery) -> None:
    """Add a delivery, unless the same is told the same target already."""
    same = and_(
        deliveries.c.job_key == new.job_key,
        deliveries.c.event == new.event,
        deliveries.c.kind == new.kind,
        deliveries.c.target == new.target,
    )
    if connection.execute(select(deliveries.c.delivery_id).where(same)).first() is None:
        values = {column.name: getattr(new, column.name) for column in deliveries.columns}
        connection.execute(insert(deliveries).values(values))


def held(connection: Connection, job_key: int, target: str, now: datetime) -> Delivery | None:
    """Return the message that waits for its time to go to a target, which takes up what comes meanwhile.

    One that was written before the clock was set back is due, and takes up nothing more.
    """
    query = select(deliveries).where(
        deliveries.c.job_key == job_key,
        deliveries.c.target == target,
        IS_WAITING,
        deliveries.c.attempts == 0,
        deliveries.c.planned_at > now,
        not_(_precedes_step_back(now)),
        not_(_IS_PING),
    )
    row = connection.execute(query.limit(1)).one_or_none()
    return None if row is None else _delivery(row)


def _precedes_step_back(now: datetime) -> ColumnElement[bool]:
    return deliveries.c.created_at > now + _STEP


def fold(connection: Connection, delivery_id: str, kind: str, message: Mapping[str, Any], count: int) -> None:
    """Put a newer message in place of one that waits."""
    change = update(deliveries).where(deliveries.c.delivery_id == delivery_id)
    connection.execute(change.values(kind=kind, message=message, count=count))


def last_planned(connection: Connection, job_key: int, target: str) -> datetime | None:
    """Return when the last message of a job to a target was to go out, pings aside."""
    query = select(deliveries.c.planned_at).where(
        deliveries.c.job_key == job_key, deliveries.c.target == target, not_(_IS_PING)
    )
    return connection.execute(query.order_by(deliveries.c.delivery_id.desc()).limit(1)).scalar()


def due(
    connection: Connection, now: datetime, resting: Collection[str], longest_retry: timedelta, limit: int
) -> list[Delivery]:
    """Return what is to be tried now, the longest waiting first; nothing of the `resting` routes.

    What was planned before the clock was set back is due, too: it was written at a moment that lies
    ahead, or is to be tried again later than after the `longest_retry`.
    """
    tried_again_too_late = and_(deliveries.c.attempts > 0, deliveries.c.next_attempt_at > now + longest_retry)
    is_due = or_(deliveries.c.next_attempt_at <= now, _precedes_step_back(now), tried_again_too_late)
    query = select(deliveries).where(IS_WAITING, is_due, deliveries.c.route.not_in(resting))
    order = (deliveries.c.next_attempt_at, deliveries.c.delivery_id)
    return [_delivery(row) for row in connection.execute(query.order_by(*order).limit(limit))]


def next_attempt(connection: Connection, resting: Collection[str]) -> datetime | None:
    """Return when the next delivery of a route that does not rest is to be tried."""
    query = select(func.min(deliveries.c.next_attempt_at)).where(IS_WAITING, deliveries.c.route.not_in(resting))
    return connection.execute(query).scalar()


def claim(connection: Connection, delivery: Delivery, again_at: datetime) -> bool:
    """Count an attempt before it is made, and plan the next for the case that nobody lives to tell how it went.

    False where another process fires now, or was here first.
    """
    if not may_fire(connection):
        return False
    mine = and_(deliveries.c.delivery_id == delivery.delivery_id, IS_WAITING)
    change = update(deliveries).where(mine, deliveries.c.attempts == delivery.attempts)
    return connection.execute(change.values(attempts=delivery.attempts + 1, next_attempt_at=again_at)).rowcount == 1


def is_superseded(connection: Connection, delivery: Delivery) -> bool:
    """Whether a ping that did not get through is old news: its target was, or will be, told what happened since.

    The start of a run says nothing of how an earlier one ended.
    """
    newer = _IS_PING if delivery.kind == f"{PING}start" else deliveries.c.kind.in_(_ENDS)
    query = select(deliveries.c.delivery_id).where(
        _same_target(delivery), deliveries.c.delivery_id > delivery.delivery_id, newer
    )
    return connection.execute(query.limit(1)).first() is not None


def _same_target(delivery: Delivery) -> ColumnElement[bool]:
    return and_(deliveries.c.job_key == delivery.job_key, deliveries.c.target == delivery.target)


def finish(connection: Connection, delivery: Delivery, state: str, now: datetime, error: str | None = None) -> None:
    """Write that a delivery is over.

    Pings leave no row unless they were given up: there are many, and they tell nothing. With the end of a
    run older pings are old news.
    """
    mine = and_(deliveries.c.delivery_id == delivery.delivery_id, IS_WAITING)
    if state != FAILED and delivery.kind.startswith(PING):
        older = and_(_same_target(delivery), _IS_PING, deliveries.c.delivery_id < delivery.delivery_id, IS_WAITING)
        connection.execute(delete(deliveries).where(or_(mine, older) if delivery.kind in _ENDS else mine))
    else:
        connection.execute(update(deliveries).where(mine).values(state=state, finished_at=now, error=error))


def put_off(connection: Connection, delivery_id: str, again_at: datetime, error: str) -> None:
    """Write why an attempt failed, and when the next is made."""
    change = update(deliveries).where(deliveries.c.delivery_id == delivery_id, IS_WAITING)
    connection.execute(change.values(next_attempt_at=again_at, error=error))


# Statements that `status` asks are made once: building them takes longer than running them.
_COUNT_WAITING = (
    select(func.count(), func.count().filter(deliveries.c.attempts > 0)).select_from(deliveries).where(IS_WAITING)
)
_COUNT_FAILED = select(func.count()).select_from(deliveries).where(HAS_FAILED)
_NEWEST = select(deliveries).order_by(deliveries.c.delivery_id.desc()).limit(1)
_NEWEST_IN_TROUBLE = (_NEWEST.where(IS_WAITING, deliveries.c.error.is_not(None)), _NEWEST.where(HAS_FAILED))


def count_states(connection: Connection) -> Mapping[str, int]:
    """Count the deliveries that wait, those of them that failed at least once, and those that were given up."""
    waiting, retried = connection.execute(_COUNT_WAITING).one()
    return {"waiting": waiting, "retried": retried, "failed": connection.execute(_COUNT_FAILED).scalar_one()}


def last_error(connection: Connection) -> Delivery | None:
    """Return the newest delivery that has not got through at some attempt and still waits, or was given up."""
    found = [_delivery(row) for query in _NEWEST_IN_TROUBLE for row in connection.execute(query)]
    return max(found, key=lambda delivery: delivery.delivery_id, default=None)


def list_deliveries(connection: Connection, which: DeliveryFilter, before: str | None, limit: int) -> list[Delivery]:
    """Return up to `limit` deliveries that match, newest first, older than `before`."""
    query = select(deliveries).where(which.clause()).order_by(deliveries.c.delivery_id.desc()).limit(limit)
    if before is not None:
        query = query.where(deliveries.c.delivery_id < before)
    return [_delivery(row) for row in connection.execute(query)]


def old(connection: Connection, before: str, limit: int) -> Sequence[str]:
    """Return up to `limit` deliveries that are over and have a lower id than `before`."""
    query = select(deliveries.c.delivery_id).where(deliveries.c.delivery_id < before, not_(IS_WAITING))
    return connection.execute(query.limit(limit)).scalars().all()


def delete_deliveries(connection: Connection, delivery_ids: Sequence[str]) -> None:
    """Delete deliveries for good."""
    connection.execute(delete(deliveries).where(deliveries.c.delivery_id.in_(delivery_ids), not_(IS_WAITING)))


def _delivery(row: Row[*tuple[Any, ...]]) -> Delivery:
    return Delivery(**row._asdict())
