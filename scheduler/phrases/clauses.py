"""Read the clauses of a phrase, in whatever order they come: one method for each way to begin one.

"every weekday in december at 8:00" is three clauses: days, months, times. What the clauses mean together
is decided by the table in forms.py.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from scheduler.phrases.reader import Part
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.repeats import RepeatReader
from scheduler.phrases.tokens import ISO_FORMS, TIME_FORMS
from scheduler.phrases.words import DAYTIMES, ORDINALS, WEEKDAY_MASKS
from scheduler.wording import MONTHS

ON_FORMS = ("on monday", "on the 15th", "on day 5", "on december 25", "on 2026-12-24")
IN_FORMS = ("in 20 minutes", "in december", "in Europe/Berlin")


class ClauseReader(RepeatReader):
    """Read a whole phrase into `parts`, by name."""

    def read_all(self) -> dict[str, Part]:
        """Read every clause; raise Refusal at the first token that begins none."""
        while self.peek().kind != "end":
            read = _CLAUSES.get(self.peek().kind)
            if read is None:
                raise self.refuse_word(_BEGINNINGS)
            read(self)
        return self.parts

    def _at(self) -> None:
        first = self.at
        self.at += 1
        self.accept("the")
        token = self.peek()
        if token.kind == "minute" or (token.value == "minute" and self.peek(1).kind == "number"):
            self.accept("unit")
            self.add("minutes", self.read_minutes(), first)
        elif token.kind == "date":
            self._date()
        elif token.kind == "zone":
            raise self.refuse_word(TIME_FORMS)
        elif token.kind == "number" and "hour" in self.parts and self.peek(1).kind not in ("am", "pm"):
            why = "is not a minute of the hour: write ':15' or 'minute 15'"
            raise self.refuse(self.at, self.at + 1, why, ("hourly at :15",), f":{token.value % 60:02}")
        else:
            self.add("times", self.read_times(), first)

    def _times(self) -> None:
        first = self.at
        self.add("times", self.read_times(), first)

    def _minute(self) -> None:
        first = self.at
        self.add("minutes", self.read_minutes(), first)

    def _on(self) -> None:
        first = self.at
        self.at += 1
        self.accept("the")
        token = self.peek()
        if token.kind in ("weekday", "every"):
            self._weekdays(first) if token.kind == "weekday" else self.read_every()
        elif token.value == "hour":
            self.at += 1
            self.add("minutes", (0,), first)
        elif self.at_ordinal():
            self.read_ordinal_clause(first)
        elif token.value == "day" and self.peek(1).kind == "number":
            self._day_number()
        elif token.kind == "month" or (token.kind == "number" and self.peek(1).kind == "month"):
            self.read_dates(first)
        elif token.kind == "date":
            self._date()
        elif token.kind == "end":
            raise self.refuse_missing("a day", ON_FORMS, "monday at 09:00")
        elif token.kind == "number":
            raise self._refuse_on_number()
        else:
            raise self.refuse_word(ON_FORMS, [*WEEKDAY_MASKS, *ORDINALS])

    def _refuse_on_number(self) -> Refusal:
        number = self.peek().value
        why = f"is not a day: write 'the {number}th' or 'day {number}'"
        return self.refuse(self.at, self.at + 1, why, ON_FORMS, f"day {number} of the month", f"day {number}")

    def _day_number(self) -> None:
        """Read "day 5" and "days 1 and 15"."""
        first = self.at
        self.at += 1
        found = {self._read_day_number()}
        while self._next_in_list("number", fillers=()):
            found.add(self._read_day_number())
        self.add("monthdays", tuple(sorted(found)), first)

    def _read_day_number(self) -> int:
        number: int = self.take().value
        if not 1 <= number <= 31:
            why = "is no day of any month: they go from 1 to 31"
            raise self.refuse(self.at - 1, self.at, why, ("1 to 31",), "31" if number else "1")
        return number

    def _in(self) -> None:
        first = self.at
        self.at += 1
        token = self.peek()
        if token.kind in ("number", "a", "half") or token.value == "quarter":
            self.add("delay", self.read_span(), first)
        elif token.kind == "month":
            self.add("months", self.read_months(), first)
        elif token.kind in ("zone", "("):
            self._zone()
        elif token.kind == "the" or token.kind == "daytime":
            raise self.refuse(first, self.at + 1, "is not understood here: write a time of day", TIME_FORMS, "")
        elif token.kind == "unit":
            why = f"says no number: 'in 1 {token.value}'"
            raise self.refuse(first, self.at + 1, why, IN_FORMS, f"in 1 {token.value}")
        elif token.kind == "end":
            raise self.refuse_missing("a delay", IN_FORMS, "20 minutes")
        else:
            raise self.refuse_word(IN_FORMS)

    def _of(self) -> None:
        first = self.at
        self.at += 1
        if not self.accept("the"):
            self.accept("every")
        token = self.peek()
        if token.kind == "period":
            self.at += 1
            self.add("of", token.value, first)
        elif token.kind == "month":
            self.add("months", self.read_months(), first)
        elif token.value == "hour" and "minutes" in self.parts:
            self.at += 1
            self.add("hour", 3600, first)
        elif token.kind == "end":
            raise self.refuse_missing("the month", ("of the month", "of march"), "the month")
        else:
            raise self.refuse_word(("of the month", "of every month", "of march"), [*MONTHS, "month", "quarter"])

    def _window(self) -> None:
        first = self.at
        self.at += 1
        self.accept("the")
        if self.tokens[first].kind == "from" and self.peek().kind == "weekday":
            self._weekdays(first)
            return
        if self.tokens[first].kind == "from" and self.peek().kind in ("date", "today", "tomorrow"):
            self._read_limit("start", first)
            return
        start = self.read_time()
        if not self.accept("and", "to", "until"):
            raise self._refuse_window_end()
        self.accept("at")
        self.add("window", (start, self.read_time()), first)

    def _refuse_window_end(self) -> Refusal:
        accepted = ("between 9:00 and 17:00", "from 9:00 to 17:00")
        if self.peek().kind == "end":
            return self.refuse_missing("the end of the window", accepted, "to 17:00")
        if self.peek().kind == "offset":
            return self.refuse(self.at, self.at + 1, "is not understood here", accepted, f" and {self.peek().text[1:]}")
        return self.refuse_word(accepted)

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
            raise self._refuse_limit()
        self.at += 1
        self.accept("at")
        has_time = self.peek().kind == "time" or (self.peek().kind == "number" and self.peek(1).kind in ("am", "pm"))
        if self.tokens[self.at - 1].kind == "at" and not has_time:
            self.read_time()
        moment = self.read_time() if has_time else None
        offset = self.take().value if moment and self.peek().kind == "offset" else None
        self.add(name, (day, moment, offset), first)

    def _refuse_limit(self) -> Refusal:
        accepted = ("2026-12-31", "2026-12-31 18:00")
        example = date.fromordinal(self.today.toordinal() + 30).isoformat()
        if self.peek().kind == "end":
            return self.refuse_missing("a date", accepted, example)
        if self.peek().kind == "time":
            why = "is no date: write the day as YYYY-MM-DD before the time"
            text = self.quote(self.at, self.at + 1)
            return self.refuse(self.at, self.at + 1, why, accepted, f"{example} {text}")
        why = "is not a date: write YYYY-MM-DD"
        return self.refuse(self.at, self.at + 1, why, accepted, example)

    def _date(self) -> None:
        first = self.at
        self.add("date", self.take().value, first)

    def _offset(self) -> None:
        first = self.at
        if "times" not in self.parts or "date" not in self.parts:
            text = self.peek().text
            fix = f"to {text[1:]}" if text[0] == "-" else ""
            why = "is an offset from UTC, which goes with a date and a time"
            raise self.refuse(first, first + 1, why, ISO_FORMS, f" {fix}", "UTC")
        self.add("offset", self.take().value, first)

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
                raise self.refuse(first, self.at + 1, "is not clear: which day?", ("next monday",), "next monday")
            if self.peek().kind == "end":
                raise self.refuse_missing("a weekday", ("next monday",), "monday at 09:00")
            raise self.refuse_word(("next monday",), list(WEEKDAY_MASKS))
        mask, _ = self.read_weekdays()
        if mask & (mask - 1):
            why = "is not one day: 'next' takes a single weekday"
            raise self.refuse(first, self.at, why, ("next monday",), "next monday")
        self.add("day", ("next", mask), first)

    def _weekdays(self, first: int | None = None) -> None:
        first = self.at if first is None else first
        mask, sure = self.read_weekdays()
        self.add("days", mask, first, sure)

    def _ordinals_or_unit(self) -> None:
        if self.at_ordinal():
            self.read_ordinal_clause(self.at)
        elif self.peek().value == "day" and self.peek(1).kind == "number":
            self._day_number()
        else:
            word = self.quote(self.at, self.at + 1)
            unit = self.peek().value
            why = f"is not a rule by itself: 'every {unit}'?"
            raise self.refuse(self.at, self.at + 1, why, ("every 5 minutes", "in 20 minutes"), f"every {word}", "")

    def _period(self) -> None:
        """Refuse a bare "month"."""
        word = self.quote(self.at, self.at + 1)
        raise self.refuse(self.at, self.at + 1, f"is not a rule by itself: 'every {word}'?", (), f"every {word}", "")

    def _number(self) -> None:
        first = self.at
        following = self.peek(1).kind
        if following in ("am", "pm"):
            self._times()
        elif following == "times":
            self.at += 1
            self.read_often(first, self.tokens[first].value)
        elif following == "month":
            self.read_dates(first)
        elif following == "unit" or self.peek().kind in ("a", "half"):
            raise self._refuse_bare_span(first)
        elif following == "unknown":
            self.at += 1
            raise self.refuse_unit(self.tokens[first])
        else:
            raise self.refuse_bare_number()

    def _refuse_bare_span(self, first: int) -> Refusal:
        self.read_span()
        text = self.quote(first, self.at)
        why = f"is not clear: repeat or delay? 'every {text}' or 'in {text}'"
        refusal = self.refuse(first, self.at, why, (f"every {text}", f"in {text}"), f"every {text}", f"in {text}")
        return Refusal(refusal.message, refusal.accepted, refusal.fixes, both=True)

    def _month(self) -> None:
        self.read_dates(self.at)

    def _once(self) -> None:
        first = self.at
        word = self.take().kind
        following = self.peek().kind
        if word != "once":
            self.read_often(first, 2 if word == "twice" else 3)
        elif following in ("a", "per", "frequency") or self._at_every_unit():
            self.read_often(first, 1)
        elif following == "every":
            self.read_every()
        else:
            self.add("once", True, first)

    def _at_every_unit(self) -> bool:
        return self.peek().kind == "every" and self.peek(1).kind in ("unit", "period")

    def _frequency(self) -> None:
        first = self.at
        name, value = self.take().value
        self.add(name, value, first)

    def _daytime(self) -> None:
        word = self.quote(self.at, self.at + 1)
        example = DAYTIMES[self.peek().value]
        why = f"is not a time of day: 'every {self.peek().value} at {example}'"
        raise self.refuse(self.at, self.at + 1, why, TIME_FORMS, f"every {word}", f"every {word} at {example}", "")

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

    def _skip(self) -> None:
        """Step over a comma between clauses, or over "the"."""
        if (self.at == 0 and self.peek().kind == ",") or self.peek(1).kind in ("end", ",", "and"):
            raise self.refuse_word()
        self.at += 1

    def _ambiguous(self) -> None:
        meanings, fix = self.peek().value
        raise self.refuse(self.at, self.at + 1, f"is ambiguous: {meanings}", (fix,), fix)

    def _and(self) -> None:
        rest = self.quote(self.at, len(self.tokens))
        before = self.cutter.text[: self.peek().start].strip()
        why = f"'{rest}' does not belong to a list: one phrase is one rule"
        raise Refusal(why, ("one rule",), (before,))


Read = Callable[[ClauseReader], Any]
_CLAUSES: dict[str, Read] = {
    "every": ClauseReader.read_every,
    "frequency": ClauseReader._frequency,
    **dict.fromkeys(("once", "twice", "thrice"), ClauseReader._once),
    "at": ClauseReader._at,
    "time": ClauseReader._times,
    "minute": ClauseReader._minute,
    "on": ClauseReader._on,
    "in": ClauseReader._in,
    "of": ClauseReader._of,
    **dict.fromkeys(("between", "from"), ClauseReader._window),
    "starting": ClauseReader._starting,
    "until": ClauseReader._until,
    "date": ClauseReader._date,
    "offset": ClauseReader._offset,
    **dict.fromkeys(("today", "tomorrow", "next"), ClauseReader._relative_day),
    "weekday": ClauseReader._weekdays,
    **dict.fromkeys(("ordinal", "unit"), ClauseReader._ordinals_or_unit),
    "period": ClauseReader._period,
    **dict.fromkeys(("number", "a", "half"), ClauseReader._number),
    "month": ClauseReader._month,
    "daytime": ClauseReader._daytime,
    **dict.fromkeys(("zone", "("), ClauseReader._zone),
    **dict.fromkeys((",", "the"), ClauseReader._skip),
    "ambiguous": ClauseReader._ambiguous,
    "and": ClauseReader._and,
}
_BEGINNINGS = (
    *("every 5 minutes", "daily at 10:30", "every monday at 09:00", "in 20 minutes"),
    *("0 2 * * * (cron)", "2026-12-24 18:00"),
)
