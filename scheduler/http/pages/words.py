"""Say times, spans and statuses as pages show them: each also exactly, so that a module can say it better. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from scheduler.moments import iso, local
from scheduler.wording import say_count

MINUTE, HOUR, DAY = 60, 3600, 86400


class Said(NamedTuple):
    """A moment for a `<time>` element: exactly, as people write it in its zone, and what that zone is called."""

    exact: str
    text: str
    zone: str


def say_moment(moment: datetime, zone: ZoneInfo) -> Said:
    """Return a moment as it is shown in its own zone."""
    return Said(iso(moment, UTC), local(moment, zone) or "", zone.key)


def say_relative(moment: datetime, now: datetime) -> str:
    """Return "in 5 min", "3 h ago" or "now": the same words as static/time.js has."""
    seconds = round((moment - now).total_seconds())
    if seconds == 0:
        return "now"
    span = say_span(abs(seconds))
    return f"in {span}" if seconds > 0 else f"{span} ago"


def say_span(seconds: int) -> str:
    """Return a span in its two largest units, or in one where that is enough."""
    if seconds < MINUTE:
        return f"{seconds} s"
    if seconds < HOUR:
        minutes, rest = divmod(seconds, MINUTE)
        return f"{minutes} min {rest} s" if minutes < 5 and rest else f"{minutes} min"
    if seconds < 2 * DAY:
        hours, rest = divmod(seconds // MINUTE, 60)
        return f"{hours} h {rest} min" if hours < 10 and rest else f"{hours} h"
    return say_count(seconds // DAY, "day")


def say_duration(milliseconds: float | None) -> str:
    """Return how long something took."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    return say_span(round(milliseconds / 1000))


def say_share(share: float | None) -> str:
    """Return a share in percent: 100 % only where it is the whole."""
    if share is None:
        return "–"
    percent = share * 100
    return "100 %" if share == 1 else f"{min(percent, 99.9):.1f} %"


def say_countdown(moment: datetime, now: datetime) -> str:
    """Return the time until a moment as a clock does: "4:05", "2:04:05", "3 days"; "now" from then on."""
    seconds = int((moment - now).total_seconds())
    if seconds <= 0:
        return "now"
    if seconds >= 2 * DAY:
        return say_count(seconds // DAY, "day")
    hours, rest = divmod(seconds, HOUR)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
