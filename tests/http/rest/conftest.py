"""Talk to the REST routes in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from scheduler.http.rest.openapi import build
from tests.http.conftest import COMMAND, Api, check_problems

HOST = {"Host": "localhost:10800"}
OPERATIONS = {operation["operationId"]: operation for item in build()["paths"].values() for operation in item.values()}


class Rest:
    """One application, asked by method and path; every answer is checked for what holds of all."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a request; headers are named with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {} if body is None else {"json": body}
        response = self.api.client.open(path, method=method, headers={**HOST, **given}, **sent)
        if response.status_code >= 400:
            self._check_error(response)
        self._check_described(response)
        return response

    def _check_described(self, response: TestResponse) -> None:
        """Check that the document of the routes tells of such an answer."""
        try:
            name, _ = self.api.app.url_map.bind_to_environ(response.request.environ).match()
        except HTTPException:
            return
        if name in OPERATIONS:
            assert str(response.status_code) in OPERATIONS[name]["responses"], (name, response.text)

    def _check_error(self, response: TestResponse) -> None:
        assert response.mimetype == "application/json", response.text
        body = response.json
        assert body["status"] == "error"
        assert body["code"]
        assert body["message"].strip()
        if response.status_code == 400:
            example = body["example"]
            assert set(example) <= {"method", "path", "body"}
            check_problems({**body, "example": {"action": "is none"}})

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request that must succeed, and return what its answer says."""
        response = self(method, path, body, **headers)
        assert response.status_code < 300, response.text
        return response.json if response.data else None

    def refused(self, number: int, code: str, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Send a request that must be refused so, and return the error."""
        response = self(method, path, body, **headers)
        assert (response.status_code, response.json["code"]) == (number, code), response.text
        return response.json

    def create(self, task_id: str = "nightly", **fields: Any) -> Any:
        """Create a task, an hourly `true` where nothing else is said."""
        return self.ok("POST", "/api/tasks", {**COMMAND, "task_id": task_id, **fields})

    def works(self, example: Any) -> TestResponse:
        """Send the example of an error as it stands; it must work."""
        response = self(example["method"], example["path"], example.get("body"))
        assert response.status_code < 300, (example, response.text)
        return response


@pytest.fixture
def rest(api: Api) -> Rest:
    """Return the REST routes of the one Api of a file, cleared."""
    return Rest(api)


@pytest.fixture
def fresh_rest(fresh: Api) -> Rest:
    """Return the REST routes of an Api of the test's own."""
    return Rest(fresh)


@pytest.fixture
def make_rest(make_api: Callable[..., Api]) -> Callable[..., Rest]:
    """Return a function that makes one; settings are those of the configuration."""
    return lambda **settings: Rest(make_api(**settings))


@pytest.fixture(scope="module")
def shared_rest(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return one for all tests of a file that change nothing they share."""
    api = Api(Path(tmp_path_factory.mktemp("shared")))
    yield Rest(api)
    api.close()
