"""Draw how long the runs of a task took, and find those that took unlike the others. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles

from markupsafe import Markup

from scheduler.http.pages.local import run_path
from scheduler.run import Run, RunStatus

WIDTH, HEIGHT = 1000, 100
FEWEST = 8
"""Of fewer runs none is unlike the others."""
_FENCE = 3.0
_FACTOR = 1.5
_JUDGED = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Chart:
    """The durations of runs in milliseconds, the oldest first, and a picture of them."""

    runs: Sequence[Run]
    median: float
    high: float
    longest: float
    outliers: Sequence[Run]
    svg: Markup


def draw_durations(newest_first: Sequence[Run]) -> Chart | None:
    """Return the chart of the runs that ran to an end; None where that are fewer than two."""
    shown = [run for run in reversed(newest_first) if run.duration_ms is not None and run.status in _JUDGED]
    if len(shown) < 2:
        return None
    took = [run.duration_ms or 0.0 for run in shown]
    median, high = _rank(took, 50), _rank(took, 95)
    outliers = [run for run, is_one in zip(shown, find_outliers(took), strict=True) if is_one]
    return Chart(shown, median, high, max(took), outliers, _svg(shown, {run.run_id for run in outliers}, median))


def find_outliers(took: Sequence[float]) -> list[bool]:
    """Say of each whether it is far outside the middle half of all, and half as long again as the median or more."""
    if len(took) < FEWEST:
        return [False] * len(took)
    low, median, high = quantiles(took, n=4, method="inclusive")
    reach = _FENCE * (high - low)
    return [
        (one > high + reach and one > median * _FACTOR) or (one < low - reach and one < median / _FACTOR)
        for one in took
    ]


def _rank(took: Sequence[float], percent: int) -> float:
    return sorted(took)[(len(took) * percent + 99) // 100 - 1]


def _svg(shown: Sequence[Run], outliers: set[str], median: float) -> Markup:
    """Return bars from left to right; what they say in words stands beside, so that nobody has to see them."""
    most = max(run.duration_ms or 0.0 for run in shown) or 1.0
    step = WIDTH / max(len(shown), FEWEST)
    parts = []
    for place, run in enumerate(shown):
        tall = max(1.5, (run.duration_ms or 0.0) / most * HEIGHT)
        name = f"{run.status.value} outlier" if run.run_id in outliers else run.status.value
        bar = Markup(
            '<a href="{}" tabindex="-1"><rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"/></a>'
        )
        parts.append(bar.format(run_path(run.run_id), name, place * step, HEIGHT - tall, step * 0.8, tall))
    line = HEIGHT - median / most * HEIGHT
    frame = Markup(
        '<svg class="durations" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">{}'
        '<line class="median" x1="0" x2="{}" y1="{:.2f}" y2="{:.2f}"/></svg>'
    )
    return frame.format(WIDTH, HEIGHT, Markup("").join(parts), WIDTH, line, line)
