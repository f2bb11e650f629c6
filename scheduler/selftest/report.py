"""Add rounds up, and tell what came of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from scheduler.selftest.record import CATEGORIES, Finding
from scheduler.selftest.rounds import RoundResult

Say = Callable[[str], None]


@dataclass(slots=True)
class Totals:
    """What all rounds so far amount to."""

    rounds: int = 0
    acknowledged: int = 0
    rows: int = 0
    found: Counter[str] = field(default_factory=Counter)
    lateness_ms: list[float] = field(default_factory=list)

    def add(self, result: RoundResult) -> None:
        """Count a round."""
        self.rounds += 1
        self.acknowledged += result.acknowledged
        self.rows += result.rows
        self.found.update(finding.category for finding in result.findings)
        self.lateness_ms.extend(result.lateness_ms)

    @property
    def clean(self) -> bool:
        """Whether every promise was kept."""
        return not self.found.total()


def tell_round(say: Say, name: str, result: RoundResult) -> None:
    """Tell a round in one line."""
    say(f"{name}: {tell_counts(Counter(f.category for f in result.findings))} | {result.acknowledged} acknowledged, "
        f"{result.rows} rows, {result.seconds:.1f} s")  # fmt: skip


def tell_findings(say: Say, findings: Sequence[Finding], replay: str, folder: str) -> None:
    """Tell all that is known of what went wrong in a round."""
    for finding in findings:
        say(f"  {finding.category.upper()} {finding.text}")
        for detail in finding.details:
            say(f"      {detail}")
    say(f"  replay: {replay}")
    say(f"  kept:   {folder}")


def tell_totals(say: Say, totals: Totals) -> None:
    """Tell what all rounds amount to."""
    say(f"rounds        {totals.rounds}")
    say(f"acknowledged  {totals.acknowledged}")
    say(f"rows          {totals.rows}")
    for category in CATEGORIES:
        say(f"{category:13} {totals.found[category]}")
    say(f"lateness      {tell_lateness(totals.lateness_ms)}")


def tell_counts(found: Counter[str]) -> str:
    """Return how often each promise was broken."""
    return ", ".join(f"{found[category]} {category}" for category in CATEGORIES)


def tell_lateness(values: Sequence[float]) -> str:
    """Return median and 99th percentile of the runs that were due while nothing was done to the server."""
    if not values:
        return "no run was due in quiet"
    ordered = sorted(values)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * share))] for share in (0.5, 0.99))
    return f"p50 {p50:.1f} ms, p99 {p99:.1f} ms, of {len(ordered)} runs that were due in quiet"
