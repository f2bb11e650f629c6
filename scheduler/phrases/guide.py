"""Tell about the forms: for `help`, and as docs/phrases.md, both from the table in forms.py.

`python -m scheduler.phrases > docs/phrases.md` writes the page; a test keeps the two equal.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from scheduler.errors import InvalidRequest
from scheduler.phrases.forms import FORMS, Form
from scheduler.phrases.parse import parse_phrase
from scheduler.triggers import upcoming

MOMENT = datetime(2026, 9, 14, 8, tzinfo=UTC)
"""The present of all examples: a Monday."""

_ZONE = ZoneInfo("UTC")
_REFUSED = (
    *("daily at 25:00", "at 10", "at 18:00", "every 5", "every 1.5 hours", "every 5 minuets", "every february 30"),
    *("every 6th monday", "monday", "30m", "biweekly", "10/11/2026 10:00", "daily at 9am PST"),
    *("today at 07:00", "every 5 minutes at 10:30", "0 9 * * fri-mon"),
)
_HEAD = """# Schedule phrases

<!-- Made by `python -m scheduler.phrases > docs/phrases.md` from the table of forms. Change that. -->

A phrase says when a task runs. It is the field `interval`; `preview` shows what was understood, without creating
anything. Upper and lower case, runs of blanks and one final dot do not matter; the clauses of a phrase may come in
any order. What is ambiguous is refused with the readings that it could have, never guessed.

All examples below were asked for on Monday, 2026-09-14 at 08:00 UTC, which stands for the moment of creation.
"""
_RULES = """
## When the clocks change

- A **time of day** that the clocks leave out runs at the first instant after the gap, once for all such times; one
  that comes twice runs at its first pass only. That holds for every form with a time, for days and weeks, and for
  cron expressions whose minute and hour both do not start with `*`.
- A cron expression with `*` in front of its minute or hour, and "hourly at :MM", run in **each real minute** that
  has the label: none is made up for a gap, and both passes of an overlap count.
- **Intervals** of seconds, minutes and hours, delays and the steps inside a window count real time. "every 24 hours"
  moves against the wall clock at a change, "every 1 day" does not.

## Grids and limits

Runs of an interval lie on a fixed grid, so a late or a long run moves no later one. The longest interval is ten years,
and a rule must have a run within 40 years.

## Cron expressions

Five fields: minute 0-59, hour 0-23, day 1-31, month 1-12 or jan-dec, weekday 0-7 (0 and 7 are sunday) or sun-sat, with
`*`, ranges, lists and `/step`. A range may end in `sun` (`sat-sun`). If the day or the weekday field starts with `*`
both must match, otherwise either is enough. `L` is the last day of the month, `LW` its last Monday to Friday, `5L` its
last friday, `2#3` its third tuesday.

## What is refused, and what is said
"""


def forms_help() -> list[dict[str, object]]:
    """Return the table of forms as JSON: form, accepted examples, meaning, canonical description."""
    return [
        {"form": form.name, "accepted": list(form.accepted), "meaning": form.meaning, "description": form.canonical}
        for form in FORMS
    ]


def write_guide() -> str:
    """Return docs/phrases.md."""
    forms = "".join(_write_form(form) for form in FORMS)
    refusals = "".join(f"- `{phrase}`: {_refusal_of(phrase)}\n" for phrase in _REFUSED)
    return f"{_HEAD}{forms}{_RULES}\n{refusals}"


def _write_form(form: Form) -> str:
    rows = "".join(_write_example(phrase) for phrase in form.accepted)
    meaning = form.meaning[0].upper() + form.meaning[1:]
    return f"\n## {form.name}\n\n{meaning}.\n\n| phrase | understood as | first runs |\n|---|---|---|\n{rows}"


def _write_example(phrase: str) -> str:
    trigger = parse_phrase(phrase, zone=_ZONE, now=MOMENT)
    runs = ", ".join(run.strftime("%a %Y-%m-%d %H:%M:%S").removesuffix(":00") for run in upcoming(trigger, MOMENT, 3))
    return f"| `{phrase}` | {trigger.describe()} | {runs} |\n"


def _refusal_of(phrase: str) -> str:
    try:
        trigger = parse_phrase(phrase, zone=_ZONE, now=MOMENT)
    except InvalidRequest as refused:
        return refused.message
    raise AssertionError(f"'{phrase}' is accepted as '{trigger.describe()}'")
