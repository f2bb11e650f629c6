"""The table of forms: which clauses make which rule, and how the documentation shows them.

A form is accepted when its clauses, in any order, are exactly those of one line of `parts`: `a|b` is either,
`x?` may be missing. The clauses are named where they are read (clauses.py, repeats.py).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from scheduler.phrases import build
from scheduler.phrases.phrase import Phrase
from scheduler.triggers import Trigger


@dataclass(frozen=True, slots=True)
class Form:
    """One form of the language; `accepted` are examples, the first of which `canonical` describes.

    `once`: it runs once, so limits make no sense. `build` is None where other forms do the work: the row is
    there for readers.
    """

    name: str
    accepted: tuple[str, ...]
    meaning: str
    canonical: str
    parts: tuple[str, ...] = ()
    build: Callable[[Phrase], Trigger] | None = None
    once: bool = False


FORMS = (
    Form(
        "interval",
        ("every 5 minutes", "every minute", "every 1h30m", "every 1 hour and 30 minutes", "every other hour",
         "every quarter hour", "every half hour", "every 30 seconds", "every 1h30", "at 30-minute intervals"),
        "elapsed time on a fixed grid: creation + k x step",
        "every 5 minutes",
        ("step", "hour"),
        build.build_interval,
    ),
    Form(
        "hourly",
        ("hourly", "every hour", "once an hour"),
        "every 60 elapsed minutes from the creation",
        "every 1 hour",
    ),
    Form(
        "frequency",
        ("twice a day", "twice daily", "4 times a day", "4 times an hour"),
        "evenly spaced from the creation; the number divides the day or hour into whole minutes",
        "every 12 hours",
        ("often times?",),
        build.build_often,
    ),
    Form(
        "days, weeks",
        ("every 2 days", "daily", "every day", "once a day", "every other day", "weekly", "every week",
         "every 3 weeks", "fortnightly"),
        "the time of day of the creation, every so many calendar days",
        "every 2 days",
        ("daily", "ndays", "weekly", "nweeks"),
        build.build_anchored,
    ),
    Form(
        "minute of the hour",
        ("hourly at :15", "every hour at :15", "every hour at minute 15", "every hour on the hour",
         "hourly at :15 on weekdays"),
        "whenever the clocks show that minute, as cron's `15 * * * *`",
        "hourly at :15",
        ("hour minutes days? months?",),
        build.build_minutes,
    ),
    Form(
        "daily at",
        ("every day at 10:30 and 18:00", "daily at 10:30", "9am daily", "at noon every day",
         "every morning at 7:00", "every night at 11:30 pm"),
        "each day at those times, in that part of the day if one is named",
        "every day at 10:30 and 18:00",
        ("daily|daytime times months?", "daily daytime times months?"),
        build.build_days_at,
    ),
    Form(
        "N days at",
        ("every 3 days at 10:30", "every other day at noon", "every 14 days at 9:00"),
        "the first day with a run after the creation, then every so many calendar days",
        "every 3 days at 10:30",
        ("ndays daytime? times",),
        build.build_days_at,
    ),
    Form(
        "weekdays",
        ("every monday and friday at 18:00", "monday at 09:00", "mondays 9am", "9am on weekdays",
         "monday to friday at 8:30", "friday to monday at noon", "weekly on monday at 9:00",
         "every week on sunday at 3:00", "every monday",
         "every weekday afternoon at 15:00"),
        "each of those days; at 00:00 without a time",
        "every monday and friday at 18:00",
        ("days times? weekly?", "days daytime times weekly?"),
        build.build_weekdays,
    ),
    Form(
        "N weeks on",
        ("every other friday at 17:00", "alternate fridays at 5pm", "every 3 weeks on monday and thursday at 9:00"),
        "the week (Monday to Sunday) of the first run after the creation, then every so many weeks",
        "every 2 weeks on friday at 17:00",
        ("nweeks days times? months?", "nweeks days daytime times months?"),
        build.build_nweeks,
    ),
    Form(
        "nth weekday",
        ("every 2nd tuesday at 10:00", "first and third monday of the month at 9:00",
         "last friday of the month at 17:00", "2nd,third mon,wed of march at 17:00"),
        "the n-th such day of the month, not every second week; a month without a 5th is skipped",
        "2nd tuesday of the month at 10:00",
        ("nth days times? months? of? monthly?|quarterly?|yearly?",
         "nth days daytime times months? of? monthly?|quarterly?|yearly?"),
        build.build_nth,
    ),
    Form(
        "working day",
        ("last weekday of the month at 17:00", "first weekday of the month at 8:00"),
        "the first or last Monday to Friday of the month",
        "last weekday of the month at 17:00",
        ("workdays times? months? of? monthly?|quarterly?|yearly?",
         "workdays daytime times months? of? monthly?|quarterly?|yearly?"),
        build.build_workdays,
    ),
    Form(
        "day of the month",
        ("15th and last day of the month at 18:00", "1st of the month at 8:00", "on the 15th of every month at noon",
         "first day of the month at midnight", "monthly on the 31st at 6:00",
         "every month on the 1st and 15th at 9:00", "every 31st at 12:00", "every month on day 5 at 7:00",
         "end of month at 5pm"),
        "months without that day are skipped: the 31st does not become the 30th",
        "15th and last day of the month at 18:00",
        ("monthdays times? months? of? monthly?|quarterly?|yearly?",
         "monthdays daytime times months? of? monthly?|quarterly?|yearly?"),
        build.build_monthdays,
    ),
    Form(
        "month, quarter, year",
        ("monthly", "every month", "quarterly", "every quarter", "first day of the quarter at 6:00", "yearly",
         "annually", "monthly at 9:00"),
        "the first day of the period, at 00:00 unless a time is given",
        "1st of the month at 00:00",
        ("monthly|quarterly|yearly times?",),
        build.build_period,
    ),
    Form(
        "date of the year",
        ("every december 25 at 8:00", "every 25 december at 8:00", "every year on december 25 at 8:00",
         "yearly on february 29 at 12:00"),
        "february 29 comes in leap years only",
        "every december 25 at 08:00",
        ("dates times? yearly?", "dates daytime times yearly?"),
        build.build_dates,
    ),
    Form(
        "month filter",
        ("every weekday in december at 8:00", "every monday in june and july at 06:30"),
        "only in those months",
        "every weekday in december at 08:00",
        ("days months times? weekly?", "days months daytime times weekly?"),
        build.build_weekdays,
    ),
    Form(
        "window",
        ("every 15 minutes between 9:00 and 17:00 on weekdays", "every 30 minutes from 22:00 to 1:00",
         "every 20 minutes between noon and 1pm on weekends", "every 2 hours on mondays"),
        "steps of elapsed time, anew from each window's start, both ends included; an earlier end lies on the next "
        "day; without a window the whole day from 00:00",
        "every 15 minutes between 09:00 and 17:00 on weekdays",
        ("step|hour window days? months?", "step|hour window daily", "step|hour days months?", "step|hour months"),
        build.build_window,
    ),
    Form(
        "limits",
        ("every 5 minutes until 2026-12-31", "every 2 hours starting 2026-10-01 09:00",
         "daily at 9:00 starting 2026-10-01 until 2026-12-31 18:00"),
        "behind any rule that repeats; an interval runs first at its start, `until` is inclusive and a bare date "
        "means its last second; \"every monday starting 2026-10-05 at 9:00\" is refused: which of the two is at 9:00?",
        "every 5 minutes until 2026-12-31",
    ),
    Form(
        "delay (once)",
        ("in 20 minutes", "in 2h", "in 1 hour 30 minutes", "in half an hour", "in an hour", "in 3 days",
         "in 1h30"),
        "seconds, minutes and hours elapsed; days and weeks keep the time of day",
        "once at 2026-09-14T08:20:00+00:00",
        ("once? delay",),
        build.build_delay,
        once=True,
    ),
    Form(
        "day (once)",
        ("tomorrow at noon", "today at 18:00", "next monday at 9:00", "tonight at 8pm", "tomorrow morning at 9:00"),
        "next monday is the first one after today; a time lies in the part of the day that is named",
        "once at 2026-09-15T12:00:00 UTC",
        ("once? day daytime? times",),
        build.build_relative_day,
        once=True,
    ),
    Form(
        "instant (once)",
        ("2026-12-24 18:00", "2026-12-24T18:00:30", "2026-12-24T18:00:00+01:00", "2026-12-24 6pm",
         "on 2026-12-24 at 18:00", "once at 2026-12-24 18:00 Europe/Berlin"),
        "without an offset in the rule's time zone",
        "once at 2026-12-24T18:00:00 UTC",
        ("once? date daytime? times offset?",),
        build.build_instant,
        once=True,
    ),
    Form(
        "next date (once)",
        ("once on december 25 at 8:00", "once on the 15th at noon", "once on the last day of the month at 18:00"),
        "the next such day whose time is still to come",
        "once at 2026-12-25T08:00:00 UTC",
        ("once dates daytime? times", "once monthdays daytime? times months?|of?"),
        build.build_next_date,
        once=True,
    ),
    Form(
        "cron",
        ("0 2 * * 1-5", "*/15 9-17 * * mon-fri", "0 9 * * 1-5 Europe/Berlin", "0 0 L * *", "@daily"),
        "five fields: minute, hour, day, month, weekday; or @hourly, @daily, @midnight, @weekly, @monthly, @yearly, "
        "@annually",
        "every weekday at 02:00",
    ),
    Form(
        "time zone",
        ("every day at 10:30 Europe/Amsterdam", "daily at 9am in America/New_York",
         "monday at 08:00 (Asia/Tokyo)", "hourly at :30 UTC"),
        "behind any form; it wins over the request's zone",
        "every day at 10:30 Europe/Amsterdam",
    ),
)  # fmt: skip

PART_NAMES = (
    *("step", "hour", "often", "daily", "ndays", "weekly", "nweeks", "minutes", "daytime", "times", "days", "months"),
    *("nth", "workdays", "monthdays", "of", "monthly", "quarterly", "yearly", "dates", "window"),
    *("once", "delay", "day", "date", "offset"),
)
_BITS = {name: 1 << bit for bit, name in enumerate(PART_NAMES)}


def part_mask(names: Iterable[str]) -> int:
    """Return the set of clauses as a mask; zone and limits, which go with any form, are left out."""
    return sum(_BITS[name] for name in names if name in _BITS)


def expand(line: str) -> list[int]:
    """Return every set of clauses that a line of `parts` stands for."""
    choices = []
    for word in line.split():
        names = word.split("|")
        optional = [0] if word.endswith("?") else []
        choices.append([*(_BITS[name.rstrip("?")] for name in names), *optional])
    return [sum(choice) for choice in itertools.product(*choices)]


BY_PARTS = {mask: form for form in FORMS for line in form.parts for mask in expand(line)}


def go_together(first: str, second: str) -> bool:
    """Say whether some form has both clauses."""
    if first not in _BITS or second not in _BITS:
        return True
    both = _BITS[first] | _BITS[second]
    return any(mask & both == both for mask in BY_PARTS)
