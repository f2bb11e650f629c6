"""Lay the year of a task out as a calendar: a column a week, a cell a day, each with what it says in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from scheduler.calendar_year import CalendarYear, YearDay
from scheduler.clock_changes import ClockChange
from scheduler.http.pages.words import say_duration, say_span
from scheduler.run import RunStatus

Shade = Literal["runs", "duration"]
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LEVELS = 4
_BAD = (RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.INTERRUPTED)
_ODD = (RunStatus.MISSED, RunStatus.SKIPPED, RunStatus.CANCELLED)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day: how it went (`good`, `bad`, `odd`, `going`, `planned`, `gone`, `none`), how strongly, and in words."""

    day: date
    kind: str
    level: int
    text: str
    has_runs: bool
    clock: bool
    today: bool


@dataclass(frozen=True, slots=True)
class Month:
    """A month in numbers, for those to whom a picture says nothing; `weeks` columns begin in it."""

    name: str
    weeks: int
    runs: int
    good: int
    bad: int
    odd: int
    planned_days: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A year: for each day of the week its cells, None where a week begins or ends in another year."""

    year: int
    zone: str
    rows: Sequence[tuple[str, Sequence[Cell | None]]]
    months: Sequence[Month]
    runs: int
    kept_since: date
    says_gone: bool
    """Whether days of this year are before what is kept."""
    clock_texts: Sequence[str]


def lay_out_heat(found: CalendarYear, shade: Shade = "runs") -> HeatMap:
    """Return the calendar of a year; cells are the stronger the more ran, or the longer it took."""
    days = {day.day: day for day in found.days}
    clocks = {change.day: change for change in found.changes}
    most = max((_weight(day, shade) for day in found.days), default=0.0)
    kept, made = found.kept_since.astimezone(found.zone).date(), found.created_at.astimezone(found.zone).date()
    first, last = date(found.year, 1, 1), date(found.year, 12, 31)
    cells = [
        _cell(first + number * _DAY, days, clocks, found.today, kept, made, shade, most)
        for number in range((last - first).days + 1)
    ]
    before = [None] * first.weekday()
    filled: list[Cell | None] = [*before, *cells, *[None] * (6 - last.weekday())]
    return HeatMap(
        year=found.year,
        zone=found.zone.key,
        rows=[(name, filled[number::7]) for number, name in enumerate(WEEKDAYS)],
        months=[_month(number, found, days) for number in range(1, 13)],
        runs=sum(sum(day.counts.values()) for day in found.days),
        kept_since=kept,
        says_gone=any(cell.kind == "gone" for cell in cells),
        clock_texts=[f"{change.day}: {_say_clock(change)}" for change in found.changes],
    )


def _cell(
    day: date,
    days: Mapping[date, YearDay],
    clocks: Mapping[date, ClockChange],
    today: date,
    kept: date,
    made: date,
    shade: Shade,
    most: float,
) -> Cell:
    found = days.get(day, YearDay(day))
    ran = sum(found.counts.values())
    kind = _kind(found) if ran else "planned" if found.planned else "gone" if made <= day < kept else "none"
    parts = [f"{day}, {WEEKDAYS[day.weekday()]}: {_say(found, kind, day, made)}"]
    if day in clocks:
        parts.append(_say_clock(clocks[day]))
    level = 1 + int((LEVELS - 1) * _weight(found, shade) / most) if ran and most else 0
    return Cell(day, kind, min(level, LEVELS), "; ".join(parts), bool(ran), day in clocks, day == today)


def _kind(found: YearDay) -> str:
    for kind, statuses in (("bad", _BAD), ("good", (RunStatus.COMPLETED,)), ("odd", _ODD)):
        if any(found.counts.get(status.value) for status in statuses):
            return kind
    return "going"


def _say(found: YearDay, kind: str, day: date, made: date) -> str:
    if kind == "gone":
        return "no longer kept"
    if kind == "none":
        return "not made yet" if day < made else "nothing"
    told = [f"{count} {status}" for status, count in found.counts.items()]
    if found.timed:
        mean, longest = found.took / found.timed / 1000, found.longest / 1000
        took = say_duration(mean)
        told.append(f"took {took}" if found.timed == 1 else f"took {took} on average, {say_duration(longest)} at most")
    if found.planned:
        told.append("planned" if found.more else f"{found.planned} planned")
    return ", ".join(told)


def _say_clock(change: ClockChange) -> str:
    seconds = int((change.after - change.before).total_seconds())
    return f"clocks go {'forward' if seconds > 0 else 'back'} by {say_span(abs(seconds))}"


def _weight(day: YearDay, shade: Shade) -> float:
    if shade == "duration":
        return day.took / day.timed if day.timed else 0.0
    return float(sum(day.counts.values()))


def _month(number: int, found: CalendarYear, days: Mapping[date, YearDay]) -> Month:
    mine = [day for moment, day in days.items() if moment.month == number]

    def count(statuses: Sequence[RunStatus]) -> int:
        return sum(day.counts.get(status.value, 0) for day in mine for status in statuses)

    return Month(
        name=MONTHS[number - 1],
        weeks=_weeks(found.year, number),
        runs=sum(sum(day.counts.values()) for day in mine),
        good=count((RunStatus.COMPLETED,)),
        bad=count(_BAD),
        odd=count(_ODD),
        planned_days=sum(day.planned > 0 for day in mine),
    )


def _weeks(year: int, month: int) -> int:
    """Return how many columns belong to a month: those in which its first days are, and whose first day is its own."""

    def column(day: date) -> int:
        return (day.timetuple().tm_yday - 1 + date(year, 1, 1).weekday()) // 7

    end = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    last = column(date(year, 12, 31)) + 1 if month == 12 else column(end)
    return last - column(date(year, month, 1))
