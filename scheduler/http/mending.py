"""Find the whole request nearest to one that was refused that would be carried out now."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from pydantic import BaseModel

from scheduler.auth.scopes import Scope
from scheduler.definitions import kept_fields
from scheduler.errors import InvalidRequest, NotFound, Problem, SchedulerError, Unavailable
from scheduler.http import requests
from scheduler.http.accepted import with_accepted
from scheduler.http.action_names import WHOLE, names_task
from scheduler.http.examples import EXAMPLES, MEANING_FIELDS, mended_examples
from scheduler.http.field_names import unwrapped, with_known
from scheduler.http.reading import Definition, read
from scheduler.run import Run
from scheduler.store.jobs import JobFilter
from scheduler.store.runs import RunFilter
from scheduler.task_scheduler import TaskScheduler

_LONGEST = 20_000
"""Characters of a document that is put right and given back whole; of a longer one the problems tell enough."""
_ASKING = ("dry_run", "simulate", "validate_only", "what_if")
"""Fields by which others are asked what they would do."""
_MOST_ROUNDS = 3
"""How often what was put right is looked at again: a field by its right name may still have a wrong value."""


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

    @property
    def scope(self) -> Scope:
        """What whoever asks for it must have."""


def refusal(
    service: TaskScheduler, action: Doable, given: Mapping[str, Any], problems: Sequence[Problem]
) -> InvalidRequest:
    """Return what tells of all that is wrong with a request, and of the nearest one that would be carried out now."""
    fields, misplaced = unwrapped(action.model, given)
    told = [*misplaced, *_problems_of(service, action, fields)] if misplaced else _told(action, given, problems)
    return InvalidRequest(told, working_example(service, action, fields, told))


def nearest_request(service: TaskScheduler, action: Doable, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the whole request of an action nearest to what was sent, which need not be wrong, as `working_example`."""
    fields, misplaced = unwrapped(action.model, given)
    return working_example(service, action, fields, [*misplaced, *_problems_of(service, action, fields)])


def working_example(
    service: TaskScheduler, action: Doable, given: Mapping[str, Any], problems: Sequence[Problem]
) -> dict[str, Any]:
    """Return the whole request nearest to the one that was sent that would be carried out now.

    It changes no task but those that the request names: where it names none that exists, `list` tells which do.
    Where nobody can say what shall become of the task, `get` shows it.
    """
    only_asks = action.scope is not Scope.READ and _only_asks(action, given)
    try:
        if (action.name in WHOLE and _speaks_of_one(given)) or (only_asks and action.name != "create"):
            return _shown(service, given)
        plain = _plain_example(service, action, given)
        if action.model is requests.Import and len(str(given)) > _LONGEST:
            given = {}
        found = list(_near_requests(service, action, plain, given, problems))
        working = (request for request in found if _works(service, action, request, _try))
        readable = (request for request in found if _works(service, action, request, _read))
        if plain["action"] != action.name:
            return next(working, plain)
        chosen = next(working, None) or next(readable, plain)
        changes_nothing = set(chosen) <= {"action", "task_id"}
        if action.model is requests.Update and changes_nothing:
            return EXAMPLES["get"] | {"task_id": chosen["task_id"]}
        would = only_asks or _is_guess(action, given, problems, chosen)
        return {**chosen, "action": "validate"} if would else chosen
    except Unavailable:
        return EXAMPLES[action.name]


def _only_asks(action: Doable, given: Mapping[str, Any]) -> bool:
    """Whether a request says, in a field that its action has not, that nothing shall be done."""
    return any(given.get(name) for name in _ASKING if name not in action.model.model_fields)


def _is_guess(action: Doable, given: Mapping[str, Any], problems: Sequence[Problem], chosen: Mapping[str, Any]) -> bool:
    """Whether another task would be created than the one that was sent: by its id, its time, or what it does."""
    if action.name != "create":
        return False
    if given.get("task_id") not in (None, chosen.get("task_id")) and all(each.field != "task_id" for each in problems):
        return True
    lost = {
        problem.field.split(".")[0]
        for problem in problems
        if problem.suggestion is None and not problem.instead and problem.code != "missing_field"
    }
    invented = {name for name in chosen if name in MEANING_FIELDS and chosen[name] != given.get(name)}
    return bool(lost & invented) or any(name not in chosen for name in lost & set(MEANING_FIELDS))


