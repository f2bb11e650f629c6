"""Read trigger objects: {"type": "interval", "minutes": 5}, {"type": "cron", "hour": 2}, {"type": "date", ...}.

The `cron` object takes its fields by name, from year to second. Fields left out count as `*` as long as a less
significant one is given, and as their minimum behind the least significant one. `day` and `day_of_week` must both
match; weekdays are names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import partial
from typing import TypeGuard
from zoneinfo import ZoneInfo

from scheduler.cron import DAY, HOUR, MINUTE, MONTH, Field, mask_of, read_values
from scheduler.cron_fields import ALL_MONTH_DAYS, CronDates, CronFields
from scheduler.errors import InvalidRequest, Problem, as_sent, not_one_of, shorten
from scheduler.fields import FieldReader
from scheduler.likely_values import likely_items, likely_number, typo_of
from scheduler.phrases import Limits, find_bounds, parse_phrase, read_zone
from scheduler.triggers import Cron, Trigger
from scheduler.wording import ALL_DAYS, ALL_MONTHS, LAST, WEEKDAYS, join_words, say_count, say_step

TRIGGER_TYPES = ("interval", "cron", "date")
UNITS = {"weeks": 604_800, "days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
_MOST = {name: 3653 * 86_400 // seconds for name, seconds in UNITS.items()}
_YEAR = Field("year", 1970, 9999)
_WEEK = Field("week", 1, 53)
_SECOND = Field("second", 0, 59)
_CRON_FIELDS = {
    "year": _YEAR,
    "month": MONTH,
    "day": DAY,
    "week": _WEEK,
    "day_of_week": None,
    "hour": HOUR,
    "minute": MINUTE,
    "second": _SECOND,
}
TRIGGER_FIELDS = (*UNITS, *_CRON_FIELDS, "run_date", "start_date", "end_date", "timezone", "jitter")
"""All that a trigger object of one type or another may hold beside its type."""
EXPRESSION_NAMES = ("cron", "cron_expression", "crontab", "expression")
"""What others call the field of a whole cron expression, which our objects have not."""
_FIELDS_OF = {"date": ("run_date",), "cron": (*_CRON_FIELDS, *EXPRESSION_NAMES), "interval": tuple(UNITS)}
"""The fields by which each type is known, the type that has the fewest first."""
_BESIDE_TRIGGERS = {"timezone": "timezone", "start_date": "start_at", "end_date": "until", "jitter": "jitter_seconds"}
"""What fields of a trigger object are called beside a phrase."""
_MINIMA = {"month": "1", "day": "1", "hour": "0", "minute": "0", "second": "0"}
_NTH_DAY = re.compile(r"(last|[1-5](?:st|nd|rd|th))\s+([a-z]+)")
Days = tuple[int, bool, tuple[tuple[int, int], ...]]
"""The mask of days, whether the last one counts, and the n-th weekdays of a month."""
_LONGEST_WAIT = timedelta(days=40 * 365.25)


def read_trigger_object(value: object, zone: ZoneInfo, now: datetime, limits: Limits) -> tuple[Trigger, int | None]:
    """Return the trigger that the object means and its jitter in seconds; raise InvalidRequest."""
    if not isinstance(value, Mapping):
        raise InvalidRequest([no_trigger_object(value, zone, now)])
    reader = FieldReader("trigger", value)
    kind = _read_type(reader, value)
    name = reader.take("timezone")
    if name is not None:
        zone = _zone_of(name, reader) or zone
    return _READERS[kind](reader, zone, now.astimezone(UTC), limits)


def _read_type(reader: FieldReader, fields: Mapping[str, object]) -> str:
    kind = reader.take("type")
    if kind != "cron":
        _refuse_expression(reader)  # which is no trigger of any type
    if not reader.problems:
        reader.take("type", required=True, suggestion=type_of_trigger(fields))
        if kind is not None and kind not in TRIGGER_TYPES:
            reader.problems.append(not_one_of("trigger.type", kind, TRIGGER_TYPES, _guess_type(kind, fields)))
    if not reader.problems:
        _refuse_other_type(reader, str(kind))
    if reader.problems:
        raise InvalidRequest(reader.problems)
    return str(kind)


def trigger_zone(value: object) -> ZoneInfo | None:
    """Return the zone that a trigger object names; None where it names none, or none that is known."""
    name = value.get("timezone") if isinstance(value, Mapping) else None
    try:
        return None if name is None else read_zone(name)
    except InvalidRequest:
        return None


def type_of_trigger(fields: Mapping[str, object]) -> str | None:
    """Return the type that the fields of a trigger object belong to; None where they belong to none."""
    found = (kind for kind, names in _FIELDS_OF.items() if any(fields.get(name) is not None for name in names))
    return next(found, None)


def no_trigger_object(value: object, zone: ZoneInfo, now: datetime) -> Problem:
    """Describe a trigger that is no object: it may be the JSON text of one, or a phrase."""
    usual = as_sent({"type": "interval", "minutes": 5})
    message = f"'trigger' must be an object such as {usual}; a phrase goes into 'interval'"
    meant = _object_in(value, zone, now)
    if meant is not None:
        return Problem("trigger", f"{message}; did you mean {as_sent(meant, 200)}?", shorten(value), suggestion=meant)
    if isinstance(value, str) and _is_phrase(value, zone, now):
        message = f"{message}, as {as_sent({'interval': value})}"
        return Problem("trigger", message, shorten(value), instead={"interval": value})
    return Problem("trigger", message, shorten(value))


def _object_in(value: object, zone: ZoneInfo, now: datetime) -> dict[str, object] | None:
    """Return the trigger object that stands in a text; None where there is none that is accepted."""
    try:
        found = json.loads(value) if isinstance(value, str) else None
        if not isinstance(found, dict):
            return None
        read_trigger_object(found, zone, now, Limits())
    except (ValueError, RecursionError, InvalidRequest):  # no JSON, nested without end, or no trigger
        return None
    return found


def _is_phrase(text: str, zone: ZoneInfo, now: datetime) -> bool:
    try:
        parse_phrase(text, zone=zone, now=now)
    except InvalidRequest:
        return False
    return True


def _guess_type(kind: object, fields: Mapping[str, object]) -> str | None:
    """Return the type that another word was meant for, be it misspelt or the field that only one type has."""
    if type_of_trigger(fields) == "date":
        return "date"
    word = kind.strip().lower() if isinstance(kind, str) else ""
    longer = (name for name in TRIGGER_TYPES if word.startswith(name))
    return next(longer, None) or typo_of(word, TRIGGER_TYPES)


def _refuse_other_type(reader: FieldReader, kind: str) -> None:
    """Refuse a type of which the object holds no field, but some of another one: then the type is what is wrong.

    `hour: 9` may be every 9 hours or 9 o'clock, so that no type is suggested unless something else tells.
    """
    sent = [name for name in reader.values if name != "type"]
    if any(name in _FIELDS_OF[kind] for name in sent):
        return
    for other, names in _FIELDS_OF.items():
        theirs = [name for name in sent if name in names]
        if theirs:
            clear = other == "date" or (other == "cron" and any(_is_no_amount(reader.values, name) for name in theirs))
            words = join_words([f"'{name}'" for name in theirs])
            message = f"'trigger.type' is '{kind}', but {words} {'go' if len(theirs) > 1 else 'goes'} with '{other}'"
            reader.refuse("type", message, accepted=list(TRIGGER_TYPES), suggestion=other if clear else None)
            return


def _is_no_amount(fields: Mapping[str, object], name: str) -> bool:
    """Say whether a field of the type cron cannot be meant as an amount of units, as in `hour: 2`."""
    return f"{name}s" not in UNITS or likely_number(str(fields[name]), 0, _MOST[f"{name}s"]) is None


def _refuse_expression(reader: FieldReader) -> None:
    """Refuse a whole expression in a field of its own, saying where it belongs."""
    for name in EXPRESSION_NAMES:
        if (text := reader.values.pop(name, None)) is not None:
            message = f"'trigger.{name}': a cron expression goes into 'interval', and no 'trigger' beside it"
            beside = {theirs: reader.values[ours] for ours, theirs in _BESIDE_TRIGGERS.items() if ours in reader.values}
            instead = {"interval": text, **beside}
            problem = Problem(f"trigger.{name}", message, shorten(text), code="unknown_field", instead=instead)
            reader.problems.append(problem)


def _zone_of(name: object, reader: FieldReader) -> ZoneInfo | None:
    try:
        return read_zone(name, field="trigger.timezone")
    except InvalidRequest as error:
        reader.problems += error.problems
        return None


def _take_limits(reader: FieldReader, zone: ZoneInfo, now: datetime, limits: Limits) -> Limits:
    """Return the limits of the object, or those beside it; both at once are a problem."""
    start, end = reader.moment("start_date", zone, now), reader.moment("end_date", zone, now, end=True)
    for mine, other, name, field in (
        (start, limits.start, "start_date", limits.start_name),
        (end, limits.until, "end_date", limits.until_name),
    ):
        if mine is not None and other is not None:
            accepted = [f"no '{field}' beside 'trigger.{name}'", f"no 'trigger.{name}' beside '{field}'"]
            reader.refuse(name, f"'{field}' and 'trigger.{name}' say the same: send one of them", accepted=accepted)
    if start is None and end is None:
        return limits
    start_name = limits.start_name if start is None else "trigger.start_date"
    until_name = limits.until_name if end is None else "trigger.end_date"
    return Limits(start or limits.start, end or limits.until, start_name, until_name)


def _read_interval(reader: FieldReader, zone: ZoneInfo, now: datetime, limits: Limits) -> tuple[Trigger, int | None]:
    """Read weeks to seconds. Days and weeks alone keep the time of day; with smaller units time elapses."""
    counts = {name: reader.number(name, 0, most) or 0 for name, most in _MOST.items()}
    _offer_whole_units(reader)
    limits = _take_limits(reader, zone, now, limits)
    jitter = reader.number("jitter", 0, 86_400)
    total = sum(count * UNITS[name] for name, count in counts.items())
    if total == 0 and not reader.problems and all(name in reader.known for name in reader.values):
        message = "'trigger' needs an amount of at least 1: weeks, days, hours, minutes or seconds"
        reader.problems.append(Problem("trigger.minutes", message, accepted=list(UNITS), code="missing_field"))
    reader.finish()
    if total % 86_400 == 0 and not counts["hours"] and not counts["minutes"] and not counts["seconds"]:
        text = f"every {say_count(total // 86_400, 'day')}"
    else:
        text = f"every {say_step(total)}"
    return parse_phrase(text, zone=zone, now=now, field="trigger", limits=limits), jitter


def _offer_whole_units(reader: FieldReader) -> None:
    """Add to the refusal of an amount that is a fraction what it is in smaller units."""
    instead = _in_whole_units(reader.values)
    for place, problem in enumerate(reader.problems):
        if instead is not None and problem.field.split(".")[-1] in UNITS:
            message = f"{problem.message}; did you mean {as_sent(instead, 200)}?"
            reader.problems[place] = replace(problem, message=message, instead={"trigger": instead})


def _in_whole_units(fields: Mapping[str, object]) -> dict[str, object] | None:
    """Return an interval of 1.5 hours as one of 90 minutes; None where no amount is a fraction, or one is no number."""
    amounts = [(value, UNITS[name]) for name, value in fields.items() if name in UNITS]
    numbers = [(value, size) for value, size in amounts if _is_amount(value)]
    seconds = sum((Fraction(str(value)) * size for value, size in numbers), Fraction(0))
    whole = all(value == int(value) for value, _ in numbers)
    if whole or len(numbers) < len(amounts) or seconds.denominator != 1 or not 1 <= seconds <= _MOST["seconds"]:
        return None
    unit = next(name for name in ("hours", "minutes", "seconds") if int(seconds) % UNITS[name] == 0)
    return {name: value for name, value in fields.items() if name not in UNITS} | {unit: int(seconds) // UNITS[unit]}


def _is_amount(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= _MOST["seconds"]


def _read_date(reader: FieldReader, zone: ZoneInfo, now: datetime, limits: Limits) -> tuple[Trigger, int | None]:
    moment = reader.moment("run_date", zone, now, only=True)
    if moment is not None and moment <= now:
        reader.refuse("run_date", f"'trigger.run_date' is in the past (now {now.isoformat()})")
    if moment is not None and moment > now + _LONGEST_WAIT:
        reader.refuse("run_date", "'trigger.run_date' is too far away: at most 40 years")
    jitter = reader.number("jitter", 0, 86_400)
    reader.finish()
    assert moment is not None
    text = f"once at {moment.astimezone(zone).isoformat()}"
    return parse_phrase(text, zone=zone, now=now, field="trigger.run_date", limits=limits), jitter


def _read_cron(reader: FieldReader, zone: ZoneInfo, now: datetime, limits: Limits) -> tuple[Trigger, int | None]:
    reader.refuse_clock()
    texts = {name: _text_of(reader, name) for name in _CRON_FIELDS}
    _refuse_expression(reader)
    limits = _take_limits(reader, zone, now, limits)
    jitter = reader.number("jitter", 0, 86_400)
    if not any(texts.values()) and not reader.problems and all(name in reader.known for name in reader.values):
        message = "'trigger' of type 'cron' needs at least one field"
        reader.problems.append(Problem("trigger.hour", message, accepted=list(_CRON_FIELDS), code="missing_field"))
    weekdays = reader.weekdays("day_of_week") if texts["day_of_week"] else None
    fields = _fields_of(reader, _with_defaults(texts), weekdays)
    reader.finish()
    assert fields is not None
    trigger = Cron(fields=fields, zone=zone, bounds=find_bounds(limits, zone))
    first = trigger.next_after(now)
    if first is None or first - now > _LONGEST_WAIT:
        message = "'trigger' has no run within 40 years"
        raise InvalidRequest([Problem("trigger", message, got=shorten(dict(reader.values)))])
    return trigger, jitter


def _text_of(reader: FieldReader, name: str) -> str | None:
    value = reader.take(name)
    if name == "day_of_week" and value is not None:
        return "given"
    if value is None or (isinstance(value, str) and value.strip()):
        return None if value is None else " ".join(str(value).lower().split())
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse_value(reader, name, f"'trigger.{name}' must be a number or a text such as '*/2', not {as_sent(value)}")
        return None
    return str(value)


def _refuse_value(reader: FieldReader, name: str, message: str) -> None:
    """Refuse a value of a cron field, with what it was meant for."""
    taken = _CRON_FIELDS[name]
    assert taken is not None
    meant = likely_items(reader.values[name], taken, partial(_takes, taken))
    hint = "" if meant is None else f"; did you mean {as_sent(meant)}?"
    reader.refuse(name, f"{message}{hint}", accepted=[taken.accepted, "*", "*/2"], suggestion=meant)


def _takes(taken: Field, text: str) -> bool:
    """Say whether a cron field takes a text."""
    try:
        _read_days(text) if taken is DAY else read_values(text, taken)
    except ValueError:
        return False
    return True


def _with_defaults(texts: Mapping[str, str | None]) -> dict[str, str]:
    """Fill in the fields that were left out: `*` before the last one given, the minimum behind it."""
    names = list(texts)
    last = max((names.index(name) for name in names if texts[name] is not None), default=0)
    return {name: texts[name] or (_MINIMA.get(name, "*") if place > last else "*") for place, name in enumerate(names)}


def _fields_of(reader: FieldReader, texts: dict[str, str], weekdays: str | None) -> CronFields | None:
    numbers: dict[str, list[int]] = {}
    for name, taken in _CRON_FIELDS.items():
        if taken is not None and name != "day" and texts[name] != "*":
            numbers[name] = _values(reader, name, texts[name], taken)
    days = _days(reader, texts["day"])
    if reader.problems:
        return None
    mask = mask_of([WEEKDAYS.index(word) for word in weekdays.split(" and ")]) if weekdays else ALL_DAYS
    dates = CronDates(
        months=tuple(numbers["month"]) if "month" in numbers else ALL_MONTHS,
        days=days[0],
        last_day=days[1],
        day_nths=days[2],
        weekdays=mask,
        years=frozenset(numbers.get("year", ())),
        weeks=frozenset(numbers.get("week", ())),
    )
    return CronFields(
        dates,
        hours=mask_of(numbers["hour"]) if "hour" in numbers else mask_of(list(range(24))),
        minutes=mask_of(numbers["minute"]) if "minute" in numbers else mask_of(list(range(60))),
        seconds=mask_of(numbers["second"]) if "second" in numbers else mask_of(list(range(60))),
        real=texts["hour"].startswith("*") or texts["minute"].startswith("*"),
    )


def _values(reader: FieldReader, name: str, text: str, taken: Field) -> list[int]:
    try:
        return read_values(text, taken)
    except ValueError as error:
        _refuse_value(reader, name, f"'trigger.{name}': {error}")
        return []


def _days(reader: FieldReader, text: str) -> Days:
    try:
        return _read_days(text)
    except ValueError as error:
        _refuse_value(reader, "day", f"'trigger.day': {error}")
        return 0, False, ()


def _read_days(text: str) -> Days:
    """Read the day field: numbers, "last", "2nd fri" and "last mon", in a list; raise ValueError."""
    if text == "*":
        return ALL_MONTH_DAYS, False, ()
    plain, nths = [], []
    items = [item.strip() for item in text.split(",")]
    for item in items:
        match = _NTH_DAY.fullmatch(item)
        names = [bit for bit, name in enumerate(WEEKDAYS) if match and match.group(2) in (name, name[:3])]
        if match and names:
            nths.append((1 << names[0], LAST if match.group(1) == "last" else int(match.group(1)[0])))
        elif item != "last":
            plain.append(item)
    numbers = read_values(",".join(plain), DAY) if plain else []
    return mask_of([number - 1 for number in numbers]), "last" in items, tuple(nths)


_READERS = {"interval": _read_interval, "cron": _read_cron, "date": _read_date}
