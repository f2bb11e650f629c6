"""Describe one REST route: all that is said of it, for serving it and for its documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from pydantic import BaseModel

from scheduler.auth.scopes import Scope
from scheduler.http.actions import Action
from scheduler.http.examples import EXAMPLES
from scheduler.http.rest.paths import encoded

HAVE_BODY = ("POST", "PUT", "PATCH")
IDS = {"task_id": EXAMPLES["get"]["task_id"], "run_id": EXAMPLES["output"]["run_id"]}
"""The ids that examples are shown with where none is known."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path below /api, the function that answers, and the action whose rules are those of the route.

    `answers` are the models of what is answered, by status;
    None is an answer without a body, a text the type of one that is no JSON. `given` are fields that
    the route itself sets, `hidden` ones of the action that it does not take; with `only` it takes no others.
    """

    method: str
    path: str
    function: Callable[..., Any]
    action: Action
    summary: str
    tag: str
    answers: Mapping[int, type[BaseModel] | str | None]
    errors: tuple[int, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    only: tuple[str, ...] = ()
    notes: str = ""

    @property
    def endpoint(self) -> str:
        """What the route is called: in Flask, in SCOPES, and as the operation's id."""
        return str(self.function.__name__)

    @property
    def scope(self) -> Scope:
        """What whoever asks must have: the same as for the action."""
        return self.action.scope

    @property
    def has_body(self) -> bool:
        """Whether fields come in a body; else they come in the query."""
        return self.method in HAVE_BODY

    @property
    def may_lack_body(self) -> bool:
        """Whether no field has to be sent."""
        return self.method == "POST" and bool(self.ids or self.tag == "scheduler")

    @property
    def ids(self) -> list[str]:
        """The names of the ids in the path."""
        return [part[1:-1] for part in self.path.split("/") if part.startswith("{")]

    def example(self, request: Mapping[str, Any] | None = None, collection: str = "tasks") -> dict[str, Any]:
        """Return a request of the route's action as a whole REST request: method, path and body."""
        fields = dict(request or {})
        plain = {name: value for name, value in EXAMPLES[self.action.name].items() if name != "action"}
        if fields.pop("action", None) != self.action.name:
            fields = plain
        elif self.only and not set(self.only) & set(fields):
            fields = plain | fields
        ids = {name: fields.pop(name, None) or IDS[name] for name in self.ids}
        fields = {name: value for name, value in fields.items() if name not in {*self.given, *self.hidden}}
        path = f"/api{self.path}".replace("/api/tasks", f"/api/{collection}")
        for name, text in ids.items():
            path = path.replace("{" + name + "}", encoded(str(text)))
        shown: dict[str, Any] = {"method": self.method, "path": path}
        if self.has_body:
            return shown if self.may_lack_body and not fields else shown | {"body": fields}
        query = urlencode({name: _as_query(value) for name, value in fields.items()})
        return shown | {"path": f"{path}?{query}" if query else path}


def _as_query(value: Any) -> str:
    if isinstance(value, list | dict):
        return orjson.dumps(value).decode()
    return str(value).lower() if isinstance(value, bool) else str(value)
