"""Carry out the deliveries that were written, each route for itself, until they succeed or come too late."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest, SchedulerError
from scheduler.ids import first_run_id
from scheduler.models import utc_now
from scheduler.notify import NOTIFIERS, rules
from scheduler.notify.notifier import Message, Notifier, NotSent, deliver
from scheduler.notify.targets import find_labelled, shown
from scheduler.store import Connection, Database, deliveries
from scheduler.store.deliveries import DELIVERED, FAILED, SUPERSEDED, Delivery

log = logging.getLogger(__name__)

MOST_AT_ONCE = 16
HOPELESS_SECONDS = 60.0
"""An attempt that lasts longer counts no more among MOST_AT_ONCE: its route waits for it, the others do not."""
MOST_ROWS = 200
LONGEST_RETRY = timedelta(seconds=rules.LONGEST_RETRY_SECONDS)
LOOK_SECONDS = 30.0
AFTER_A_WRITE = (0.02, 0.1, 0.5, 1.0)
"""Rows are on disk some time after they were announced: when to look for them."""
TROUBLE_SECONDS = 5.0
CLOSE_SECONDS = 5.0
PURGE_SECONDS = 3600.0


@dataclass(slots=True)
class _Route:
    """What is known of a route while this process delivers: the failures in a row, and how long it rests for them.

    Its moments are those of a clock that nobody sets.
    """

    failures: int = 0
    rest_until: float | None = None
    begun: float | None = None
    thread: threading.Thread | None = None

    def is_busy(self, now: float) -> bool:
        """Whether something is under way on it, or it rests after a failure."""
        return self.begun is not None or (self.rest_until is not None and self.rest_until > now)


class _NotOurs(Exception):
    """The attempt is not this process's to make: it does not fire, or the row has changed."""


