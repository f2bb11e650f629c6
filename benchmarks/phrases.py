"""Measure how long phrases take to read and to preview, beside two cron libraries in the same run.

    python -m benchmarks.phrases

Prints, for each phrase, microseconds for reading it and finding its first run, and milliseconds for a preview
of 1,000 runs; for the cron expressions also those of cronsim and croniter. The promises: 60 us for ordinary
phrases, 400 us for the rarest days, 20 ms for a preview.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

from scheduler.phrases import parse_phrase
from scheduler.triggers import upcoming

ZONE = ZoneInfo("Europe/Berlin")
MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)
LOCAL = MOMENT.astimezone(ZONE)
PREVIEW = 1000
ORDINARY = (
    "every 5 minutes",
    "hourly",
    "hourly at :15",
    "daily",
    "daily at 10:30",
    "every day at 10:30 and 18:00 Europe/Amsterdam",
    "every monday at 09:00",
    "monday to friday at 9am",
    "every weekday in december at 8:00",
    "every other friday at 17:00",
    "2nd tuesday of the month at 10:00",
    "15th and last day of the month at 18:00",
    "every 15 minutes between 9:00 and 17:00 on weekdays",
    "every 5 minutes until 2046-12-31",
    "in 20 minutes",
    "tomorrow at noon",
    "2026-12-24T18:00:00+01:00",
)
RAREST = (
    "every february 29 at 12:00",
    "5th monday of february at 9:00",
)
CRON = (
    "* * * * *",
    "*/5 * * * *",
    "0 9 * * 1-5",
    "*/5 9-17 * * mon-fri",
    "0 0 29 2 *",
    "30 2 * * 0",
)


def best_of(call: Callable[[], object], repeats: int, rounds: int = 5) -> float:
    """Return the CPU seconds of one call, in the fastest of some rounds: it waits for nothing."""
    fastest = float("inf")
    for _ in range(rounds):
        begin = time.thread_time()
        for _ in range(repeats):
            call()
        fastest = min(fastest, (time.thread_time() - begin) / repeats)
    return fastest


def measure(phrase: str) -> tuple[float, float]:
    """Return microseconds to the first run, and milliseconds of a preview."""
    first = best_of(lambda: parse_phrase(phrase, zone=ZONE, now=MOMENT).next_after(MOMENT), 200)
    trigger = parse_phrase(phrase, zone=ZONE, now=MOMENT)
    return first * 1e6, best_of(lambda: upcoming(trigger, MOMENT, PREVIEW), 1, 3) * 1e3


def measure_cronsim(expression: str) -> tuple[float, float]:
    """Return the same for cronsim, which holds its place in an iterator."""
    first = best_of(lambda: next(CronSim(expression, LOCAL)), 20)
    return first * 1e6, best_of(lambda: [*islice(CronSim(expression, LOCAL), PREVIEW)], 1, 1) * 1e3


def measure_croniter(expression: str) -> tuple[float, float]:
    """Return the same for croniter."""
    first = best_of(lambda: croniter(expression, LOCAL).get_next(datetime), 20)
    return first * 1e6, best_of(lambda: [*islice(croniter(expression, LOCAL, datetime), PREVIEW)], 1, 1) * 1e3


def print_phrases(title: str, phrases: tuple[str, ...]) -> None:
    """Print a table of phrases."""
    print(f"{title:56} {'first run us':>12} {'1,000 runs ms':>14}")
    for phrase in phrases:
        first, preview = measure(phrase)
        print(f"{phrase:56} {first:12.1f} {preview:14.2f}")
    print()


def main() -> None:
    """Print all tables."""
    print_phrases("ordinary phrases", ORDINARY)
    print_phrases("the rarest days", RAREST)
    heads = ("ours", "cronsim", "croniter")
    print(f"{'cron: first run us | 1,000 runs ms':36}" + "".join(f"{head:>24}" for head in heads) + "   times faster")
    for expression in CRON:
        rows = [measure(expression), measure_cronsim(expression), measure_croniter(expression)]
        cells = "".join(f"{first:13.1f} |{preview:9.2f}" for first, preview in rows)
        ratios = ", ".join(f"{row[1] / rows[0][1]:.1f}" for row in rows[1:])
        print(f"{expression:36}{cells}   {ratios}")


if __name__ == "__main__":
    main()
