"""Read requests: what was sent becomes what an action takes, or a list of everything that is wrong with it."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pydantic import BaseModel, ValidationError

from scheduler.definitions import Checked
from scheduler.errors import InvalidRequest, Problem, as_sent, explain, shorten, unknown_field
from scheduler.http import requests
from scheduler.models import Job, job_fields
from scheduler.moments import iso, iso_or_none, moment_of_epoch
from scheduler.phrases import read_zone
from scheduler.spellings import SPELLING_FIELDS, read_schedule
from scheduler.task_scheduler import TaskScheduler
from tasks import TASK_TYPES

_LOST_PLUS = re.compile(r"[0-9-]+T[0-9:.]+ [0-9]{2}:?[0-9]{2}")
_OF_THE_REQUEST = ("replace", "override")


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition that was sent: the fields of the job, apart from those of the request."""

    fields: dict[str, Any]
    task_id: str
    replace: bool
    job: Checked | Job | None
    override: bool = False


def read(service: TaskScheduler, model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel | Definition:
    """Make what an action takes of the fields that were sent; raise `InvalidRequest` with every problem."""
    if model in (requests.Create, requests.Update):
        return _read_definition(service, model, given)
    problems: list[Problem] = []
    try:
        request = model.model_validate(given)
    except ValidationError as error:
        problems = explain(error, model)
    if model in (requests.Preview, requests.Runs):
        problems += _problems_of_times(service, given, {problem.field for problem in problems})
    if problems:
        raise InvalidRequest(problems)
    return request


def _problems_of_times(service: TaskScheduler, given: Mapping[str, Any], known: set[str]) -> list[Problem]:
    """Return what is wrong with zone, moments and schedule, beside the `known` faulty fields."""
    fine = {name: value for name, value in given.items() if name not in known}
    zone, problems = fine.get("timezone"), []
    moments = [name for name in ("after", "since") if name in fine]
    checks: list[Callable[[], object]] = [partial(moment, service, fine[name], name) for name in moments]
    if zone is not None:
        checks.append(partial(read_zone, zone))
    if fine.get("action") == "preview" and not known & set(SPELLING_FIELDS):
        checks.append(partial(_read_when, service, fine))
    for check in checks:
        try:
            check()
        except InvalidRequest as error:
            problems.extend(error.problems)
    return problems


def _read_when(service: TaskScheduler, fine: Mapping[str, Any]) -> None:
    """Read the schedule of a preview; raise `InvalidRequest` for what is wrong with it, and it alone."""
    zone, after = service.config.zone, None
    with contextlib.suppress(InvalidRequest):
        zone = zone if fine.get("timezone") is None else read_zone(fine["timezone"])
        after = moment(service, fine.get("after"), "after", zone.key)
    read_schedule({name: fine.get(name) for name in SPELLING_FIELDS}, zone=zone, now=after or service.now())


def _read_definition(service: TaskScheduler, model: type[BaseModel], given: Mapping[str, Any]) -> Definition:
    """Take the request apart; what the fields of a job may be, the scheduler says for every caller alike."""
    fields = {name: value for name, value in given.items() if name not in ("action", *_OF_THE_REQUEST)}
    if model is requests.Update:
        return _read_update(service, fields, given)
    job, problems = None, _problems_of_flags(given)
    kind = next((name for name in TASK_TYPES if name == given.get("type")), "task")
    fields.setdefault("task_id", f"{kind}-{secrets.token_hex(4)}")
    try:
        job = service.read_definition(fields)
    except InvalidRequest as error:
        problems = [*error.problems, *problems]
    if problems:
        raise InvalidRequest(problems)
    return Definition(fields, str(fields["task_id"]), given.get("replace", False), job, given.get("override", False))


def _problems_of_flags(given: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with the fields that belong to a request, not to the job that it defines."""
    return [
        Problem(name, f"'{name}' must be true or false, not {as_sent(given[name])}", given[name])
        for name in _OF_THE_REQUEST
        if not isinstance(given.get(name, False), bool)
    ]


def _read_update(service: TaskScheduler, fields: dict[str, Any], given: Mapping[str, Any]) -> Definition:
    """Read an update as far as that goes without the task that it is for."""
    problems: list[Problem] = []
    if "replace" in given:
        problems.append(unknown_field("replace", job_fields(), given["replace"]))
    own = [name for name in ("action", "task_id", "override") if name in given]
    try:
        request = requests.Update.model_validate({name: given[name] for name in own})
    except ValidationError as error:
        problems += explain(error, requests.Update)
    if problems:
        raise InvalidRequest(problems + _problems_of_changes(service, fields))
    assert isinstance(request, requests.Update)
    return Definition(fields, request.task_id, False, None, request.override)


def _problems_of_changes(service: TaskScheduler, fields: Mapping[str, Any]) -> list[Problem]:
    """Return what is wrong with changes whatever task they are for."""
    changes = {name: value for name, value in fields.items() if name != "task_id"}
    try:
        service.read_definition({"task_id": "any", **changes})
    except InvalidRequest as error:
        return [
            problem
            for problem in error.problems
            if problem.code != "missing_field"
            and not (problem.code == "unknown_field" and problem.field in job_fields())
        ]
    return []


def moment(service: TaskScheduler, text: str | None, field: str, timezone: str | None = None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        if not 1900 <= moment.year <= 9000:
            raise ValueError(text)
    except ValueError as error:
        now = iso(service.now().replace(microsecond=0), service.config.zone)
        message = f"'{field}' must be an ISO 8601 time of the years 1900 to 9000, such as '{now}'"
        meant = iso_or_none(moment_of_epoch(text), service.config.zone) or now
        if _LOST_PLUS.fullmatch(text):
            meant = text.replace(" ", "+")
            message += "; a '+' in the query of a URL is written %2B"
        raise InvalidRequest([Problem(field, message, shorten(text), [now], meant)]) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=read_zone(timezone) if timezone else service.config.zone)
    return moment
