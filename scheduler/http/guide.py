"""Make the answer of `help` from the models, the table of phrases and the codes of errors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

from pydantic import BaseModel

from scheduler.auth.scopes import Scope
from scheduler.errors import InvalidRequest, nearest, not_one_of
from scheduler.http.examples import EXAMPLES
from scheduler.phrases import forms_help

CODES = {
    "invalid_json": "400: the body is no JSON object",
    "unknown_action": "400: no action has that name",
    "missing_field": "400: a field is required and missing",
    "unknown_field": "400: no field has that name here",
    "invalid_field": "400: a field has a value that is not accepted",
    "invalid_interval": "400: the schedule was not understood",
    "path_not_allowed": "400: a path lies outside the allowed directories",
    "invalid_request": "400: several different problems, each in `problems`",
    "unauthorized": "401: the token or password is missing or wrong",
    "forbidden": "403: the caller lacks the scope that `missing_scope` names",
    "forbidden_host": "403: the Host header names a host that is not allowed",
    "forbidden_origin": "403: the Origin header names a site that is not allowed",
    "not_found": "404: no such path",
    "task_not_found": "404: no such task",
    "run_not_found": "404: no such run",
    "method_not_allowed": "405: the path takes another method",
    "task_exists": "409: a task of that id has another definition",
    "managed_by_file": "409: a file defines the task: change it there, or send `override`",
    "already_running": "409: the task has as many runs as it may",
    "idempotency_conflict": "409: the Idempotency-Key was sent before with another request",
    "precondition_failed": "412: the task is another one than If-Match or If-None-Match asks for",
    "body_too_large": "413: the body is over 1 MiB",
    "unsupported_media_type": "415: the Content-Type is not application/json, or the body is compressed",
    "range_not_satisfiable": "416: the log has no bytes there",
    "rate_limited": "429: too many requests or failed logins; see Retry-After",
    "too_many_tasks": "429: the limit of tasks is reached",
    "queue_full": "429: too many runs are waiting",
    "too_many_readers": "429: as many readers follow events or runs as may",
    "internal_error": "500: a fault of the service; `error_id` is in its log",
    "store_unavailable": "503: the store does not answer; nothing was changed",
    "shutting_down": "503: the service is being stopped",
}
_TOPICS = ("phrases", "errors")


class Explained(Protocol):
    """What is told of an action."""

    @property
    def model(self) -> type[BaseModel]:
        """What it takes."""

    @property
    def summary(self) -> str:
        """What it does."""

    @property
    def scope(self) -> Scope:
        """What whoever asks for it must have."""


def guide(actions: Mapping[str, Explained], topic: str | None, policies: Mapping[str, Any]) -> dict[str, Any]:
    """Return all there is to know, or what belongs to one topic: an action, `phrases` or `errors`.

    `policies` are the defaults that the settings give instead of the models' own.
    """
    base = {"status": "success", "message": "Send one JSON object with 'action' to POST /schedule."}
    topics = [*actions, *_TOPICS]
    if topic is None:
        return base | {
            "topics": topics,
            "actions": {name: _action(name, action, policies) for name, action in actions.items()},
            "phrases": forms_help(),
            "errors": CODES,
        }
    if topic in actions:
        return base | {"topics": topics, "actions": {topic: _action(topic, actions[topic], policies)}}
    if topic == "phrases":
        return base | {"topics": topics, "phrases": forms_help()}
    if topic == "errors":
        return base | {"topics": topics, "errors": CODES}
    raise InvalidRequest([not_one_of("topic", topic, topics, nearest(topic, topics))])


def _action(name: str, action: Explained, policies: Mapping[str, Any]) -> dict[str, Any]:
    schema = _schema(action.model)
    properties = {
        field: {**shape, "default": policies[field]} if field in policies else shape
        for field, shape in schema["properties"].items()
    }
    fields = {**schema, "properties": {**properties, "action": {"const": name}}}
    return {"summary": action.summary, "scope": action.scope, "fields": fields, "example": EXAMPLES[name]}


@cache
def _schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema of a model: making those of all actions takes a tenth of a second."""
    return model.model_json_schema()
