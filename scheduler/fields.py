"""Take the fields of a JSON object one by one, and collect every problem on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest, Problem, as_sent, nearest, shorten, unknown_field
from scheduler.given_moments import no_moment
from scheduler.moments import parse_moment
from scheduler.wallclock import first_instant
from scheduler.wording import WEEKDAYS

_NAMES = {**{name: bit for bit, name in enumerate(WEEKDAYS)}, **{name[:3]: bit for bit, name in enumerate(WEEKDAYS)}}


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

    def number(self, name: str, low: int, high: int, required: bool = False) -> int | None:
        """Return a whole number between `low` and `high`, bounds included."""
        value = self.take(name, required, low)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            near = min(max(_as_number(value, low), low), high)
            self.refuse(name, f"'{self.path}.{name}' must be a whole number, not {as_sent(value)}", suggestion=near)
            return None
        if not low <= value <= high:
            near = min(max(value, low), high)
            self.refuse(name, f"'{self.path}.{name}' must be {low} to {high}, not {value}", suggestion=near)
            return None
        return value

    def text(self, name: str, example: str) -> str | None:
        """Return a text that must be there."""
        value = self.take(name, True, example)
        if value is not None and not isinstance(value, str):
            self.refuse(name, f"'{self.path}.{name}' must be a text such as '{example}'", suggestion=example)
            return None
        return value

    def weekdays(self, name: str, required: bool = False) -> str | None:
        """Return weekdays by full name as in "monday and friday"; names and ranges only, in one text or a list."""
        value = self.take(name, required, "mon")
        if value is None:
            return None
        items = value if isinstance(value, list) else str(value).split(",") if value != "" else [value]
        found: set[int] = set()
        for item in items:
            found.update(self._weekday_range(name, item))
        return " and ".join(WEEKDAYS[bit] for bit in sorted(found)) if found else None

    def _weekday_range(self, name: str, item: object) -> list[int]:
        words = str(item).strip().lower().split("-")
        if isinstance(item, bool) or not isinstance(item, str | int) or words == [""] or len(words) > 2:
            self._refuse_weekday(name, item)
            return []
        if words[0].isdigit():
            self._refuse_number(name, int(words[0][:9]))
            return []
        if words == ["*"]:
            return list(range(7))
        for word in words:
            if word.strip() not in _NAMES:
                self._refuse_weekday(name, word)
                return []
        low, high = _NAMES[words[0].strip()], _NAMES[words[-1].strip()]
        return [(low + step) % 7 for step in range((high - low) % 7 + 1)]

    def _refuse_weekday(self, name: str, word: object) -> None:
        near = nearest(str(word), _NAMES) or "mon"
        message = f"'{word}' in '{self.path}.{name}' is no weekday: names such as mon, tue or mon-fri are accepted"
        self.refuse(name, f"{message}; did you mean '{near}'?", accepted=list(_NAMES)[7:], suggestion=near[:3])

    def _refuse_number(self, name: str, number: int) -> None:
        """Offer both readings of a number: libraries disagree on whether 0 is sunday or monday."""
        cron = WEEKDAYS[(number - 1) % 7][:3]
        readings = [f"'{cron}' (cron counts from sunday)"] if number <= 7 else []
        readings += [f"'{WEEKDAYS[number][:3]}' (others count from monday)"] if number <= 6 else []
        meant = f": write {' or '.join(readings)}" if readings else ""
        message = f"the number {number} in '{self.path}.{name}' is not clear, names only{meant}"
        self.refuse(name, message, accepted=list(_NAMES)[7:], suggestion=cron)

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


def _as_number(value: object, otherwise: int) -> int:
    """Return the whole number that was most likely meant by something else."""
    try:
        return int(float(value)) if isinstance(value, str | float) else otherwise
    except (ValueError, OverflowError):
        return otherwise


def _read_moment(value: object, zone: ZoneInfo, end: bool) -> datetime:
    if isinstance(value, datetime):
        return first_instant(value, zone) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, str):
        return parse_moment(value, zone, end)
    raise TypeError("neither a text nor a moment")
