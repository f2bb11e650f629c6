"""Read the lists and amounts that clauses are made of: times, weekdays, months, ordinals, spans of time."""

from __future__ import annotations

from datetime import time

from scheduler.phrases.cursor import Cursor
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import TIME_FORMS, Token
from scheduler.phrases.words import (
    MONTH_NUMBERS,
    ORDINALS,
    UNIT_NAMES,
    UNIT_WORDS,
    WEEKDAY_MASKS,
    nearest_word,
)
from scheduler.wording import LAST, MONTHS, WEEKDAYS


class Reader(Cursor):
    """Read lists and amounts."""

    def read_times(self) -> tuple[time, ...]:
        """Read a list of times of day; sorted, each once."""
        found = {self.read_time()}
        while self._next_in_list("time", "number"):
            found.add(self.read_time())
        return tuple(sorted(found))

    def read_time(self) -> time:
        """Read one time of day; raise Refusal."""
        token = self.peek()
        if token.kind == "time":
            return self._read_half_of_day(self.take())
        if token.kind == "number":
            if self.peek(1).kind in ("am", "pm"):
                half = self.peek(1)
                self.at += 2
                return self.cutter.time_of(token.start, half.end, str(token.value), "00", "00", half.kind)
            raise self.refuse_bare_number()
        if token.kind == "end":
            raise self.refuse_missing("a time of day", TIME_FORMS, "09:00")
        raise self.refuse_word(TIME_FORMS, ["noon", "midnight"])

    def _read_half_of_day(self, token: Token) -> time:
        """Take the "pm" of "9:15 pm" into account."""
        half = self.peek()
        if half.kind not in ("am", "pm"):
            return token.value  # type: ignore[no-any-return]
        self.at += 1
        hour, minute, second = [*token.text.split(":"), "00", "00"][:3]
        if not hour.isdigit() or not second.isdigit():
            why = "is not a time of day: it says twice which half of the day"
            raise self.cutter.refuse(token.start, half.end, why, TIME_FORMS, token.text)
        return self.cutter.time_of(token.start, half.end, hour, minute, second, half.kind)

    def refuse_bare_number(self) -> Refusal:
        """Return the refusal of "at 10": ten what?"""
        token = self.peek()
        hour = token.value
        start, end = token.start, token.end
        if hour > 24:
            why = "is not a time of day: hours are 0-23 and minutes 0-59"
            fix = f"{token.text[:-2]}:{token.text[-2:]}" if len(token.text) in (3, 4) else "23:00"
            return self.cutter.refuse(start, end, why, TIME_FORMS, fix, "09:00")
        if hour in (0, 24):
            return self.cutter.refuse(start, end, "is not a time of day: midnight is '00:00'", TIME_FORMS, "00:00")
        halves = (f"{hour}am", f"{hour}pm") if hour < 12 else (f"{hour - 12 or 12}pm",)
        writings = [f"'{text}'" for text in (f"{hour}:00", *halves)]
        why = f"is not a time of day: write {', '.join(writings[:-1])} or {writings[-1]}"
        return self.cutter.refuse(start, end, why, TIME_FORMS, f"{hour}:00")

    def _next_in_list(self, *kinds: str, fillers: tuple[str, ...] = ("at",)) -> bool:
        """Step over ",", "and" and what may stand behind them if the list goes on."""
        ahead = 0
        while self.peek(ahead).kind in (",", "and") and ahead < 2:
            ahead += 1
        if ahead == 0:
            return False
        while self.peek(ahead).kind in fillers:
            ahead += 1
        if self.peek(ahead).kind not in kinds:
            return False
        if self.peek(ahead).kind == "number" and self.peek(ahead + 1).kind in ("unit", "month", "times"):
            return False
        self.at += ahead
        return True

    def read_minutes(self) -> tuple[int, ...]:
        """Read minutes of the hour: ":15 and :45", or "15 and 45" behind the word minute."""
        found = {self._read_minute()}
        while self._next_in_list("minute", "number", fillers=()):
            found.add(self._read_minute())
        return tuple(sorted(found))

    def _read_minute(self) -> int:
        token = self.peek()
        if token.kind == "end":
            raise self.refuse_missing("a minute of the hour", ("0 to 59",), "15")
        if token.kind not in ("minute", "number"):
            raise self.refuse_word(("0 to 59",))
        if token.value > 59:
            why = "is not a minute of the hour: 0-59"
            raise self.refuse(self.at, self.at + 1, why, ("0 to 59",), "59")
        return self.take().value  # type: ignore[no-any-return]

    # days

    def read_weekdays(self) -> tuple[int, bool]:
        """Read a list of weekdays and ranges of them; return the mask, and whether it is clear that it repeats."""
        first = self.at
        mask = self._read_weekday_range()
        while self._next_in_list("weekday", fillers=("every", "on", "the")):
            mask |= self._read_weekday_range()
        single = self.at == first + 1 and self.tokens[first].text in _SINGULAR
        return mask, not single

    def _read_weekday_range(self) -> int:
        first = self.at
        low: int = self.take().value
        if self.peek().kind != "to":
            return low
        self.at += 1
        if self.peek().kind != "weekday":
            raise self.refuse_word(WEEKDAYS, list(WEEKDAY_MASKS))
        high: int = self.take().value
        if low & (low - 1) or high & (high - 1):
            raise self.refuse(first, self.at, "is not a range of weekdays", ("monday to friday",), "monday to friday")
        days, bit = low, low
        while bit != high:
            bit = bit << 1 if bit < 1 << 6 else 1
            days |= bit
        return days

    def read_months(self) -> tuple[int, ...]:
        """Read a list of months and ranges of them, which may wrap; sorted."""
        found = self._read_month_range()
        while self._next_in_list("month", fillers=("in", "of")):
            found |= self._read_month_range()
        return tuple(sorted(found))

    def _read_month_range(self) -> set[int]:
        if self.peek().kind != "month":
            raise self.refuse_word(MONTHS, list(MONTH_NUMBERS))
        low: int = self.take().value
        if self.peek().kind != "to":
            return {low}
        self.at += 1
        if self.peek().kind != "month":
            raise self.refuse_word(MONTHS, list(MONTH_NUMBERS))
        high: int = self.take().value
        return {(low - 1 + step) % 12 + 1 for step in range((high - low) % 12 + 1)}

    def at_ordinal(self) -> bool:
        """Say whether an ordinal stands here; "second" is one unless a unit is meant."""
        token = self.peek()
        if token.kind == "ordinal":
            return True
        return token.text == "second" and self._second_is_ordinal()

    def _second_is_ordinal(self) -> bool:
        following = self.peek(1)
        if following.kind in (",", "and"):
            return self.peek(2).kind == "ordinal" or self.peek(3).kind == "ordinal"
        return following.kind in ("weekday", "of", "period", "unit", "month", "to")

    def read_ordinals(self) -> tuple[int, ...]:
        """Read "1st, 3rd and last" or "1st to 5th"; sorted, LAST as it is."""
        found = set(self._read_ordinal_range())
        while self._next_in_list("ordinal", "unit", fillers=("the", "on")):
            if not self.at_ordinal() and self.peek().text != "second":
                raise self.refuse_word(("1st to 31st", "last"), list(ORDINALS))
            found.update(self._read_ordinal_range())
        return tuple(sorted(found))

    def _read_ordinal_range(self) -> range | tuple[int]:
        low = self._read_ordinal()
        if self.peek().kind != "to" or low == LAST:
            return (low,)
        first = self.at - 1
        self.at += 1
        if self.peek().kind != "ordinal":
            raise self.refuse(first, self.at, "is not understood", ("1st to 5th",), f"{low}th")
        high = self._read_ordinal()
        if high < low:
            why = "is not understood: numbers grow, and nothing is counted from the end"
            raise self.refuse(first, self.at, why, ("1st to 5th", "last"), "last")
        return range(low, high + 1)

    def _read_ordinal(self) -> int:
        token = self.take()
        number: int = token.value if token.kind == "ordinal" else 2
        if number != LAST and not 1 <= number <= 31:
            why = "is no day of any month: they go from 1st to 31st"
            raise self.refuse(self.at - 1, self.at, why, ("1st to 31st", "last"), "1st" if number < 1 else "31st")
        return number

    # amounts of time

    def read_span(self) -> dict[str, int]:
        """Read "1 hour and 30 minutes", "half an hour", "2w": a number for each unit; raise Refusal."""
        first = self.at
        found: dict[str, int] = {}
        while True:
            number, unit = self._read_amount()
            if unit in found:
                why = f"counts {unit}s twice: one amount of each unit"
                raise self.refuse(first, self.at, why, UNIT_NAMES, f"{found[unit] + number} {unit}s")
            found[unit] = number
            self._read_and_a_half(unit, found)
            if not self._span_goes_on():
                return found

    def _read_and_a_half(self, unit: str, found: dict[str, int]) -> None:
        """Take "an hour and a half" for 1 hour and 30 minutes."""
        kinds = [self.peek(ahead).kind for ahead in range(3)]
        if unit == "hour" and kinds[0] == "and" and "half" in (kinds[1], kinds[2]) and kinds[1] in ("a", "half"):
            found["minute"] = 30
            self.at += 3 if kinds[1] == "a" else 2

    def _span_goes_on(self) -> bool:
        ahead = 1 if self.peek().kind in (",", "and") else 0
        ahead += 1 if ahead and self.peek().kind == "," and self.peek(1).kind == "and" else 0
        if self.peek(ahead).kind not in ("number", "a") or self.peek(ahead + 1).kind != "unit":
            return False
        self.at += ahead
        return True

    def _read_amount(self) -> tuple[int, str]:
        token = self.peek()
        if token.kind in ("half", "period") or (token.kind == "a" and self.peek(1).kind in ("half", "period")):
            return self._read_fraction()
        number = 1
        if token.kind in ("number", "a"):
            number = token.value if token.kind == "number" else 1
            self.at += 1
            if number < 1:
                raise self._refuse_zero()
        if self.peek().kind != "unit":
            raise self.refuse_unit(token)
        return number, self.take().value

    def _refuse_zero(self) -> Refusal:
        """Return the refusal of "0 minutes"; the number has been read."""
        start, end = self.slice(self.at - 1, self.at)
        unit = self.peek()
        until, fix = (unit.end, f"1 {unit.value}") if unit.kind == "unit" else (end, "1")
        why = f"'{self.cutter.text[start:end]}' is not accepted: must be 1 or more"
        return Refusal(why, ("whole numbers from 1",), (self.cutter.replaced(start, until, fix),))

    def _read_fraction(self) -> tuple[int, str]:
        """Read "half an hour", "quarter hour", "a quarter of an hour"."""
        first = self.at
        self.accept("a")
        token = self.take()
        self.accept("of")
        self.accept("a")
        if self.peek().value != "hour" or token.value not in ("half", "quarter"):
            last = self.at + 1 if self.peek().kind in ("unit", "period") else self.at
            why = "is not understood: 'half' and 'quarter' go with an hour"
            fixes = ("12 hours",) if self.peek().value == "day" else ("30 minutes",)
            raise self.refuse(first, last, why, ("half an hour", "quarter of an hour"), *fixes)
        self.at += 1
        return (30 if token.value == "half" else 15), "minute"

    def refuse_unit(self, number: Token) -> Refusal:
        """Return the refusal of a number without a unit, or with one that is not known."""
        token = self.peek()
        if token.kind == "to" and self.peek(1).kind == "number":
            why = "is not one number: one of the two"
            first = self.at - 1
            return self.refuse(first, self.at + 2, why, UNIT_NAMES, self.peek(1).text, number.text)
        if token.kind in ("unknown", "period"):
            near = nearest_word(token.text, UNIT_WORDS)
            hint = f"; did you mean '{near}'?" if near else ""
            fixes = (near,) if near else ("minutes", "")
            refusal = self.refuse(self.at, self.at + 1, "", UNIT_NAMES, *fixes)
            word = self.cutter.text[token.start : token.end]
            return Refusal(f"unknown unit '{word}'{hint or ': ' + _UNITS}", UNIT_NAMES, refusal.fixes)
        text = self.cutter.text[number.start : number.end]
        fix = self.cutter.replaced(number.start, number.end, f"{text} minutes")
        return Refusal(f"no unit after '{text}': {_UNITS}", UNIT_NAMES, (fix,))


_UNITS = "seconds, minutes, hours, days or weeks"
_SINGULAR = {word for word in WEEKDAY_MASKS if not word.endswith("s") or word in ("tues", "thurs")}
