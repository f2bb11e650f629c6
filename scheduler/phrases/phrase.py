"""Hold a phrase that has been read: its clauses, zone, anchor and limits, ready to become a rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.phrases.cursor import Part
from scheduler.phrases.reader import Reader
from scheduler.phrases.refusal import LimitRefusal, Refusal
from scheduler.triggers import UNBOUNDED, Bounds
from scheduler.wallclock import first_instant
from scheduler.wording import ALL_MONTHS, say_moment, say_time

TICK = timedelta(microseconds=1)
FARTHEST = datetime(9900, 1, 1, tzinfo=UTC)
"""An end beyond it, such as 9999-12-31, is none: no rule gets there, and arithmetic on dates ends soon after."""
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
MIDNIGHT = (time(0),)


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that were given beside a phrase, as aware moments, and the names of the fields that say so."""

    start: datetime | None = None
    until: datetime | None = None
    start_name: str = "start_at"
    until_name: str = "until"


NO_LIMITS = Limits()


class Phrase:
    """The clauses of a phrase by name, and what they are counted from.

    `now` (UTC) stands for the present and is the anchor, unless the rule has a start; `after` is the instant
    behind which the first run lies.
    """

    def __init__(self, reader: Reader, parts: dict[str, Part], zone: ZoneInfo, now: datetime) -> None:
        self.reader = reader
        self.text = reader.cutter.text
        self.parts = parts
        self.zone = zone
        self.zone_named = "zone" in parts
        self.now = now
        self.bounds = UNBOUNDED
        self.limits = NO_LIMITS
        self.start_label: datetime | None = None

    @property
    def anchor(self) -> datetime:
        """The instant from which steps are counted."""
        return self.bounds.start or self.now

    @property
    def after(self) -> datetime:
        """The instant behind which the first run lies."""
        return self.now if self.bounds.start is None else self.bounds.start - TICK

    @property
    def common(self) -> dict[str, Any]:
        """What every rule made from this phrase is given."""
        return {"zone": self.zone, "zone_named": self.zone_named, "bounds": self.bounds}

    def value(self, name: str, default: Any = None) -> Any:
        """Return what the clause `name` means; `default` if there is none."""
        part = self.parts.get(name)
        return default if part is None else part.value

    @property
    def times(self) -> tuple[time, ...]:
        """The times of day; midnight if none are named."""
        return self.value("times", MIDNIGHT)  # type: ignore[no-any-return]

    @property
    def months(self) -> tuple[int, ...]:
        """The months to which the rule is limited; all if none are named."""
        return self.value("months", ALL_MONTHS)  # type: ignore[no-any-return]

    def has(self, *names: str) -> bool:
        """Say whether there is a clause of one of these names."""
        return any(name in self.parts for name in names)

    def quote(self, *names: str) -> str:
        """Return the text of the first clause of one of these names, as it was written."""
        part = next(self.parts[name] for name in names if name in self.parts)
        return self.reader.quote(part.first, part.last)

    def replaced(self, name: str, text: str) -> str:
        """Return the phrase with the clause `name` written as `text`."""
        part = self.parts[name]
        return self.reader.cutter.replaced(*self.reader.slice(part.first, part.last), text)

    def refuse(self, name: str, why: str, *fixes: str, both: bool = False) -> Refusal:
        """Return a refusal of the clause `name`; `fixes` are whole phrases."""
        return Refusal(f"'{self.quote(name)}' {why}", tuple(fixes), fixes, both)

    def limit(self, limits: Limits) -> None:
        """Work out the limits, from the phrase or from fields beside it; raise LimitRefusal for both."""
        texts = []
        self.limits = limits
        start, until = _utc(limits.start), _utc(limits.until)
        self._refuse_twice("start", start, limits.start_name)
        self._refuse_twice("until", until, limits.until_name)
        if "start" in self.parts:
            start, self.start_label, text = self._read_start(*self.value("start"))
            texts.append(text)
        elif start is not None:
            self.start_label = start.astimezone(self.zone).replace(tzinfo=None)
            texts.append(f" starting {_say_instant(start, self.zone)}")
        if "until" in self.parts:
            until, text = self._read_until(*self.value("until"))
            texts.append(text)
        elif until is not None:
            texts.append(f" until {_say_end(until, self.zone)}")
        if texts:
            self.bounds = Bounds(start, until, "".join(texts))

    def _refuse_twice(self, name: str, given: datetime | None, field: str) -> None:
        if given is not None and name in self.parts:
            quoted, without = self.quote(name), self.replaced(name, "")
            accepted = (f"no '{field}' beside '{quoted}'", f"any '{field}' beside '{without}'")
            message = f"'{field}' and '{quoted}' say the same: send one of them"
            raise LimitRefusal(field, message, accepted, without=without, moment=self._limit_as_field(name))

    def _limit_as_field(self, name: str) -> str:
        """Return the limit `name` of the phrase as the field beside it would say it."""
        if name == "start":
            return self._read_start(*self.value("start"))[0].astimezone(self.zone).isoformat()
        day, moment, _ = self.value("until")
        if moment is None and not self.zone_named:
            return str(day.isoformat())
        end, _ = self._read_until(*self.value("until"))
        return end.astimezone(self.zone).isoformat()

    def _read_start(self, day: date, moment: time | None, offset: timezone | None) -> tuple[datetime, datetime, str]:
        if day.year > FARTHEST.year:
            raise self.refuse("start", "is too far away: no run within 40 years", self.replaced("start", ""))
        label = datetime.combine(day, moment or time(0))
        if offset is not None:
            instant = label.replace(tzinfo=offset).astimezone(UTC)
            local = instant.astimezone(self.zone).replace(tzinfo=None)
            return instant, local, f" starting {_say_instant(instant, self.zone)}"
        return first_instant(label, self.zone), label, f" starting {say_moment(label)}"

    def _read_until(self, day: date, moment: time | None, offset: timezone | None) -> tuple[datetime, str]:
        if day.year > FARTHEST.year:
            return FARTHEST, f" until {day.isoformat()}"
        if moment is None:
            # The last second of a day may come twice; what ends the day is the first instant of the next.
            following = datetime.combine(day + timedelta(1), time(0))
            return first_instant(following, self.zone) - TICK, f" until {day.isoformat()}"
        label = datetime.combine(day, moment)
        if offset is not None:
            instant = label.replace(tzinfo=offset).astimezone(UTC)
            return instant, f" until {_say_instant(instant, self.zone)}"
        return first_instant(label, self.zone), f" until {day.isoformat()} {say_time(moment)}"


