"""Read what repeats: "every ...", "twice a day", "1st and 15th of the month", "every december 25"."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Any

from scheduler.phrases.reader import Part, Reader
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.words import DAYTIMES, UNIT_SECONDS, WEEKDAY_MASKS
from scheduler.wording import LAST, MONTHS, WEEKEND, WORKDAYS, say_count, say_ordinal, say_step

LONGEST_SECONDS = 3653 * 86_400
"""Ten years: the longest interval."""

EVERY_FORMS = (
    *("every 5 minutes", "every day", "every weekday", "every monday", "every 2nd tuesday"),
    *("every 31st", "every month", "every december 25"),
)
_EVERY_WORDS = [
    *(word for word in WEEKDAY_MASKS if len(word) > 4),
    *("second", "minute", "hour", "day", "week", "month", "quarter", "year", "other", "half"),
    *(month for month in MONTHS),
    *DAYTIMES,
]


class RepeatReader(Reader):
    """Read the clauses that say how something repeats; `parts` is what has been read, by name."""

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
            raise Refusal(f"'{new}' is one too many: '{old}' says that already", ("one rule",), tuple(fixes))
        self.parts[name] = Part(value, first, self.at, sure)

    def read_every(self) -> None:
        """Read what stands behind "every", the word included."""
        first = self.at
        self.at += 1
        token = self.peek()
        if self.at_ordinal():
            self.read_ordinal_clause(first, sure=True)
        elif token.kind == "number" and self.peek(1).kind == "month":
            self.read_dates(first, sure=True)
        elif token.kind in ("number", "a", "half", "unit") or self._at_quarter_hour():
            self._read_step(first)
        elif token.kind == "other":
            self._read_other(first)
        elif token.kind == "weekday":
            mask, _ = self.read_weekdays()
            self.add("days", mask, first, sure=True)
        elif token.kind == "period":
            self.at += 1
            self.add(_PERIOD_PARTS[token.value], 1, first)
        elif token.kind == "daytime":
            self.at += 1
            self.add("daytime", token.value, first)
        elif token.kind == "month":
            self.read_dates(first, sure=True)
        else:
            raise self._refuse_every(first)

    def _refuse_every(self, first: int) -> Refusal:
        token = self.peek()
        if token.kind == "end":
            return self.refuse_missing("how often", EVERY_FORMS, "5 minutes")
        if token.kind == "time":
            fix = f"every day at {token.text}"
            return self.refuse(first, self.at + 1, "is not understood", EVERY_FORMS, fix)
        if token.kind == "frequency":
            return self.refuse(first, self.at + 1, "says it twice", EVERY_FORMS, token.text)
        return self.refuse_word(EVERY_FORMS, _EVERY_WORDS)

    def _at_quarter_hour(self) -> bool:
        return self.peek().value == "quarter" and (self.peek(1).value == "hour" or self.peek(1).kind == "of")

    def _read_step(self, first: int) -> None:
        """Read "5 minutes", "1h30m", "3 days"."""
        token = self.peek()
        if token.kind == "number" and self.peek(1).kind in ("weekday", "period"):
            self._read_counted(first)
            return
        self.add_span(self.read_span(), first)

    def add_span(self, span: dict[str, int], first: int) -> None:
        """Note the part that an interval of these units is: elapsed time, or calendar days and weeks."""
        elapsed = sum(number * UNIT_SECONDS[unit] for unit, number in span.items() if unit not in ("day", "week"))
        days = span.get("day", 0) + 7 * span.get("week", 0)
        if elapsed + days * 86_400 > LONGEST_SECONDS:
            why = "is too long: an interval is at most 10 years"
            unit = next(iter(span))
            fix = f"every {LONGEST_SECONDS // UNIT_SECONDS[unit]} {unit}s"
            raise self.refuse(first, self.at, why, ("up to 10 years",), fix)
        if elapsed and days:
            why = "mixes days, which keep the time of day, with elapsed hours"
            fix = f"every {say_step(elapsed + days * 86_400)}"
            raise self.refuse(first, self.at, why, ("every 36 hours", "every 2 days"), fix)
        if elapsed:
            self.add("hour" if elapsed == 3600 else "step", elapsed, first)
        elif days % 7 == 0:
            self.add("weekly" if days == 7 else "nweeks", days // 7, first)
        else:
            self.add("daily" if days == 1 else "ndays", days, first)

    def _read_counted(self, first: int) -> None:
        """Read "every 1 month"; refuse "every 2 fridays" and "every 3 months"."""
        number, token = self.take().value, self.take()
        if token.kind == "weekday":
            fix = f"every {say_count(number, 'week')} on {token.text}"
            why = "is not clear: every so many weeks, or the n-th of the month?"
            refusal = self.refuse(first, self.at, why, (fix,), fix, f"every {say_ordinal(number or 1)} {token.text}")
            raise Refusal(refusal.message, refusal.accepted, refusal.fixes, both=True)
        if number != 1:
            raise self._refuse_periods(first, number, token.value)
        self.add(_PERIOD_PARTS[token.value], 1, first)

    def _refuse_periods(self, first: int, number: int, period: str) -> Refusal:
        months = number * {"month": 1, "quarter": 3, "year": 12}[period]
        fixes = [f"0 0 1 */{months} *"] if 1 <= months <= 6 and 12 % months == 0 else []
        why = "is not accepted: units are seconds, minutes, hours, days or weeks, and a cron expression counts months"
        refusal = self.refuse(first, self.at, why, EVERY_FORMS, f"every {period}")
        return Refusal(refusal.message, refusal.accepted, (*fixes, *refusal.fixes))

    def _read_other(self, first: int) -> None:
        """Read "other day", "other hour", "other friday"."""
        self.at += 1
        token = self.peek()
        if token.kind == "unit":
            self.at += 1
            self.add_span({token.value: 2}, first)
        elif token.kind == "weekday" and token.value != WORKDAYS:
            mask, _ = self.read_weekdays()
            self.add("nweeks", 2, first)
            self.add("days", mask, first, sure=True)
        elif token.kind == "weekday":
            why = "is not clear: every second working day, or those of every second week?"
            raise self.refuse(first, self.at + 1, why, EVERY_FORMS, "every 2 weeks on weekdays")
        elif token.kind == "period":
            self.at += 1
            raise self._refuse_periods(first, 2, token.value)
        elif token.kind == "end":
            raise self.refuse_missing("a unit or a weekday", EVERY_FORMS, "day")
        else:
            raise self.refuse_word(EVERY_FORMS, _EVERY_WORDS)

    def read_often(self, first: int, times: int) -> None:
        """Read "a day", "per hour", "daily" behind "N times", and note the even step that it means."""
        self.accept("times")
        if self.peek().kind == "frequency":
            period = {"hour": "hour", "daily": "day", "weekly": "week"}.get(self.peek().value[0], "")
            self.at += 1
        else:
            if not self.accept("a", "per", "every"):
                if self.peek().kind == "end":
                    raise self.refuse_missing("'a day' or 'an hour'", ("twice a day", "4 times an hour"), "a day")
                raise self.refuse_word(("twice a day", "4 times an hour"), ["a day", "an hour"])
            if self.peek().kind not in ("unit", "period"):
                raise self.refuse_word(("a day", "an hour"), ["day", "hour"])
            period = self.take().value
        if times == 1:
            self._add_once(period, first)
            return
        self._add_often(times, period, first)

    def _add_once(self, period: str, first: int) -> None:
        if period in _PERIOD_PARTS:
            self.add(_PERIOD_PARTS[period], 1, first)
        else:
            self.add_span({period: 1}, first)

    def _add_often(self, times: int, period: str, first: int) -> None:
        number = self.tokens[first].text
        if times < 1:
            raise self.refuse(first, first + 1, "is not accepted: must be 1 or more", ("1 or more",), "1")
        if period not in ("day", "hour"):
            fixes = [f"every {60 // times} seconds"] if period == "minute" and 60 % times == 0 else []
            why = "is not accepted: a number of times goes with a day or an hour, otherwise name the days"
            accepted = ("twice a day", "4 times an hour")
            raise self.refuse(first, self.at, why, accepted, *fixes, "every monday and thursday at 09:00")
        minutes = UNIT_SECONDS[period] // 60
        if minutes % times:
            fit = min((n for n in range(2, minutes + 1) if minutes % n == 0), key=lambda n: abs(n - times))
            fix = f"{fit} times {'an hour' if period == 'hour' else 'a day'}"
            article = "an" if period == "hour" else "a"
            why = f"'{number}' does not divide {article} {period} into whole minutes"
            refusal = self.refuse(first, self.at, "", (), fix)
            raise Refusal(why, ("a divisor of the minutes of the period",), refusal.fixes)
        self.add("often", (times, minutes * 60 // times), first)

    def read_ordinal_clause(self, first: int, sure: bool = False) -> None:
        """Read "2nd tuesday", "last weekday", "1st and last day", "31st", "25th december"."""
        begin = self.at
        numbers = self.read_ordinals()
        token = self.peek()
        if token.kind == "weekday":
            self._read_nth_weekday(first, begin, numbers, sure)
        elif token.kind == "month" and LAST not in numbers:
            self._read_day_first(first, numbers, sure)
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
        return self.refuse(first, self.at, f"is not understood: '{fix}'?", EVERY_FORMS, fix, f"every {unit}")

    def _read_nth_weekday(self, first: int, begin: int, numbers: tuple[int, ...], sure: bool) -> None:
        end = self.at
        token = self.peek()
        mask, _ = self.read_weekdays()
        if mask == WEEKEND:
            why = "is not clear: name the day, such as 'first saturday of the month'"
            raise self.refuse(first, self.at, why, ("first saturday of the month",), "first saturday of the month")
        if mask == WORKDAYS and token.value == WORKDAYS:
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
        why = f"says no day of the month: 'every {name} 1'?"
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


_PERIOD_PARTS = {"month": "monthly", "quarter": "quarterly", "year": "yearly"}