def _near_requests(
    service: TaskScheduler,
    action: Doable,
    plain: Mapping[str, Any],
    given: Mapping[str, Any],
    problems: Sequence[Problem],
    rounds: int = _MOST_ROUNDS,
) -> Iterator[dict[str, Any]]:
    """Give requests put right, the nearest one first; what is still wrong with that one is put right, too."""
    found = mended_examples(plain, given, problems)
    nearest = next(found)
    yield nearest
    if rounds and (left := _problems_of(service, action, nearest)):
        yield from _near_requests(service, action, plain, nearest, left, rounds - 1)
    yield from found


def _problems_of(service: TaskScheduler, action: Doable, request: Mapping[str, Any]) -> list[Problem]:
    """Return all that is wrong with the fields of a request, as far as that can be found out now."""
    try:
        _try(service, action, request)
    except InvalidRequest as error:
        return _told(action, request, error.problems)
    except SchedulerError:
        pass
    return []


def _told(action: Doable, given: Mapping[str, Any], problems: Sequence[Problem]) -> list[Problem]:
    """Return the problems with all that is known of what would be right."""
    return with_accepted([with_known(problem, action.model, given) for problem in problems], action.model)


def _plain_example(service: TaskScheduler, action: Doable, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example of an action, with ids that exist where they must, and a new one where it must not."""
    plain = copy.deepcopy(EXAMPLES[action.name])
    if action.model is requests.Create:
        if not _works(service, action, plain, _try):
            plain["task_id"] += f"-{secrets.token_hex(2)}"
    elif action.model is requests.Import:
        [entry] = plain["tasks"]
        if _exists(service, entry["task_id"]):
            entry["task_id"] += f"-{secrets.token_hex(2)}"
    elif "task_id" in plain:
        plain = _example_with_task(service, action, given)
    elif "target" in plain:
        named = list(service.config.targets)
        # Where nothing has a name, nothing can be tried: then the way to a target is what helps.
        plain = plain | {"target": named[0]} if named else {"action": "help", "topic": action.name}
    elif "run_id" in plain:
        newest = _newest_run(service, given.get("task_id"))
        plain |= {"run_id": newest.run_id} if newest else {}
    return plain


def _example_with_task(service: TaskScheduler, action: Doable, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the example with the task that the request names. Only to read, any other will do instead."""
    plain = EXAMPLES[action.name]
    named = _named_task(service, given, ("task_id", "name"))
    if named is not None and action.model is requests.Update:
        return {"action": action.name, "task_id": named}
    found, _ = service.list_jobs(JobFilter(), 0, 1)
    if named is None and found and action.scope is not Scope.READ:
        return EXAMPLES["list"]
    return plain | ({"task_id": named or found[0].stored.task_id} if found else {})


def _named_task(service: TaskScheduler, given: Mapping[str, Any], names: Iterable[str]) -> str | None:
    return next((given[name] for name in names if _exists(service, given.get(name))), None)


def _speaks_of_one(given: Mapping[str, Any]) -> bool:
    """Whether fields beside an action for the whole scheduler may say that it was meant for less."""
    return any(names_task(name) or isinstance(value, dict | list) for name, value in given.items())


def _shown(service: TaskScheduler, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the request that shows the task that was named, or all."""
    named = _named_task(service, given, [name for name in given if names_task(name)])
    return EXAMPLES["list"] if named is None else EXAMPLES["get"] | {"task_id": named}


def _exists(service: TaskScheduler, task_id: Any) -> bool:
    if not isinstance(task_id, str):
        return False
    try:
        service.get_job(task_id)
    except NotFound:
        return False
    return True


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
