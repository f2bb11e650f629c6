"""Say a cron expression by named fields, as `add_cron_job` takes them, and APScheduler's `CronTrigger`."""

from __future__ import annotations

from collections.abc import Iterable

from scheduler.cron import FIELD_NAMES, read_cron, split_fields, validate_cron_expression
from scheduler.cron_fields import ALL_MONTH_DAYS, CronDates, bits
from scheduler.errors import InvalidRequest, Problem
from scheduler.wording import ALL_DAYS, WEEKDAYS, say_ordinal, write_weekdays

_NAMES = [name[:3] for name in WEEKDAYS]
_MOST_A_MONTH = 5
"""How often a weekday may come in a month."""


def parse_cron_expression(text: object) -> dict[str, str]:
    """Return the five fields of a cron expression by name: together they mean the moments that it means.

    Fields must all match, and libraries number the days of the week in different ways. So weekdays become names, and
    where cron takes a day or a weekday, `day` says both: "13,1st fri,2nd fri,...". Raise `InvalidRequest` where the
    text is no cron expression, or where such fields cannot say it.
    """
    valid, reason = validate_cron_expression(text)
    if not valid or not isinstance(text, str):
        raise InvalidRequest([Problem("cron_expression", reason or "", got=text)])
    minute, hour, day, month, _ = split_fields(text)
    dates = read_cron(text).dates
    said = _days(day, dates)
    if said is None:
        message = f"'{text}' cannot be said by fields that must all match: use the expression itself"
        raise InvalidRequest([Problem("cron_expression", message, got=text)])
    months = ",".join(map(str, dates.months)) if "/" in month and any(map(str.isalpha, month)) else month
    return dict(zip(FIELD_NAMES, (minute, hour, said[0], months, said[1]), strict=True))


def _days(text: str, dates: CronDates) -> tuple[str, str] | None:
    """Return the fields `day` and `day_of_week` that mean the days of a rule; None where none do."""
    if dates.last_workday:
        return None
    day = text.replace("l", "last")
    every_day, every_weekday = dates.days == ALL_MONTH_DAYS, dates.weekdays == ALL_DAYS
    if dates.either:
        return ("*", "*") if every_day or every_weekday else (",".join([day, *_positions(dates)]), "*")
    if not dates.nths:
        return day, write_weekdays(dates.weekdays)
    return (",".join(_positions(dates)), "*") if every_day else None


def _positions(dates: CronDates) -> Iterable[str]:
    """Yield the weekdays of a rule as days of the month: "2nd fri", "last mon"."""
    for weekday in bits(dates.weekdays):
        for nth in range(1, _MOST_A_MONTH + 1):
            yield f"{say_ordinal(nth)} {_NAMES[weekday]}"
    for weekdays, nth in dates.nths:
        yield f"{say_ordinal(nth)} {_NAMES[bits(weekdays)[0]]}"
