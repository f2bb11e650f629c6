"""Work out what the page of rehearsals shows: the choice of a span, a map of starts, and words. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from scheduler.clock_changes import Fate, Touched
from scheduler.rehearsed import Rehearsal, Why
from scheduler.wording import say_count, say_times

SPANS = {"day": 1, "week": 7, "year": 365}
"""The spans one can choose, and how many days each has."""
LEVELS = 4
_COLUMNS = {"day": 60, "week": 25, "year": 31}
_WHY = {
    Why.DISABLED: "it is planned again once it is enabled",
    Why.PAUSED: "it is planned again once it is resumed",
    Why.MANUAL: "it runs only when it is asked to",
    Why.ENDED: "its rule names no further time, or its last run was had",
    Why.LATER: "not in this span",
    Why.UNREADABLE: "its schedule cannot be read: the log of the service says why",
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A span and its first day, as the address holds them."""

    span: str
    first: date

    @property
    def path(self) -> str:
        """The path of the page for it."""
        return f"/rehearsal?span={self.span}&date={self.first}"


@dataclass(frozen=True, slots=True)
class Around:
    """What is shown, and what one can go to: the span before (if it is not over) and after, other spans."""

    shown: Choice
    last: date
    before: Choice | None
    after: Choice
    others: list[Choice]


@dataclass(frozen=True, slots=True)
class Spot:
    """One cell with starts: where in its row, how dark from 1 to LEVELS, whether it has more than workers, in words."""

    column: int
    level: int
    crowded: bool
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the map: an hour, day or month, its starts, and from which column to which it is still ahead."""

    label: str
    starts: int
    spots: list[Spot]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Heat:
    """Starts by minute, hour or day."""

    columns: int
    rows: list[Row]
    unit: str
    most: int


def around(shown: Choice, today: date) -> Around:
    """Return where one can go from a span."""
    step = timedelta(days=SPANS[shown.span])
    before = Choice(shown.span, max(today, shown.first - step)) if shown.first > today else None
    return Around(
        shown,
        shown.first + step - timedelta(days=1),
        before,
        Choice(shown.span, shown.first + step),
        [Choice(span, shown.first) for span in SPANS],
    )


def heat(found: Rehearsal, span: str, zone: ZoneInfo, now: datetime) -> Heat:
    """Return the map of starts: hours of minutes, days of hours, or months of days."""
    most, rows = max(found.cells, default=0), dict[str, Row]()
    for index, (at, starts) in enumerate(zip(found.edges, found.cells, strict=False)):
        local = at.astimezone(zone)
        label, column = _place(span, local, index, rows)
        row = rows.get(label) or Row(label, 0, [], column, column)
        is_past = found.edges[index + 1] <= now
        begin = column + 1 if is_past else row.begin
        rows[label] = Row(label, row.starts + starts, row.spots, begin, column + 1)
        if starts:
            crowded = span == "day" and starts > found.workers
            text = f"{_say(span, local)}: {say_count(starts, 'start')}"
            row.spots.append(Spot(column, 1 + (LEVELS - 1) * starts // most if most > 1 else 1, crowded, text))
    return Heat(_COLUMNS[span], list(rows.values()), {"day": "minute", "week": "hour", "year": "day"}[span], most)


def _place(span: str, local: datetime, index: int, rows: dict[str, Row]) -> tuple[str, int]:
    """Return in which row and column a cell lies. Hours of a day with 25 are told apart by their offset."""
    if span == "year":
        return local.strftime("%Y-%m"), local.day - 1
    if span == "week":
        label = local.strftime("%a %m-%d")
        return label, rows[label].end if label in rows else 0
    label = f"{local:%H}:00"
    # The second pass of an hour that comes twice is a row of its own.
    label = f"{label} again" if local.fold else label
    return label, local.minute


def _say(span: str, local: datetime) -> str:
    return local.strftime({"day": "%H:%M", "week": "%a %Y-%m-%d %H:%M", "year": "%a %Y-%m-%d"}[span])


def why_text(why: Why) -> str:
    """Say why a task does not start."""
    return _WHY[why]


def fate_text(one: Touched) -> str:
    """Say what becomes of times of day that come never, or twice."""
    times = say_times([label.time() for label in one.labels])
    verb, is_one = ("does", True) if len(one.labels) == 1 else ("do", False)
    after = f"{one.change.at.astimezone(one.change.zone):%H:%M}"
    match one.fate:
        case Fate.MOVED:
            return f"{times} {verb} not exist: {after} takes {'its' if is_one else 'their'} place"
        case Fate.LEFT_OUT:
            return f"{times} {verb} not exist: there is no start"
        case Fate.FIRST:
            return f"{times} {'comes' if is_one else 'come'} twice: the first counts"
        case Fate.TWICE:
            return f"{times} {'comes' if is_one else 'come'} twice: it starts both times"
