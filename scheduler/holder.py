"""Do what only one of many processes may do: hold the lease, fire, and carry out what the others ask for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from scheduler.assigning import assign
from scheduler.clock import Clock
from scheduler.config import SchedulerConfig
from scheduler.dispatcher import Dispatcher
from scheduler.endings import LEASE_TAKEN
from scheduler.errors import SchedulerError, Unavailable
from scheduler.events import Events
from scheduler.executor import Executor
from scheduler.fire_times import plan_anew
from scheduler.lease import EVERYTHING, Doorbell, Lease, LeaseLost, Ring, here
from scheduler.logs import Outage
from scheduler.metrics.book import Vitals
from scheduler.models import utc_now
from scheduler.notify.delivery import Deliverer
from scheduler.notify.expect import Expectations
from scheduler.phrases import forget_zones
from scheduler.recovery import recover
from scheduler.retention import Retention
from scheduler.run import Run
from scheduler.store import Connection, Database, planning, runs, state, underway
from scheduler.zone_data import zone_data_mark

log = logging.getLogger(__name__)

TRY_AGAIN_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 1.0
LOOK_ANYWAY_SECONDS = 10.0
REST_SECONDS = 0.02
LOOKS_AFTER_DOUBT = 10
ZONES_SECONDS = 60.0


class Holder:
    """A thread that takes the lease when it is free, and from then on follows the store.

    Every process writes what it wants done as rows and rings; the holder reads the rows. A ring
    that is lost is made up for by a look each LOOK_AGAIN_SECONDS, unless it is known that nobody
    has written anything; and each LOOK_ANYWAY_SECONDS whatever is known.

    A process that loses the lease fires no more; its runs go on, and are its own still if it gets
    the lease back before another has it.
    """

    def __init__(
        self,
        store: Database,
        lease: Lease,
        doorbell: Doorbell,
        executor: Executor,
        events: Events,
        config: SchedulerConfig,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._store, self._lease, self._doorbell, self._executor = store, lease, doorbell, executor
        self._now = now
        self._dispatcher = Dispatcher(store, executor, now)
        self._clock = Clock(self._dispatcher.on_due, now)
        self._dispatcher.attach(self._clock)
        executor.on_retry = lambda assignment: self._dispatcher.plan_runs([assignment])
        self.retention = Retention(store, events, config, now)
        expectations = Expectations(store, config, executor.teller, now)
        self.deliverer = Deliverer(store, config, executor.teller.written, expectations.check, now)
        self._revision = -1
        self._running = False
        self._seen: int | None = None
        """The store's version at the last look at everything, which was at `_seen_at`."""
        self._seen_at = float("-inf")
        self._doubts, self._looks = 0, 0
        self._strange: set[str] = set()
        self._zones = zone_data_mark()
        self._zones_seen = time.monotonic()
        self.on_ready: Callable[[], None] | None = None
        self._outage = Outage(log, "the store is followed again")
        self._closing = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="holder", daemon=True)

    def start(self) -> None:
        """Begin to try for the lease."""
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether this process holds the lease and has planned all jobs."""
        return self._lease.held and self._ready.is_set()

    @property
    def clock(self) -> Clock:
        """The clock of this process; it knows entries only while this process holds the lease."""
        return self._clock

    def vitals(self) -> Vitals | None:
        """Return how this process is as the one that fires; None where it does not fire."""
        if not self.is_ready:
            return None
        due = self._clock.next_run
        return Vitals(*here(), self._clock.alive, due.timestamp() if due else None)

    def close(self, grace_seconds: float) -> None:
        """Fire no more, let runs under way end or be ended, give up the lease."""
        self._closing.set()
        self._doorbell.ring(Ring.STATE)
        if self._thread.is_alive():
            self._thread.join()
        self.retention.close()
        self._clock.close()
        self._executor.close(grace_seconds)
        self.deliverer.close()
        self._lease.release()

    def _run(self) -> None:
        told = ""
        while not self._closing.is_set():
            try:
                if self._lease.try_acquire():
                    self._take_over()
                    told = ""
                    self._follow_until_closed()
                else:
                    self._tend()
            except (LeaseLost, SchedulerError) as error:
                if str(error) != told:
                    told = str(error)
                    log.warning("this process does not fire at present: %s", told)
            except Exception:
                log.exception("the holder of the lease starts over after an error")
            if not self._closing.is_set():
                self._step_down()
            self._closing.wait(TRY_AGAIN_SECONDS)

    def _take_over(self) -> None:
        """Put right what the last holder left, then plan all jobs."""
        self._doorbell.listen()
        # After one more write the executor knows of all runs that earlier ones started.
        self._store.probe()
        found = recover(
            self._store, self._now, self._executor.clear_private_dirs, self._executor.teller, self._executor.knows
        )
        self._end_disowned()
        self._lease.enter()
        for fault in self._executor.confinement.self_test():
            log.error("the sandbox does not hold: %s", fault)
        if not self._clock.alive:
            self._clock.start()
            self.retention.start()
            self.deliverer.start()
        self._revision, self._running, self._seen = -1, False, None
        self._plan_by_zones()
        self._look(EVERYTHING)
        self._assign(lambda _: [run for run in found.waiting if not self._knows(run.run_id)])
        self._ready.set()
        if self.on_ready is not None:
            self.on_ready()
        log.info("this process holds the lease", extra={"interrupted": len(found.interrupted)})

    def _step_down(self) -> None:
        """Fire no more until the lease is held again. What waits is left to the next holder; what runs goes on."""
        if self._clock.alive:
            self._clock.clear()
        self._ready.clear()
        # Also where taking over failed half way: what is known here but not to the clock would never begin.
        self._executor.forget_queued()
        self._dispatcher.forget_runs()

    def _follow_until_closed(self) -> None:
        jobs_changed, rest_until = False, 0.0
        tended = time.monotonic()
        while not self._closing.is_set():
            rung = self._doorbell.wait(max(0.0, rest_until - time.monotonic()) if jobs_changed else LOOK_AGAIN_SECONDS)
            if self._closing.is_set():
                return
            if rung or jobs_changed:
                # Many who create tasks share a look; what else is rung for is looked at once.
                jobs_changed |= Ring.JOBS in rung
                rung -= {Ring.JOBS}
                if jobs_changed and time.monotonic() >= rest_until:
                    rung |= {Ring.JOBS}
                    jobs_changed, rest_until = False, time.monotonic() + REST_SECONDS
                if not rung:
                    continue
            try:
                overdue = time.monotonic() - tended >= LOOK_AGAIN_SECONDS
                if overdue or not rung:
                    self._look_around(bool(rung))
                else:
                    self._look(rung)
                if overdue:
                    tended = time.monotonic()
                    self._tend()
                    self._settle_doubts()
                    self._outage.end()
            except LeaseLost:
                raise
            except Unavailable as error:
                self._outage.tell(f"the store cannot be followed; it is tried again and again: {error}")
                self._closing.wait(LOOK_AGAIN_SECONDS)
            except Exception:
                log.exception("the store could not be followed; it is tried again")
                self._closing.wait(LOOK_AGAIN_SECONDS)

    def _tend(self) -> None:
        """Try anew what the store refused before, and end runs that are another's by now."""
        self._executor.write_again()
        if self._store.trouble is not None:
            self._store.probe()
        if not self._lease.held:
            self._end_disowned()
        if time.monotonic() - self._zones_seen >= ZONES_SECONDS:
            self._zones_seen = time.monotonic()
            self.mind_zones()

    def mind_zones(self) -> None:
        """Go by the data of time zones that this machine has now."""
        mark = zone_data_mark()
        if mark == self._zones:
            return
        self._zones = mark
        forget_zones()
        log.warning("the data of time zones has changed")
        if self._ready.is_set():
            self._dispatcher.forget_all()
            self._plan_by_zones()

    def _plan_by_zones(self) -> None:
        """Plan anew what was planned by other data of time zones, by an earlier server perhaps."""
        now, mark = self._now(), self._zones
        moved = self._store.write(lambda c: plan_anew(c, now) if state.note(c, "zone_data", mark) else 0)
        if moved:
            log.warning("%d next fire times moved with the data of time zones", moved)

    def _end_disowned(self) -> None:
        """End the runs whose rows the next holder has ended: there they may be begun again."""
        known = self._executor.run_ids()
        if known:
            for run in self._store.read(lambda connection: runs.find_runs(connection, known)):
                if run.status.is_final:
                    self._executor.cancel(run.run_id, LEASE_TAKEN)

    def _settle_doubts(self) -> None:
        """Start over where rows wait or go on that nobody here knows of: the answer to their commit was lost."""
        if self._store.doubts != self._doubts:
            self._doubts, self._looks, self._strange = self._store.doubts, LOOKS_AFTER_DOUBT, set()
        if not self._looks:
            return
        self._looks -= 1
        # A row may be a moment ahead of what is known here, but not for two looks.
        active = self._store.read(underway.active_runs)
        strange = {run.run_id for run in active if not self._knows(run.run_id)}
        again, self._strange = strange & self._strange, strange
        if again:
            self._looks, self._strange = LOOKS_AFTER_DOUBT, set()
            raise LeaseLost(f"{len(again)} runs are in doubt since a connection was lost: starting over")

    def _look_around(self, is_rung: bool) -> None:
        """Look at everything, where there may be anything that was not seen yet."""
        version, now = self._store.version(), time.monotonic()
        if is_rung or version is None or version != self._seen or now - self._seen_at >= LOOK_ANYWAY_SECONDS:
            self._look(EVERYTHING)
            self._seen, self._seen_at = version, now

    def _look(self, what: frozenset[Ring]) -> None:
        if Ring.STATE in what:
            self._follow_state()
        if Ring.JOBS in what and self._running:
            self._follow_jobs()
        if Ring.RUNS in what:
            self._follow_runs()
        if Ring.CANCELS in what:
            self._follow_cancels()

    def _follow_state(self) -> None:
        since = self._store.read(state.planned_since)
        running = since is not None
        if since is not None and planning.is_ahead(since, now := self._now()):
            self._store.write(lambda connection: planning.mind_start(connection, now))
        if running == self._running:
            return
        if running:
            self._revision, plans = self._store.read(lambda c: (state.revision(c), list(planning.planned(c))))
            self._clock.load(plans)
            # Asked only now: a further attempt that was planned before is forgotten with all else, and known here.
            self._clock.plan(self._dispatcher.waiting_plans())
        else:
            self._clock.clear()
            self._executor.forget_queued()
            self._dispatcher.forget_runs()
            self._take_up_again()
        # Only now: what failed half way is done again at the next look.
        self._running = running

    def _take_up_again(self) -> None:
        """Have all runs carried out that wait after a stop, which has ended those that may not.

        They are read in a write: when that is done, all that earlier ones have queued here is known here. So none is
        overlooked whose row came after the stop, as that of a further attempt, and none is taken up twice.
        """
        waiting = self._store.write(underway.queued_runs)
        self._assign(lambda _: [run for run in waiting if not self._knows(run.run_id)])

    def _follow_jobs(self) -> None:
        since = self._revision
        self._revision, plans = self._store.read(lambda connection: planning.changed_since(connection, since))
        if plans:
            self._dispatcher.forget([plan.key for plan in plans])
            self._clock.plan(plans)

    def _follow_runs(self) -> None:
        self._assign(lambda connection: underway.queued_by_hand(connection, self._knows))

    def _assign(self, wanted: Callable[[Connection], list[Run]]) -> None:
        """Have runs carried out that wait."""
        found = assign(self._store, wanted, self._now)
        if found:
            self._dispatcher.plan_runs(found)

    def _knows(self, run_id: str) -> bool:
        return self._executor.knows(run_id) or self._dispatcher.is_planned(run_id)

    def _follow_cancels(self) -> None:
        for run_id, reason in self._store.read(underway.cancel_requests):
            self._executor.cancel(run_id, reason)
