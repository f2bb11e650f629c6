"""Show what a coming day, week or year brings."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask import Response

from scheduler.errors import InvalidRequest, Problem, nearest
from scheduler.http.pages.page import Visit
from scheduler.http.pages.rehearsal_view import SPANS, Choice, around, fate_text, heat, why_text
from scheduler.http.rest.rehearsal import DAY, HOUR, MINUTE
from scheduler.wallclock import first_instant

_LAST_YEAR = 9000


def show_rehearsal(visit: Visit) -> Response:
    """Show the page."""
    scheduler = visit.scheduler
    now, zone = scheduler.now(), scheduler.config.zone
    today = now.astimezone(zone).date()
    span, first = _span(visit), _date(visit, today)
    found = scheduler.rehearsals.play(_edges(span, first, zone))
    return visit.show(
        "rehearsal.html",
        title="Rehearsal",
        found=found,
        heat=heat(found, span, zone, now),
        choice=around(Choice(span, first), today),
        spans=SPANS,
        today=today,
        zone=zone,
        now=now,
        running=scheduler.is_running(),
        why_text=why_text,
        fate_text=fate_text,
    )


def _span(visit: Visit) -> str:
    span = visit.request.args.get("span", "day")
    if span not in SPANS:
        text = f"'span' must be one of {', '.join(SPANS)}"
        raise InvalidRequest([Problem("span", text, span[:50], list(SPANS), nearest(span, SPANS))])
    return span


def _date(visit: Visit, today: date) -> date:
    """Return the day that was asked for; today where that is over, since a rehearsal looks ahead."""
    text = visit.request.args.get("date") or today.isoformat()
    try:
        day = date.fromisoformat(text)
        if day.year > _LAST_YEAR:
            raise ValueError(text)
    except ValueError as error:
        message = f"'date' must be a day such as {today}, up to the year {_LAST_YEAR}"
        raise InvalidRequest([Problem("date", message, text[:50], [today.isoformat()], today.isoformat())]) from error
    return max(day, today)


def _edges(span: str, first: date, zone: ZoneInfo) -> list[datetime]:
    days = [first_instant(datetime.combine(first + n * DAY, time(0)), zone) for n in range(SPANS[span] + 1)]
    if span == "year":
        return days
    step: timedelta = MINUTE if span == "day" else HOUR
    since, until = days[0].astimezone(UTC), days[-1]
    return [*(since + n * step for n in range(-((since - until) // step))), until]
