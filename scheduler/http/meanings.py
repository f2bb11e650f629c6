"""Say in fields of ours what was sent in others that have another unit, sense or form. Pure.

`disabled: true` is `enabled: false`, `timeout_ms: 60000` is `timeout_seconds: 60`, `minutes: 5` is an interval. What is
not plainly so is left alone: nothing is better than a field that means something else.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from scheduler.slips import words_of
from scheduler.spellings import SPELLING_FIELDS
from scheduler.trigger_objects import UNITS
from scheduler.wording import say_count

Fields = dict[str, Any]
_SENSES = {"active": True, "disabled": False, "inactive": False, "is_active": True, "is_enabled": True}
_FACTORS = {
    **dict.fromkeys(("milliseconds", "millis", "ms"), 0.001),
    **dict.fromkeys(("min", "mins", "minutes"), 60),
    **dict.fromkeys(("hour", "hours"), 3600),
}
_UNITS = {
    **{form: unit for unit in UNITS for form in (unit, unit[:-1])},
    "sec": "seconds",
    "secs": "seconds",
    "min": "minutes",
    "mins": "minutes",
    "hr": "hours",
    "hrs": "hours",
}
_STEP_WORDS = frozenset(("every", "frequency", "interval", "period", "repeat", "step"))
_UNIT_NAMES = ("unit", "units", "interval_unit", "time_unit", "period")
_RULE_NAMES = ("interval", "schedule", "every", "frequency", "recurrence", "repeat")
_TIME_NAMES = ("at", "at_time", "time", "time_of_day")
_TIME = re.compile(r"\d{1,2}:\d\d(?::\d\d)?|\d{1,2}(?::\d\d)? ?[ap]m|noon|midnight", re.IGNORECASE)
_CODE_NAMES = (
    *("bash", "body", "cmd", "code", "command_line", "content", "exec", "python", "python_code", "run", "script"),
    *("sh", "shell", "shell_command", "source"),
)
_SHELLS = ("bash", "cmd", "command", "sh", "shell")
_PYTHONS = ("code", "custom", "inline", "py", "python", "script")
_PYTHON_FILE = re.compile(r"\S+\.py")


def meant_fields(given: Mapping[str, Any], known: Collection[str]) -> dict[str, Fields]:
    """Return for fields that were sent the fields that they mean, where these are others, or have other values."""
    found: dict[str, Fields] = {}
    sources = (_sense(given), _other_units(given, known), _steps(given), _with_unit(given), _with_time(given))
    for source in (*sources, _code(given), _trigger(given)):
        found |= {name: fields for name, fields in source if set(fields) <= set(known) and name not in found}
    return found


Found = Iterator[tuple[str, Fields]]


def _sense(given: Mapping[str, Any]) -> Found:
    for name, value in given.items():
        sense = _SENSES.get("_".join(words_of(name)))
        if sense is not None and isinstance(value, bool) and "enabled" not in given:
            yield name, {"enabled": value is sense}


def _other_units(given: Mapping[str, Any], known: Collection[str]) -> Found:
    """Give durations in seconds that were sent in another unit."""
    for name, value in given.items():
        *base, unit = words_of(name) or ("",)
        meant = "_".join((*base, "seconds"))
        if name in known or meant not in known or meant in given:
            continue
        if base and unit in _FACTORS and _is_number(value):
            seconds = float(value) * _FACTORS[unit]
            if math.isfinite(seconds):
                yield name, {meant: int(seconds) if seconds.is_integer() else seconds}


def _steps(given: Mapping[str, Any]) -> Found:
    """Give the interval of `minutes: 5`, `interval_seconds: 30` or `hours: 1` with `minutes: 30`."""
    steps = {name: unit for name, value in given.items() if _is_count(value) and (unit := _unit_of_step(name))}
    if not steps or any(name in given for name in SPELLING_FIELDS) or len(set(steps.values())) < len(steps):
        return
    counts = {unit: given[name] for name, unit in steps.items()}
    [(unit, count), *others] = counts.items()
    when: Fields = {"trigger": {"type": "interval", **counts}} if others else {"interval": _every(count, unit)}
    yield from ((name, when) for name in steps)


def _unit_of_step(name: str) -> str | None:
    """Return the unit that a field's name says, which must be in the plural where it says nothing else."""
    words = words_of(name)
    left = [word for word in words if word not in _STEP_WORDS]
    if len(left) != 1 or (len(words) == 1 and left[0] not in UNITS):
        return None
    return _UNITS.get(left[0])


def _with_unit(given: Mapping[str, Any]) -> Found:
    """Give the interval of a number and a unit that stand in two fields."""
    number = next((name for name in _RULE_NAMES if _is_count(_as_count(given.get(name)))), None)
    unit = next((name for name in _UNIT_NAMES if isinstance(given.get(name), str)), None)
    if number is None or unit is None or (meant := _UNITS.get(given[unit].strip().lower())) is None:
        return
    when = {"interval": _every(int(given[number]), meant)}
    yield from ((name, when) for name in (number, unit))


def _with_time(given: Mapping[str, Any]) -> Found:
    """Give the phrase of a rule and a time of day that stand in two fields."""
    rule = next((name for name in _RULE_NAMES if isinstance(given.get(name), str)), None)
    at = next((name for name in _TIME_NAMES if _TIME.fullmatch(str(given.get(name)).strip())), None)
    if rule is None or at is None or any(sign.isdigit() for sign in given[rule]):
        return
    text = f"every {given[rule]}" if rule == "every" else given[rule]
    when = {"interval" if rule not in SPELLING_FIELDS else rule: f"{text.strip()} at {given[at].strip()}"}
    yield from ((name, when) for name in (rule, at))


def _code(given: Mapping[str, Any]) -> Found:
    """Give what a task runs, by its type: a shell's line, a Python file, or Python code."""
    kind = str(given.get("type")).lower()
    names = [name for name in _CODE_NAMES if isinstance(given.get(name), str)]
    if len(names) != 1 or any(name in given for name in ("command", "file_path", "custom_script")):
        return
    [name], text = names, given[names[0]]
    if kind in _SHELLS:
        yield name, {"type": "command", "command": text}
    elif kind in _PYTHONS and _PYTHON_FILE.fullmatch(text):
        yield name, {"type": "script", "file_path": text}
    elif kind in _PYTHONS and (kind != "script" or set(text) & set("\n(=")):
        yield name, {"type": "custom", "custom_script": text}


def _trigger(given: Mapping[str, Any]) -> Found:
    """Give the object of a trigger that came as its JSON text, or the phrase that came instead of one."""
    text = given.get("trigger")
    alone = not any(given.get(name) for name in SPELLING_FIELDS if name != "trigger")
    if isinstance(text, str) and text.strip() and alone:
        fields = object_of(text)
        yield "trigger", {"interval": text} if fields is None else {"trigger": fields}


def object_of(text: str) -> Fields | None:
    """Return the JSON object that a text is; None where it is none."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else None
    except (ValueError, RecursionError):  # the latter where it is nested without end
        return None
    return found if isinstance(found, dict) else None


def _every(count: int, unit: str) -> str:
    return f"every {say_count(count, unit[:-1])}"


def _as_count(value: Any) -> Any:
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
