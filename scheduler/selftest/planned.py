"""Work out anew which fire times were planned: from definitions, by their triggers, and from what was asked when.

A request took effect somewhere between its first try and its answer. So there are fire times that
must have a row, fire times that may have one, and moments for which there must be none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from scheduler.definitions import jitter
from scheduler.models import WHEN_FIELDS, read_job, read_when
from scheduler.policy import due_at
from scheduler.selftest.record import Disturbance, Request, Span
from scheduler.spellings import Schedule
from scheduler.stored_job import StoredJob

QUIET = timedelta(seconds=3)
"""How long nothing was done to the server for it to have noticed what was due, with time to spare on a busy machine."""
TICK = timedelta(milliseconds=2)
"""The scheduler keeps moments in whole milliseconds."""
_EVER = datetime(9000, 1, 1, tzinfo=UTC)
FOREVER = Span(_EVER, _EVER)
_DEFINES = {"create", "update"}


@dataclass(frozen=True, slots=True)
class Era:
    """A time in which something held: from somewhere within `begin` until somewhere within `end`."""

    begin: Span
    end: Span = FOREVER
    definition: Mapping[str, Any] | None = None

    def surely_after_begin(self, moment: datetime) -> bool:
        """Whether it had begun before `moment` in any case."""
        return moment > self.begin.ended

    def may_hold(self, moment: datetime) -> bool:
        """Whether it may have held at `moment`."""
        return self.begin.began - TICK <= moment <= self.end.ended + TICK


def running_eras(requests: Sequence[Request]) -> list[Era]:
    """Return when the scheduler ran, by the `start` and `stop` that were asked for."""
    return _eras([_Change(r, r.action == "start") for r in _effective(requests) if r.action in ("start", "stop")])


def planned_eras(requests: Sequence[Request], job: StoredJob) -> list[Era]:
    """Return when a job was planned and unchanged, by all that was asked for it.

    What changes no more than words about a job moves none of its fire times, and ends no era.
    """
    changes: list[_Change] = []
    definition: Mapping[str, Any] = {}
    for request in _effective(requests):
        if request.task_id != job.task_id:
            continue
        if request.action in _DEFINES:
            before, definition = definition, merged(definition, request)
            if not before or _when(full(before, job)) != _when(full(definition, job)):
                changes.append(_Change(request, True, definition))
        elif request.action in ("pause", "remove"):
            changes.append(_Change(request, False))
        elif request.action == "resume":
            changes.append(_Change(request, True, definition))
    return _eras(changes)


def merged(definition: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return a definition as it is after a `create` or `update`."""
    sent = {name: value for name, value in request.fields.items() if name != "replace"}
    return sent if request.action == "create" else {**definition, **sent}


def full(definition: Mapping[str, Any], job: StoredJob) -> dict[str, Any]:
    """Return a definition as the scheduler keeps it, after defaults."""
    return read_job({"timezone": job.zone.key, **definition, "task_id": job.task_id}).definition()


@dataclass(frozen=True, slots=True)
class _Change:
    request: Request
    on: bool
    definition: Mapping[str, Any] | None = None


def _effective(requests: Sequence[Request]) -> list[Request]:
    return sorted((r for r in requests if r.outcome != "refused"), key=lambda request: request.when.began)


def _eras(changes: Sequence[_Change]) -> list[Era]:
    eras: list[Era] = []
    for change in changes:
        if eras and eras[-1].end is FOREVER:
            eras[-1] = replace(eras[-1], end=change.request.when)
        if change.on:
            eras.append(Era(change.request.when, definition=change.definition))
    return eras


def _when(definition: Mapping[str, Any]) -> dict[str, Any]:
    return {name: definition.get(name) for name in (*WHEN_FIELDS, "timezone", "jitter_seconds")}


@dataclass(frozen=True, slots=True)
class PlannedTime:
    """A fire time, when it was due, and whether it must have a row."""

    moment: datetime
    due_at: datetime
    required: bool
    era: Era


class Planner:
    """The fire times of all jobs of a round, up to `until`."""

    def __init__(self, requests: Sequence[Request], disturbances: Sequence[Disturbance], until: datetime) -> None:
        self._requests, self._until = requests, until
        self._disturbances = sorted(disturbances, key=lambda disturbance: disturbance.when.began)
        self.running = running_eras(requests)

    def fire_times(self, job: StoredJob) -> Iterator[PlannedTime]:
        """Yield every fire time that may have a row, those that must have one marked."""
        eras = planned_eras(self._requests, job)
        for era in eras:
            schedule = self._schedule(job, era)
            moment = schedule.trigger.utc_after(era.begin.began - TICK)
            while moment is not None and moment <= min(era.end.ended, self._until):
                due = due_at(job.task_id, moment, jitter(job.job, schedule), schedule.trigger)
                once = schedule.trigger.kind == "once"
                if once or any(running.may_hold(moment) for running in self.running):
                    yield PlannedTime(moment, due, self._must_have_row(moment, due, era, once), era)
                moment = schedule.trigger.utc_after(moment)

    def is_quiet(self, moment: datetime, before: timedelta = QUIET) -> bool:
        """Whether nothing was being done to the server at `moment` and for a while before."""
        return not any(d.when.began <= moment and d.when.ended > moment - before for d in self._disturbances)

    def _schedule(self, job: StoredJob, era: Era) -> Schedule:
        """Read when the job was due: as it is stored, unless it was changed later."""
        assert era.definition is not None
        if _when(full(era.definition, job)) == _when(job.definition):
            return job.read_schedule()
        return read_when(era.definition, job.zone, job.created_at)

    def _must_have_row(self, moment: datetime, due: datetime, era: Era, once: bool) -> bool:
        if not era.surely_after_begin(moment):
            return False
        return any(
            max(due, running.begin.ended) <= min(running.end.began, era.end.began)
            for running in self.running
            if once or running.surely_after_begin(moment)
        )
