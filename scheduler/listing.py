"""List jobs as texts, and keep each text for as long as it is what the job would be shown as."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from scheduler.phrases import zones_read
from scheduler.standing import JobInfo, described
from scheduler.store import Connection, glances, jobs, runs
from scheduler.store.glances import Glance
from scheduler.store.jobs import JobFilter

MOST_BYTES = 32 * 1024 * 1024
"""What is kept at most: the texts of some 20,000 jobs."""
_OF_AN_ENTRY = 500
"""What keeping one costs beside its texts."""

Texts = tuple[bytes, bytes]
"""A job's id and its details, as they are sent."""
Show = Callable[[JobInfo], Texts]


class Page(NamedTuple):
    """Some jobs as they are shown, in the order they were made; `last` is the key of the last one.

    `total` is how many match in all.
    """

    texts: list[Texts]
    last: int
    more: bool
    total: int


class _Terms(NamedTuple):
    """What the texts of all jobs depend on: how they are made, by which zones, and which jobs are `going`."""

    show: Show
    zones: object
    going: Set[int]
    failed: Set[int]
    now: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    """The texts of a job, with all that they were made of; they hold from `since` on, and before `until`."""

    glance: Glance
    terms: tuple[Show, object, bool, bool]
    since: datetime | None
    until: datetime | None
    texts: Texts

    @property
    def size(self) -> int:
        return sum(map(len, self.texts)) + _OF_AN_ENTRY

    def holds(self, glance: Glance, terms: _Terms) -> bool:
        key, now = glance[0], terms.now
        return (
            self.glance == glance
            and self.terms == (terms.show, terms.zones, key in terms.going, key in terms.failed)
            and (self.until is None or now < self.until)
            and (self.since is None or self.since <= now)
        )


class Listing:
    """The texts of one scheduler's jobs. Thread-safe.

    Nothing here is ever told that a job has changed: each page asks the store what the texts depend on,
    and those that depend on something else by now are made anew.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: dict[int, _Kept] = {}
        self._bytes = 0

    def page(
        self, connection: Connection, which: JobFilter, after_key: int, limit: int, now: datetime, show: Show
    ) -> Page:
        """Return up to `limit` matching jobs made after the one with `after_key`, as `show` shows them."""
        zones = zones_read()  # before any zone is: a text made while they change is made anew
        found = glances.glance(connection, which, after_key, limit + 1)
        looked, more = found[:limit], len(found) > limit
        failed = runs.failed_last(connection, [key for key, ended, *_ in looked if ended])
        terms = _Terms(show, zones, runs.running_jobs(connection), failed, now)
        total = jobs.count_jobs(connection, which) if more or after_key else len(looked)
        return Page(self._texts(connection, looked, terms), looked[-1][0] if looked else after_key, more, total)

    def _texts(self, connection: Connection, looked: Sequence[Glance], terms: _Terms) -> list[Texts]:
        kept, found, missing = self._kept, {}, {}
        for glance in looked:
            known = kept.get(glance[0])
            if known is not None and known.holds(glance, terms):
                found[glance[0]] = known.texts
            else:
                missing[glance[0]] = glance
        for stored in glances.whole(connection, list(missing)):
            going, failed = stored.key in terms.going, stored.key in terms.failed
            info = described(stored, going, failed, terms.now)
            found[stored.key] = texts = terms.show(info)
            made_by = (terms.show, terms.zones, going, failed)
            self._keep(_Kept(missing[stored.key], made_by, *_holds_between(info, terms.now), texts))
        return [found[glance[0]] for glance in looked]

    def _keep(self, new: _Kept) -> None:
        """Keep the texts of a job; the ones that were made first make room for it."""
        with self._lock:
            self._forget(new.glance[0])
            self._kept[new.glance[0]] = new
            self._bytes += new.size
            while self._bytes > self._most_bytes:
                self._forget(next(iter(self._kept)))

    def _forget(self, key: int) -> None:
        if (old := self._kept.pop(key, None)) is not None:
            self._bytes -= old.size


def _holds_between(info: JobInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return since and until when a job is shown so, if nobody changes it and it does not run.

    The time that is shown is ahead. Where it is another one than the stored, that has passed, as it does while the
    scheduler is stopped: what is shown then would not have been right before.
    """
    following = info.next_fire_time
    return None if following == info.stored.next_fire_time else now, following
