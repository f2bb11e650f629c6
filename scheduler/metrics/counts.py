"""Add up counters and histograms, as plain values that can be kept in a file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any

from scheduler.metrics.families import BY_NAME, COUNTED

Key = tuple[str, ...]
"""The name of a family, then the values of its labels."""

LAYOUT = [[family.name, *family.labels, *map(str, family.buckets)] for family in COUNTED]
"""What counts must have in common to be added."""


class Counts:
    """Numbers by family and labels: one number for a counter, for a histogram one a bucket and then the sum.

    Not thread-safe.
    """

    def __init__(self, numbers: Mapping[Key, list[float]] | None = None) -> None:
        self.numbers: dict[Key, list[float]] = {key: list(values) for key, values in (numbers or {}).items()}

    def __bool__(self) -> bool:
        return bool(self.numbers)

    def count(self, name: str, *labels: str, by: float = 1) -> None:
        """Raise a counter."""
        values = self.numbers.setdefault((name, *labels), [0.0])
        values[0] += by

    def observe(self, name: str, value: float, *labels: str) -> None:
        """Add a value to a histogram; one below zero, after a clock was set back, counts as zero."""
        buckets, value = BY_NAME[name].buckets, max(0.0, value)
        values = self.numbers.setdefault((name, *labels), [0.0] * (len(buckets) + 2))
        values[bisect_left(buckets, value)] += 1
        values[-1] += value

    def add(self, other: Counts) -> None:
        """Add all that another has."""
        for key, values in other.numbers.items():
            mine = self.numbers.get(key)
            self.numbers[key] = list(values) if mine is None else [a + b for a, b in zip(mine, values, strict=True)]

    def to_json(self) -> list[Any]:
        """Return plain values."""
        return [[list(key), values] for key, values in self.numbers.items()]

    @classmethod
    def from_json(cls, kept: list[Any]) -> Counts:
        """Read what `to_json` gave."""
        return cls({tuple(key): values for key, values in kept})
