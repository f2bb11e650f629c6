"""List jobs as texts, and keep each text for as long as it is what the job would be shown as."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence, Set
from datetime import datetime
from typing import NamedTuple

from scheduler.errors import Unavailable
from scheduler.phrases import zones_read
from scheduler.standing import JobInfo, described
from scheduler.store import Connection, glances, jobs, runs, underway
from scheduler.store.glances import Glance
from scheduler.store.jobs import JobFilter
from scheduler.stored_job import StoredJob

log = logging.getLogger(__name__)

MOST_BYTES = 32 * 1024 * 1024
"""What is kept at most: the texts of some 20,000 jobs."""
AT_A_TIME = 500
"""How many jobs are looked at together where there is time."""
MOST_OF_A_PAGE = 1024 * 1024
"""What the texts of so many take, if they are no longer than most are."""
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


_MadeOf = tuple[Show, object, bool, bool]


class _Terms:
    """What the texts of all jobs depend on: how they are made, by which zones, and which jobs are `going`."""

    def __init__(self, show: Show, zones: object, going: Set[int], failed: Set[int], now: datetime) -> None:
        self.show, self.now = show, now
        self._going, self._failed = going, failed
        # One for all that are alike: it is kept with the texts of each.
        self._made_of: dict[tuple[bool, bool], _MadeOf] = {
            (is_going, has_failed): (show, zones, is_going, has_failed)
            for is_going in (False, True)
            for has_failed in (False, True)
        }

    def of(self, key: int) -> _MadeOf:
        """Return what the text of one job depends on, beside the job."""
        return self._made_of[key in self._going, key in self._failed]


class _Kept(NamedTuple):
    """The texts of a job, with all that they were made of; they hold from `since` on, and before `until`."""

    glance: Glance
    made_of: _MadeOf
    since: datetime | None
    until: datetime | None
    texts: Texts

    @property
    def size(self) -> int:
        return len(self.texts[0]) + len(self.texts[1]) + _OF_AN_ENTRY

    def holds(self, glance: Glance, terms: _Terms) -> bool:
        return (
            self.glance == glance
            and self.made_of == terms.of(glance[0])
            and (self.until is None or terms.now < self.until)
            and (self.since is None or self.since <= terms.now)
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
        terms = _Terms(show, zones, underway.running_jobs(connection), failed, now)
        total = jobs.count_jobs(connection, which) if more or after_key else len(looked)
        return Page(self._texts(connection, looked, terms), looked[-1][0] if looked else after_key, more, total)

    def prepare(self, page_after: Callable[[int, int], Page], is_over: Callable[[], bool]) -> None:
        """Ask for one page after the other, so that its texts are kept, as long as they find room.

        `page_after` is given the key of the last job and how many are wanted; `is_over` is asked before each page, and
        may take its time.
        """
        after, more = 0, True
        try:
            while more and not is_over():
                page = page_after(after, AT_A_TIME)
                has_room = self._bytes < self._most_bytes - MOST_OF_A_PAGE
                after, more = page.last, page.more and has_room
        except Unavailable as error:
            log.info("lists are not prepared: %s", error)
        except Exception:
            log.exception("lists are not prepared")

    def _texts(self, connection: Connection, looked: Sequence[Glance], terms: _Terms) -> list[Texts]:
        kept, found, missing = self._kept, {}, {}
        for glance in looked:
            known = kept.get(glance[0])
            if known is not None and known.holds(glance, terms):
                found[glance[0]] = known.texts
            else:
                missing[glance[0]] = glance
        made = [self._make(stored, missing[stored.key], terms) for stored in glances.whole(connection, list(missing))]
        self._keep(made)
        found.update((new.glance[0], new.texts) for new in made)
        return [found[glance[0]] for glance in looked]

    def _make(self, stored: StoredJob, glance: Glance, terms: _Terms) -> _Kept:
        made_of = terms.of(stored.key)
        info = described(stored, *made_of[2:], terms.now)
        return _Kept(glance, made_of, *_holds_between(info, terms.now), terms.show(info))

    def _keep(self, made: Sequence[_Kept]) -> None:
        """Keep texts of jobs; the ones that were made first make room for them."""
        with self._lock:
            for new in made:
                key = new.glance[0]
                if key in self._kept:
                    self._forget(key)
                self._kept[key] = new
                self._bytes += new.size
                while self._bytes > self._most_bytes:
                    self._forget(next(iter(self._kept)))

    def _forget(self, key: int) -> None:
        self._bytes -= self._kept.pop(key).size


def _holds_between(info: JobInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Return since and until when a job is shown so, if nobody changes it and it does not run.

    The time that is shown is ahead. Where it is another one than the stored, that has passed, as it does while the
    scheduler is stopped: what is shown then would not have been right before.
    """
    following = info.next_fire_time
    return None if following == info.stored.next_fire_time else now, following
