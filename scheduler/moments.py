"""Write moments for people, and exactly."""

from __future__ import annotations

from datetime import datetime, tzinfo


def local(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a moment for people: local, to the second."""
    return None if moment is None else moment.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def iso(moment: datetime, zone: tzinfo) -> str:
    """Return a moment exactly: ISO 8601 with offset, and milliseconds where there are any."""
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    return moment.astimezone(zone).isoformat(timespec=precision)


def iso_or_none(moment: datetime | None, zone: tzinfo) -> str | None:
    """Return a moment exactly, or None where there is none."""
    return None if moment is None else iso(moment, zone)
