"""Make rules from the clauses of a phrase: one function for each form of the table in forms.py."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from scheduler.cron import mask_of
from scheduler.cron_fields import CronDates, CronFields
from scheduler.dates import (
    Dates,
    EveryNDays,
    EveryNWeeks,
    MonthDays,
    NthWeekdays,
    NthWorkdays,
    WeekdayDates,
    YearDates,
)
from scheduler.phrases.clashes import (
    refuse_more_than_once,
    refuse_part_of_day,
    refuse_second_rule,
    refuse_time_of_end,
    refuse_time_of_limit,
    refuse_together,
    refuse_two_periods,
)
from scheduler.phrases.phrase import FARTHEST, Phrase
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.words import PERIOD_PARTS, UNIT_SECONDS
from scheduler.phrases.zones import has_phrase_name
from scheduler.triggers import AnchoredDays, Calendar, HourlyAt, Interval, Once, Trigger, Window
from scheduler.wallclock import first_instant, offset_at
from scheduler.wording import ALL_DAYS, ALL_MONTHS, LAST, MONTHS, join_words, say_months, say_ordinal, say_times

_FIRST_MONTHS = {"month": ALL_MONTHS, "quarter": (1, 4, 7, 10), "year": (1,)}
_LAST_MONTHS = {"month": ALL_MONTHS, "quarter": (3, 6, 9, 12), "year": (12,)}


def build_interval(phrase: Phrase) -> Trigger:
    """Make "every 5 minutes"."""
    return Interval(anchor=phrase.anchor, step=phrase.value("step") or phrase.value("hour"), **phrase.common)


def _calendar(phrase: Phrase, dates: Dates) -> Calendar:
    """Make the rule that runs on `dates`, at the times of day that are named."""
    refuse_more_than_once(phrase)
    refuse_part_of_day(phrase)
    refuse_time_of_limit(phrase)
    return Calendar(dates=dates, times=phrase.times, **phrase.common)


def build_often(phrase: Phrase) -> Trigger:
    """Make "twice a day": even steps, or as many times of day as were named."""
    number, step = phrase.value("often")
    if not phrase.has("times"):
        return Interval(anchor=phrase.anchor, step=step, **phrase.common)
    times = phrase.times
    if len(times) != number or step * number != UNIT_SECONDS["day"]:
        raise refuse_together(phrase, "often", "times", f"every day at {say_times(times)}")
    return _calendar(phrase, WeekdayDates(ALL_MONTHS, ALL_DAYS))


def build_anchored(phrase: Phrase) -> Trigger:
    """Make "every 2 days": the anchor's own time of day."""
    refuse_time_of_end(phrase)
    days = phrase.value("daily") or phrase.value("ndays")
    days = days or 7 * (phrase.value("weekly") or phrase.value("nweeks"))
    label = phrase.start_label
    if label is None:
        local = phrase.now.astimezone(phrase.zone).replace(tzinfo=None, fold=0)
        first, moment = local.date() + timedelta(days), local.time()
    else:
        first, moment = label.date(), label.time()
    return AnchoredDays(dates=EveryNDays(first, days), times=(moment,), **phrase.common)


def build_minutes(phrase: Phrase) -> Trigger:
    """Make "hourly at :15": each real minute of that label, as cron has it."""
    refuse_more_than_once(phrase)
    dates = CronDates(phrase.months, weekdays=phrase.value("days", ALL_DAYS))
    fields = CronFields(dates, minutes=mask_of(list(phrase.value("minutes"))), real=True)
    return HourlyAt(fields=fields, **phrase.common)


def build_days_at(phrase: Phrase) -> Trigger:
    """Make "daily at 10:30" and "every 3 days at 10:30"."""
    if phrase.has("daytime") and not (phrase.has("daily", "ndays") or phrase.parts["daytime"].sure):
        why, fixes = "is not clear: daily or once?", (f"daily {phrase.text}", f"today {phrase.text}")
        raise phrase.refuse("times", why, *fixes, both=True)
    every = WeekdayDates(phrase.months, ALL_DAYS)
    rule = _calendar(phrase, every)
    days = phrase.value("ndays", 1)
    if days == 1:
        return rule
    first = rule.first_day(phrase.after)
    return rule if first is None else _calendar(phrase, EveryNDays(first, days))


