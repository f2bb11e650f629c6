"""Notice what did not happen: successful runs that stay away, and runs that do not end."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from scheduler.config import SchedulerConfig
from scheduler.errors import SchedulerError
from scheduler.models import utc_now
from scheduler.notify import rules
from scheduler.notify.rules import Attendance, Kind, Standing
from scheduler.notify.targets import effective
from scheduler.notify.teller import Matter, Teller
from scheduler.run import Run
from scheduler.store import Connection, Database, jobs, planning, runs, underway
from scheduler.store.fence import may_fire
from scheduler.stored_job import StoredJob

log = logging.getLogger(__name__)

LOOK = timedelta(seconds=60)


class Expectations:
    """Know the tasks that something is expected of, and look at each when there may be news.

    A task that is paused, disabled or over owes nothing. One whose scheduler was stopped does: a `stop` that
    somebody forgot is what an alarm on absence is for.
    """

    def __init__(
        self, store: Database, config: SchedulerConfig, teller: Teller, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._store, self._config, self._teller, self._now = store, config, teller, now
        self._revision = -1
        self._look_at: dict[int, datetime | None] = {}
        self._swept: datetime | None = None

    def check(self) -> datetime:
        """Tell what has not happened in time, and return when to look again."""
        now = self._now()
        self._follow(now)
        if self._swept is not None and now < self._swept:
            # The clock was set back: what was planned by it lies too far ahead.
            self._look_at = dict.fromkeys(self._look_at, now)
            self._swept = None
        if self._swept is None or now >= self._swept + LOOK:
            self._sweep(now)
        for key in [key for key, moment in self._look_at.items() if moment is not None and moment <= now]:
            try:
                self._look_at[key] = self._look(key, now)
            except SchedulerError:
                raise
            except Exception:
                # One task must not keep the others from being watched.
                log.exception("job %d is not watched until it is changed", key)
                self._look_at[key] = None
        return min([now + LOOK, *(moment for moment in self._look_at.values() if moment is not None)])

    def _follow(self, now: datetime) -> None:
        """Look at once at every job that was changed."""
        since = self._revision
        self._revision, changed = self._store.read(lambda connection: planning.expecting_since(connection, since))
        for key, expecting in changed.items():
            if expecting:
                self._look_at[key] = now
            else:
                self._look_at.pop(key, None)

    def _sweep(self, now: datetime) -> None:
        """Look at all jobs whose runs may take too long: nothing tells when one begins."""
        self._swept = now
        if self._look_at:
            for key in self._store.read(underway.running_jobs) & self._look_at.keys():
                self._look_at[key] = now

    def _look(self, key: int, now: datetime) -> datetime | None:
        look_at, news = self._store.read(lambda connection: self._judge(connection, key, now, write=False))
        if news:
            self._store.write(lambda connection: self._judge(connection, key, now, write=True))
        return look_at

    def _judge(self, connection: Connection, key: int, now: datetime, write: bool) -> tuple[datetime | None, bool]:
        """Compare what is expected of a job with what happened; return when to look again, and whether there is news.

        Done a second time to write the news, in one transaction with what they follow from.
        """
        stored = jobs.get_job(connection, key)
        job, known = stored.job, self._teller.standing(connection, key)
        notify = effective(job.notify, self._config)
        if job.expect is None or notify is None or not stored.planned:
            return None, False
        active = underway.active_runs(connection, key)
        before = rules.notice_step_back(known, _past_moments(connection, stored, active), now)
        found = self._attendance(connection, stored, before, now)
        after, look_at = found.standing, found.look_at
        told: list[tuple[Matter, Kind, dict[str, Any]]] = []
        if found.kind is not None:
            event = f"expect:{now.isoformat()}"
            told.append((Matter(job, key, event, notify), found.kind, {"says": _says(stored, found.kind)}))
        for run in active:
            after, kind = rules.judge_duration(job.expect, run, after, now)
            started, most = rules.started_at(run, after, now), job.expect.max_duration_seconds
            if kind is not None:
                says = _too_long(started, most, now)
                told.append((Matter(job, key, run.run_id, notify), kind, {"run": run, "says": says}))
            look_at = _earlier(look_at, _must_end(started, most, now))
        if after.absent_at is not None:
            look_at = _earlier(look_at, now + LOOK)  # a success ends it, which nothing tells
        if write and may_fire(connection):
            for matter, kind, facts in told:
                self._teller.tell(connection, matter, matter.news(kind, **facts))
            self._teller.keep(connection, key, known, after)
        return look_at, after != known

    def _attendance(self, connection: Connection, stored: StoredJob, before: Standing, now: datetime) -> Attendance:
        expect = stored.job.expect
        assert expect is not None
        enough_since = runs.nth_success(connection, stored.key, expect.min_runs, until=now)
        watched_since = [moment for moment in (stored.updated_at, before.set_back_at) if moment and moment <= now]
        return rules.judge_absence(expect, enough_since, max(watched_since), before, now)


def _past_moments(connection: Connection, stored: StoredJob, active: Iterable[Run]) -> list[datetime]:
    """Return the moments by which a job is judged, all of which are past unless the clock was set back."""
    moments = [stored.updated_at, runs.nth_success(connection, stored.key, 1), *(run.started_at for run in active)]
    return [moment for moment in moments if moment is not None]


def _says(stored: StoredJob, kind: Kind) -> str:
    expect: Any = stored.job.expect
    if kind is Kind.RECOVERY:
        return "succeeds again as expected"
    span = expect.every.strip().lower().removeprefix("every ")
    return (
        f"has not succeeded in {span}"
        if expect.min_runs == 1
        else (f"has succeeded fewer than {expect.min_runs} times in {span}")
    )


def _too_long(started: datetime | None, most: float | None, now: datetime) -> str:
    assert started is not None
    return f"has been running for {(now - started).total_seconds():.0f} s, longer than {most or 0:g} s"


def _must_end(started: datetime | None, most: float | None, now: datetime) -> datetime | None:
    if most is None or started is None:
        return None
    moment = started + timedelta(seconds=most)
    return moment if moment > now else None


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)
