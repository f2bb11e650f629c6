"""Decide what deserves a message. Pure: no clock, no database, no threads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from scheduler.alerts import Expect, Notify
from scheduler.run import Origin, Run, RunStatus

LATE_AFTER_SECONDS = 60.0
EVERY_MINUTES = 5.0
FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 10.0, 3600.0
MOST_OVERLONG = 50
GIVE_UP = timedelta(hours=24)
GIVE_UP_PING = timedelta(minutes=10)
"""A ping that comes much later would tell of a life that may be over by then."""
FEWEST_FAILURES, FEWEST_FAILURES_PING = 10, 5
"""Age alone gives nothing up: the clock may have been set, or the machine have slept."""


class Kind(StrEnum):
    """What a message is about."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    SUCCESS = "success"
    MISSED = "missed"
    LATE = "late"
    TIMEOUT = "timeout"
    ABSENCE = "absence"
    OVERLONG = "overlong"
    TEST = "test"
    PING_START = "ping.start"
    PING_SUCCESS = "ping.success"
    PING_FAIL = "ping.fail"


_BAD = {RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED}


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a job, and what those who are told know of it.

    It has been failing since `failing_since`, which was `told` or not; its runs have been away since
    before `absent_at`, when that was last told; the runs `overlong` were told to take too long.
    While past moments that it is judged by lie ahead, the clock was seen to be set back at `set_back_at`.
    """

    failing_since: datetime | None = None
    failures: int = 0
    told: bool = False
    absent_at: datetime | None = None
    overlong: tuple[str, ...] = ()
    set_back_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values, which `read_standing` reads."""
        values = {name: value for name, value in asdict(self).items() if value}
        return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}


def read_standing(values: Mapping[str, Any]) -> Standing:
    """Read what `as_json` gave."""
    names = ("failing_since", "absent_at", "set_back_at")
    moments = {name: datetime.fromisoformat(values[name]) for name in names if name in values}
    return Standing(**{**values, **moments, "overlong": tuple(values.get("overlong", ()))})


def notice_step_back(before: Standing, moments: Iterable[datetime], now: datetime) -> Standing:
    """Return how a job stands, noting where one of its past `moments` lies ahead: the clock was set back since.

    What lies ahead counts as if it had happened when that was noticed.
    """
    absent_at = None if before.absent_at is None else min(before.absent_at, now)
    set_back_at = None
    if any(moment > now for moment in moments):
        set_back_at = now if before.set_back_at is None else min(before.set_back_at, now)
    return replace(before, absent_at=absent_at, set_back_at=set_back_at)


def started_at(run: Run, standing: Standing, now: datetime) -> datetime | None:
    """Return when a run started; what lies ahead counts as of when the clock was seen to be set back."""
    if run.started_at is None or run.started_at <= now:
        return run.started_at
    return standing.set_back_at or now


def judge_end(notify: Notify, run: Run, before: Standing, now: datetime) -> tuple[Standing, Kind | None]:
    """Say what a run that has ended, with no attempt to follow, deserves.

    A failure that repeats is told once, then its end. What was cancelled or skipped says nothing of the task.
    """
    wanted = notify.occasions
    if run.status is RunStatus.COMPLETED:
        after = replace(before, failing_since=None, failures=0, told=False)
        if before.told and "recovery" in wanted:
            return after, Kind.RECOVERY
        return after, Kind.SUCCESS if "success" in wanted else None
    if run.status not in _BAD:
        return before, None
    kind = None
    if not before.told and run.status is RunStatus.TIMEOUT and "timeout" in wanted:
        kind = Kind.TIMEOUT
    elif not before.told and "failure" in wanted:
        kind = Kind.FAILURE
    since, told = before.failing_since or now, before.told or kind is not None
    return replace(before, failing_since=since, failures=before.failures + 1, told=told), kind


def judge_start(notify: Notify, run: Run) -> Kind | None:
    """Say what the start of a run deserves: a scheduled one may be late."""
    after = LATE_AFTER_SECONDS if notify.late_after_seconds is None else notify.late_after_seconds
    late = (run.lateness_ms or 0) / 1000 > after and run.trigger in (Origin.SCHEDULE, Origin.CATCH_UP)
    return Kind.LATE if late and "late" in notify.occasions else None


def judge_missed(notify: Notify) -> Kind | None:
    """Say what a fire time that was missed deserves."""
    return Kind.MISSED if "missed" in notify.occasions else None


def judge_duration(expect: Expect | None, run: Run, before: Standing, now: datetime) -> tuple[Standing, Kind | None]:
    """Say what a run deserves for the time it takes or took; each run is told once."""
    most = None if expect is None else expect.max_duration_seconds
    started = started_at(run, before, now)
    if most is None or started is None or run.run_id in before.overlong:
        return before, None
    if ((run.finished_at or now) - started).total_seconds() < most:
        return before, None
    return replace(before, overlong=(*before.overlong, run.run_id)[-MOST_OVERLONG:]), Kind.OVERLONG


@dataclass(frozen=True, slots=True)
class Attendance:
    """How a task keeps what is expected: its standing, what that deserves, and when to look again."""

    standing: Standing
    kind: Kind | None
    look_at: datetime | None


def judge_absence(
    expect: Expect, enough_since: datetime | None, watched_since: datetime, before: Standing, now: datetime
) -> Attendance:
    """Say whether successful runs are missing.

    `enough_since` is when the last `min_runs`-th of them, counted from the newest, ended; None where
    there are fewer. A span that began before the task was `watched_since` is not held against it.
    An absence is told once in every span, then its end; it is looked for again when there may be news.
    """
    span = timedelta(seconds=expect.seconds)
    last = max(watched_since, enough_since or watched_since)
    if now < last + span:
        over = before.absent_at is not None and enough_since is not None and now < enough_since + span
        kind = Kind.RECOVERY if over else None
        return Attendance(replace(before, absent_at=None) if over else before, kind, last + span)
    if before.absent_at is not None and now < before.absent_at + span:
        return Attendance(before, None, before.absent_at + span)
    return Attendance(replace(before, absent_at=now), Kind.ABSENCE, now + span)


def judge_ping(run: Run, more: bool) -> Kind | None:
    """Say which ping a run deserves at this point of its life; `more` says that another attempt follows."""
    if run.status is RunStatus.RUNNING:
        return Kind.PING_START
    if run.status is RunStatus.COMPLETED:
        return Kind.PING_SUCCESS
    return Kind.PING_FAIL if run.status in _BAD and not more else None


def planned_at(notify: Notify, last: datetime | None, now: datetime) -> datetime:
    """Return when a message may go out, the last to the same target having been planned for `last`.

    None waits for its time, so a `last` that lies ahead is one that went out before the clock was set back.
    """
    minutes = EVERY_MINUTES if notify.every_minutes is None else notify.every_minutes
    return now if last is None else max(now, min(last, now) + timedelta(minutes=minutes))


def retry_seconds(attempts: int) -> float:
    """Return after how many seconds a delivery is tried again that has failed `attempts` times."""
    return min(FIRST_RETRY_SECONDS * 2.0 ** min(attempts - 1, 30), LONGEST_RETRY_SECONDS)


def is_given_up(kind: str, planned: datetime, again_at: datetime, failures: int) -> bool:
    """Whether another attempt would come too late to be of use, after so many `failures` in a row."""
    is_ping = kind.startswith("ping.")
    longest, fewest = (GIVE_UP_PING, FEWEST_FAILURES_PING) if is_ping else (GIVE_UP, FEWEST_FAILURES)
    return failures >= fewest and again_at - planned > longest
