"""Read amounts of time: "1 hour and 30 minutes", "half an hour", "2w"."""

from __future__ import annotations

from datetime import date

from scheduler.dates import month_length
from scheduler.phrases.misspelt import nearest_word
from scheduler.phrases.reader import Reader
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import Token
from scheduler.phrases.words import SHORT_PERIODS, UNIT_NAMES, UNIT_SECONDS, UNIT_WORDS
from scheduler.wording import join_words, say_count, say_step

_UNITS = "seconds, minutes, hours, days or weeks"
DAYS_A_WEEK = {
    2: "monday and thursday",
    3: "monday, wednesday and friday",
    4: "monday to thursday",
    5: "weekday",
    6: "monday to saturday",
}
"""What may be meant by so many days a week; one is "every week", seven are "every day"."""

DAYS_OF = {"month": 30, "quarter": 91, "year": 365}
"""About how many days a period has."""
_MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}
_MOST_MONTHS = 12 * 40
"""No run is farther away."""


class AmountReader(Reader):
    """Read amounts of time."""

    def read_span(self) -> dict[str, int]:
        """Read a number for each unit, the larger unit first; raise Refusal."""
        first = self.at
        found: dict[str, int] = {}
        while True:
            number, unit = self._read_amount()
            if any(UNIT_SECONDS[known] <= UNIT_SECONDS[unit] for known in found):
                raise self._refuse_order(first, found, number, unit)
            found[unit] = number
            self._read_and_a_half(unit, found)
            if not self._span_goes_on():
                break
        if self.peek().kind in ("a", "per") and self.peek(1).kind in ("unit", "period"):
            raise self._refuse_rate(first, found)
        return found

    def _read_and_a_half(self, unit: str, found: dict[str, int]) -> None:
        """Take "an hour and a half" for 1 hour and 30 minutes."""
        kinds = [self.peek(ahead).kind for ahead in range(3)]
        if unit == "hour" and kinds[0] == "and" and "half" in (kinds[1], kinds[2]) and kinds[1] in ("a", "half"):
            found["minute"] = 30
            self.at += 3 if kinds[1] == "a" else 2

    def _span_goes_on(self) -> bool:
        """Step over what joins two amounts; "a day" is a further one behind "and" alone, elsewhere it is a rate."""
        ahead = 1 if self.peek().kind in (",", "and") else 0
        ahead += 1 if ahead and self.peek().kind == "," and self.peek(1).kind == "and" else 0
        joined = ahead > 0 and self.peek(ahead - 1).kind == "and"
        amounts = ("number", "a") if joined else ("number",)
        if self.peek(ahead).kind not in amounts or self.peek(ahead + 1).kind != "unit":
            return False
        self.at += ahead
        return True

    def _refuse_order(self, first: int, found: dict[str, int], number: int, unit: str) -> Refusal:
        """Return the refusal of "5 minutes 10 minutes" and of "30 minutes 2 hours"."""
        if unit in found:
            why = f"counts {unit}s twice: one amount of each unit"
            return self._refuse_readings(first, self.at, why, _say_span(found), _say_span(found | {unit: number}))
        why = "is not one amount: the larger unit comes first"
        return self.refuse(first, self.at, why, UNIT_NAMES, _say_span(found | {unit: number}))

    def _refuse_readings(self, first: int, last: int, why: str, *readings: str) -> Refusal:
        """Return the refusal of words that may mean the first two `readings`, both of which are offered."""
        refusal = self.refuse(first, last, why, UNIT_NAMES, *readings)
        return Refusal(refusal.message, refusal.accepted, refusal.fixes, both=True)

    def _refuse_rate(self, first: int, found: dict[str, int]) -> Refusal:
        """Return the refusal of "10 minutes an hour", and of "5 days a week", which says not which."""
        rate, period = self.quote(self.at, self.at + 2), self.peek(1).value
        amount = self.quote(first, self.at)
        self.at += 2
        if list(found) != ["day"] or period not in ("week", *DAYS_OF):
            return self.refuse(first, self.at, f"is not understood: leave '{rate}' away", (amount,), amount)
        days, begin = found["day"], self._with_link(first)
        if period != "week":
            fix = f"every {say_count(max(1, DAYS_OF[period] // days), 'day')}"
            return self.refuse(begin, self.at, "says how many days, not which", ("every 2 days", "on the 15th"), fix)
        if days == 1:
            return self._refuse_readings(begin, self.at, "says not which day", "every day", "every week")
        named = any(token.kind == "weekday" for token in self.tokens)
        fix = "" if named else f"every {DAYS_A_WEEK.get(days, 'day')}"
        return self.refuse(begin, self.at, "says how many days, not which", ("every monday and thursday",), fix)

    def _with_link(self, first: int) -> int:
        """Return where an amount begins if the "every" or "in" before it is a part of it."""
        return first - 1 if first and self.tokens[first - 1].kind in ("every", "in") else first

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
        if token.kind == "period" and (token.value != "quarter" or self.peek().kind not in ("of", "unit", "period")):
            self.at -= 1
            raise self._refuse_months(1)
        self.accept("of")
        self.accept("a")
        if self.peek().value != "hour" or token.value not in ("half", "quarter"):
            last = self.at + 1 if self.peek().kind in ("unit", "period") else self.at
            why = "is not understood: 'half' and 'quarter' go with an hour"
            fix = _say_part(self.peek(), 2 if token.value == "half" else 4)
            raise self.refuse(first, last, why, ("half an hour", "quarter of an hour"), fix)
        self.at += 1
        return (30 if token.value == "half" else 15), "minute"

    def refuse_unit(self, number: Token) -> Refusal:
        """Return the refusal of a number, which has been read, without a unit, or with one that is not known."""
        token = self.peek()
        if token.kind == "to" and self.peek(1).kind == "number":
            why = "is not one number: one of the two"
            return self.refuse(self.at - 1, self.at + 2, why, UNIT_NAMES, self.peek(1).text, number.text)
        if token.kind in (",", "and") and self.peek(1).kind == "number":
            return self._refuse_numbers()
        if token.kind == "working" and self.peek(1).value == "day":
            return self._refuse_working_days(number)
        if token.kind == "period":
            return self._refuse_months(number.value if number.kind == "number" else 1)
        if token.kind == "unknown":
            near = SHORT_PERIODS.get(token.text) or nearest_word(token.text, UNIT_WORDS)
            hint = f"; did you mean '{near}'?" if near else f": {_UNITS}"
            refusal = self.refuse(self.at, self.at + 1, "", UNIT_NAMES, *((near,) if near else ()))
            return Refusal(f"unknown unit '{self.quote(self.at, self.at + 1)}'{hint}", UNIT_NAMES, refusal.fixes)
        text = self.cutter.text[number.start : number.end]
        fix = self.cutter.replaced(number.start, number.end, f"{text} minutes")
        return Refusal(f"no unit after '{text}': {_UNITS}", UNIT_NAMES, (fix,))

    def _refuse_numbers(self) -> Refusal:
        """Return the refusal of "15 and 45 minutes": minutes of the hour, hours of the day, or one of the two."""
        first = self.at - 1
        numbers = [self.tokens[first].value]
        while self.peek().kind in (",", "and") and self.peek(1).kind == "number":
            numbers.append(self.peek(1).value)
            self.at += 2
        unit = self.peek()
        end = self.at + 1 if unit.kind == "unit" else self.at
        begin = self._with_link(first)
        why = "is not one amount"
        if self.tokens[begin].kind == "every" and unit.value == "minute" and max(numbers) < 60:
            fix = f"hourly at {join_words([f':{number:02}' for number in numbers])}"
            return self.refuse(begin, end, why, ("hourly at :15 and :45",), fix)
        if self.tokens[begin].kind == "every" and unit.value == "hour" and max(numbers) < 24:
            fix = f"daily at {join_words([f'{number:02}:00' for number in numbers])}"
            return self.refuse(begin, end, why, ("daily at 9:00 and 17:00",), fix)
        name = unit.value if unit.kind == "unit" else "minute"
        return self._refuse_readings(first, end, why, *(say_count(number, name) for number in numbers))

    def _refuse_working_days(self, number: Token) -> Refusal:
        """Return the refusal of "5 business days"."""
        first, days = self.at - 1, say_count(number.value, "day")
        begin = self._with_link(first)
        why = "is not accepted: working days are not counted"
        if self.tokens[begin].kind != "every":
            return self.refuse(first, self.at + 2, why, UNIT_NAMES, days)
        return self._refuse_readings(begin, self.at + 2, why, f"every {days}", "every weekday")

    def _refuse_months(self, number: int) -> Refusal:
        """Return the refusal of "in 5 months" or "in a month", which are so and so many days from today."""
        days = _days_until(self.today, number * _MONTHS_OF[self.peek().value])
        first = self.at - 1 if self.tokens[self.at - 1].kind in ("number", "a") else self.at
        refusal = self.refuse(first, self.at + 1, "", UNIT_NAMES, say_count(days, "day"))
        return Refusal(f"unknown unit '{self.quote(self.at, self.at + 1)}': {_UNITS}", UNIT_NAMES, refusal.fixes)


def _say_span(span: dict[str, int]) -> str:
    """Say an amount, the larger unit first, as in "1 hour 30 minutes"."""
    units = sorted(span, key=lambda unit: -UNIT_SECONDS[unit])
    return " ".join(say_count(span[unit], unit) for unit in units)


def _say_part(whole: Token, parts: int) -> str:
    """Say the half or the quarter of a unit or a period; of an hour where there is none."""
    if whole.kind == "period":
        return say_count(DAYS_OF[whole.value] // parts, "day")
    return say_step(max(1, UNIT_SECONDS.get(whole.value, UNIT_SECONDS["hour"]) // parts))


def _days_until(day: date, months: int) -> int:
    """Return how many days lie between `day` and the same day so many months on, or the last of a shorter month."""
    year, month = divmod(day.month - 1 + min(months, _MOST_MONTHS), 12)
    year, month = day.year + year, month + 1
    return (date(year, month, min(day.day, month_length(year, month))) - day).days
