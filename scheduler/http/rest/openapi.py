"""Describe the whole service as an OpenAPI 3.1 document, made from the routes and the models of what they take.

An OpenAPI 3.1 schema is a JSON Schema, and pydantic writes those: it takes no further library. One for Flask would
check requests, too, before `scheduler.http.reading` could tell all that is wrong with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

import orjson
from pydantic import BaseModel

from scheduler.http.actions import ACTIONS
from scheduler.http.answers import MIMETYPE
from scheduler.http.event_query import DESCRIBED
from scheduler.http.examples import EXAMPLES
from scheduler.http.health import FORMATS
from scheduler.http.rest import models
from scheduler.http.rest.route import Route
from scheduler.http.rest.routes import ROUTES
from scheduler.version import VERSION

Object = dict[str, Any]
Model = type[BaseModel]

REFERENCE = "#/components/schemas/{model}"
ABOUT = """\
Tasks, their runs and the scheduler itself, under REST paths. They do what the actions of `POST /schedule` do, by
the same rules. `/api/jobs...` is another name of `/api/tasks...`, and a slash at the end of a path makes no difference.
Ids are percent-encoded, a slash in one as `%2F`. Large answers are compressed for callers that accept gzip.\
"""
TAGS = {
    "tasks": "What is run, and when.",
    "runs": "What became of each fire time, and of each request to run a task.",
    "scheduler": "The scheduler as a whole.",
    "actions": "One endpoint for everything, with one JSON object in and one out.",
    "notifications": "Messages that tell of runs, and a way to try their targets.",
}
MEANINGS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted: it goes on.",
    204: "Done; there is nothing to tell.",
    206: "The range that was asked for.",
    304: "It is what the caller has.",
    400: "Something is wrong with the request: `problems` tells all of it, `example` is a request that works.",
    401: "The token or password is missing or wrong.",
    403: "Host or Origin are not allowed, or the caller lacks the scope.",
    404: "No such task or run.",
    409: "It contradicts what exists.",
    412: "The task is another one than If-Match or If-None-Match asks for.",
    413: "The body is over 1 MiB.",
    415: "The Content-Type is not application/json.",
    416: "The log has no bytes there.",
    429: "Too many: see Retry-After.",
    500: "A fault of the service.",
    503: "Not now: see Retry-After.",
}
ALWAYS = (400, 401, 403, 429, 500, 503)
WITH_BODY = (413, 415)
_HEADERS_OF_ANSWERS = {
    "ETag": "For If-Match and If-None-Match.",
    "Link": "Where the first page and the next one are, by `rel`.",
    "Location": "Where it is.",
}


@cache
def document() -> bytes:
    """Return the document as JSON text."""
    return orjson.dumps(build(), option=orjson.OPT_APPEND_NEWLINE)


def build() -> Object:
    """Return the document."""
    schemas: Object = {}
    paths: dict[str, Object] = {}
    for route in ROUTES:
        paths.setdefault(f"/api{route.path}", {})[route.method.lower()] = _operation(route, schemas)
    paths["/schedule"] = {"post": _endpoint(schemas), "get": _help(schemas)}
    paths["/healthz"] = {"get": _health("healthz", "Tell whether the service is alive", models.Health, schemas)}
    paths["/readyz"] = {"get": _health("readyz", "Tell whether it can do what it is for", models.Readiness, schemas)}
    paths["/metrics"] = {"get": _metrics(schemas)}
    paths["/api/events"] = {"get": _events(schemas)}
    ways = {
        "token": {"type": "http", "scheme": "bearer", "description": "The value of SCHEDULER_TOKEN, or a named token."},
        "login": {"type": "http", "scheme": "basic", "description": "The name and password of a user."},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Task scheduler", "version": VERSION, "description": ABOUT},
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "security": [{}, {"token": []}, {"login": []}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": ways},
    }


def _operation(route: Route, schemas: Object) -> Object:
    notes = [route.notes, f"Scope: `{route.scope.value}`. Action: `{route.action.name}`."]
    errors = {*ALWAYS, *route.errors, *(WITH_BODY if route.has_body else ())}
    answers = {status: _answer(route, status, model, schemas) for status, model in route.answers.items()}
    operation = {
        "tags": [route.tag],
        "summary": route.summary,
        "description": " ".join(filter(None, notes)),
        "operationId": route.endpoint,
        "parameters": [*_ids(route), *_query(route), *_headers(route)],
        "responses": _by_status(answers, errors, schemas),
    }
    return operation | ({"requestBody": _body(route, schemas)} if route.has_body else {})


def _by_status(answers: Mapping[int, Object], errors: Iterable[int], schemas: Object) -> Object:
    """Return what may be answered, in the order of the numbers."""
    refusals = {status: _response(status, models.ErrorShown, schemas) for status in errors}
    return {str(status): response for status, response in sorted({**refusals, **answers}.items())}


# --- what is taken -----------------------------------------------------------------------------


def _taken(route: Route) -> Object:
    """Return the schema of the fields that a route takes."""
    schema = _schema_of(route.action.model)
    gone = {"action", *route.ids, *route.given, *route.hidden}
    fields = {name: spec for name, spec in schema["properties"].items() if name in (route.only or {name} - gone)}
    if route.method == "PATCH" or route.only:
        # What a change leaves out stays as it is.
        fields = {name: _without(spec, "default") for name, spec in fields.items()}
    required = [name for name in schema.get("required", []) if name in fields]
    return {**schema, "properties": fields, "required": required, "additionalProperties": False}


def _ids(route: Route) -> list[Object]:
    texts = {"task_id": "The task's id, percent-encoded.", "run_id": "The run's id."}
    schema = {"type": "string", "minLength": 1, "maxLength": 128}
    return [_parameter(name, "path", texts[name], schema, required=True) for name in route.ids]


def _query(route: Route) -> list[Object]:
    if route.has_body:
        return []
    schema = _taken(route)
    return [
        _parameter(name, "query", spec.get("description", ""), _as_text(spec), name in schema["required"])
        for name, spec in schema["properties"].items()
    ]


def _as_text(spec: Object) -> Object:
    """Return the schema of a field as it stands in a query, where there is no null; object and array are JSON text."""
    choices = [choice for choice in spec.get("anyOf", [spec]) if choice.get("type") not in ("null", "object")]
    simple = _without(choices[0] if choices else {}, "title", "description", "default")
    if simple.get("type") == "array":
        simple = {"type": "string", "contentMediaType": "application/json", "contentSchema": simple}
    default = {} if spec.get("default") is None else {"default": spec["default"]}
    return {"type": "string", **simple, **default}


def _headers(route: Route) -> list[Object]:
    """Return the headers that mean something to a route."""
    found = {}
    if route.method == "POST":
        found["Idempotency-Key"] = "Makes it happen once: for 24 hours the same key gets the same answer."
    if 412 in route.errors:
        found["If-Match"] = "The ETag of the task as you know it: 412 where it was changed since."
    if 304 in route.answers:
        found["If-None-Match"] = "An ETag that you have: 304 where nothing has changed."
    if route.given.get("replace"):
        found["If-None-Match"] = "`*`: only create, 412 where the task exists."
    if 206 in route.answers:
        found["Range"] = "`bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-COUNT`."
        found["If-Range"] = "An ETag: the range is only sent where it still is that log."
    schema = {"type": "string", "minLength": 1, "maxLength": 255}
    return [_parameter(name, "header", text, schema) for name, text in found.items()]


def _parameter(name: str, place: str, text: str, schema: Object, required: bool = False) -> Object:
    return {"name": name, "in": place, "description": text, "required": required, "schema": schema}


def _body(route: Route, schemas: Object) -> Object:
    schema = _taken(route)
    name = _title(route.endpoint)
    media = {"schema": _added(name, schema, schemas)}
    if example := route.example().get("body"):
        media["example"] = example
    return {"content": {MIMETYPE: media}, "required": not route.may_lack_body}


# --- what is answered --------------------------------------------------------------------------


def _answer(route: Route, status: int, model: Model | str | None, schemas: Object) -> Object:
    names = []
    if status == 201 or (model is models.RunShown and route.method == "POST"):
        names.append("Location")
    if model in (models.TaskShown, models.ScheduleShown) or status == 304:
        names.append("ETag")
    if model in (models.TaskPage, models.RunPage):
        names.append("Link")
    headers = {name: {"description": _HEADERS_OF_ANSWERS[name], "schema": {"type": "string"}} for name in names}
    return _response(status, model, schemas) | ({"headers": headers} if headers else {})


def _response(status: int, model: Model | str | None, schemas: Object) -> Object:
    """Return an answer: one in JSON where there is a model, text of the type that is given, or nothing."""
    described = {"description": MEANINGS[status]}
    if model is None:
        return described
    if isinstance(model, str):
        return {**described, "content": {model: {"schema": {"type": "string"}}}}
    return {**described, "content": {MIMETYPE: {"schema": _reference(model, schemas)}}}


def _reference(model: Model, schemas: Object) -> Object:
    return _added(model.__name__, _schema_of(model, "serialization"), schemas)


@cache
def _schema_of(model: Model, mode: Literal["validation", "serialization"] = "validation") -> Object:
    return model.model_json_schema(ref_template=REFERENCE, mode=mode)


def _added(name: str, schema: Object, schemas: Object) -> Object:
    """Put a schema among all others, its inner definitions beside it, and return the reference to it.

    Raises:
        ValueError: If another schema of the same name is there.
    """
    named = {**schema.get("$defs", {}), name: {**_without(schema, "$defs"), "title": name}}
    for known, described in named.items():
        if schemas.setdefault(known, described) != described:
            raise ValueError(f"Two different models are called {known}: clients would take one for the other.")
    return {"$ref": REFERENCE.format(model=name)}


def _without(spec: Object, *words: str) -> Object:
    return {word: value for word, value in spec.items() if word not in words}


def _title(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))


# --- what is no REST route ---------------------------------------------------------------------


def _endpoint(schemas: Object) -> Object:
    """Describe POST /schedule: one of the actions."""
    choices = []
    for action in ACTIONS.values():
        schema = _schema_of(action.model)
        fields = schema["properties"] | {"action": {"const": action.name, "type": "string"}}
        whole = {**schema, "properties": fields, "description": action.summary}
        choices.append(_added(f"{_title(action.name)}Action", whole, schemas))
    body = {"schema": {"oneOf": choices}, "example": EXAMPLES["create"]}
    answers = {200: _response(200, models.ActionAnswer, schemas)}
    return {
        "tags": ["actions"],
        "summary": "Carry out one action",
        "description": "Action `help` explains all of them. Scope: that of the action.",
        "operationId": "schedule",
        "requestBody": {"content": {MIMETYPE: body}, "required": True},
        "responses": _by_status(answers, {*ALWAYS, 404, 409, *WITH_BODY}, schemas),
    }


def _help(schemas: Object) -> Object:
    answers = {200: _response(200, models.ActionAnswer, schemas)}
    return {
        "tags": ["actions"],
        "summary": "Explain the actions, their fields, phrases and errors",
        "operationId": "explain",
        "responses": _by_status(answers, ALWAYS, schemas),
    }


def _health(operation_id: str, summary: str, model: Model, schemas: Object) -> Object:
    text = {"text/plain": {"schema": {"type": "string"}}}
    answers = {status: _response(status, model, schemas) for status in (200, 503)}
    for answer in answers.values():
        answer["content"] |= text
    form = {"name": "format", "in": "query", "required": False, "schema": {"type": "string", "enum": list(FORMATS)}}
    return {
        "tags": ["scheduler"],
        "summary": summary,
        "operationId": operation_id,
        "security": [],
        "parameters": [form],
        "responses": _by_status(answers, (400, 403, 500), schemas),
    }


def _metrics(schemas: Object) -> Object:
    kinds = ("text/plain", "application/openmetrics-text")
    answer = {"description": MEANINGS[200], "content": {kind: {"schema": {"type": "string"}} for kind in kinds}}
    return {
        "tags": ["scheduler"],
        "summary": "Tell Prometheus how things are",
        "description": "Scope: read, unless SCHEDULER_METRICS_PUBLIC is set.",
        "operationId": "metrics",
        "responses": _by_status({200: answer}, ALWAYS, schemas),
    }


def _events(schemas: Object) -> Object:
    answer = {"description": MEANINGS[200], "content": {"text/event-stream": {"schema": {"type": "string"}}}}
    query = [_parameter(name, "query", text, schema) for name, (text, schema) in DESCRIBED.items()]
    text, schema = DESCRIBED["last_event_id"]
    return {
        "tags": ["scheduler"],
        "summary": "Tell what happens, as it happens",
        "description": "Server-sent events, which go on until the caller leaves. Scope: read.",
        "operationId": "events",
        "parameters": [*query, _parameter("Last-Event-ID", "header", f"{text} It wins over the query.", schema)],
        "responses": _by_status({200: answer}, {*ALWAYS, 404}, schemas),
    }
