"""Take the fields of a JSON object one by one, and collect every problem on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest, Problem, as_sent, shorten, unknown_field
from scheduler.given_moments import no_moment
from scheduler.likely_values import likely_clock, likely_number
from scheduler.moments import parse_moment
from scheduler.wallclock import first_instant
from scheduler.weekday_names import SHORT_NAMES, NoWeekdays, read_weekdays
from scheduler.wording import WEEKDAYS

_CLOCK_NAMES = ("time", "at", "time_of_day", "hour")
"""Where others put a whole time of day."""


class FieldReader:
    """Read the object found at `path`; `problems` grows until `finish`."""

    def __init__(self, path: str, values: Mapping[str, object]) -> None:
        self.path = path
        self.values = {name: value for name, value in values.items() if value is not None}
        self.problems: list[Problem] = []
        self.known: list[str] = []

    def take(self, name: str, required: bool = False, suggestion: object = None) -> object | None:
        """Return the value of a field, None if it was not sent; a problem if it is required."""
        if name not in self.known:
            self.known.append(name)
        value = self.values.get(name)
        if value is None and required:
            self.refuse(name, f"'{self.path}.{name}' is required", suggestion=suggestion, code="missing_field")
        return value

    def refuse(self, name: str, message: str, **details: Any) -> None:
        """Note a problem with a field."""
        got = shorten(self.values.get(name))
        self.problems.append(Problem(f"{self.path}.{name}", message, got=got, **details))

    def number(self, name: str, low: int, high: int, required: bool = False, meant: int | None = None) -> int | None:
        """Return a whole number between `low` and `high`, bounds included; `meant`: by what came, if it is none."""
        value = self.take(name, required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            near = likely_number(value, low, high) if meant is None else meant
            self.refuse(name, f"'{self.path}.{name}' must be a whole number, not {as_sent(value)}", suggestion=near)
            return None
        if not low <= value <= high:
            self.refuse(name, f"'{self.path}.{name}' must be {low} to {high}, not {value}")
            return None
        return value

    def refuse_clock(self) -> bool:
        """Refuse a time of day in one field, saying the fields that take it; False where there is none."""
        for name in _CLOCK_NAMES:
            clock = likely_clock(self.values.get(name))
            rest = {other: value for other, value in self.values.items() if other != name}
            whole = name == "hour" and clock is not None and clock.replace(hour=0) == time(0)
            if clock is None or whole or any(other in rest for other in ("hour", "minute", "second")):
                continue
            fields = clock_fields(clock)
            said = as_sent(fields)
            message = f"'{self.path}.{name}' is a time of day, which has a field for each part; did you mean {said}?"
            code = "invalid_field" if name == "hour" else "unknown_field"
            self.refuse(name, message, code=code, instead={self.path: {**rest, **fields}})
            del self.values[name]
            return True
        return False

    def text(self, name: str, example: str) -> str | None:
        """Return a text that must be there."""
        value = self.take(name, True)
        if value is not None and not isinstance(value, str):
            self.refuse(name, f"'{self.path}.{name}' must be a text such as '{example}'")
            return None
        return value

    def weekdays(self, name: str, required: bool = False) -> str | None:
        """Return weekdays by full name as in "monday and friday"; names and ranges only, in one text or a list."""
        value = self.take(name, required)
        if value is None:
            return None
        found = read_weekdays(value, f"{self.path}.{name}")
        if isinstance(found, NoWeekdays):
            self.refuse(name, found.why, accepted=list(SHORT_NAMES), suggestion=found.meant)
            return None
        return " and ".join(WEEKDAYS[bit] for bit in found)

    def moment(
        self, name: str, zone: ZoneInfo, now: datetime, *, only: bool = False, end: bool = False
    ) -> datetime | None:
        """Return an ISO 8601 moment in UTC, read in `zone` if it has no offset.

        A date alone is its first instant, or with `end` its last. `only`: it is the one moment of a rule, so it has
        to be there, and what is suggested is still to come.
        """
        value = self.take(name, required=only)
        if value is None:
            return None
        try:
            return _read_moment(value, zone, end)
        except (ValueError, TypeError, OverflowError):
            self.problems.append(no_moment(f"{self.path}.{name}", value, zone, now=now, end=end, ahead=only))
            return None

    def finish(self) -> None:
        """Raise InvalidRequest if there was any problem, or a field that nothing took."""
        for name in self.values:
            if name not in self.known:
                self.problems.append(unknown_field(name, self.known, self.values[name], [self.path]))
        if self.problems:
            raise InvalidRequest(self.problems)


def clock_fields(clock: time) -> dict[str, int]:
    """Return a time of day as the fields that say it."""
    return {"hour": clock.hour, "minute": clock.minute} | ({"second": clock.second} if clock.second else {})


def _read_moment(value: object, zone: ZoneInfo, end: bool) -> datetime:
    if isinstance(value, datetime):
        return first_instant(value, zone) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, str):
        return parse_moment(value, zone, end)
    raise TypeError("neither a text nor a moment")
