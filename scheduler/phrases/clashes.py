"""Refuse clauses that go together in a form, but contradict each other, or may be read in two ways."""

from __future__ import annotations

from datetime import time

from scheduler.phrases.phrase import MIDNIGHT, Phrase
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.words import PERIOD_PARTS
from scheduler.wording import say_time, say_times

_DAYS = ("nth", "days", "workdays", "monthdays")
_RUNS_WITHIN = {
    "hour": ("minutes",),
    "daily": ("times",),
    "weekly": ("times", "days"),
    "monthly": ("times", *_DAYS),
    "quarterly": ("times", *_DAYS),
    "yearly": ("times", *_DAYS, "dates", "months"),
}
"""The clauses of which each entry is a run of its own within what repeats."""

_PARTS_OF_DAY = {
    "morning": (time(0), time(11, 59)),
    "afternoon": (time(12), time(18)),
    "evening": (time(17), time(0)),
    "night": (time(18), time(5, 59)),
    "tonight": (time(17), time(23, 59)),
}
"""The first and the last minute of each; an evening and a night end on the following day."""
_LAST_OF_NIGHT = time(5, 59)
_DAY_CLAUSES = ("days", "day", "date", "dates", "ndays", "nth", "workdays", "monthdays")


def refuse_together(phrase: Phrase, first: str, second: str, *fixes: str) -> Refusal:
    """Return the refusal of two clauses; two `fixes` are two readings."""
    first, second = sorted((first, second), key=lambda name: phrase.parts[name].first)
    why = f"'{phrase.quote(first)}' and '{phrase.quote(second)}' do not go together"
    return Refusal(why, (), fixes, both=len(fixes) > 1)


def refuse_two_periods(phrase: Phrase) -> None:
    """Refuse "quarterly on the first monday of the month" and "every month on the first monday of march"."""
    for word, period in PERIOD_PARTS.items():
        if not phrase.has(period):
            continue
        if phrase.value("of", word) != word:
            raise _refuse_either(phrase, "of", period)
        if word == "month" and len(phrase.months) == 1:
            raise _refuse_either(phrase, period, "months")


def _refuse_either(phrase: Phrase, first: str, second: str) -> Refusal:
    return refuse_together(phrase, first, second, phrase.replaced(first, ""), phrase.replaced(second, ""))


def refuse_more_than_once(phrase: Phrase) -> None:
    """Refuse "once a week on monday and thursday" and "once a day at 9:00 and 17:00"."""
    for period, clauses in _RUNS_WITHIN.items():
        if not phrase.has(period) or phrase.reader.tokens[phrase.parts[period].first].kind not in ("once", "number"):
            continue
        several = next((name for name in clauses if _count(phrase, name) > 1), None)
        if several is not None:
            adverb = "hourly" if period == "hour" else period
            raise refuse_together(phrase, period, several, phrase.replaced(period, adverb))


def _count(phrase: Phrase, name: str) -> int:
    """Return how many times, days or months a clause lists."""
    if name == "days":
        return phrase.value("days", 0).bit_count()  # type: ignore[no-any-return]
    return len(phrase.value(name, ()))


def refuse_second_rule(phrase: Phrase) -> None:
    """Refuse "first monday and every friday" and "every 2 weeks on monday and every friday"."""
    part, tokens = phrase.parts["days"], phrase.reader.tokens
    place = next((place for place in range(part.first + 1, part.last) if tokens[place].kind == "every"), None)
    if place is None:
        return
    while tokens[place - 1].kind in (",", "and", "on", "the"):
        place -= 1
    why = f"'{phrase.reader.quote(place, part.last)}' does not belong to a list: one phrase is one rule"
    fix = phrase.reader.cutter.replaced(*phrase.reader.slice(place, part.last), "")
    raise Refusal(why, ("one rule",), (fix,))


