"""The document at /openapi.json, and the page at /docs: whole, and true of the routes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from pydantic import create_model

from scheduler.http.app import create_app
from scheduler.http.rest import openapi
from scheduler.http.rest.openapi import build
from scheduler.http.rest.routes import ROUTES, SCOPES
from tests.http.rest.conftest import Rest

SPEC = build()
OPERATIONS = {
    operation["operationId"]: (method.upper(), path)
    for path, item in SPEC["paths"].items()
    for method, operation in item.items()
}


def references(value: Any) -> Iterator[str]:
    """Yield every reference in a document."""
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_it_is_served_and_leads_somewhere(shared_rest: Rest) -> None:
    served = shared_rest.ok("GET", "/openapi.json")
    assert served == json.loads(json.dumps(SPEC))
    assert served["openapi"] == "3.1.0"
    names = {reference.removeprefix("#/components/schemas/") for reference in references(served)}
    assert names <= set(served["components"]["schemas"])


def test_every_route_of_the_application_is_in_it_and_has_a_scope() -> None:
    app = create_app()
    described = {(method, re.sub("{.*?}", "{}", path)) for method, path in OPERATIONS.values()}
    served = {
        (method, re.sub("<.*?>", "{}", rule.rule).replace("/api/jobs", "/api/tasks"))
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith("pages.")
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert served - {("GET", "/openapi.json"), ("GET", "/docs")} == described
    others = {rule.endpoint for rule in app.url_map.iter_rules()} - set(SCOPES)
    assert {name for name in others if not name.startswith("pages.")} == {
        "schedule",
        "explain",
        "healthz",
        "readyz",
        "metrics",
        "events",
    }
    assert set(SCOPES.values()) == {"read", "run", "write", "admin"}


def test_what_changes_something_needs_more_than_read() -> None:
    assert {route.endpoint for route in ROUTES if route.method != "GET" and route.scope == "read"} == set()
    # What lies in the workspace is for those who can read it by a task.
    assert {route.endpoint for route in ROUTES if route.method == "GET" and route.scope != "read"} == {"list_paths"}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.endpoint)
def test_the_fields_of_a_route_are_described(route: Any) -> None:
    operation = SPEC["paths"][f"/api{route.path}"][route.method.lower()]
    assert [each["name"] for each in operation["parameters"] if each["in"] == "path"] == route.ids
    if route.has_body:
        [media] = operation["requestBody"]["content"].values()
        schema = SPEC["components"]["schemas"][media["schema"]["$ref"].split("/")[-1]]
        assert schema["additionalProperties"] is False
        fields = set(schema["properties"])
    else:
        fields = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    assert not fields & {"action", *route.ids, *route.hidden, *route.given}


def described_defaults(value: Any) -> Iterator[Any]:
    """Yield every schema of a document that names a default."""
    if isinstance(value, dict):
        if "default" in value:
            yield value
        for inner in value.values():
            yield from described_defaults(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from described_defaults(inner)


def test_every_default_is_valid_by_its_own_schema() -> None:
    schemas = list(described_defaults(SPEC))
    assert len(schemas) > 100
    inner = {"components": SPEC["components"]}  # which references lead to
    assert [each for each in schemas if not jsonschema_rs.is_valid({**each, **inner}, each["default"])] == []


def test_the_page_tells_all_of_it_and_needs_nothing_from_elsewhere(shared_rest: Rest) -> None:
    response = shared_rest("GET", "/docs")
    assert response.status_code == 200
    page = response.text
    for name, (_, path) in OPERATIONS.items():
        assert f'id="{name}"' in page
        assert path in page
    for name in SPEC["components"]["schemas"]:
        assert f'id="schema-{name}"' in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#|/openapi\.json)', page)
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(re.findall(r'id="([^"]+)"', page))
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_two_models_of_one_name_are_refused() -> None:
    schemas: dict[str, Any] = {}
    openapi._reference(create_model("Same", when=(str, ...)), schemas)
    openapi._reference(create_model("Same", when=(str, ...)), schemas)
    with pytest.raises(ValueError, match="called Same"):
        openapi._reference(create_model("Same", day=(str, ...)), schemas)