def build_weekdays(phrase: Phrase) -> Trigger:
    """Make "monday at 09:00" and "every weekday in december at 8:00"."""
    part = phrase.parts["days"]
    if not part.sure and not phrase.has("times", "weekly", "months"):
        name = phrase.quote("days").split()[-1]
        why = f"says no time of day, nor whether once: 'every {name} at 09:00' or 'next {name} at 09:00'"
        fixes = (phrase.replaced("days", f"{word} {name} at 09:00") for word in ("every", "next"))
        raise phrase.refuse("days", why, *fixes, both=True)
    dates = WeekdayDates(phrase.months, part.value)
    return _calendar(phrase, dates)


def build_nweeks(phrase: Phrase) -> Trigger:
    """Make "every 2 weeks on friday at 17:00": the week of the first run, and every second one after it."""
    refuse_second_rule(phrase)
    days = WeekdayDates(phrase.months, phrase.value("days"))
    rule = _calendar(phrase, days)
    first = rule.first_day(phrase.after)
    if first is None:
        return rule
    dates = EveryNWeeks(first - timedelta(first.weekday()), phrase.value("nweeks"), days)
    return _calendar(phrase, dates)


def _scope(phrase: Phrase, name: str, numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the months in which the n-th something is looked for; the quarter's are its first and its last."""
    refuse_two_periods(phrase)
    word = phrase.value("of") or next(
        (scope for scope in ("month", "quarter", "year") if phrase.has(PERIOD_PARTS[scope])), "month"
    )
    if word == "month" or (word == "year" and phrase.has("months")):
        return phrase.months
    if phrase.has("months"):
        raise refuse_together(
            phrase, "months", "of" if phrase.has("of") else "quarterly", phrase.replaced("months", "")
        )
    if numbers == (LAST,):
        return _LAST_MONTHS[word]
    if numbers == (1,) or (name == "nth" and LAST not in numbers and max(numbers) < 5 and word == "quarter"):
        return _FIRST_MONTHS[word]
    why = f"is not clear of a {word}: only 'first' and 'last' are"
    raise phrase.refuse(name, why, *_in_first_months(phrase, name, word, numbers))


def _in_first_months(phrase: Phrase, name: str, word: str, numbers: tuple[int, ...]) -> list[str]:
    """Return "quarterly on the 15th" with the first month of each quarter; nothing where that is not meant."""
    if word != "quarter" or name != "monthdays" or LAST in numbers or phrase.has("of"):
        return []
    days = join_words([say_ordinal(number) for number in numbers])
    written = {"quarterly": "", "monthdays": f"{days} of {say_months(_FIRST_MONTHS[word])}"}
    text = phrase.text
    for name in sorted(written, key=lambda name: -phrase.parts[name].first):
        start, end = phrase.reader.slice(phrase.parts[name].first, phrase.parts[name].last)
        text = f"{text[:start]}{written[name]}{text[end:]}"
    return [" ".join(text.split())]


def build_nth(phrase: Phrase) -> Trigger:
    """Make "2nd tuesday of the month at 10:00"."""
    refuse_second_rule(phrase)
    nths = phrase.value("nth")
    dates = NthWeekdays(_scope(phrase, "nth", nths), nths, phrase.value("days"))
    return _calendar(phrase, dates)


def build_workdays(phrase: Phrase) -> Trigger:
    """Make "last weekday of the month at 17:00"."""
    nths = phrase.value("workdays")
    if nths not in ((1,), (LAST,), (LAST, 1)) and not phrase.has("of", "monthly", "months"):
        why = "is not clear: of the month?"
        raise phrase.refuse(
            "workdays", why, phrase.replaced("workdays", f"{say_ordinal(nths[-1])} weekday of the month")
        )
    dates = NthWorkdays(_scope(phrase, "workdays", nths), nths)
    return _calendar(phrase, dates)


def build_monthdays(phrase: Phrase) -> Trigger:
    """Make "1st and 15th of the month at 00:00"."""
    days = phrase.value("monthdays")
    if not phrase.has("times") and _is_named(phrase, "ending"):
        raise phrase.refuse("monthdays", "says no time of day", f"{phrase.text} at 09:00")
    dates = MonthDays(_scope(phrase, "monthdays", days), days)
    if dates.on_or_after(date(2000, 1, 1)) is None:
        raise _refuse_no_such_day(phrase, dates)
    _refuse_unclear_day(phrase, days)
    return _calendar(phrase, dates)


def _is_named(phrase: Phrase, kind: str) -> bool:
    """Say whether a token of this kind names the days of the month."""
    part = phrase.parts["monthdays"]
    return any(token.kind == kind for token in phrase.reader.tokens[part.first : part.last])


def _refuse_no_such_day(phrase: Phrase, dates: MonthDays) -> Refusal:
    """Return the refusal of "31st of june"."""
    parts = phrase.parts["monthdays"], phrase.parts["months"]
    quoted = phrase.reader.quote(min(part.first for part in parts), max(part.last for part in parts))
    name = MONTHS[dates.months[0] - 1]
    longest = "28" if dates.months[0] == 2 else "30"
    return Refusal(
        f"'{quoted}' ('{name} {dates.days[0]}') is in no calendar",
        (f"{name} {longest}", f"last day of {name}"),
        (f"every {name} {longest} at {say_times(phrase.times)}", phrase.replaced("monthdays", "last day")),
    )


def _refuse_unclear_day(phrase: Phrase, days: tuple[int, ...]) -> None:
    """Refuse "on the 15th at 9:00" (of which month?) and "every 2nd day" (of the month?)."""
    part = phrase.parts["monthdays"]
    quoted = phrase.quote("monthdays")
    if phrase.has("of", "monthly", "quarterly", "yearly"):
        return
    if phrase.has("months"):
        if not part.sure and len(days) == len(phrase.months) == 1 and days != (LAST,):
            name = MONTHS[phrase.months[0] - 1]
            raise _refuse_once_or_yearly(phrase, phrase.months[0], days[0], f"{quoted} of {name}")
        return
    noun = phrase.reader.tokens[part.last - 1].value == "day"
    if part.sure and not noun:
        return
    words = " and ".join(say_ordinal(day) for day in days)
    of_month = phrase.replaced("monthdays", f"{words} {'day ' if LAST in days else ''}of the month")
    if part.sure and days[0] > 1:
        why = f"is not clear: 'every {days[0]} days' or '{words} of the month'"
        raise phrase.refuse(
            "monthdays", why, phrase.replaced("monthdays", f"every {days[0]} days"), of_month, both=True
        )
    why = f"is not clear: say of which month, or '{words}{' day' if LAST in days else ''} of the month' for each"
    raise phrase.refuse("monthdays", why, of_month)


def _refuse_once_or_yearly(phrase: Phrase, month: int, day: int, quoted: str) -> Refusal:
    """Return the refusal of a date without a year: each year, or once?"""
    zone = f" {phrase.zone.key}" if phrase.zone_named else ""
    yearly = f"every {MONTHS[month - 1]} {day} at {say_times(phrase.times)}{zone}"
    today = phrase.now.astimezone(phrase.zone).date()
    dates = YearDates((month,), ((month, day),))
    following = dates.on_or_after(today + timedelta(1))
    once = f"{following} {say_times(phrase.times[:1])}{zone}" if following else yearly
    why = f"'{quoted}' is not clear: each year or once? '{yearly}' or '{once}'"
    return Refusal(why, (yearly, once), (yearly, once), both=True)


def build_period(phrase: Phrase) -> Trigger:
    """Make "monthly", "quarterly" and "yearly": the first day of the period."""
    word = next(word for word, name in PERIOD_PARTS.items() if phrase.has(name))
    dates = MonthDays(_FIRST_MONTHS[word], (1,))
    return _calendar(phrase, dates)


def build_dates(phrase: Phrase) -> Trigger:
    """Make "every december 25 at 08:00"."""
    dates, part = phrase.value("dates"), phrase.parts["dates"]
    if not part.sure and not phrase.has("yearly"):
        month, day = dates[0]
        raise _refuse_once_or_yearly(phrase, month, day, phrase.quote("dates"))
    months = tuple(sorted({month for month, _ in dates}))
    days = tuple(sorted({day for _, day in dates}))
    if len(dates) == len(months) * len(days):
        chosen: MonthDays | YearDates = MonthDays(months, days)
    else:
        chosen = YearDates(months, dates)
    return _calendar(phrase, chosen)


def build_window(phrase: Phrase) -> Trigger:
    """Make "every 15 minutes between 09:00 and 17:00 on weekdays", or for whole days."""
    start, end = phrase.value("window", (time(0), None))
    if start == end:
        why = "is no window: it starts and ends at the same time"
        raise phrase.refuse("window", why, phrase.replaced("window", "between 00:00 and 23:59"))
    step = phrase.value("step") or phrase.value("hour")
    dates = WeekdayDates(phrase.months, phrase.value("days", ALL_DAYS))
    return Window(dates=dates, step=step, start=start, end=end, **phrase.common)


def build_delay(phrase: Phrase) -> Trigger:
    """Make "in 20 minutes": days and weeks keep the wall clock, the rest is elapsed time."""
    span = phrase.value("delay")
    elapsed = sum(number * UNIT_SECONDS[unit] for unit, number in span.items() if unit not in ("day", "week"))
    days = span.get("day", 0) + 7 * span.get("week", 0)
    if days * 86_400 + elapsed > 40 * 366 * 86_400:
        raise phrase.refuse("delay", "is too long: at most 40 years", phrase.replaced("delay", "in 1 week"))
    moment = phrase.now
    if days:
        local = moment.astimezone(phrase.zone).replace(tzinfo=None, fold=0)
        moment = first_instant(local + timedelta(days), phrase.zone)
    return Once(moment=moment + timedelta(seconds=elapsed), zone=phrase.zone, zone_named=phrase.zone_named)


def _refuse_far(phrase: Phrase, day: date) -> None:
    if day.year > FARTHEST.year:
        fix = phrase.replaced("date", f"{phrase.now.year + 1}-01-01") if phrase.has("date") else ""
        raise phrase.refuse("date", "is too far away: at most 40 years", fix)


def _only_time(phrase: Phrase) -> time:
    times = phrase.times
    if len(times) > 1:
        why = "names several times for one run: one rule for each"
        raise phrase.refuse("times", why, phrase.replaced("times", f"at {say_times(times[:1])}"))
    return times[0]


def _once_at(phrase: Phrase, day: date) -> Trigger:
    _refuse_far(phrase, day)
    refuse_part_of_day(phrase)
    moment = first_instant(datetime.combine(day, _only_time(phrase)), phrase.zone)
    local = has_phrase_name(phrase.zone)
    return Once(moment=moment, local=local, zone=phrase.zone, zone_named=phrase.zone_named)


def build_relative_day(phrase: Phrase) -> Trigger:
    """Make "tomorrow at noon" and "next monday at 09:00"."""
    word, mask = phrase.value("day")
    today = phrase.now.astimezone(phrase.zone).date()
    if word == "next":
        found = WeekdayDates(ALL_MONTHS, mask).on_or_after(today + timedelta(1))
        assert found is not None
        return _once_at(phrase, found)
    return _once_at(phrase, today if word == "today" else today + timedelta(1))


def build_next_date(phrase: Phrase) -> Trigger:
    """Make "once on december 25 at 8:00": the next such day whose time is still to come."""
    name = "dates" if phrase.has("dates") else "monthdays"
    if len(phrase.value(name)) > 1 or len(phrase.months) not in (1, len(ALL_MONTHS)):
        raise phrase.refuse(name, "names several days for one run: one rule for each")
    if phrase.parts[name].sure or phrase.value("of", "month") != "month":
        raise phrase.refuse(name, "repeats, and 'once' does not")
    dates = _days_of_year(phrase, name)
    day = dates.on_or_after(phrase.now.astimezone(phrase.zone).date())
    if day is None:
        raise phrase.refuse(name, f"is in no calendar: {MONTHS[phrase.months[0] - 1]} has fewer days")
    if first_instant(datetime.combine(day, _only_time(phrase)), phrase.zone) <= phrase.now:
        day = dates.on_or_after(day + timedelta(1))
        assert day is not None
    return _once_at(phrase, day)


def _days_of_year(phrase: Phrase, name: str) -> MonthDays:
    if name == "monthdays":
        return MonthDays(phrase.months, phrase.value(name))
    ((month, day),) = phrase.value(name)
    return MonthDays((month,), (day,))


def build_instant(phrase: Phrase) -> Trigger:
    """Make "2026-12-24T18:00:00+01:00" and "on 2026-12-24 at 6pm"."""
    offset = phrase.value("offset")
    if offset is None:
        return _once_at(phrase, phrase.value("date"))
    _refuse_far(phrase, phrase.value("date"))
    label = datetime.combine(phrase.value("date"), _only_time(phrase), offset)
    moment = label.astimezone(UTC)
    if phrase.zone_named and offset_at(moment, phrase.zone) != label.utcoffset():
        offset_text, zone_text = phrase.quote("offset"), phrase.quote("zone")
        why = f"the offset '{offset_text.upper()}' and the zone '{zone_text}' contradict each other: keep one"
        raise Refusal(why, ("an offset or a zone",), (phrase.replaced("zone", ""), phrase.replaced("offset", " ")))
    return Once(moment=moment, zone=phrase.zone, zone_named=phrase.zone_named)
