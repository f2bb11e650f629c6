"""Answer the route of rehearsals: what a stretch of time that is still ahead brings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from scheduler.clock_changes import Touched
from scheduler.errors import InvalidRequest, Problem
from scheduler.http import requests
from scheduler.http.reading import moment
from scheduler.http.rest.answer import Answer
from scheduler.http.rest.call import Call
from scheduler.moments import iso, iso_or_none
from scheduler.rehearsed import Collision, Played, Rehearsal, Stretch
from scheduler.task_scheduler import TaskScheduler
from scheduler.wallclock import first_instant

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
LONGEST = 400 * DAY
_NAMES = 20
"""How many tasks of one collision are named."""


class RehearsalQuery(requests.Request):
    """Which stretch of time."""

    since: str | None = Field(None, max_length=64, description="ISO 8601 time it begins at. Default: now.")
    until: str | None = Field(None, max_length=64, description="ISO 8601 time it ends at. Default: a day later.")


def get_rehearsal(call: Call) -> Answer:
    """Play a stretch of time that is still ahead."""
    return Answer(200, call.perform(read_rehearsal))


def read_rehearsal(service: TaskScheduler, asked: RehearsalQuery) -> dict[str, Any]:
    """Return what a stretch of time brings."""
    now = service.now()
    since = (moment(service, asked.since, "since") or now).astimezone(UTC)
    until = (_until(service, asked.until, now) or max(now, since) + DAY).astimezone(UTC)
    if until <= now:
        text = "must be ahead: what has been is told by /api/timeline"
        late = [Problem("until", f"'until' {text}", asked.until, suggestion=iso(now + DAY, UTC))]
        early = [Problem("since", f"'since' {text}", asked.since, suggestion=iso(now, UTC))] if since < now else []
        raise InvalidRequest([*early, *late])
    if not timedelta(0) < until - since <= LONGEST:
        text = f"'until' must be later than 'since', by {LONGEST.days} days at most"
        raise InvalidRequest([Problem("until", text, asked.until, suggestion=iso(since + DAY, UTC))])
    unit, edges = cut(since, until, service.config.zone)
    return _shown(service.rehearsals.play(edges), unit, now)


def _until(service: TaskScheduler, text: str | None, now: datetime) -> datetime | None:
    try:
        return moment(service, text, "until")
    except InvalidRequest as error:
        # The present is no end of what is ahead.
        problems = [replace(problem, suggestion=iso(now + DAY, UTC)) for problem in error.problems]
        raise InvalidRequest(problems) from error


def cut(since: datetime, until: datetime, zone: ZoneInfo) -> tuple[str, list[datetime]]:
    """Cut a stretch into minutes, hours or days of a zone, whichever suits its length."""
    if until - since <= 2 * DAY:
        return "minute", _grid(since, until, MINUTE)
    if until - since <= 14 * DAY:
        return "hour", _grid(since, until, HOUR)
    first = since.astimezone(zone).date() + DAY
    days = (first + number * DAY for number in range((until - since).days + 2))
    midnights = [first_instant(datetime.combine(day, time(0)), zone) for day in days]
    return "day", [since, *(edge for edge in midnights if since < edge < until), until]


def _grid(since: datetime, until: datetime, step: timedelta) -> list[datetime]:
    """Cut at whole minutes or hours of UTC; the first and the last cell may be shorter."""
    first = since - (since - datetime(1970, 1, 1, tzinfo=UTC)) % step + step
    return [since, *(first + number * step for number in range(-((first - until) // step))), until]


def _shown(found: Rehearsal, unit: str, now: datetime) -> dict[str, Any]:
    cells = zip(found.edges, found.cells, strict=False)
    return {
        "since": _exact(found.edges[0]),
        "until": _exact(found.edges[-1]),
        "now": _exact(now),
        "played_until": _exact(found.cut_at or found.edges[-1]),
        "truncated": found.cut_at is not None,
        "workers": found.workers,
        "starts": found.starts,
        "cell": unit,
        "cells": [{"at": _exact(at), "starts": starts} for at, starts in cells if starts],
        "tasks": [_task(played) for played in found.tasks],
        "silent": [
            {"task_id": one.task_id, "why": one.why.value, "next_run_at": iso_or_none(one.next_at, UTC)}
            for one in found.silent
        ],
        "collision_count": found.collision_count,
        "collisions": [_collision(one, found.workers) for one in found.collisions],
        "crowded_minutes": found.crowded_minutes,
        "busiest_minutes": [{"at": _exact(one.at), "starts": one.starts} for one in found.minutes],
        "clock_changes": [_touched(one) for one in found.touched],
        "free_slots": [_stretch(one) for one in found.free],
        "passed_over": found.frequent,
        "expected": {
            "peak": found.expected.peak,
            "peak_at": iso_or_none(found.expected.peak_at, UTC),
            "short_seconds": found.expected.short_seconds,
            "shortages": [{**_stretch(one), "peak": one.peak} for one in found.expected.shortages],
            "unknown": found.expected.unknown,
        },
    }


def _task(played: Played) -> dict[str, Any]:
    return {
        "task_id": played.task_id,
        "starts": played.starts,
        "typical_seconds": None if played.took is None else played.took.total_seconds(),
        "overlaps": played.overlaps,
        "only_counted": played.counted,
        "played_until": iso_or_none(played.cut_at, UTC),
    }


def _collision(one: Collision, workers: int) -> dict[str, Any]:
    return {
        "starts": len(one.task_ids),
        "task_ids": list(one.task_ids[:_NAMES]),
        "times": one.times,
        "first": _exact(one.first),
        "last": _exact(one.last),
        "more_than_workers": len(one.task_ids) > workers,
    }


def _touched(one: Touched) -> dict[str, Any]:
    return {
        "task_id": one.task_id,
        "timezone": one.change.zone.key,
        "at": iso(one.change.at, one.change.zone),
        "kind": "gap" if one.change.is_gap else "overlap",
        "local_times": [label.isoformat(timespec="minutes") for label in one.labels],
        "fate": one.fate.value,
    }


def _stretch(one: Stretch) -> dict[str, Any]:
    seconds = (one.until - one.since).total_seconds()
    return {"since": _exact(one.since), "until": _exact(one.until), "seconds": seconds}


def _exact(at: datetime) -> str:
    return iso(at, UTC)
