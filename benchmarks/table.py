"""Print figures as one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

HEAD = ("what", "ours", "beside it, in the same run", "ratio", "aim")


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of ours, what others came to in the same run, and what we aim at."""

    what: str
    ours: float
    unit: str
    beside: Sequence[tuple[str, float]] = field(default=())
    aim: str = ""

    def lines(self) -> list[tuple[str, ...]]:
        """Return the cells: one line for each of the others, the first with what they have in common."""
        others = [(f"{name}: {figure(value)}", _ratio(self.ours, value)) for name, value in self.beside] or [("", "")]
        first = (self.what, f"{figure(self.ours)} {self.unit}".strip(), *others[0], self.aim)
        return [first, *(("", "", *other, "") for other in others[1:])]


def figure(value: float) -> str:
    """Write a number with three digits that count."""
    if value != value:  # not a number: it was not measured
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def show(rows: Sequence[Row]) -> str:
    """Return the table."""
    lines = [HEAD, *(line for row in rows for line in row.lines())]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    text = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    text.insert(1, "-|-".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in text)


def _ratio(ours: float, other: float) -> str:
    return f"{ours / other:.2f}" if other and other == other and ours == ours else "-"