def _utc(moment: datetime | None) -> datetime | None:
    """Return an aware moment in UTC, one beyond the calendar as its end."""
    if moment is None or _EARLIEST.year < moment.year < FARTHEST.year:
        return moment and moment.astimezone(UTC)
    return FARTHEST if moment.year >= FARTHEST.year else _EARLIEST


def _say_instant(instant: datetime, zone: ZoneInfo) -> str:
    """Say an instant as a time in the zone, with its offset where the time alone would not mean it."""
    local = instant.astimezone(zone)
    label = local.replace(tzinfo=None, fold=0)
    if label.microsecond or first_instant(label, zone) != instant:
        return local.isoformat()
    return f"{label.date().isoformat()} {say_time(label.time())}"


def _say_end(instant: datetime, zone: ZoneInfo) -> str:
    """Say an end as `_say_instant` does, the last moment of a day as that day."""
    following = (instant + TICK).astimezone(zone).replace(tzinfo=None, fold=0)
    if following.time() == time(0) and first_instant(following, zone) == instant + TICK:
        return (following.date() - timedelta(1)).isoformat()
    return _say_instant(instant, zone)


def find_bounds(limits: Limits, zone: ZoneInfo) -> Bounds:
    """Return the bounds of a rule in `zone` that is no phrase, from limits given beside it."""
    if limits.start is None and limits.until is None:
        return UNBOUNDED
    start, until = _utc(limits.start), _utc(limits.until)
    text = f" starting {_say_instant(start, zone)}" if start else ""
    text += f" until {_say_end(until, zone)}" if until else ""
    return Bounds(start, until, text)
