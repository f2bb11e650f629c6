"""Read every way to say "when": a phrase, a trigger object, or a schedule type with its configuration.

interval, schedule                 a phrase or a cron expression
trigger                            {"type": "interval" | "cron" | "date", ...}
schedule_type, schedule_config     hourly, daily, weekly, custom, manual
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest, Problem, not_one_of, shorten
from scheduler.fields import FieldReader, clock_fields
from scheduler.likely_values import likely_clock, likely_hour, typo_of
from scheduler.moments import iso, moment_of_epoch
from scheduler.phrases import Limits, is_cron, parse_phrase
from scheduler.trigger_objects import EXPRESSION_NAMES, read_trigger_object, type_of_trigger
from scheduler.triggers import Manual, Trigger

SPELLING_FIELDS = ("interval", "schedule", "trigger", "schedule_type", "schedule_config")
_SPELLINGS = ("interval", "schedule", "trigger", "schedule_type")
_EXAMPLE = "every 5 minutes"
_PHRASES = (_EXAMPLE, "daily at 10:30", "monday at 09:00", "0 2 * * *", "2026-12-24T18:00")
_CALENDAR_TYPES = {"monthly": ("day", "hour"), "yearly": ("month", "day", "hour"), "annually": ("month", "day", "hour")}
"""Schedule types of others, with the fields by which a trigger of type `cron` says the same."""
_BESIDE_PHRASES = {
    "timezone": "timezone",
    "start_date": "start_at",
    "end_date": "until",
    "jitter": "jitter_seconds",
    "tz": "timezone",
    "start_at": "start_at",
    "until": "until",
}
"""What an object may hold beside such a text, and what that is called beside a phrase."""
_PHRASE_NAMES = (*EXPRESSION_NAMES, "interval", "schedule", "every")
"""Where an object may hold a text that says when."""
SCHEDULE_TYPES = ("hourly", "daily", "weekly", "custom", "manual")
_TOLD_BY = {"custom": "cron_expression", "weekly": "day_of_week", "daily": "hour", "hourly": "minute"}
"""The field by which a configuration tells its schedule type, where it has none of those before it."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job runs, and how that is shown.

    `text` is a phrase as it was sent, else the canonical description. `jitter_seconds` is set if the spelling
    holds a jitter of its own.
    """

    trigger: Trigger
    text: str
    jitter_seconds: int | None = None


def read_schedule(
    fields: Mapping[str, object],
    *,
    zone: ZoneInfo,
    now: datetime,
    start_at: datetime | None = None,
    until: datetime | None = None,
) -> Schedule:
    """Return the schedule that the sent subset of SPELLING_FIELDS means; None is the same as absent.

    `start_at` is the anchor and first moment of intervals and the earliest moment of other rules, `until`
    the last moment (both aware). InvalidRequest: none, several, or wrong; it holds every problem found.
    """
    name = _only_spelling(fields)
    limits = Limits(start_at, until) if start_at or until else Limits()
    if name in ("interval", "schedule"):
        _check_text(name, fields[name], zone, now)
        trigger = parse_phrase(fields[name], zone=zone, now=now, field=name, limits=limits)
        return Schedule(trigger, str(fields[name]))
    if name == "trigger":
        trigger, jitter = read_trigger_object(fields[name], zone, now, limits)
        return Schedule(trigger, trigger.describe(), jitter)
    trigger = _read_typed(fields[name], fields.get("schedule_config"), zone, now, limits)
    return Schedule(trigger, trigger.describe())


def _only_spelling(fields: Mapping[str, object]) -> str:
    """Return the one spelling that was sent; raise InvalidRequest."""
    sent = [name for name in _SPELLINGS if fields.get(name) is not None]
    config = fields.get("schedule_config") is not None
    if config and "schedule_type" not in sent:
        if sent:
            message = (
                f"'{sent[0]}' and 'schedule_config' do not go together: 'schedule_config' goes with 'schedule_type'"
            )
            _refuse("schedule_config", message, accepted=list(_SPELLINGS))
        message = "'schedule_config' needs 'schedule_type'"
        meant = _type_of_config(fields["schedule_config"])
        _refuse("schedule_type", message, accepted=list(SCHEDULE_TYPES), suggestion=meant, code="missing_field")
    if not sent:
        message = f"'interval' is required: say when, such as '{_EXAMPLE}'"
        _refuse("interval", message, accepted=_PHRASES, suggestion=_EXAMPLE, code="missing_field")
    if len(sent) > 1:
        names = " and ".join(f"'{name}'" for name in sent)
        message = (
            f"{names} all say when: send exactly one" if len(sent) > 2 else f"{names} both say when: send exactly one"
        )
        _refuse(sent[1], message, accepted=list(_SPELLINGS))
    return sent[0]


def _check_text(name: str, value: object, zone: ZoneInfo, now: datetime) -> None:
    """Refuse an object or a number where a phrase is expected, saying what was meant where that can be seen."""
    if isinstance(value, Mapping):
        _check_object(name, value, zone, now)
    elif (moment := moment_of_epoch(value)) is not None:
        meant = iso(moment, zone)
        message = f"'{name}' must be a text, not a number: as a time since 1970 it would be '{meant}'"
        _refuse_phrase(name, message, value, suggestion=meant)


def _check_object(name: str, value: Mapping[str, object], zone: ZoneInfo, now: datetime) -> None:
    message = f"'{name}' must be a text, not an object: an object goes into 'trigger'"
    beside = {theirs: value[ours] for ours, theirs in _BESIDE_PHRASES.items() if ours in value}
    for phrase in _phrases_in(value):
        if _is_phrase(phrase, zone, now):
            instead = {name: phrase, **beside} if beside else {}
            _refuse_phrase(name, f"{message}; did you mean '{phrase}'?", value, suggestion=phrase, instead=instead)
    typed = {"type": type_of_trigger(value), **value}
    if (trigger := _trigger_of(typed, zone, now)) is not None:
        phrase = trigger.describe()
        suggestion = phrase if _is_phrase(phrase, zone, now) else None
        message += f", as {json.dumps(typed)}"
        _refuse_phrase(name, message, value, suggestion=suggestion, instead={"trigger": typed})


def _phrases_in(value: Mapping[str, object]) -> Iterator[str]:
    """Give the phrases that an object may mean with a text: none where it says more than can be carried along."""
    texts = [text for other in _PHRASE_NAMES if isinstance(text := value.get(other), str)]
    said = [f" at {value[name]}" for name in ("at", "time") if isinstance(value.get(name), str)]
    known = {"type", "at", "time", *_PHRASE_NAMES, *_BESIDE_PHRASES}
    if len(texts) == 1 and len(said) < 2 and set(value) <= known:
        yield from (f"{every}{texts[0]}{at}" for at in said or [""] for every in ("", "every "))


def _is_phrase(text: str, zone: ZoneInfo, now: datetime) -> bool:
    try:
        parse_phrase(text, zone=zone, now=now, field="interval", limits=Limits())
    except InvalidRequest:
        return False
    return True


def _trigger_of(value: Mapping[str, object], zone: ZoneInfo, now: datetime) -> Trigger | None:
    """Return the trigger that an object means, None where it means none."""
    try:
        return read_trigger_object(value, zone, now, Limits())[0]
    except InvalidRequest:
        return None


def _refuse_phrase(field: str, message: str, got: object, **details: Any) -> NoReturn:
    _refuse(field, message, got=shorten(got), accepted=_PHRASES, code="invalid_interval", **details)


def _refuse(field: str, message: str, **details: Any) -> NoReturn:
    raise InvalidRequest([Problem(field, message, **details)])


def _read_typed(kind: object, config: object, zone: ZoneInfo, now: datetime, limits: Limits) -> Trigger:
    """Read `schedule_type` with its configuration."""
    problems: list[Problem] = []
    if kind not in SCHEDULE_TYPES:
        problems.append(_no_type(kind, config, zone, now))
    values = _read_config(config, str(kind), problems)
    if problems or values is None:
        raise InvalidRequest(_with_phrases(kind, problems, zone, now))
    reader = FieldReader("schedule_config", values)
    phrase = _TYPES[str(kind)](reader)
    reader.problems = _with_phrases(kind, reader.problems, zone, now)
    reader.finish()
    if phrase is None:
        return Manual(zone=zone)
    field = "schedule_config.cron_expression" if kind == "custom" else "schedule_config"
    return parse_phrase(phrase, zone=zone, now=now, field=field, limits=limits)


def _with_phrases(kind: object, problems: list[Problem], zone: ZoneInfo, now: datetime) -> list[Problem]:
    """Return problems; those of a custom schedule tell where a phrase goes that came in place of an expression."""
    return [_with_phrase(problem, zone, now) for problem in problems] if kind == "custom" else problems


def _with_phrase(problem: Problem, zone: ZoneInfo, now: datetime) -> Problem:
    text = problem.got
    if problem.suggestion is not None or not isinstance(text, str) or not _is_phrase(text, zone, now):
        return problem
    message = f"{problem.message}; a phrase goes into 'interval', without 'schedule_type'"
    return replace(problem, message=message, instead={"interval": text})


def _no_type(kind: object, config: object, zone: ZoneInfo, now: datetime) -> Problem:
    """Describe a schedule type that is none: it may be misspelt, or belong to another way to say when."""
    meant = typo_of(kind.strip().lower(), SCHEDULE_TYPES) if isinstance(kind, str) else None
    problem = not_one_of("schedule_type", kind, SCHEDULE_TYPES, meant)
    instead = None if meant or not isinstance(kind, str) else _other_spelling(kind, config, zone, now)
    if instead is None:
        return problem
    return replace(problem, message=f"{problem.message} Did you mean {json.dumps(instead)}?", instead=instead)


def _other_spelling(kind: str, config: object, zone: ZoneInfo, now: datetime) -> dict[str, object] | None:
    """Return what says when in another way than by a schedule type, None where nothing is recognised."""
    values = _config_in(config)
    if not values:
        return {"interval": kind} if config in (None, "", {}) and _is_phrase(kind, zone, now) else None
    word = kind.strip().lower()
    needed = _CALENDAR_TYPES.get(word)
    if needed is not None and any(values.get(name) is None for name in needed):
        return None
    typed = {"type": word if needed is None else "cron", **values}
    try:
        read_trigger_object(typed, zone, now, Limits())
    except InvalidRequest as error:
        return dict(error.problems[0].instead) or None if len(error.problems) == 1 else None
    return {"trigger": typed}


def _type_of_config(config: object) -> str | None:
    """Return the schedule type that the fields of a configuration tell."""
    values = _config_in(config)
    return next((kind for kind, name in _TOLD_BY.items() if values.get(name) is not None), None)


def _config_in(config: object) -> Mapping[str, object]:
    """Return the fields of a configuration, none where it cannot be read."""
    return _read_config(config, "", []) or {}


def _read_config(config: object, kind: str, problems: list[Problem]) -> Mapping[str, object] | None:
    """Return the configuration, an object or the JSON text of one."""
    if config is None:
        return {}
    if isinstance(config, str):
        text = config
        try:
            config = json.loads(text) if text.strip() else {}
        except (ValueError, RecursionError) as error:  # the latter where it is nested without end
            message = f"'schedule_config' is no JSON object: {error}"
            problems.append(
                Problem("schedule_config", message, got=shorten(text), suggestion=_config_of_text(kind, text))
            )
            return None
    if not isinstance(config, Mapping):
        message = "'schedule_config' must be an object, or the JSON text of one"
        problems.append(Problem("schedule_config", message, got=shorten(config)))
        return None
    return config


def _config_of_text(kind: str, text: str) -> Mapping[str, object] | None:
    """Return the configuration that a plain text was meant for: a cron expression, or a time of day."""
    if kind == "custom" and is_cron(text):
        return {"cron_expression": text}
    clock = likely_clock(text) if kind == "daily" else None
    return None if clock is None else clock_fields(clock)


def _hourly(reader: FieldReader) -> str:
    minute = reader.number("minute", 0, 59)
    return "hourly" if minute is None else f"hourly at :{minute:02}"


def _daily(reader: FieldReader) -> str:
    return f"every day at {_time_of(reader)}"


def _weekly(reader: FieldReader) -> str:
    days = reader.weekdays("day_of_week", required=True)
    return f"every {days} at {_time_of(reader)}"


def _time_of(reader: FieldReader) -> str:
    whole = reader.refuse_clock()
    hour = reader.number("hour", 0, 23, required=not whole, meant=likely_hour(reader.values.get("hour")))
    minute, second = reader.number("minute", 0, 59), reader.number("second", 0, 59)
    return f"{hour or 0:02}:{minute or 0:02}:{second or 0:02}"


def _custom(reader: FieldReader) -> str:
    text = reader.text("cron_expression", "0 2 * * *")
    if text is not None and not is_cron(text):
        message = f"'{text}' is no cron expression: five fields, minute hour day month weekday"
        reader.refuse("cron_expression", message, code="invalid_interval")
    return text or ""


def _manual(reader: FieldReader) -> None:
    return None


_TYPES = {"hourly": _hourly, "daily": _daily, "weekly": _weekly, "custom": _custom, "manual": _manual}
