"""Show a scheduler's jobs as a mapping from id to Job, and keep the very objects that a program put in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any

from scheduler.errors import InvalidRequest, NotFound, Problem, shorten
from scheduler.models import Job
from scheduler.stored_job import StoredJob


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
        self._own: dict[str, tuple[Job, Mapping[str, Any]]] = {}

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

    def keep(self, job: Job, definition: Mapping[str, Any]) -> None:
        """Remember the object that a definition came from."""
        self._own[job.task_id] = job, definition

    def forget(self, task_id: str) -> None:
        """Remember the object of a job no more."""
        self._own.pop(task_id, None)

    def own(self, job: Job) -> Job:
        """Return the object that was put in with the definition of `job`, else `job`."""
        kept, definition = self._own.get(job.task_id, (job, None))
        return kept if definition == job.definition() else job


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
