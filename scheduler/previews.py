"""Say what a schedule means and when it fires: for the action `preview`, and for shells without a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.moments import iso, local
from scheduler.spellings import read_schedule
from scheduler.triggers import Trigger, upcoming


def preview(fields: Mapping[str, Any], zone: ZoneInfo, after: datetime, count: int) -> dict[str, Any]:
    """Return what a schedule means, and its first fire times after a moment that stands for the present."""
    trigger = read_schedule(fields, zone=zone, now=after).trigger
    moments = upcoming(trigger, after, count)
    description = trigger.describe()
    return {
        "status": "success",
        "message": f"{description}: {_next_text(moments, trigger)}",
        "next_runs": [iso(moment, moment.tzinfo or trigger.zone) for moment in moments],
        "description": description,
        "kind": trigger.kind,
        "timezone": trigger.zone.key,
    }


def _next_text(moments: Sequence[datetime], trigger: Trigger) -> str:
    return f"next run {local(moments[0], trigger.zone)}" if moments else "it never runs by itself"
