"""Work out what the table of tasks shows: what a query asks for, where its links lead, and strips of outcomes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from urllib.parse import urlencode

from scheduler.models import JobStatus
from scheduler.run import RunStatus
from scheduler.store.task_table import OUTCOMES, SORTS, Outcome, TableQuery
from scheduler.wording import say_count
from tasks import TASK_TYPES

TYPES = (*TASK_TYPES, "callable")
ENDINGS = tuple(status for status in RunStatus if status.is_final)
COLUMNS = (("name", "Task"), ("", "When"), ("next", "Next run"), ("last", "Last run"))
SORT_WORDS = {"name": "name", "next": "next run", "last": "last run", "state": "state", "type": "type"}
_LONGEST = 200
_STEP, _WIDTH, _HEIGHT = 5, 3, 16


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query of the page's address asks for: the table's own terms, as texts, and the page's number."""

    q: str = ""
    state: str = ""
    last: str = ""
    type: str = ""
    tag: str = ""
    origin: str = ""
    sort: str = "name"
    page: int = 1

    @property
    def query(self) -> TableQuery:
        """Return the same as the store is asked."""
        return TableQuery(
            search=self.q or None,
            state=JobStatus(self.state) if self.state else None,
            type=self.type or None,
            tag=self.tag or None,
            origin=self.origin or None,
            last=RunStatus(self.last) if self.last else None,
            sort=self.sort.lstrip("-"),
            descending=self.sort.startswith("-"),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order is asked for."""
        return any((self.q, self.state, self.last, self.type, self.tag, self.origin))

    def path(self, **changes: Any) -> str:
        """Return the address of the same with changes; another order or narrower question begins at its first page."""
        changed = replace(self, **({"page": 1} | changes))
        plain = Asked()
        given = {
            field.name: value
            for field in fields(changed)
            if (value := getattr(changed, field.name)) != getattr(plain, field.name)
        }
        return f"/tasks?{urlencode(given)}" if given else "/tasks"

    def sorted_by(self, name: str) -> str:
        """Return the address of the same in the order of a column: the other way round where it has that already."""
        return self.path(sort=f"-{name}" if self.sort == name else name)

    def direction(self, name: str) -> str | None:
        """Return `ascending` or `descending` for the column that the rows go by."""
        if self.sort.lstrip("-") != name:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"


def read_query(args: Mapping[str, str]) -> Asked:
    """Return what an address asks for; what cannot be meant is left out, since addresses are kept for years."""
    known: dict[str, Collection[str]] = {"state": list(JobStatus), "last": ENDINGS, "type": TYPES}
    sorts = {*SORTS, *(f"-{name}" for name in SORTS)}
    given = {name: args.get(name, "").strip()[:_LONGEST] for name in ("q", "state", "last", "type", "tag", "sort")}
    chosen = {name: text for name, text in given.items() if name not in known or text in known[name]}
    chosen |= {"sort": given["sort"] if given["sort"] in sorts else "name", "origin": args.get("origin", "")[:4096]}
    number = args.get("page", "")
    return Asked(**chosen, page=int(number) if number.isascii() and number.isdecimal() and len(number) < 7 else 1)


@dataclass(frozen=True, slots=True)
class Strip:
    """Outcomes as marks: one path for each kind of them, told by colour and shape, and all of it in words."""

    paths: list[tuple[str, str]]
    text: str


_MARKS = {
    RunStatus.COMPLETED: ((6, 10),),
    RunStatus.FAILED: ((0, 16),),
    RunStatus.TIMEOUT: ((0, 7), (9, 7)),
    RunStatus.INTERRUPTED: ((0, 4), (6, 4), (12, 4)),
    RunStatus.CANCELLED: ((8, 3), (13, 3)),
    RunStatus.SKIPPED: ((13, 3),),
    RunStatus.MISSED: ((7, 2), (14, 2)),
    RunStatus.RUNNING: ((10, 6),),
    RunStatus.QUEUED: ((14, 2),),
}
"""Where the pieces of a run's mark begin and how high they are: tall is bad, low is none, broken is cut short."""


def mark_of(status: RunStatus, place: int = 0) -> str:
    """Return the path of a run's mark at a place of the strip."""
    return "".join(f"M{place * _STEP} {top}h{_WIDTH}v{height}h-{_WIDTH}z" for top, height in _MARKS[status])


_PATHS = {status.value: [mark_of(status, place) for place in range(OUTCOMES)] for status in RunStatus}


def strip_of(outcomes: Sequence[Outcome]) -> Strip:
    """Return the strip of a task's newest outcomes, which come oldest first and end at the right."""
    shift = OUTCOMES - len(outcomes)
    drawn: dict[str, str] = {}
    for place, outcome in enumerate(outcomes, shift):
        drawn[outcome.status] = drawn.get(outcome.status, "") + _PATHS[outcome.status][place]
    return Strip(list(drawn.items()), _say_outcomes(outcomes))


def _say_outcomes(outcomes: Sequence[Outcome]) -> str:
    if not outcomes:
        return "No runs yet"
    counts = Counter(outcome.status for outcome in outcomes)
    told = ", ".join(f"{number} {status}" for status, number in counts.most_common())
    return f"Last {say_count(len(outcomes), 'run')}: {told}; the newest is {outcomes[-1].status}"


def picked(form: Mapping[str, str]) -> list[str]:
    """Return the ids of the tasks whose boxes are ticked in a form."""
    return [name.removeprefix("pick.") for name in form if name.startswith("pick.")]
