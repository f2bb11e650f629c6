"""Read the clauses of a phrase, in whatever order they come: one method for each way to begin one.

"every weekday in december at 8:00" is three clauses: days, months, times. What the clauses mean together
is decided by the table in forms.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scheduler.phrases.cursor import Part
from scheduler.phrases.kept import keeps
from scheduler.phrases.points import PointReader
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import TIME_FORMS
from scheduler.phrases.words import DAYTIMES, ORDINALS, WEEKDAY_MASKS
from scheduler.wording import MONTHS

ON_FORMS = ("on monday", "on the 15th", "on day 5", "on december 25", "on 2026-12-24")
IN_FORMS = ("in 20 minutes", "in december", "in Europe/Berlin")


class ClauseReader(PointReader):
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
        if self.at_intervals():
            self.read_step(first)
        elif token.kind == "minute" or (token.value == "minute" and self.peek(1).kind == "number"):
            self.accept("unit")
            self.add("minutes", self.read_minutes(), first)
        elif token.kind == "date":
            self._date()
        elif self.at_period_end():
            self.read_period_end(first)
        elif token.kind == "zone":
            raise self.refuse_word(TIME_FORMS)
        elif token.kind == "number" and "hour" in self.parts and self.peek(1).kind not in ("am", "pm"):
            why = "is not a minute of the hour: write ':15' or 'minute 15'"
            raise self.refuse(self.at, self.at + 1, why, ("hourly at :15",), f":{token.value % 60:02}")
        else:
            self._read_times_of_day(first)

    def _times(self) -> None:
        self._read_times_of_day(self.at)

    def _read_times_of_day(self, first: int) -> None:
        begin = self.at
        times = self.read_times()
        if self.peek().kind == "to" and self.peek(1).kind in ("time", "number"):
            raise self._refuse_hours(first, begin, times[-1].hour)
        self.add("times", times, first)

    def _refuse_hours(self, first: int, begin: int, hour: int) -> Refusal:
        """Return the refusal of "9am-5pm", a window without its words; its start, in that `hour`, has been read."""
        start, end = self.quote(begin, self.at), self.at + 1
        self.at += 3 if self.peek(2).kind in ("am", "pm") else 2
        closing = self.tokens[end]
        afternoon = closing is self.tokens[self.at - 1] and closing.kind == "number" and closing.value <= hour < 12
        until = f"{closing.value + 12}:00" if afternoon else self.quote(end, self.at)
        # A window without a step says not how often, and is not taken for one: "10 to 9" may be ten to nine.
        is_clear = self.is_stepped() or self.tokens[begin].kind == closing.kind == "time"
        fixes = [f"between {start} and {until}"] if is_clear else []
        why = "is a window: write 'between' and 'and'"
        return self.refuse(first, self.at, why, ("every 15 minutes between 9:00 and 17:00",), *fixes)

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
        elif token.kind == "other":
            self._alternate()
        elif self.at_period_end():
            self.read_period_end(first)
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
        elif token.kind in ("today", "tomorrow", "next"):
            self._relative_day()
        elif token.kind == "end":
            raise self.refuse_missing("a day", ON_FORMS, "monday at 09:00")
        elif token.kind == "number":
            raise self._refuse_on_number()
        else:
            raise self.refuse_word(ON_FORMS, [*WEEKDAY_MASKS, *ORDINALS])

    def _refuse_on_number(self) -> Refusal:
        number = self.peek().value
        why = f"is not a day: write 'the {number}th' or 'day {number}'"
        return self.refuse(self.at, self.at + 1, why, ON_FORMS, f"day {number}")

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
        if self.at_intervals():
            self.read_step(first)
        elif token.kind in ("number", "a", "half") or token.value == "quarter":
            self.add("delay", self.read_span(), first)
        elif token.kind == "month":
            self.add("months", self.read_months(), first)
        elif token.kind in ("zone", "("):
            self._zone()
        elif token.kind == "daytime" or (token.kind == "the" and self.peek(1).kind == "daytime"):
            self.accept("the")
            self.add("daytime", self.take().value, first)
        elif token.kind == "the":
            raise self.refuse(first, self.at + 1, "is not understood here: write a time of day", TIME_FORMS)
        elif token.kind == "unit":
            raise self.refuse(first, self.at + 1, "says no number", IN_FORMS, f"in 1 {token.value}")
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
        if [self.peek(ahead).kind for ahead in range(3)] == ["weekday", "and", "weekday"]:
            days = f"{self.peek().text} to {self.peek(2).text}"
            raise self.refuse(first, self.at + 3, "is no window of a day", ("monday to friday",), days)
        start = self.read_time()
        if not self.accept("and", "to", "until"):
            raise self._refuse_window_end()
        self.accept("at")
        self.add("window", (start, self.read_time()), first)

    def _refuse_window_end(self) -> Refusal:
        accepted = ("between 9:00 and 17:00", "from 9:00 to 17:00")
        if self.peek().kind == "end":
            word = "to" if any(token.kind == "from" for token in self.tokens) else "and"
            return self.refuse_missing("the end of the window", accepted, f"{word} 17:00")
        if self.peek().kind == "offset":
            return self.refuse(self.at, self.at + 1, "is not understood here", accepted, f" and {self.peek().text[1:]}")
        return self.refuse_word(accepted)

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
            accepted = (f"every {unit}", f"in 1 {unit}")
            raise self.refuse(self.at, self.at + 1, "is not a rule by itself", accepted, f"every {word}")

    def _ending(self) -> None:
        if not self.at_period_end():
            raise self.refuse_word(("end of the month",))
        self.read_period_end(self.at)

    def _period(self) -> None:
        """Read "month end"; refuse a bare "month"."""
        if self.at_period_end():
            self.read_period_end(self.at)
            return
        word = self.quote(self.at, self.at + 1)
        raise self.refuse(self.at, self.at + 1, "is not a rule by itself", (f"every {word}",), f"every {word}")

    def _number(self) -> None:
        first = self.at
        following = self.peek(1).kind
        if self.at_intervals():
            self.read_step(first)
        elif following in ("am", "pm"):
            self._times()
        elif following == "times" and self.peek().kind == "number":
            self.at += 1
            self.read_often(first, self.tokens[first].value)
        elif following == "month":
            self.read_dates(first)
        elif following in ("unit", "period", "working") or self.peek().kind in ("a", "half"):
            raise self._refuse_bare_span(first)
        elif following == "unknown":
            self.at += 1
            raise self.refuse_unit(self.tokens[first])
        else:
            raise self.refuse_bare_number()

    def _refuse_bare_span(self, first: int) -> Refusal:
        self.read_span()
        text = self.quote(first, self.at)
        if (self.peek().text, self.peek(1).text) == ("from", "now"):
            return self.refuse(first, self.at + 2, "is not understood: write 'in'", (f"in {text}",), f"in {text}")
        why = f"is not clear: repeat or delay? 'every {text}' or 'in {text}'"
        refusal = self.refuse(first, self.at, why, (f"every {text}", f"in {text}"), f"every {text}", f"in {text}")
        return Refusal(refusal.message, refusal.accepted, refusal.fixes, both=True)

    def _alternate(self) -> None:
        """Read "alternate fridays"; "other fridays" without "every" may be any others."""
        if self.peek().text == "other":
            raise self.refuse_word(ON_FORMS)
        self.read_other(self.at)

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
        """Read "morning" behind a day; by itself it says not which."""
        if self.parts:
            first = self.at
            self.add("daytime", self.take().value, first)
            return
        word = self.quote(self.at, self.at + 1)
        example = DAYTIMES[self.peek().value]
        fixes = (f"every {word}", f"every {word} at {example}")
        raise self.refuse(self.at, self.at + 1, "is not a time of day", TIME_FORMS, *fixes)

    def _tonight(self) -> None:
        first = self.at
        self.at += 1
        self.add("day", ("today", 0), first)
        self.add("daytime", "tonight", first)

    def _skip(self) -> None:
        """Step over a comma between clauses, or over "the"."""
        if (self.at == 0 and self.peek().kind == ",") or self.peek(1).kind in ("end", ",", "and"):
            raise self.refuse_word()
        self.at += 1

    def _ambiguous(self) -> None:
        meanings, fix = self.peek().value
        raise self.refuse(self.at, self.at + 1, f"is ambiguous: {meanings}", (fix,), fix)

    def _and(self) -> None:
        if self.peek(1).kind == "unknown":
            self.at += 1
            raise self.refuse_word()
        rest = self.quote(self.at, len(self.tokens))
        before = self.cutter.text[: self.peek().start].strip()
        why = f"'{rest}' does not belong to a list: one phrase is one rule"
        raise Refusal(why, ("one rule",), (before,) if keeps(before, self.cutter.text) else ())


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
    "tonight": ClauseReader._tonight,
    **dict.fromkeys(("zone", "("), ClauseReader._zone),
    **dict.fromkeys((",", "the"), ClauseReader._skip),
    "ending": ClauseReader._ending,
    "other": ClauseReader._alternate,
    "ambiguous": ClauseReader._ambiguous,
    "and": ClauseReader._and,
}
_BEGINNINGS = (
    *("every 5 minutes", "daily at 10:30", "every monday at 09:00", "in 20 minutes"),
    *("0 2 * * * (cron)", "2026-12-24 18:00"),
)
