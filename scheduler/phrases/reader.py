"""Read the lists that clauses are made of: times, minutes, weekdays, months, ordinals."""

from __future__ import annotations

from datetime import time

from scheduler.phrases.cursor import Cursor
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import TIME_FORMS, Token
from scheduler.phrases.words import MONTH_NUMBERS, ORDINALS, WEEKDAY_MASKS
from scheduler.wording import LAST, MONTHS, WEEKDAYS


class Reader(Cursor):
    """Read lists."""

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
        if hour > 24 and len(self.tokens) == 1:
            return self._refuse_lone_number(token)
        if self.at and self.tokens[self.at - 1].kind in _COUNTED:
            return self.cutter.refuse(start, end, "is not understood here", TIME_FORMS)
        if hour > 24:
            why = "is not a time of day: hours are 0-23 and minutes 0-59"
            fixes = (f"{token.text[:-2]}:{token.text[-2:]}",) if len(token.text) in (3, 4) else ()
            return self.cutter.refuse(start, end, why, TIME_FORMS, *fixes)
        if hour in (0, 24):
            return self.cutter.refuse(start, end, "is not a time of day: midnight is '00:00'", TIME_FORMS, "00:00")
        halves = (f"{hour}am", f"{hour}pm") if hour < 12 else (f"{hour - 12 or 12}pm",)
        writings = [f"'{text}'" for text in (f"{hour}:00", *halves)]
        why = f"is not a time of day: write {', '.join(writings[:-1])} or {writings[-1]}"
        # "10 to 8pm" is a window, or ten minutes before eight.
        is_clear = self.peek(1).kind not in ("to", "unit") or (self.peek(1).kind == "to" and self.is_stepped())
        return self.cutter.refuse(start, end, why, TIME_FORMS, *([f"{hour}:00"] if is_clear else []))

    def is_stepped(self) -> bool:
        """Say whether the phrase names seconds, minutes or hours, the steps of a window."""
        return any(token.value in ("second", "minute", "hour", ("hour", 3600)) for token in self.tokens)

    def _refuse_lone_number(self, token: Token) -> Refusal:
        """Return the refusal of "300", which may be seconds or, where there is such a time, 3:00."""
        readings = (f"every {token.text} seconds", f"daily at {token.text[:-2]}:{token.text[-2:]}")
        fixes = (
            readings if len(token.text) in (3, 4) and token.value < 2400 and token.value % 100 < 60 else readings[:1]
        )
        return Refusal(f"'{token.text}' says neither a unit nor a time of day", readings, fixes, both=len(fixes) > 1)

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


_COUNTED = ("month", "number", "ordinal", "unit", "period")
"""Behind these a number belongs to what stands before it, and is no time of day."""
_SINGULAR = {word for word in WEEKDAY_MASKS if not word.endswith("s") or word in ("tues", "thurs")}
