"""Work out what the dashboard shows of figures: charts as shapes on a grid, and what is said of them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from scheduler.run import RunStatus
from scheduler.store.stats import FAILED
from scheduler.wording import say_count

HEIGHT = 36
_FAILED = tuple(status.value for status in FAILED)
_LIMITS_MS = ((10, "10 ms"), (100, "100 ms"), (1000, "1 s"), (10_000, "10 s"), (float("inf"), "more"))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a chart: heights of its good and its bad part, on a grid that is HEIGHT high, and what it says."""

    good: float
    bad: float
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class DaysChart:
    """How the runs of the last days went."""

    columns: list[Column]
    rate: float | None
    """The share of those that completed, of all that completed or failed."""
    text: str


@dataclass(frozen=True, slots=True)
class LatenessChart:
    """How late the last runs started."""

    columns: list[Column]
    median_ms: float | None
    text: str


def days_chart(days: Sequence[date], counts: Sequence[Mapping[str, int]]) -> DaysChart:
    """Return a column for each day, the share of what failed drawn at its foot; a day with few runs is low."""
    totals = [
        (found.get(RunStatus.COMPLETED.value, 0), sum(found.get(name, 0) for name in _FAILED)) for found in counts
    ]
    most = max((good + bad for good, bad in totals), default=0)
    columns = []
    for day, (good, bad) in zip(days, totals, strict=True):
        foot = _at_least(_part(bad, most), bad)
        top = min(_part(good, most), HEIGHT - foot)
        columns.append(Column(top, foot, f"{day:%d}", f"{day}: {_told(good, bad)}"))
    good, bad = sum(total[0] for total in totals), sum(total[1] for total in totals)
    return DaysChart(columns, good / (good + bad) if good + bad else None, _told(good, bad))


def lateness_chart(late_ms: Sequence[float]) -> LatenessChart:
    """Return how many of the runs started how late: within 10 ms, 100 ms, 1 s, 10 s, or later."""
    numbers, below = [], 0
    for limit, _ in _LIMITS_MS:
        within = sum(late < limit for late in late_ms)
        numbers.append(within - below)
        below = within
    most = max(numbers, default=0)
    columns = []
    for place, (number, (limit, name)) in enumerate(zip(numbers, _LIMITS_MS, strict=True)):
        height = _at_least(_part(number, most), number)
        is_late = limit > 1000
        word = f"within {name}" if place < len(_LIMITS_MS) - 1 else "later than 10 s"
        columns.append(
            Column(0 if is_late else height, height if is_late else 0, name, f"{say_count(number, 'run')} {word}")
        )
    ordered = sorted(late_ms)
    median = ordered[len(ordered) // 2] if ordered else None
    return LatenessChart(columns, median, "; ".join(column.text for column in columns))


def last_line(text: str, longest: int = 300) -> str:
    """Return the last line of what a run has printed that is not empty."""
    lines = text.rstrip().rsplit("\n", 1)
    return lines[-1].rsplit("\r", 1)[-1][:longest]


def _part(number: int, most: int) -> float:
    return round(HEIGHT * number / most, 1) if most else 0.0


def _at_least(height: float, number: int) -> float:
    """Let what is there be seen, however little it is beside the rest."""
    return max(height, 2.0) if number else 0.0


def _told(good: int, bad: int) -> str:
    if not good + bad:
        return "no runs"
    return f"{say_count(good + bad, 'run')}, {bad or 'none'} failed"
