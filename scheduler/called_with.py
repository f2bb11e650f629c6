"""Make the fields that say when of the arguments of a call: `hour=2, minute=0`, a cron expression, a moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from scheduler.cron import validate_cron_expression
from scheduler.errors import InvalidRequest, Problem, unknown_field
from scheduler.models import job_fields

_LIMITS = ("start_date", "end_date", "jitter")
_INTERVAL = ("weeks", "days", "hours", "minutes", "seconds", *_LIMITS)
_CRON = ("year", "month", "day", "week", "day_of_week", "hour", "minute", "second", *_LIMITS)

Split = tuple[dict[str, Any], dict[str, Any]]
"""The fields that say when, and the terms that stood among them."""


def interval(arguments: Mapping[str, Any]) -> Split:
    """Read the arguments of a job that runs at every interval."""
    given, terms = _split(arguments, _INTERVAL)
    return {"trigger": trigger("interval", given)}, terms


def cron(expression: str | None, arguments: Mapping[str, Any]) -> Split:
    """Read the arguments of a job that runs by cron's rules."""
    given, terms = _split(arguments, _CRON)
    if expression is None:
        return {"trigger": trigger("cron", given)}, terms
    if given:
        text = f"a cron expression and {', '.join(given)} say the same: give one of them"
        raise InvalidRequest([Problem(next(iter(given)), text, expression)])
    valid, reason = validate_cron_expression(expression)
    if not valid:
        raise InvalidRequest([Problem("expression", str(reason), expression, code="invalid_interval")])
    return {"interval": expression}, terms


def trigger(kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return a trigger as people write it, moments and dates as text."""
    given = {name: value for name, value in fields.items() if value is not None}
    return {"type": kind} | {
        name: value.isoformat() if isinstance(value, date) else value for name, value in given.items()
    }


def _split(arguments: Mapping[str, Any], names: Sequence[str]) -> Split:
    known = (*names, *job_fields())
    if unknown := [unknown_field(name, known, value) for name, value in arguments.items() if name not in known]:
        raise InvalidRequest(unknown)
    given = {name: value for name, value in arguments.items() if name in names}
    return given, {name: value for name, value in arguments.items() if name not in names}
