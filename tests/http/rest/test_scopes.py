"""Who may ask what: each route needs the scope of its action, and keys belong to their callers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from scheduler.auth.scopes import Scope, read_scopes
from scheduler.http.rest.routes import ROUTES
from tests.http.conftest import COMMAND
from tests.http.rest.conftest import Rest


def token(rest: Rest, name: str, scope: str) -> dict[str, str]:
    shown, _ = rest.api.scheduler.tokens.add(name, read_scopes([scope]), None)
    return {"Authorization": f"Bearer {shown}"}


@pytest.mark.parametrize("granted", list(Scope))
def test_each_route_asks_for_the_scope_of_its_action(make_rest: Callable[..., Rest], granted: Scope) -> None:
    rest = make_rest()
    shown = token(rest, "ci", granted.value)
    for route in ROUTES:
        path = f"/api{route.path}".replace("{task_id}", "none").replace("{run_id}", "none")
        response = rest(route.method, path, {} if route.has_body else None, **shown)
        if route.scope in granted.implied:
            assert response.status_code in (200, 400, 404), (route.endpoint, response.text)
        else:
            assert (response.status_code, response.json["code"]) == (403, "forbidden"), route.endpoint
            assert response.json["missing_scope"] == route.scope
    assert rest("GET", "/api/tasks").status_code == 401
    assert rest("GET", "/docs", **shown).status_code == rest("GET", "/openapi.json", **shown).status_code == 200


def test_the_key_of_one_caller_is_not_that_of_another(make_rest: Callable[..., Rest]) -> None:
    rest = make_rest()
    ann, bob = token(rest, "ann", "write"), token(rest, "bob", "write")
    first = rest("POST", "/api/tasks", COMMAND, Idempotency_Key="k", **ann)
    second = rest("POST", "/api/tasks", {**COMMAND, "command": "echo"}, Idempotency_Key="k", **bob)
    assert first.status_code == second.status_code == 201
    assert rest("POST", "/api/tasks", COMMAND, Idempotency_Key="k", **ann).json["id"] == first.json["id"]
    assert second.json["created_by"] == "bob"


def test_override_is_taken_wherever_a_task_is_changed(rest: Rest) -> None:
    rest.create()
    for method, path, body in (
        ("PUT", "", {**COMMAND, "override": True}),
        ("PATCH", "", {"command": "echo", "override": True}),
        ("PUT", "/schedule", {"interval": "daily at 02:00", "override": True}),
        ("POST", "/pause", {"override": True}),
        ("POST", "/resume", {"override": True}),
        ("DELETE", "?override=true", None),
    ):
        assert rest(method, f"/api/tasks/nightly{path}", body).status_code < 300, (method, path)
