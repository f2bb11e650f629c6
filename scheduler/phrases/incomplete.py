"""Say what is wrong where clauses were understood, but do not make a rule together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from scheduler.phrases.forms import expand, go_together, part_mask
from scheduler.phrases.phrase import Phrase
from scheduler.phrases.refusal import Refusal
from scheduler.phrases.tokens import TIME_FORMS
from scheduler.phrases.words import DAYTIMES
from scheduler.wallclock import first_instant


@dataclass(frozen=True, slots=True)
class Gap:
    """A set of clauses that lacks something: why it is no rule, and what to add behind or before it."""

    parts: str
    quoted: str
    why: str
    fixes: tuple[str, ...]
    accepted: tuple[str, ...] = ()
    both: bool = False


_GAPS = (
    Gap("once? day", "day", "says no time of day", ("{} at 09:00",), TIME_FORMS),
    Gap("once? date", "date", "says no time of day", ("{} 09:00", "{} at 09:00"), TIME_FORMS),
    Gap("daytime months?", "daytime", "says no time of day", ("{} at {example}",), TIME_FORMS),
    Gap("daily|days daytime months?", "daytime", "says no time of day", ("{} at {example}",), TIME_FORMS),
    Gap("once? day daytime", "daytime", "says no time of day", ("{} at {example}",), TIME_FORMS),
    Gap("daily months", "daily", "says no time of day", ("{} at 09:00",), TIME_FORMS),
    Gap("weekly|nweeks times", "weekly nweeks", "says no weekday", ("{} on monday",), ("on monday",)),
    Gap("minutes days? months?", "minutes", "says no hour: of every hour?", ("hourly {}",), ("hourly at :15",)),
    Gap("window daily", "window", "says not how often", ("every 15 minutes {}",), ("every 15 minutes",)),
    Gap("window days? months?", "window", "says not how often", ("every 15 minutes {}",), ("every 15 minutes",)),
    Gap("months", "months", "says no day", ("every weekday {} at 09:00", "every day {} at 09:00")),
    Gap("of", "of", "says no day", ("1st {} at 09:00", "first day {}")),
    Gap("once", "once", "says not when", ("{} tomorrow at 09:00",), ("once at 2026-12-24 18:00",)),
    Gap("once times", "times", "says no day", ("{next} {at}",)),
    Gap("times", "times", "is not clear: daily or once?", ("daily {at}", "{next} {at}"), (), both=True),
    Gap("times months", "times", "says no day", ("every day {}",)),
    Gap("once days times", "once", "runs once, but weekdays repeat", ("next {-once}",)),
    Gap("once dates", "dates", "says no time of day", ("{} at 09:00",), TIME_FORMS),
    Gap("once monthdays months?|of?", "monthdays", "says no time of day", ("{} at 09:00",), TIME_FORMS),
    Gap(
        "days of|monthly|quarterly|yearly times?",
        "days",
        "is not clear of a period: the first, the last?",
        ("{first}",),
    ),
)
_BY_PARTS = {mask: gap for gap in _GAPS for mask in expand(gap.parts)}

_EXAMPLES = DAYTIMES | {"tonight": DAYTIMES["night"]}
_BARE = ("daily", "weekly", "monthly", "quarterly", "yearly")
_NAMING = ("days", "nth", "workdays", "monthdays", "dates", "date")
"""What names days says more than that something is daily or weekly: it is kept where the two exclude each other."""


def refuse_parts(phrase: Phrase) -> Refusal:
    """Return the refusal of clauses that the table of forms does not know together."""
    gap = _BY_PARTS.get(part_mask(phrase.parts))
    if gap is not None:
        return _refuse_gap(phrase, gap)
    names = sorted((name for name in phrase.parts if name != "zone"), key=lambda name: phrase.parts[name].first)
    names = [name for name in names if name not in ("start", "until")]
    if not names:
        return _refuse_no_rule(phrase)
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            if not go_together(first, second):
                return refuse_pair(phrase, first, second)
    return refuse_pair(phrase, names[0], names[-1])


def refuse_pair(phrase: Phrase, first: str, second: str) -> Refusal:
    """Return the refusal of two clauses that exclude each other, with what is left without either."""
    fixes = [_without(phrase, second), _without(phrase, first)]
    one, other = phrase.quote(first), phrase.quote(second)
    if one == other:
        return Refusal(f"'{one}' does not go with the rest", (f"'{one}' alone",), tuple(fixes))
    if "daytime" in (first, second) or "once" in (first, second):
        fixes = []  # without a part of the day it would run at other times, without "once" again and again
    if first in _BARE and second in _NAMING:
        fixes.reverse()
    return Refusal(f"'{one}' and '{other}' do not go together", ("one of the two",), tuple(fixes), both=len(fixes) > 1)


def _without(phrase: Phrase, name: str) -> str:
    """Return the phrase without a clause and the "on" before it."""
    reader, part = phrase.reader, phrase.parts[name]
    first = part.first - 1 if part.first and reader.tokens[part.first - 1].kind == "on" else part.first
    return reader.cutter.replaced(*reader.slice(first, part.last), "")


def _refuse_no_rule(phrase: Phrase) -> Refusal:
    name = next(iter(phrase.parts), None)
    quoted = f"'{phrase.quote(name)}'" if name else "the phrase"
    accepted = ("every 5 minutes", "daily at 10:30", "in 20 minutes")
    return Refusal(f"{quoted} says not when or how often", accepted, (f"daily at 09:00 {phrase.text}",))


def _refuse_gap(phrase: Phrase, gap: Gap) -> Refusal:
    name = next(name for name in gap.quoted.split() if name in phrase.parts)
    quoted = phrase.quote(name)
    zone = f" {phrase.zone.key}" if phrase.zone_named else ""
    words = {
        "example": _EXAMPLES.get(phrase.value("daytime", ""), "09:00"),
        "at": f"{quoted if quoted.lower().startswith('at ') else f'at {quoted}'}{zone}",
        "next": _next_day(phrase),
        "first": phrase.replaced(name, f"first {quoted.split()[-1]}"),
        "-once": phrase.replaced("once", "") if "once" in phrase.parts else phrase.text,
    }
    fixes = tuple(fix.replace("{}", phrase.text).format_map(words) for fix in gap.fixes)
    why = f"{gap.why} '{fixes[0]}' or '{fixes[1]}'" if gap.both else gap.why
    return Refusal(f"'{quoted}' {why}", gap.accepted or fixes, fixes, gap.both)


def _next_day(phrase: Phrase) -> str:
    """Return "today" if the phrase's time of day is still to come, else "tomorrow"."""
    today = phrase.now.astimezone(phrase.zone).date()
    coming = first_instant(datetime.combine(today, phrase.times[0]), phrase.zone) > phrase.now + timedelta(0)
    return "today" if coming else "tomorrow"
