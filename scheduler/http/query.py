"""Read the query of a URL: every field once, each as the type that it has."""

from __future__ import annotations

from typing import Any

from flask import Request
from pydantic import BaseModel

from scheduler.errors import InvalidRequest, Problem
from scheduler.http.accepted import read_text
from scheduler.http.examples import EXAMPLES


def read_query(model: type[BaseModel], asked: Request) -> dict[str, Any]:
    """Return the fields of the query, each as the type that its field in `model` has where it reads as one."""
    if not asked.query_string:
        return {}
    fields: dict[str, Any] = {}
    problems = []
    for name, values in asked.args.lists():
        if len(values) > 1:
            problems.append(Problem(name, f"'{name}' stands in the query {len(values)} times: send it once", values))
        fields[name] = read_text(model, name, values[0])
    if problems:
        raise InvalidRequest(problems, EXAMPLES["status"])
    return fields


def check_no_query(asked: Request, fields: dict[str, Any]) -> None:
    """Refuse the fields of a query where they belong into the body."""
    if fields:
        text = f"a {asked.method} takes its fields in the body, as JSON, not in the query"
        problems = [Problem(name, text, value, code="unknown_field") for name, value in fields.items()]
        raise InvalidRequest(problems, EXAMPLES["status"])
