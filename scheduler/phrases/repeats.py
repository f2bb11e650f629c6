"""Read what repeats: "every ...", "twice a day", "1st and 15th of the month", "every december 25"."""

from __future__ import annotations

from scheduler.phrases.amounts import DAYS_A_WEEK, DAYS_OF
from scheduler.phrases.ordinals import EVERY_FORMS, OrdinalReader
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.words import DAYTIMES, NUMBERS, PERIOD_PARTS, UNIT_SECONDS, WEEKDAY_MASKS
from scheduler.wording import LAST, MONTHS, WORKDAYS, say_count, say_months, say_ordinal, say_step

LONGEST_SECONDS = 3653 * 86_400
"""Ten years: the longest interval."""

_EVERY_WORDS = [
    *NUMBERS,
    *(word for word in WEEKDAY_MASKS if len(word) > 4),
    *("second", "minute", "hour", "day", "week", "month", "quarter", "year", "other", "half"),
    *(month for month in MONTHS),
    *DAYTIMES,
]


class RepeatReader(OrdinalReader):
    """Read the clauses that say how something repeats."""

    def read_every(self) -> None:
        """Read what stands behind "every", the word included."""
        first = self.at
        self.at += 1
        token = self.peek()
        if self.at_ordinal():
            self.read_ordinal_clause(first, sure=True)
        elif token.kind == "number" and self.peek(1).kind == "month":
            self.read_dates(first, sure=True)
        elif token.kind in ("number", "a", "half", "unit") or self._at_quarter():
            self._read_step(first)
        elif token.kind == "other":
            self.read_other(first)
        elif token.kind == "weekday":
            mask, _ = self.read_weekdays()
            self.add("days", mask, first, sure=True)
        elif self.at_period_end():
            self.read_period_end(first)
        elif token.kind == "period":
            self.at += 1
            self.add(PERIOD_PARTS[token.value], 1, first)
        elif token.kind == "daytime":
            self.at += 1
            self.add("daytime", token.value, first, sure=True)
        elif token.kind == "month":
            self.read_dates(first, sure=True)
        else:
            raise self._refuse_every(first)

    def at_period_end(self) -> bool:
        """Say whether "end of the month" or "month end" stands here."""
        kinds = [self.peek(ahead).kind for ahead in range(4)]
        if kinds[:2] == ["period", "ending"]:
            return True
        behind = kinds[3] if kinds[2] in ("the", "every") else kinds[2]
        return kinds[:2] == ["ending", "of"] and behind == "period"

    def read_period_end(self, first: int) -> None:
        """Read "end of the month" as its last day."""
        tokens = [self.take(), self.take()]
        if tokens[0].kind == "ending":
            self.accept("the", "every")
            tokens = [self.take(), tokens[0]]
        self.add("monthdays", (LAST,), first)
        self.add("of", tokens[0].value, first)

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

    def _at_quarter(self) -> bool:
        return self.peek().value == "quarter" and self.peek(1).kind in ("unit", "of")

    def _read_step(self, first: int) -> None:
        """Read "5 minutes", "1h30m", "3 days"."""
        token = self.peek()
        if token.kind == "number" and self.peek(1).kind in ("weekday", "period"):
            self._read_counted(first)
            return
        self.read_step(first)

    def read_step(self, first: int) -> None:
        """Read "5 minutes", "3 days" and "30-minute intervals"."""
        span = self.read_span()
        self.accept("interval")
        self.add_span(span, first)

    def at_intervals(self) -> bool:
        """Say whether "30-minute intervals" stands here."""
        return [self.peek(ahead).kind for ahead in range(3)] == ["number", "unit", "interval"]

    def add_span(self, span: dict[str, int], first: int) -> None:
        """Note the part that an interval of these units is: elapsed time, or calendar days and weeks.

        Days count as weeks where a weekday is named, as in "every 14 days on friday".
        """
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
        elif days % 7 == 0 and ("week" in span or self._names_weekday()):
            self.add("weekly" if days == 7 else "nweeks", days // 7, first)
        else:
            self.add("daily" if days == 1 else "ndays", days, first)

    def _names_weekday(self) -> bool:
        return any(token.kind == "weekday" for token in self.tokens)

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
        self.add(PERIOD_PARTS[token.value], 1, first)

    def _refuse_periods(self, first: int, number: int, period: str) -> Refusal:
        months = number * {"month": 1, "quarter": 3, "year": 12}[period]
        fixes = []
        if 1 <= months <= 6 and 12 % months == 0:
            named = say_months(range(1, 13, months))
            day = any(token.kind in ("ordinal", "weekday", "unit") for token in self.tokens[self.at :])
            start, end = self.slice(first, self.at)
            listed = self.cutter.replaced(start, end, f"in {named}" if day else f"1st of {named}")
            fixes = [f"0 0 1 */{months} *" if self.peek().kind == "end" else listed]
        why = "is not accepted: units are seconds, minutes, hours, days or weeks, and a cron expression counts months"
        about = "every year" if months == 12 else f"every {say_count(months * 365 // 12 or 30, 'day')}"
        refusal = self.refuse(first, self.at, why, EVERY_FORMS, about)
        return Refusal(refusal.message, refusal.accepted, (*fixes, *refusal.fixes))

    def read_other(self, first: int) -> None:
        """Read "other day", "alternate hour", "other friday"."""
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
            period = _ADVERBS.get(self.peek().text, "")
            if not period:
                raise self.refuse_word(("twice a day", "4 times an hour"))
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
        if period in PERIOD_PARTS:
            self.add(PERIOD_PARTS[period], 1, first)
        else:
            self.add_span({period: 1}, first)

    def _add_often(self, times: int, period: str, first: int) -> None:
        number = self.tokens[first].text
        if times < 1:
            raise self.refuse(first, first + 1, "is not accepted: must be 1 or more", ("1 or more",), "1")
        if period not in ("day", "hour"):
            why = "is not accepted: a number of times goes with a day or an hour, otherwise name the days"
            fix = self._days_instead(times, period)
            accepted = ("twice a day", "4 times an hour")
            raise self.refuse(first, self.at, why, accepted, *([] if fix is None else [fix]))
        minutes = UNIT_SECONDS[period] // 60
        if minutes % times:
            fit = min((n for n in range(2, minutes + 1) if minutes % n == 0), key=lambda n: abs(n - times))
            fix = f"{fit} times {'an hour' if period == 'hour' else 'a day'}"
            article = "an" if period == "hour" else "a"
            why = f"'{number}' does not divide {article} {period} into whole minutes"
            refusal = self.refuse(first, self.at, "", (), fix)
            raise Refusal(why, ("a divisor of the minutes of the period",), refusal.fixes)
        self.add("often", (times, minutes * 60 // times), first)

    def _days_instead(self, times: int, period: str) -> str | None:
        """Return what to write instead of so many times a period: nothing where the days are named; None: not known."""
        if period == "minute":
            return f"every {60 // times} seconds" if 60 % times == 0 else None
        if any(token.kind in ("weekday", "ordinal", "month", "date") for token in self.tokens):
            return ""
        if period == "week":
            days = DAYS_A_WEEK.get(times)
        elif (times, period) == (2, "month"):
            days = "month on the 1st and 15th"
        else:
            days = say_count(max(1, DAYS_OF[period] // times), "day") if period in DAYS_OF else None
        clock = "" if any(token.kind == "time" for token in self.tokens) else " at 09:00"
        return f"every {days}{clock}" if days else None


_ADVERBS = {
    "hourly": "hour",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
    "annually": "year",
}
