"""Read points in time: dates, offsets, today and next monday, what follows "starting" and "until", zones."""

from __future__ import annotations

from datetime import UTC, date, time, timedelta

from scheduler.dates import month_length
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.repeats import LONGEST_SECONDS, RepeatReader
from scheduler.phrases.words import UNIT_SECONDS, WEEKDAY_MASKS
from scheduler.phrases.zones import zone_at

_LAST_DAY = date(9000, 12, 31)
_WEEKDAYS = {1 << bit: bit for bit in range(7)}


class PointReader(RepeatReader):
    """Read the clauses that name a day, a moment or a zone."""

    def _starting(self) -> None:
        first = self.at
        self.at += 1
        self.accept("on", "at", "from")
        self._read_limit("start", first)

    def _until(self) -> None:
        first = self.at
        self.at += 1
        self._read_limit("until", first)

    def _read_limit(self, name: str, first: int) -> None:
        """Read DATE [TIME] [OFFSET] behind "starting" or "until"."""
        token = self.peek()
        if token.kind in ("today", "tomorrow"):
            day: date = date.fromordinal(self.today.toordinal() + (token.kind == "tomorrow"))
        elif token.kind == "date":
            day = token.value
        else:
            raise self._refuse_limit(name, first)
        self.at += 1
        self.accept("at")
        has_time = self.peek().kind == "time" or (self.peek().kind == "number" and self.peek(1).kind in ("am", "pm"))
        if self.tokens[self.at - 1].kind == "at" and not has_time:
            self.read_time()
        moment = self.read_time() if has_time else None
        offset = self.take().value if moment and self.peek().kind == "offset" else None
        self.add(name, (day, moment, offset), first)

    def _refuse_limit(self, name: str, begin: int) -> Refusal:
        """Return the refusal of "until 18:00", "until friday" and "starting in 3 days", each with the day it means."""
        accepted = ("2026-12-31", "2026-12-31 18:00")
        token, first = self.peek(), self.at
        why = "is not a date: write YYYY-MM-DD"
        if token.kind == "end":
            return self.refuse_missing("a date", accepted, date.fromordinal(self.today.toordinal() + 30).isoformat())
        if token.kind == "time":
            why = "is no date: write the day as YYYY-MM-DD before the time"
            day = self.today if token.value > self.now.time() else _days_on(self.today, 1)
            return self.refuse(first, first + 1, why, accepted, f"{day.isoformat()} {self.quote(first, first + 1)}")
        self.accept("in")
        if self.peek().kind in ("number", "a", "half") and self.peek(1).kind in ("unit", "a"):
            return self._refuse_duration(first)
        self.accept("next")
        named = self._day_named()
        if named is not None:
            return self.refuse(first, self.at, why, accepted, named.isoformat())
        self.at = first
        if token.text == "now" and name == "start":
            return self.refuse(begin, first + 1, "goes without saying", accepted, "")
        if token.kind == "unknown" and token.text[0].isdigit():
            return self.refuse_word(accepted)
        return self.refuse(first, first + 1, why, accepted)

    def _day_named(self) -> date | None:
        """Read "friday", "december 31" or "31 december", and return the first such day behind today."""
        kinds = [self.peek(ahead).kind for ahead in range(2)]
        if kinds[0] == "weekday" and self.peek().value in _WEEKDAYS:
            days = (_WEEKDAYS[self.take().value] - self.today.weekday() - 1) % 7 + 1
            return _days_on(self.today, days)
        if sorted(kinds) not in (["month", "number"], ["month", "ordinal"]):
            return None
        month, day = sorted(self.tokens[self.at : self.at + 2], key=lambda token: token.kind != "month")
        self.at += 2
        for year in (self.today.year, self.today.year + 1):
            if 1 <= day.value <= month_length(year, month.value):
                found = date(year, month.value, day.value)
                if found > self.today:
                    return found
        return None

    def _refuse_duration(self, first: int) -> Refusal:
        """Return the refusal of "until 3 days" and "for 2 hours", whose end is so much later than now."""
        span = self.read_span()
        why = "is not a date: write YYYY-MM-DD"
        seconds = sum(number * UNIT_SECONDS[unit] for unit, number in span.items())
        end = _days_on(self.today, seconds // UNIT_SECONDS["day"]).isoformat()
        if seconds % UNIT_SECONDS["day"] and seconds < LONGEST_SECONDS:
            moment = (self.now.astimezone(UTC) + timedelta(seconds=seconds)).astimezone(self.now.tzinfo)
            end = moment.strftime("%Y-%m-%d %H:%M:%S").removesuffix(":00")
        return self.refuse(first, self.at, why, ("2026-12-31", "2026-12-31 18:00"), end)

    def _date(self) -> None:
        first = self.at
        self.add("date", self.take().value, first)

    def _offset(self) -> None:
        first = self.at
        if "times" not in self.parts or "date" not in self.parts:
            raise self._refuse_offset()
        self.add("offset", self.take().value, first)

    def _refuse_offset(self) -> Refusal:
        """Return the refusal of "9:00+02:00", which means a zone, and of "9:00-17:00", which may be a window."""
        token, before = self.peek(), self.tokens[self.at - 1] if self.at else self.peek()
        offset: timedelta = token.value.utcoffset(None)
        zone = zone_at(offset)
        readings = [f" {zone}"] if zone else []
        if token.text[0] == "-" and before.kind == "time":
            clock: time = before.value
            steps = "step" in self.parts or "hour" in self.parts
            ends_later = -offset > timedelta(hours=clock.hour, minutes=clock.minute)
            readings.insert(0 if steps or ends_later else 1, f" to {token.text[1:]}")
        why = "is an offset from UTC, which goes with a date and a time; elsewhere name a zone"
        refusal = self.refuse(self.at, self.at + 1, why, ("Europe/Berlin", "UTC"), *readings)
        return Refusal(refusal.message, refusal.accepted, refusal.fixes, both=len(readings) > 1)

    def _relative_day(self) -> None:
        """Read "today", "tomorrow" and "next monday"."""
        first = self.at
        word = self.take().kind
        if word != "next":
            self.add("day", (word, 0), first)
            return
        if self.peek().kind == "unit" and self.peek().value == "day":
            raise self.refuse(first, self.at + 1, "is not clear", ("tomorrow",), "tomorrow")
        if self.peek().kind != "weekday":
            if self.peek().kind in ("unit", "period", "month"):
                raise self.refuse(first, self.at + 1, "is not clear: which day?", ("next monday",))
            if self.peek().kind == "end":
                raise self.refuse_missing("a weekday", ("next monday",), "monday at 09:00")
            raise self.refuse_word(("next monday",), list(WEEKDAY_MASKS))
        mask, _ = self.read_weekdays()
        if mask & (mask - 1):
            why = "is not one day: 'next' takes a single weekday"
            raise self.refuse(first, self.at, why, ("next monday",))
        self.add("day", ("next", mask), first)

    def _zone(self) -> None:
        first = self.at
        bracket = self.accept("(")
        self.accept("in")
        if self.peek().kind != "zone":
            if self.peek().kind == "unknown":
                raise self.cutter.refuse_zone(self.peek().start, self.peek().end)
            raise self.refuse_word(("(Europe/Berlin)",))
        zone = self.take().value
        if bracket and not self.accept(")"):
            raise self.refuse_missing("')'", ("(Europe/Berlin)",), ")")
        self.add("zone", zone, first)


def _days_on(day: date, days: int) -> date:
    """Return the day so many days on, or the last one that is known."""
    return date.fromordinal(min(day.toordinal() + days, _LAST_DAY.toordinal()))
