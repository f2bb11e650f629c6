"""Look at many jobs cheaply: a few bare numbers of each say whether it is still as it was when it was last read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, select

from scheduler.store.jobs import ALL_COLUMNS, IDS_A_QUERY, IS_PRESENT, JobFilter, made_after, stored_job
from scheduler.store.prepared import Prepared
from scheduler.store.tables import bare, jobs
from scheduler.stored_job import StoredJob

Glance = tuple[int, bool, int, int, int | None]
"""A job's key, whether its rule has ended, its revision, when it was changed, and its next fire time in microseconds.

Every change that somebody makes gives another revision, and a run that is planned moves the next fire time. The moment
of the change stands beside the revision for a store that lost its newest changes and counts on from older ones.
"""

_GLANCE = (
    jobs.c.key,
    jobs.c.ended,
    jobs.c.revision,
    bare(jobs.c.updated_at),
    bare(jobs.c.next_fire_time),
)
_GLANCE_AT_ALL = Prepared(
    select(*_GLANCE)
    .where(IS_PRESENT, jobs.c.key > bindparam("after", type_=BigInteger))
    .order_by(jobs.c.key)
    .limit(bindparam("most", type_=BigInteger))
)
_WHOLE = select(*ALL_COLUMNS).where(jobs.c.key.in_(bindparam("keys", expanding=True)))
_WHOLE_BETWEEN = Prepared(select(*ALL_COLUMNS).where(jobs.c.key.between(bindparam("first"), bindparam("last"))))


def glance(connection: Connection, which: JobFilter, after_key: int, limit: int) -> Sequence[Glance]:
    """Look at up to `limit` matching jobs with a key above `after_key`, in the order they were made."""
    if which == JobFilter():
        return _GLANCE_AT_ALL.rows(connection, {"after": after_key, "most": limit})
    query = select(*_GLANCE).where(which.clause(), made_after(after_key)).order_by(jobs.c.key).limit(limit)
    # As plain tuples: comparing rows takes long.
    return [(key, ended, number, changed, due) for key, ended, number, changed, due in connection.execute(query)]


def whole(connection: Connection, keys: Sequence[int]) -> Iterator[StoredJob]:
    """Yield the jobs with these keys, in any order."""
    for start in range(0, len(keys), IDS_A_QUERY):
        some = keys[start : start + IDS_A_QUERY]
        first, last = min(some), max(some)
        if last - first < 2 * len(some):  # few others lie between them
            rows, wanted = _WHOLE_BETWEEN.rows(connection, {"first": first, "last": last}), frozenset(some)
            yield from [stored_job(row) for row in rows if row[0] in wanted]
        else:
            yield from map(stored_job, connection.execute(_WHOLE, {"keys": some}).all())
