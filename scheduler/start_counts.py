"""Count the fire times of dense rules by arithmetic, where going through them would take too long. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise

from scheduler.cron_fields import CronFields
from scheduler.triggers import Cron, Interval, Trigger, Window
from scheduler.wallclock import next_change, offset_at

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_TICK = timedelta(microseconds=1)


def most_between(trigger: Trigger, since: datetime, until: datetime) -> int | None:
    """Return a number that the fire times in [since, until) do not exceed; None: only going through them tells."""
    span = until - since
    match trigger:
        case Interval(step=step) | Window(step=step):
            days = span // _DAY + 2 if isinstance(trigger, Window) else 0
            return span // timedelta(seconds=step) + 1 + days
        case Cron(fields=fields) if fields.real:
            return _of_day(fields) * (span // _DAY + 3)
    return None


def count_between(trigger: Trigger, since: datetime, until: datetime) -> int:
    """Return how many fire times lie in [since, until), both UTC.

    ValueError: the rule is none of those of which `most_between` knows a bound.
    """
    low, high = since, until
    if trigger.bounds.start is not None:
        low = max(low, trigger.bounds.start)
    if trigger.bounds.until is not None:
        high = min(high, trigger.bounds.until + _TICK)
    if low >= high:
        return 0
    match trigger:
        case Interval():
            return sum(count_steps(trigger, [low, high]))
        case Window():
            return _of_window(trigger, low, high)
        case Cron() if trigger.fields.real:
            return _of_cron(trigger, low, high)
    raise ValueError(f"fire times of a rule of the kind '{trigger.kind}' are not counted by arithmetic")


def count_steps(trigger: Interval, edges: Sequence[datetime]) -> list[int]:
    """Return how many fire times lie between each two of some moments that rise: the first included, the second not."""
    first = trigger.anchor + timedelta(seconds=0 if trigger.bounds.start is not None else trigger.step)
    low = max(first, trigger.bounds.start or first)
    high = None if trigger.bounds.until is None else max(low, trigger.bounds.until + _TICK)
    kept = [max(low, edge if high is None else min(edge, high)) for edge in edges]
    step = timedelta(seconds=trigger.step)
    before = [-((first - edge) // step) for edge in kept]
    return [later - earlier for earlier, later in pairwise(before)]


def _of_grid(first: datetime, step_seconds: int, low: datetime, high: datetime) -> int:
    """Count the points first + k * step, k = 0, 1, ... in [low, high)."""
    step = timedelta(seconds=step_seconds)
    below_high, below_low = (max(0, -((first - end) // step)) for end in (high, low))
    return max(0, below_high - below_low)


def _of_window(trigger: Window, low: datetime, high: datetime) -> int:
    found = 0
    last = high.astimezone(trigger.zone).date()
    day = trigger.dates.on_or_after(low.astimezone(trigger.zone).date() - _DAY)
    while day is not None and day <= last:
        begin, close = trigger.begin(day), trigger.close(day)
        following = trigger.dates.on_or_after(day + _DAY)
        # A window that lasts until the next begins shares that moment with it.
        end = close + _TICK if following is None else min(close + _TICK, trigger.begin(following))
        found += _of_grid(begin, trigger.step, low, min(high, max(end, begin + _TICK)))
        day = following
    return found


def _of_cron(trigger: Cron, low: datetime, high: datetime) -> int:
    """Count real minutes (seconds) whose label matches: piece by piece, where the clocks keep their offset."""
    found = 0
    while low < high:
        end = min(low + _DAY, high)
        end = next_change(low, end, trigger.zone) or end
        offset = offset_at(low, trigger.zone)
        found += _labels(trigger.fields, *((moment + offset).replace(tzinfo=None) for moment in (low, end)))
        low = end
    return found


def _labels(fields: CronFields, low: datetime, high: datetime) -> int:
    """Count the matching labels in [low, high)."""
    found = 0
    day = fields.dates.on_or_after(low.date())
    while day is not None and day <= high.date():
        found += _before(fields, day, high) - _before(fields, day, low)
        day = fields.dates.on_or_after(day + _DAY)
    return found


def _before(fields: CronFields, day: date, moment: datetime) -> int:
    """Count the matching times of a chosen day before a moment."""
    if moment.date() != day:
        return _of_day(fields) if moment.date() > day else 0
    at = (moment + _SECOND - _TICK).replace(microsecond=0)  # a label is a whole second
    if at.date() != day:
        return _of_day(fields)
    seconds = fields.seconds.bit_count()
    found = _below(fields.hours, at.hour) * fields.minutes.bit_count() * seconds
    if fields.hours >> at.hour & 1:
        found += _below(fields.minutes, at.minute) * seconds
        if fields.minutes >> at.minute & 1:
            found += _below(fields.seconds, at.second)
    return found


def _of_day(fields: CronFields) -> int:
    return fields.hours.bit_count() * fields.minutes.bit_count() * fields.seconds.bit_count()


def _below(mask: int, bit: int) -> int:
    return (mask & (1 << bit) - 1).bit_count()
