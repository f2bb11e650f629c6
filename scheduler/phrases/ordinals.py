"""Read what is counted: "2nd tuesday", "1st and last day", "december 25"."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

from scheduler.phrases.amounts import AmountReader
from scheduler.phrases.cursor import Part
from scheduler.phrases.refusal import Refusal
from scheduler.wording import LAST, MONTHS, WEEKEND, WORKDAYS, say_ordinal

EVERY_FORMS = (
    *("every 5 minutes", "every day", "every weekday", "every monday", "every 2nd tuesday"),
    *("every 31st", "every month", "every december 25"),
)


class OrdinalReader(AmountReader):
    """Read ordinals and dates of the year; `parts` is what has been read, by name."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.parts: dict[str, Part] = {}

    def add(self, name: str, value: Any, first: int, sure: bool = False) -> None:
        """Note the clause that ends here; raise Refusal if there is one of that name already."""
        known = self.parts.get(name)
        if known is not None:
            old, new = self.quote(known.first, known.last), self.quote(first, self.at)
            fixes = [
                self.cutter.replaced(*self.slice(*span), "") for span in ((first, self.at), (known.first, known.last))
            ]
            if name in ("days", "daytime"):
                fixes = []  # either names days or hours of its own
            raise Refusal(f"'{new}' is one too many: '{old}' says that already", ("one rule",), tuple(fixes))
        self.parts[name] = Part(value, first, self.at, sure)

    def read_ordinal_clause(self, first: int, sure: bool = False) -> None:
        """Read "2nd tuesday", "last weekday", "1st and last day", "31st", "25th december"."""
        begin = self.at
        numbers = self.read_ordinals()
        token = self.peek()
        if token.kind == "weekday":
            self._read_nth_weekday(first, begin, numbers, sure)
        elif token.kind == "month" and LAST not in numbers:
            self._read_day_first(first, numbers, sure)
        elif token.kind == "working" and self.peek(1).value == "day":
            self.at += 2
            self._add_workdays(first, numbers)
        elif token.value == "day":
            self.at += 1
            self.add("monthdays", numbers, first, sure)
        elif token.kind in ("unit", "period") or token.kind == "daytime":
            if token.kind == "period" and not sure:
                raise self.refuse_word(("of the month",))
            raise self._refuse_nth_unit(first, numbers)
        elif sure and numbers == (LAST,) and token.kind != "of":
            self.at += 1
            raise self.refuse(first, begin + 1, "is not clear: the last what?", EVERY_FORMS, "last day of the month")
        else:
            self.add("monthdays", numbers, first, sure)

    def _refuse_nth_unit(self, first: int, numbers: tuple[int, ...]) -> Refusal:
        unit = self.take().value
        number = numbers[0] if numbers[0] > 0 else 2
        fix = f"every {number} {unit}s" if number > 1 else f"every {unit}"
        return self.refuse(first, self.at, "is not understood", EVERY_FORMS, fix, f"every {unit}")

    def _read_nth_weekday(self, first: int, begin: int, numbers: tuple[int, ...], sure: bool) -> None:
        end = self.at
        groups = {WORKDAYS, WEEKEND}
        token = self.peek()
        mask, _ = self.read_weekdays()
        listed = [name.value for name in self.tokens[end : self.at] if name.kind == "weekday"]
        if len(listed) > 1 and not groups.isdisjoint(listed):
            why = "is no list: a weekday or a weekend is counted alone"
            raise self.refuse(end, self.at, why, ("last weekday of the month", "last monday of the month"), token.text)
        if token.value == WEEKEND:
            why = "is not clear: name the day, such as 'first saturday of the month'"
            raise self.refuse(first, self.at, why, ("first saturday of the month",), "first saturday of the month")
        if token.value == WORKDAYS:
            self._add_workdays(first, numbers)
            return
        if max(numbers) > 5:
            number = say_ordinal(max(numbers))
            name = self.quote(end, self.at)
            why = f"'{self.quote(begin, end)}': no month has a {number} {name}, at most a 5th"
            refusal = self.refuse(first, self.at, "", (), f"last {name} of the month", f"last {name}")
            raise Refusal(why, ("1st to 5th", "last"), refusal.fixes)
        self.add("nth", numbers, first, sure)
        self.add("days", mask, first, sure=True)

    def _add_workdays(self, first: int, numbers: tuple[int, ...]) -> None:
        if max(numbers) > 20:
            why = "is not in every month: count up to 20 or say 'last'"
            raise self.refuse(first, self.at, why, ("1st to 20th", "last"), "last weekday")
        self.add("workdays", numbers, first)

    def read_dates(self, first: int, sure: bool = False) -> None:
        """Read "december 25", "25 december", "january 1 and july 4"; with a year it is one date."""
        if self.peek().kind == "number":
            number = self.take().value
            self._read_day_first(first, (number,), sure)
            return
        found = [*self._read_month_days(first)]
        if self._comma_year():
            self.at += 1
        if len(found) == 1 and self._at_year(0) and not sure:
            self._add_full_date(first, *found[0])
            return
        while self._next_in_list("month", fillers=("every", "on")):
            found += self._read_month_days(first)
        self.add("dates", tuple(sorted(set(found))), first, sure)

    def _read_month_days(self, first: int) -> list[tuple[int, int]]:
        begin = self.at
        month = self.take().value
        if self.peek().kind not in ("number", "ordinal") or self._at_year(0):
            raise self._refuse_no_day(first, begin)
        days = [self._read_day_of(month, begin)]
        while not self._comma_year() and self._next_in_list("number", "ordinal", fillers=("the",)):
            days.append(self._read_day_of(month, self.at))
        return [(month, day) for day in days]

    def _refuse_no_day(self, first: int, begin: int) -> Refusal:
        name = self.quote(begin, self.at)
        why = "says no day of the month"
        accepted = ("every december 25", "every weekday in december")
        return self.refuse(first, self.at, why, accepted, f"every {name} 1", f"in {name}")

    def _read_day_first(self, first: int, numbers: tuple[int, ...], sure: bool) -> None:
        month = self.take().value
        for number in numbers:
            self._check_day(month, number, first)
        if len(numbers) == 1 and self._at_year(0) and not sure:
            self._add_full_date(first, month, numbers[0])
            return
        self.add("dates", tuple((month, number) for number in numbers), first, sure)

    def _read_day_of(self, month: int, begin: int) -> int:
        number: int = self.take().value
        if self.tokens[self.at - 1].kind == "ordinal" and number == LAST:
            raise self.refuse(self.at - 1, self.at, "is not understood here: write the number of the day", (), "1")
        self._check_day(month, number, begin)
        return number

    def _check_day(self, month: int, number: int, begin: int) -> None:
        longest = calendar.monthrange(2000, month)[1]
        if 1 <= number <= longest:
            return
        name = MONTHS[month - 1]
        accepted = (f"{name} 1 to {name} {longest}",)
        note = "; february 29 comes in leap years only" if month == 2 else ""
        fix = f"{name} {28 if month == 2 else min(max(number, 1), longest)}"
        begin = next(
            place for place in range(begin, self.at) if self.tokens[place].kind in ("month", "number", "ordinal")
        )
        refusal = self.refuse(begin, self.at, "", accepted, fix)
        written = self.quote(begin, self.at)
        said = f"'{written}'" if written.lower() == f"{name} {number}" else f"'{written}' ({name} {number})"
        raise Refusal(f"{said} is in no calendar: {name} has {longest} days{note}", accepted, refusal.fixes)

    def _comma_year(self) -> bool:
        return self.peek().kind == "," and self._at_year(1)

    def _at_year(self, ahead: int) -> bool:
        token = self.peek(ahead)
        return token.kind == "number" and len(token.text) == 4 and token.text.isdigit() and token.value >= 1900

    def _add_full_date(self, first: int, month: int, day: int) -> None:
        year: int = self.take().value
        if month == 2 and day == 29 and not calendar.isleap(year):
            why = f"is in no calendar: {year} is no leap year"
            raise self.refuse(first, self.at, why, ("february 28",), f"{year}-02-28")
        self.add("date", date(year, month, day), first)
