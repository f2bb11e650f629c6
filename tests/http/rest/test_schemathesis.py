"""Whatever is asked of what /openapi.json describes, the answer is one that it describes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.http.conftest import Api
from tests.http.rest.conftest import HOST, Rest
from tests.http.rest.test_openapi import OPERATIONS, SPEC

QUIET: dict[str, Any] = {
    "deadline": None,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate,),
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
PLAIN = HOST | {"Accept-Encoding": "identity"}
"""Nothing here decompresses answers; test_paging.py reads compressed ones."""


class Target:
    """An application with a task, a run and a token or none, and its description as schemathesis reads it."""

    def __init__(self, folder: Path, token: str | None) -> None:
        self.api = Api(folder, max_tasks=300, token=token)
        self.headers = PLAIN | ({"Authorization": f"Bearer {token}"} if token else {})
        self.rest = Rest(self.api)
        self.rest(
            "PUT", "/api/tasks/nightly", {"type": "command", "command": "true", "interval": "hourly"}, **self._auth
        )
        started = self.rest("POST", "/api/tasks/nightly/run", {"wait": True}, **self._auth)
        self.run_id = started.json["run_id"]
        self.schema = schemathesis.openapi.from_dict(SPEC)
        self.schema.app = self.api.app

    @property
    def _auth(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name not in HOST}

    def try_out(self, operation_id: str, number: int, authorized: bool = True, repeatable: bool = True) -> None:
        """Send so many requests of one operation, right ones and wrong ones, and check each answer."""
        method, path = OPERATIONS[operation_id]
        operation = self.schema[path][method]
        headers = self.headers if authorized else PLAIN
        takes = operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody")
        modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE) if takes else (GenerationMode.POSITIVE,)
        for mode in modes:

            @settings(max_examples=number, derandomize=repeatable, **QUIET)
            @given(case=operation.as_strategy(generation_mode=mode))
            def send(case: Any) -> None:
                if case.path_parameters and case.id[0] in "0123456789":  # often an id that exists
                    known = {"task_id": "nightly", "run_id": self.run_id}
                    case.path_parameters = {name: known[name] for name in case.path_parameters}
                if isinstance(case.body, dict) and case.body.get("wait"):
                    case.body["wait_seconds"] = 1
                case.call_and_validate(headers=headers, checks=CHECKS)

            send()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Return a target that may be filled with rubbish."""
    target = Target(tmp_path_factory.mktemp("target"), None)
    yield target
    target.api.close()


SOME = ["list_tasks", "create_task", "patch_task", "delete_task", "run_task", "list_runs", "get_run_log", "get_stats"]


@pytest.mark.parametrize("operation_id", SOME)
def test_no_answer_that_is_not_described(target: Target, operation_id: str) -> None:
    target.try_out(operation_id, 2)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Return a target that asks for a token."""
    target = Target(tmp_path_factory.mktemp("guarded"), "secret")
    yield target
    target.api.close()


@pytest.mark.parametrize("operation_id", ["list_tasks", "put_task", "healthz", "readyz", "metrics"])
def test_nor_is_there_one_without_the_token(guarded: Target, operation_id: str) -> None:
    guarded.try_out(operation_id, 1, authorized=False)


NOT_ASKED = {"events", "try_task"}
"""An answer without an end, and what would run whatever is made up."""


@pytest.mark.soak
@pytest.mark.parametrize("operation_id", sorted(set(OPERATIONS) - NOT_ASKED))
def test_many_more_with_a_token(guarded: Target, operation_id: str) -> None:
    guarded.try_out(operation_id, 12, repeatable=False)
