"""Read what a reader of events asks for, from the query and the header of its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Request
from werkzeug.datastructures import MultiDict

from scheduler.errors import InvalidRequest, Problem, ProblemFound, as_sent, nearest, not_one_of, shorten, unknown_field
from scheduler.feed import EventFilter
from scheduler.store.events import EventKind
from scheduler.task_ids import read_task_id

EXAMPLE = {"method": "GET", "path": "/api/events?types=run.finished,task.*"}
FAMILIES = tuple(dict.fromkeys(f"{kind.value.partition('.')[0]}.*" for kind in EventKind))
DESCRIBED: Mapping[str, tuple[str, dict[str, Any]]] = {
    "types": ("Only these types, by commas: `run.finished,task.*`.", {"type": "string"}),
    "task_id": ("Only events of these tasks.", {"type": "array", "items": {"type": "string"}}),
    "output": ("Also what runs print.", {"type": "boolean", "default": False}),
    "last_event_id": (
        "Begin behind that event; 0 for all that are kept.",
        {"type": "string", "pattern": "^[0-9]{1,18}$"},
    ),
}
"""What may stand in the query: what it means, and its schema."""
_LEDGER = frozenset(EventKind) - {EventKind.RUN_OUTPUT}
_YES, _NO = ("1", "true"), ("0", "false")


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events, and after which one: None for what happens from now on."""

    which: EventFilter
    last: int | None


def read_event_query(request: Request) -> EventQuery:
    """Return what was asked for; raise `InvalidRequest` with every problem."""
    args, problems = request.args, _unknown(request.args, list(DESCRIBED))
    kinds = _kinds(args.getlist("types"), problems)
    if _flag(args, "output", problems):
        kinds |= {EventKind.RUN_OUTPUT}
    tasks = _tasks(args.getlist("task_id"), problems)
    last = _last_id(request, problems)
    if problems:
        raise InvalidRequest(problems, EXAMPLE)
    return EventQuery(EventFilter(kinds, tasks), last)


def _unknown(args: MultiDict[str, str], known: Sequence[str]) -> list[Problem]:
    return [unknown_field(shorten(name), known, args[name]) for name in args if name not in known]


def _kinds(given: list[str], problems: list[Problem]) -> frozenset[EventKind]:
    """Return the kinds that patterns name. What runs print is much, so it has to be named itself."""
    words = [word.strip() for text in given for word in text.split(",") if word.strip()]
    if not words:
        return _LEDGER
    kinds: set[EventKind] = set()
    for word in words:
        if word in FAMILIES:
            kinds |= {kind for kind in _LEDGER if kind.startswith(word[:-1])}
        elif word in EventKind.__members__.values():
            kinds.add(EventKind(word))
        else:
            known = [*EventKind, *FAMILIES]
            problems.append(not_one_of("types", shorten(word), known, nearest(word, known)))
    return frozenset(kinds)


def _tasks(given: list[str], problems: list[Problem]) -> frozenset[str]:
    tasks = set()
    for text in given:
        try:
            tasks.add(read_task_id(text))
        except ProblemFound as error:
            problems.append(error.problem)
    return frozenset(tasks)


def _flag(args: MultiDict[str, str], name: str, problems: list[Problem]) -> bool:
    text = args.get(name, "0").lower()
    if text not in (*_YES, *_NO):
        problems.append(Problem(name, f"'{name}' must be 1 or 0, not {as_sent(text)}", shorten(text), ["1", "0"]))
    return text in _YES


def _last_id(request: Request, problems: list[Problem]) -> int | None:
    """Return the id that a reader has come to; the header wins, for a browser sets it when it comes back."""
    field: Any = "Last-Event-ID" if "Last-Event-ID" in request.headers else "last_event_id"
    text = request.headers.get("Last-Event-ID") or request.args.get("last_event_id")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        accepted = ["the id of an event, unchanged", "0 for all that are kept"]
        problems.append(Problem(field, f"'{field}' must be the id of an event, not {as_sent(text)}",
                                shorten(text), accepted, "0"))  # fmt: skip
        return None
    return int(text)
