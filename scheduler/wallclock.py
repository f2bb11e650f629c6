"""Place wall-clock times on the time line, where clocks jump and where they repeat.

Every rule that names a time of day comes through `first_instant`, so that a gap and an overlap
mean the same thing everywhere: a time inside a gap happens at the first instant after it, and a
time that occurs twice happens at its first occurrence. Changes may be of any size, at any hour.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def first_instant(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the UTC instant at which the clocks of `zone` show the naive time `local` for the first time.

    If they never do, the answer is the first instant after the gap.
    """
    before = local.replace(tzinfo=zone).utcoffset()
    after = local.replace(tzinfo=zone, fold=1).utcoffset()
    assert before is not None
    assert after is not None
    if before >= after:
        return (local - before).replace(tzinfo=UTC)
    # PEP 495: in a gap, fold 0 reads the offset before the change and fold 1 the one after it.
    change = next_change((local - after).replace(tzinfo=UTC), (local - before).replace(tzinfo=UTC), zone)
    assert change is not None
    return change


def offset_at(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Return how far the clocks of `zone` are ahead of UTC at the aware time `instant`."""
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def next_change(after: datetime, by: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the UTC instant in (after, by] from which the offset is no longer that of `after`.

    None if both ends have the same offset. The two lie close enough (a day or so) to hold one
    change at most; changes are made on whole seconds.
    """
    offset = offset_at(after, zone)
    if offset_at(by, zone) == offset:
        return None
    low, high = after.replace(microsecond=0), by
    steps = -((low - high) // _SECOND)
    while steps > 1:
        middle = low + (steps // 2) * _SECOND
        if offset_at(middle, zone) == offset:
            low = middle
        else:
            high = middle
        steps = -((low - high) // _SECOND)
    return low + _SECOND