@dataclass(slots=True)
class _Ends:
    """How deliveries ended that the store has not taken yet: they are not made again meanwhile."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    units: dict[str, Callable[[Connection], None]] = field(default_factory=dict)


class Deliverer:
    """A thread that plans, and one more for each route that something is under way on.

    Nothing is sent by a process that does not fire: each attempt is claimed first, in a transaction
    that asks for the lease. So an attempt that a crash cut short is made again, at the time
    planned by its claim.
    """

    def __init__(
        self,
        store: Database,
        config: SchedulerConfig,
        written: threading.Event,
        check: Callable[[], datetime | None] = lambda: None,
        now: Callable[[], datetime] = utc_now,
        notifiers: Mapping[str, Notifier] = NOTIFIERS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`written` is set when rows may have been written; `check` looks for absences, and says when to look again."""
        self._store, self._config, self._now, self._monotonic = store, config, now, monotonic
        self._written, self._check, self._notifiers = written, check, notifiers
        self._routes: dict[str, _Route] = {}
        self._lock = threading.Lock()
        self._ends = _Ends()
        self._purged = time.monotonic()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="notifier", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Begin no more attempts. One under way has a few seconds; after that it is made again by the next start."""
        self._closing = True
        self._written.set()
        if self._thread.is_alive():
            self._thread.join()
        deadline = time.monotonic() + CLOSE_SECONDS
        for route in list(self._routes.values()):
            if route.thread is not None:
                route.thread.join(max(0.0, deadline - time.monotonic()))

    def deliver(self, seconds: float) -> None:
        """Make the attempts that are due and wait for them, at most so long: for a process that fires in cycles."""
        deadline = time.monotonic() + seconds
        self._write_ends()
        self._check()
        while (left := deadline - time.monotonic()) > 0 and not self._closing:
            busy = self._is_busy()
            if not self._begin_due() and not busy:
                break
            self._written.wait(left)
            self._written.clear()
        self._purge()

    def _run(self) -> None:
        soon: list[float] = []
        while not self._closing:
            try:
                wait = self._turn()
            except SchedulerError as error:
                log.warning("notifications wait for the store: %s", error)
                wait = TROUBLE_SECONDS
            except Exception:
                log.exception("notifications could not be carried out; it is tried again")
                wait = TROUBLE_SECONDS
            if self._written.wait(min(wait, soon.pop(0)) if soon else wait):
                self._written.clear()
                soon = list(AFTER_A_WRITE)

    def _turn(self) -> float:
        """Begin what is due, and return after how many seconds there is more to do."""
        self._write_ends()
        look_at = self._check()
        self._begin_due()
        self._purge()
        busy = self._resting()
        following = self._store.read(partial(deliveries.next_attempt, resting=busy))
        now, passed = self._now(), self._monotonic()
        with self._lock:
            resting = [route.rest_until for route in self._routes.values() if route.rest_until and not route.begun]
        waits = [(moment - now).total_seconds() for moment in (look_at, following) if moment is not None]
        waits += [rest_until - passed for rest_until in resting]
        # What is due and could not begin has no place: it is looked at again when an attempt ends, or soon.
        return min(max(min(waits, default=LOOK_SECONDS), 0.2), LOOK_SECONDS)

    def _begin_due(self) -> bool:
        """Begin what is due, but for routes that are busy or rest; return whether there was anything."""
        resting = self._resting()
        look = partial(deliveries.due, now=self._now(), resting=resting, longest_retry=LONGEST_RETRY, limit=MOST_ROWS)
        due = self._store.read(look)
        for delivery in due:
            if delivery.delivery_id not in self._ends.units:
                self._begin(delivery)
        return bool(due)

    def _is_busy(self) -> bool:
        with self._lock:
            return any(route.begun is not None for route in self._routes.values())

    def _resting(self) -> list[str]:
        """Return the routes that something is under way on, or that rest after a failure."""
        now = self._monotonic()
        with self._lock:
            return [name for name, route in self._routes.items() if route.is_busy(now)]

    def _begin(self, delivery: Delivery) -> None:
        started = time.monotonic()
        with self._lock:
            route = self._routes.setdefault(delivery.route, _Route())
            begun = [other.begun for other in self._routes.values() if other.begun is not None]
            places = MOST_AT_ONCE - sum(started - moment < HOPELESS_SECONDS for moment in begun)
            # The route may have rested only since what is due was read: an attempt can fail in no time.
            if route.is_busy(self._monotonic()) or places <= 0 or self._closing:
                return
            route.begun = started
            name = f"deliver-{delivery.delivery_id[-6:]}"
            route.thread = threading.Thread(target=self._carry_out, args=(delivery, route), name=name, daemon=True)
        route.thread.start()

    def _carry_out(self, delivery: Delivery, route: _Route) -> None:
        rest = 0.0
        try:
            succeeded = self._attempt(delivery, route)
            route.failures = 0 if succeeded else route.failures + 1
            rest = rules.retry_seconds(route.failures) if route.failures else 0.0
        except _NotOurs:
            rest = TROUBLE_SECONDS
        except SchedulerError as error:
            log.warning("a notification waits for the store: %s", error, extra=_ids(delivery))
            rest = TROUBLE_SECONDS
        except Exception:
            log.exception("a notification could not be carried out", extra=_ids(delivery))
            rest = TROUBLE_SECONDS
        with self._lock:
            route.begun, route.thread = None, None
            route.rest_until = self._monotonic() + rest if rest else None
        self._written.set()

    def _attempt(self, delivery: Delivery, route: _Route) -> bool:
        """Make one attempt and return whether it succeeded."""
        if self._drop_if_superseded(delivery):
            return True
        again_at = self._now() + timedelta(seconds=rules.retry_seconds(delivery.attempts + 1))
        if not self._store.write(partial(deliveries.claim, delivery=delivery, again_at=again_at)):
            raise _NotOurs
        try:
            answer = self._send(delivery)
        except NotSent as error:
            failures = 1 + max(delivery.attempts, route.failures)
            self._failed(delivery, str(error), again_at, failures)
            return False
        log.info("notification delivered to %s: %s", shown(delivery.target), answer, extra=_ids(delivery))
        self._end(delivery, partial(deliveries.finish, delivery=delivery, state=DELIVERED, now=self._now()))
        return True

    def _drop_if_superseded(self, delivery: Delivery) -> bool:
        if not delivery.attempts or not delivery.kind.startswith(deliveries.PING):
            return False
        if not self._store.read(partial(deliveries.is_superseded, delivery=delivery)):
            return False
        self._end(delivery, partial(deliveries.finish, delivery=delivery, state=SUPERSEDED, now=self._now()))
        return True

    def _send(self, delivery: Delivery) -> str:
        try:
            target = find_labelled(delivery.target, self._config)
        except InvalidRequest as error:
            raise NotSent(f"the settings do not let it: {error.message}") from error
        return deliver(self._notifiers[target.kind], message_of(delivery), target, self._config)

    def _failed(self, delivery: Delivery, reason: str, again_at: datetime, failures: int) -> None:
        where = shown(delivery.target)
        if rules.is_given_up(delivery.kind, delivery.planned_at, again_at, failures):
            log.error("notification to %s given up: %s", where, reason, extra=_ids(delivery))
            self._end(
                delivery, partial(deliveries.finish, delivery=delivery, state=FAILED, now=self._now(), error=reason)
            )
            return
        log.warning("notification to %s failed, it is tried again: %s", where, reason, extra=_ids(delivery))
        self._end(
            delivery,
            partial(deliveries.put_off, delivery_id=delivery.delivery_id, again_at=again_at, error=reason),
        )

    def _end(self, delivery: Delivery, unit: Callable[[Connection], None]) -> None:
        """Write how an attempt ended, now or when the store takes it."""
        with self._ends.lock:
            self._ends.units[delivery.delivery_id] = unit
        self._write_ends()

    def _write_ends(self) -> None:
        for delivery_id, unit in list(self._ends.units.items()):
            self._store.write(unit)
            with self._ends.lock:
                self._ends.units.pop(delivery_id, None)

    def _purge(self) -> None:
        """Let go of deliveries that are over and older than runs are kept."""
        if time.monotonic() - self._purged < PURGE_SECONDS:
            return
        before = first_run_id(self._now() - timedelta(days=self._config.keep_days))
        gone = self._store.read(partial(deliveries.old, before=before, limit=MOST_ROWS))
        if gone:
            self._store.write(partial(deliveries.delete_deliveries, delivery_ids=gone))
        if len(gone) < MOST_ROWS:
            self._purged = time.monotonic()


def message_of(delivery: Delivery) -> Message:
    """Return what is sent."""
    stored = delivery.message
    return Message(
        delivery.delivery_id,
        delivery.kind,
        delivery.task_id,
        delivery.created_at,
        stored["subject"],
        stored["text"],
        stored["facts"],
    )


def _ids(delivery: Delivery) -> dict[str, str]:
    return {"task_id": delivery.task_id, "delivery_id": delivery.delivery_id}
