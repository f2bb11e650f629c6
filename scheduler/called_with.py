"""Make the fields that say when of the arguments of a call: `hour=2, minute=0`, a cron expression, a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.cron import validate_cron_expression
from scheduler.errors import InvalidRequest, Problem, shorten, unknown_field
from scheduler.models import job_fields
from scheduler.phrases import read_zone
from scheduler.spellings import SPELLING_FIELDS

_LIMITS = {"start_date": "start_at", "end_date": "until", "jitter": "jitter_seconds"}
"""What limits a rule: its name here and in trigger objects, and the field of a Job that says the same."""
_INTERVAL = ("weeks", "days", "hours", "minutes", "seconds", *_LIMITS)
_CRON = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second", *_LIMITS)

Split = tuple[dict[str, Any], dict[str, Any]]
"""The fields that say when, and the terms that stood among them."""


def interval(arguments: Mapping[str, Any], zone: ZoneInfo) -> Split:
    """Read the arguments of a job that runs at every interval; `zone` is that of jobs that name none."""
    given, terms = _split(arguments, _INTERVAL, zone)
    return {"trigger": {"type": "interval", **given}}, terms


def cron(expression: str | None, arguments: Mapping[str, Any], zone: ZoneInfo) -> Split:
    """Read the arguments of a job that runs by cron's rules."""
    given, terms = _split(arguments, _CRON, zone)
    if expression is None:
        return {"trigger": {"type": "cron", **given}}, terms
    if fields := [name for name in given if name not in _LIMITS]:
        text = f"a cron expression and {', '.join(fields)} say the same: give one of them"
        raise InvalidRequest([Problem(fields[0], text, expression)])
    valid, reason = validate_cron_expression(expression)
    if not valid:
        raise InvalidRequest([Problem("expression", str(reason), expression, code="invalid_interval")])
    if twice := [name for name in given if _LIMITS[name] in terms]:
        raise InvalidRequest([_said_twice(name, _LIMITS[name], given[name]) for name in twice])
    return {"interval": expression, **{_LIMITS[name]: value for name, value in given.items()}}, terms


def once(moment: object, arguments: Mapping[str, Any], zone: ZoneInfo) -> Split:
    """Read the arguments of a job that runs once."""
    given, terms = _split({"run_date": moment, **arguments}, ("run_date",), zone)
    return {"trigger": {"type": "date", **given}}, terms


def named(job_id: str | None, terms: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms with the job's id among them, where it was given one."""
    if job_id is None:
        return dict(terms)
    if terms.get("task_id", job_id) != job_id:
        raise InvalidRequest([_said_twice("task_id", "job_id", terms["task_id"])])
    return {**terms, "task_id": job_id}


def _split(arguments: Mapping[str, Any], names: Sequence[str], zone: ZoneInfo) -> Split:
    """Take apart what says when, moments and dates as text, and the terms; None is the same as absent."""
    known = (*names, *(name for name in job_fields() if name not in SPELLING_FIELDS))
    said = {name: value for name, value in arguments.items() if value is not None}
    if problems := [_not_taken(name, value, known) for name, value in said.items() if name not in known]:
        raise InvalidRequest(problems)
    zone = _zone_of(said.get("timezone"), zone)
    given = {name: _written(value, zone) for name, value in said.items() if name in names}
    return given, {name: value for name, value in said.items() if name not in names}


def _not_taken(name: str, value: object, known: Sequence[str]) -> Problem:
    if name not in SPELLING_FIELDS:
        return unknown_field(name, known, value)
    text = f"'{name}' says when, and so do the other arguments: leave it out"
    return Problem(name, text, shorten(value), code="unknown_field")


def _said_twice(name: str, other: str, value: object) -> Problem:
    return Problem(name, f"'{name}' and '{other}' say the same: give one of them", shorten(value))


def _zone_of(name: object, default: ZoneInfo) -> ZoneInfo:
    try:
        return default if name is None else read_zone(name)
    except InvalidRequest:  # which is told with all else that is wrong with the job
        return default


def _written(value: object, zone: ZoneInfo) -> object:
    """Return a moment or a date as text. One without a zone tells by `fold` which of two it is where clocks repeat."""
    if not isinstance(value, date):
        return value
    if isinstance(value, datetime) and value.tzinfo is None and value.fold:
        later = value.replace(tzinfo=zone)
        first, second = later.replace(fold=0).utcoffset(), later.utcoffset()
        if first is not None and second is not None and first > second:
            return later.isoformat()
    return value.isoformat()
