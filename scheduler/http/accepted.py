"""Say what a field accepts, and which accepted value is nearest to what came, from the schema of the request."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel

from scheduler.errors import Problem
from scheduler.http import requests
from scheduler.http.field_names import ENTRY
from scheduler.moments import iso, moment_of_epoch

Schema = Mapping[str, Any]
_WORDS = ("interval", "schedule", "schedule_type", "timezone", "command", "file_path", "custom_script", "func")
"""Fields of text for which a number that came is no hint at what was meant."""
_MOMENTS = ("start_at", "until", "since", "after", "at")
"""Fields of text for which a number that came may be a moment."""
_YES = ("true", "yes", "on", "1", "y")
_NO = ("false", "no", "off", "0", "n")


def with_accepted(problems: Sequence[Problem], model: type[BaseModel]) -> list[Problem]:
    """Return the problems, each with what is accepted and what is near wherever it did not say so itself."""
    return [_complete_within(problem, model) for problem in problems]


def _complete_within(problem: Problem, model: type[BaseModel]) -> Problem:
    """Complete a problem; one of an entry of a document is one of what `create` takes."""
    entry = ENTRY.match(problem.field) if model is requests.Import else None
    if entry is None:
        return _complete(problem, _schema_of(model), model not in (requests.Create, requests.Update))
    inner = _complete(problem.at(problem.field[entry.end() :]), _schema_of(requests.Create))
    return inner.at(problem.field)


def read_text(model: type[BaseModel], name: str, text: str) -> Any:
    """Return what a text that stands for a field means: a value of the field's type, or the text where it is none."""
    spec = _field(_schema_of(model), name)
    try:
        match spec and spec.get("type"):
            case "boolean":
                return {"true": True, "1": True, "false": False, "0": False}.get(text, text)
            case "integer" if re.fullmatch("-?[0-9]{1,18}", text):
                return int(text)
            case "number":
                return float(text)
            case "object" | "array":
                return orjson.loads(text)
    except ValueError:
        pass
    return text


@lru_cache(maxsize=64)
def _schema_of(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def _complete(problem: Problem, schema: Schema, by_default: bool = False) -> Problem:
    """Complete a problem; `by_default`: the default will do where nothing is near, as no task is defined with it."""
    spec = _field(schema, problem.field)
    if spec is None or problem.accepted or problem.code not in ("missing_field", "invalid_field"):
        return problem
    if problem.got is not None and fits(spec, problem.got):
        return problem  # what is wrong is something that the schema does not tell
    accepted = _accepted(spec)
    message = problem.message
    if problem.code == "missing_field" and "enum" in spec:
        message += ": one of " + ", ".join(f"'{word}'" for word in accepted)
    near = problem.suggestion
    if near is None and problem.field == "command" and isinstance(problem.got, list):
        near = shlex.join(map(str, problem.got))
    elif near is None and problem.field in _MOMENTS and (moment := moment_of_epoch(problem.got)) is not None:
        near = iso(moment, UTC)
    elif near is None and not (spec.get("type") == "string" and problem.field in _WORDS):
        near = _near(spec, problem.got)
        near = spec.get("default") if near is None and by_default and problem.got is not None else near
    return replace(problem, message=message, accepted=accepted, suggestion=near)


def _field(schema: Schema, path: str) -> Schema | None:
    """Return the schema of the field at `path`, without its null; None where nothing is said of it."""
    spec: Schema | None = schema
    for name in path.split("."):
        if spec is None:
            return None
        inner = spec.get("properties", {}).get(name) or spec.get("items") or spec.get("additionalProperties")
        spec = _plain(inner, schema) if isinstance(inner, Mapping) else None
    return spec


def _plain(spec: Schema, schema: Schema) -> Schema | None:
    choices = [choice for choice in spec.get("anyOf", [spec]) if choice.get("type") != "null"]
    if len(choices) != 1:
        return None
    reference = choices[0].get("$ref")
    found: Schema = schema["$defs"][reference.rsplit("/", 1)[1]] if reference else choices[0]
    return {**found, "default": spec["default"]} if spec.get("default") is not None else found


def fits(spec: Schema, value: object) -> bool:
    """Whether a value is what the schema of a field asks for, as far as the schema goes."""
    if "enum" in spec:
        return value in spec["enum"]
    match spec.get("type"):
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return isinstance(value, int) and not isinstance(value, bool) and _in_range(spec, value)
        case "number":
            return isinstance(value, int | float) and not isinstance(value, bool) and _in_range(spec, value)
        case "string":
            return isinstance(value, str) and spec.get("minLength", 0) <= len(value) <= spec.get("maxLength", 1 << 30)
        case "array":
            if not isinstance(value, list) or len(value) > spec.get("maxItems", len(value)):
                return False
            return all(fits(spec.get("items", {}), item) for item in value)
        case "object":
            return isinstance(value, dict)
    return True


def _in_range(spec: Schema, value: float) -> bool:
    low, high = spec.get("minimum", -float("inf")), spec.get("maximum", float("inf"))
    return bool(low <= value <= high) and value > spec.get("exclusiveMinimum", -float("inf"))


def _accepted(spec: Schema) -> list[Any]:
    if "enum" in spec:
        return list(spec["enum"])
    if "anyOf" in spec:
        return [part for choice in spec["anyOf"] for part in _accepted(choice)]
    match spec.get("type"):
        case "boolean":
            return [True, False]
        case "integer" | "number":
            what = "a whole number" if spec["type"] == "integer" else "a number"
            low = f" over {spec['exclusiveMinimum']}" if "exclusiveMinimum" in spec else ""
            low = f" from {spec['minimum']}" if "minimum" in spec else low
            return [what + low + (f" up to {spec['maximum']}" if "maximum" in spec else "")]
        case "string":
            return ["a string" + (f" of at most {spec['maxLength']} characters" if "maxLength" in spec else "")]
        case "array":
            most = f" of at most {spec['maxItems']} items" if "maxItems" in spec else ""
            items = " or ".join(str(part) for part in _accepted(spec.get("items", {})))
            return ["a list" + most + (f", each item {items}" if items else "")]
        case "object":
            return ["an object"]
    return []


def _near(spec: Schema, got: object) -> Any:
    """Return the accepted value that was most likely meant, or None."""
    if got is None:
        return None
    guess = _converted(spec.get("type"), got)
    if isinstance(got, list) and len(got) == 1 and fits(spec, got[0]):
        guess = got[0]
    if got is False and spec.get("type") == "array":
        guess = []
    elif guess is None and spec.get("type") == "array":
        guess = (
            [got if isinstance(got, str) else str(got)]
            if isinstance(got, str | int | float) and not isinstance(got, bool)
            else None
        )
    if isinstance(guess, int | float) and not isinstance(guess, bool) and not _in_range(spec, guess):
        low, high = spec.get("minimum"), spec.get("maximum")
        guess = high if high is not None and guess > high else low
    return guess if guess is not None and fits(spec, guess) else None


def _converted(kind: str | None, got: object) -> Any:
    word = str(got).strip().lower()
    try:
        match kind:
            case "boolean":
                return True if word in _YES else False if word in _NO else None
            case "integer" if not isinstance(got, bool):
                return int(got) if isinstance(got, float) and got == int(got) else int(word[:18])
            case "number" if not isinstance(got, bool):
                return got if isinstance(got, int | float) else float(word) if "." in word else int(word[:18])
            case "string" if isinstance(got, int | float) and not isinstance(got, bool):
                return str(got)
    except (ValueError, OverflowError):
        pass
    return None
