"""Show a scheduler's jobs as a mapping from id to Job, and keep the very objects that a program put in."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from scheduler.errors import InvalidRequest, NotFound, Problem, shorten
from scheduler.models import Job
from scheduler.stored_job import StoredJob


@dataclass(slots=True)
class Offer:
    """An object that a program puts in, and what the store makes of it: its definition, and in the end its revision."""

    job: Job
    definition: Mapping[str, Any] | None = None
    revision: int | None = None

    def expect(self, kept: Job) -> None:
        """Note how it is about to be kept: it may fire before the write is known to have succeeded."""
        self.definition = kept.definition()

    def accept(self, stored: StoredJob) -> None:
        """Note how it is kept."""
        self.definition, self.revision = stored.job.definition(), stored.revision

    def is_before(self, other: Offer) -> bool:
        """Whether it was kept before another one, whichever of the two was known to be first."""
        return self.revision is not None and other.revision is not None and self.revision <= other.revision


class JobMapping(MutableMapping[str, Job]):
    """The jobs by their ids. To set one adds or replaces it, to delete one removes it; each is on disk at once.

    What is got is the object that was put in while its definition is the present one, else a Job that was read.
    An object that is changed after it was put in must be put in again.
    """

    def __init__(
        self,
        put: Callable[[Job], object],
        remove: Callable[[str], object],
        find: Callable[[str], StoredJob],
        names: Callable[[], list[str]],
    ) -> None:
        self._put, self._remove, self._find, self._names = put, remove, find, names
        self._offers: dict[str, tuple[Offer, ...]] = {}
        self._changing = threading.Lock()

    def __setitem__(self, task_id: str, job: Job) -> None:
        if task_id != _job_of(job).task_id:
            text = f"the job's id is '{job.task_id}': write jobs[job.id] = job"
            raise InvalidRequest([Problem("task_id", text, task_id, [job.task_id], job.task_id)])
        self._put(job)

    def __delitem__(self, key: object) -> None:
        try:
            self._remove(_id_of(key))
        except NotFound as error:
            raise KeyError(key) from error

    def __getitem__(self, key: object) -> Job:
        try:
            return self.own(self._find(_id_of(key)).job)
        except NotFound as error:
            raise KeyError(key) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    @contextmanager
    def offered(self, job: Job) -> Iterator[Offer]:
        """Let an object be its job's from the moment that the store has it, unless an error comes out of the block.

        Meanwhile the one before stays, for as long as the store has that.
        """
        offer = Offer(job)
        with self._changing:
            self._offers[job.task_id] = (*self._offers.get(job.task_id, ()), offer)
        try:
            yield offer
        except BaseException:
            with self._changing:
                self._drop(job.task_id, lambda other: other is offer)
            raise
        with self._changing:
            self._drop(job.task_id, lambda other: other is offer or other.is_before(offer))
            self._offers[job.task_id] = (*self._offers.get(job.task_id, ()), offer)

    def forget(self, task_id: str) -> None:
        """Remember the objects of a job no more."""
        with self._changing:
            self._offers.pop(task_id, None)

    def own(self, job: Job) -> Job:
        """Return the object that was put in with the definition of `job`, else `job`."""
        definition = job.definition()
        offers = reversed(self._offers.get(job.task_id, ()))
        return next((offer.job for offer in offers if offer.definition == definition), job)

    def _drop(self, task_id: str, which: Callable[[Offer], bool]) -> None:
        left = tuple(offer for offer in self._offers.get(task_id, ()) if not which(offer))
        if left:
            self._offers[task_id] = left
        else:
            self._offers.pop(task_id, None)


def _job_of(value: object) -> Job:
    """Return a value that is a Job; raise `InvalidRequest` where it is none."""
    if not isinstance(value, Job):
        text = f"what is set is a Job, not {shorten(repr(value), 60)}: write jobs[job.id] = job"
        raise InvalidRequest([Problem("job", text, shorten(repr(value)))])
    return value


def _id_of(key: object) -> str:
    """Return a key that may be an id; raise KeyError where it can be none."""
    if not isinstance(key, str):
        raise KeyError(key)
    return key
