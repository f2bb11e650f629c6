"""Find the whole request nearest to one that was refused that would be carried out now."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from scheduler.definitions import kept_fields
from scheduler.errors import NotFound, Problem, SchedulerError, Unavailable
from scheduler.http import requests
from scheduler.http.examples import EXAMPLES, mended_examples
from scheduler.http.reading import Definition, read
from scheduler.models import Run
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler

_LONGEST = 20_000
"""Characters of a document that is put right and given back whole; of a longer one the problems tell enough."""


class Doable(Protocol):
    """What is asked of an action."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def model(self) -> type[BaseModel]:
        """What it takes."""

    @property
    def function(self) -> Callable[[TaskScheduler, Any], object]:
        """What it does."""


def working_example(
    service: TaskScheduler, action: Doable, given: Mapping[str, Any], problems: Sequence[Problem]
) -> dict[str, Any]:
    """Return the whole request nearest to the one that was sent that would be carried out now."""
    try:
        plain = _plain_example(service, action, given)
        if action.model is requests.Import and len(str(given)) > _LONGEST:
            given = {}
        found = list(mended_examples(plain, given, problems))
        working = (request for request in found if _works(service, action, request, _try))
        readable = (request for request in found if _works(service, action, request, _read))
        return next(working, None) or next(readable, plain)
    except Unavailable:
        return EXAMPLES[action.name]


def _plain_example(service: TaskScheduler, action: Doable, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example of an action, with ids that exist where they must, and a new one where it must not."""
    plain = dict(EXAMPLES[action.name])
    if action.model is requests.Create:
        if not _works(service, action, plain, _try):
            plain["task_id"] += f"-{secrets.token_hex(2)}"
    elif "task_id" in plain:
        found, _ = service.list_jobs(JobFilter(), 0, 1)
        plain |= {"task_id": found[0].stored.task_id} if found else {}
    elif "target" in plain:
        named = list(service.config.targets)
        # Where nothing has a name, nothing can be tried: then the way to a target is what helps.
        plain = plain | {"target": named[0]} if named else {"action": "help", "topic": action.name}
    elif "run_id" in plain:
        newest = _newest_run(service, given.get("task_id"))
        plain |= {"run_id": newest.run_id} if newest else {}
    return plain


def _newest_run(service: TaskScheduler, task_id: Any) -> Run | None:
    """Return the newest run, of a task that was named where there is such a one."""
    try:
        of_task = service.list_runs(RunFilter(task_id=task_id), None, 1) if isinstance(task_id, str) else []
    except NotFound:
        of_task = []
    return next(iter(of_task or service.list_runs(RunFilter(), None, 1)), None)


def _works(
    service: TaskScheduler,
    action: Doable,
    request: Mapping[str, Any],
    attempt: Callable[[TaskScheduler, Doable, Mapping[str, Any]], object],
) -> bool:
    try:
        attempt(service, action, request)
    except Unavailable:
        raise
    except SchedulerError:
        return False
    return True


def _try(service: TaskScheduler, action: Doable, request: Mapping[str, Any]) -> None:
    """Do what can be done of a request without changing anything; raise what it would raise."""
    asked = read(service, action.model, request)
    if isinstance(asked, requests.Import):
        service.check_import(asked.tasks, asked.replace, asked.override)
    elif isinstance(asked, Definition):
        if asked.job is not None:
            service.check_job(asked.job, asked.replace, override=asked.override)
        else:
            _try_update(service, asked)
    elif request.get("run_id") is not None:
        service.get_run(str(request["run_id"]))
    elif request.get("task_id") is not None:
        service.get_job(str(request["task_id"]))
    if action.model in (requests.Preview, requests.Help):
        action.function(service, asked)


def _try_update(service: TaskScheduler, update: Definition) -> None:
    kept = kept_fields(service.get_job(update.task_id).stored, update.fields)
    service.read_definition({**kept, **update.fields})


def _read(service: TaskScheduler, action: Doable, request: Mapping[str, Any]) -> None:
    read(service, action.model, request)
