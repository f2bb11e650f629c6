"""Hold one REST call: what was sent, who answers, and how what is wrong with it is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Request

from scheduler.errors import InvalidRequest, Problem, unknown_field
from scheduler.http.actions import STOPPED, perform
from scheduler.http.rest.paths import encoded, raw_path
from scheduler.http.rest.route import Route
from scheduler.models import job_fields
from scheduler.task_scheduler import TaskScheduler

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `ids` stand in the path, `fields` came in the query or the body, nulls left out."""

    route: Route
    scheduler: TaskScheduler
    request: Request
    ids: Mapping[str, str]
    fields: Mapping[str, Any]

    @property
    def path(self) -> str:
        """The path as it was sent, without a slash at its end."""
        return raw_path(self.request.environ).rstrip("/")

    @property
    def collection(self) -> str:
        """The name that the caller uses for tasks: `tasks` or `jobs`."""
        return "jobs" if self.path.startswith("/api/jobs") else "tasks"

    def perform(self, function: Callable[[TaskScheduler, Any], T]) -> T:
        """Hand `function` what the route's action takes; raise `SchedulerError`."""
        added = {**self.ids, **self.route.given}
        self._refuse({"action", *added, *self.route.hidden}, added)
        given = {**self.fields, **added, "action": self.route.action.name}
        try:
            return perform(self.scheduler, self.route.action, given, function)
        except InvalidRequest as error:
            hidden = {"action", *added, *self.route.hidden}
            problems = [_without(problem, hidden, given) for problem in error.problems]
            raise InvalidRequest(problems, error.example) from error

    def _refuse(self, names: set[str], added: Mapping[str, Any]) -> None:
        """Refuse fields that the route does not take; one that says what the path says is no harm."""
        found = sorted(name for name in names & set(self.fields) if self.fields[name] != added.get(name))
        if found:
            model = self.route.action.model
            known = set(model.model_fields) | (set(job_fields()) if self.route.has_body else set())
            raise InvalidRequest([_refused(name, self.fields[name], self.ids, known - names) for name in found])

    def hinted(self, shown: dict[str, Any]) -> dict[str, Any]:
        """Return what is shown, with a word about a scheduler that is stopped."""
        return shown if self.scheduler.is_running() else shown | {"hint": STOPPED}

    def place_of(self, task_id: str) -> str:
        """Return the path of a task."""
        return f"/api/{self.collection}/{encoded(task_id)}"


def _refused(name: str, got: Any, ids: Mapping[str, str], known: set[str]) -> Problem:
    if name in ids:
        text = f"'{name}' stands in the path, where it is '{ids[name]}': leave it out here"
        return Problem(name, text, got, [ids[name]], ids[name])
    return unknown_field(name, known, got)


def _without(problem: Problem, hidden: set[str], given: Mapping[str, Any]) -> Problem:
    """Return a problem that does not offer what the route says by itself."""
    known = set(problem.accepted) - hidden
    if problem.code != "unknown_field" or problem.field not in given or known == set(problem.accepted):
        return problem
    if problem.suggestion in known:
        text = f"unknown field '{problem.field}'; did you mean '{problem.suggestion}'?"
        return Problem(problem.field, text, problem.got, sorted(known), problem.suggestion, "unknown_field")
    return unknown_field(problem.field, known, problem.got)
