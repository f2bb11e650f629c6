"""Make options of the fields that `create` takes, so that none is missing here."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import click

from scheduler.models import Job

_SCHEMA = Job.model_json_schema()
_FIELDS = {name: spec for name, spec in _SCHEMA["properties"].items() if name != "task_id"}


class _Json(click.ParamType[Any]):
    """A JSON value; what is none is a text, which the server judges."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the value."""
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value


def field_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command an option for every field of a task."""
    for name, spec in reversed(_FIELDS.items()):
        function = _option(name, spec)(function)
    return function


def _option(name: str, spec: Mapping[str, Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    flag, text = f"--{name.replace('_', '-')}", spec.get("description", "")
    kind = _kind(spec)
    if kind == "boolean":
        return click.option(f"{flag}/--no-{flag[2:]}", name, default=None, help=text)
    if name == "env":
        return click.option(flag, name, multiple=True, metavar="NAME=VALUE", help=f"{text} Several are taken.")
    if kind == "array":
        return click.option(flag, name, multiple=True, metavar="TEXT", help=f"{text} Several are taken.")
    if kind == "object":
        return click.option(flag, name, type=_Json(), metavar="JSON", help=text)
    numbers: dict[str, Any] = {"integer": click.INT, "number": click.FLOAT}
    return click.option(flag, name, type=numbers.get(kind, click.STRING), help=text)


def _kind(spec: Mapping[str, Any]) -> str:
    """Return the JSON type of a field, its null left out; an object wherever an object is one of several."""
    if "$ref" in spec:
        return _kind(_SCHEMA["$defs"][spec["$ref"].rsplit("/", 1)[1]])
    kinds = [_kind(choice) for choice in spec.get("anyOf", [])] or [str(spec.get("type", "string"))]
    return "object" if "object" in kinds else kinds[0]


def given_fields(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a request for the options that were given."""
    fields = {name: value for name, value in options.items() if value is not None and value != ()}
    for name, value in fields.items():
        if isinstance(value, tuple):
            fields[name] = list(value)
    if "env" in fields:
        fields["env"] = dict(map(_pair, fields["env"]))
    return fields


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise click.BadParameter(f"'{text}' is no NAME=VALUE", param_hint="--env")
    return name, value