def refuse_part_of_day(phrase: Phrase) -> None:
    """Refuse "every evening at 7:30", which is half past seven in the morning."""
    if not phrase.has("daytime"):
        return
    first, last = _part_of_day(phrase)
    if all(_lies_in(first, last, moment) for moment in phrase.times):
        return
    fixes = [] if phrase.has("daily", *_DAY_CLAUSES) else [phrase.replaced("daytime", "every day")]
    meant = {moment if _lies_in(first, last, moment) else _twelve_hours_on(moment, first) for moment in phrase.times}
    if len(meant) == len(phrase.times) and all(_lies_in(first, last, moment) for moment in meant):
        fixes.insert(0, phrase.replaced("times", f"at {say_times(sorted(meant))}"))
    elif phrase.value("daytime") == "tonight" and max(phrase.times) <= _LAST_OF_NIGHT:
        fixes = [phrase.replaced("daytime", _day_of_coming(phrase))]
    why = f"lies outside '{phrase.quote('daytime')}', which is {say_time(first)} to {say_time(last)}"
    raise phrase.refuse("times", why, *fixes, both=len(fixes) > 1)


def _part_of_day(phrase: Phrase) -> tuple[time, time]:
    """Return the first and the last minute of the part of the day; that of a named day ends with it.

    "friday night at 1:00" may lie in the night before friday or in the one after it.
    """
    first, last = _PARTS_OF_DAY[phrase.value("daytime")]
    return (first, time(23, 59)) if last < first and phrase.has(*_DAY_CLAUSES) else (first, last)


def _day_of_coming(phrase: Phrase) -> str:
    """Return the day, today or tomorrow, whose first hours come next."""
    return "today" if max(phrase.times) > phrase.now.astimezone(phrase.zone).time() else "tomorrow"


def _lies_in(first: time, last: time, moment: time) -> bool:
    minute = moment.replace(second=0, microsecond=0)
    return first <= minute <= last if first <= last else minute >= first or minute <= last


def _twelve_hours_on(moment: time, first: time) -> time:
    """Return the time that "7:30" means in the evening, and "12:00" at night; "9pm" in the morning is itself."""
    if moment.hour > 12 or (moment.hour == 12 and first.hour < 12):
        return moment
    return moment.replace(hour=(moment.hour + 12) % 24)


def refuse_time_of_limit(phrase: Phrase) -> None:
    """Refuse "every monday starting 2026-10-05 at 9:00": does it run at 9:00, or at midnight?"""
    for name in ("start", "until"):
        if not phrase.has("times") and _time_of(phrase, name) not in (None, MIDNIGHT[0]):
            raise _refuse_limit(phrase, name, "at 00:00 ")


def refuse_time_of_end(phrase: Phrase) -> None:
    """Refuse "daily until 2026-12-31 at 9:00": does it run at 9:00, or at the time of day of its creation?

    "daily until 2026-12-31 9:00" is clear: without "at" a time belongs to the date before it.
    """
    _, started, _ = phrase.value("start", (None, None, None))
    if _time_of(phrase, "until") is not None and started is None and "at" in _kinds(phrase, "until"):
        raise _refuse_limit(phrase, "until", "")


def _time_of(phrase: Phrase, name: str) -> time | None:
    """Return the time of day of a limit; with an offset it is an instant, and none of the rule's times."""
    _, moment, offset = phrase.value(name, (None, None, None))
    return moment if offset is None else None


def _kinds(phrase: Phrase, name: str) -> list[str]:
    part = phrase.parts[name]
    return [token.kind for token in phrase.reader.tokens[part.first : part.last]]


def _refuse_limit(phrase: Phrase, name: str, usual: str) -> Refusal:
    """Return the refusal of a limit whose time may be the rule's, which otherwise runs at the `usual` one."""
    first = phrase.parts[name].first
    day = next(place for place, kind in enumerate(_kinds(phrase, name)) if kind in ("date", "today", "tomorrow"))
    limit, clock = phrase.reader.quote(first, first + day + 1), say_time(phrase.value(name)[1])
    runs, ends = f"at {clock} {limit}", f"{usual}{limit} {clock}"
    why = f"is not clear: does it run at {clock}, or only {'start' if name == 'start' else 'end'} then?"
    return phrase.refuse(name, why, phrase.replaced(name, runs), phrase.replaced(name, ends), both=True)
