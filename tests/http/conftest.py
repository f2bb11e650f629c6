"""Talk to the application in this process: real store, real runs, no sockets."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from scheduler.auth.attempts import Attempts
from scheduler.config import SchedulerConfig
from scheduler.http.app import EXTENSION, Service, create_app
from scheduler.task_scheduler import TaskScheduler

PROBLEM_KEYS = {"field", "message", "got", "accepted", "suggestion"}
JSON_TYPE = {"Content-Type": "application/json"}
COMMAND = {"type": "command", "interval": "every 1 hour", "command": "true"}
"""What `create` needs beside a task_id."""


class Api:
    """One application with a data directory and an allowed directory of its own."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.workspace, self.data = folder / "workspace", folder / "data"
        self.workspace.mkdir(parents=True, exist_ok=True)
        self.settings = {
            "allowed_dirs": (self.workspace,),
            "data_dir": self.data,
            "timezone": "Europe/Berlin",
            "rate_limit": "off",
            "stop_grace_seconds": 0,
            **settings,
        }
        self.app = create_app(lambda: SchedulerConfig(**self.settings))
        self.service: Service = self.app.extensions[EXTENSION]
        self.client: FlaskClient = self.app.test_client()

    @property
    def scheduler(self) -> TaskScheduler:
        """What is behind the HTTP."""
        return self.service.open()

    def raw(self, body: bytes | str, path: str = "/schedule", **headers: str | None) -> TestResponse:
        """Post any bytes; a header of None is left out."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Host": "localhost:10800", **JSON_TYPE, **given}
        return self.client.post(path, data=body, headers={name: value for name, value in sent.items() if value})

    def post(self, action: Any = None, **fields: Any) -> TestResponse:
        """Send one action and check what holds of every answer."""
        sent = fields if action is None else {"action": action, **fields}
        response = self.raw(json.dumps(sent))
        check_answer(response)
        return response

    def ok(self, action: str, **fields: Any) -> dict[str, Any]:
        """Send one action that must not fail."""
        response = self.post(action, **fields)
        assert response.status_code == 200, response.text
        return dict(response.json)

    def create(self, task_id: str = "backup_task", **fields: Any) -> dict[str, Any]:
        """Create a task, an hourly `true` where nothing else is said."""
        kind = {} if "type" in fields else COMMAND
        when = {} if {"schedule", "trigger", "schedule_type"} & set(fields) else {"interval": "every 1 hour"}
        given = {**{name: value for name, value in kind.items() if name != "interval"}, **when, **fields}
        return self.ok("create", task_id=task_id, **given)

    def details(self, task_id: str) -> dict[str, Any]:
        """Return what is told about a task."""
        return dict(self.ok("get", task_id=task_id)["task"]["details"])

    def run(self, task_id: str, **fields: Any) -> dict[str, Any]:
        """Run a task to its end and return the run."""
        return dict(self.ok("run_now", task_id=task_id, wait=True, **fields)["run"])

    def running(self, task_id: str = "long", **fields: Any) -> str:
        """Return the id of a run that is under way and stays so; its command has begun."""
        begun = self.workspace / f"{task_id}.begun"
        self.create(task_id, command=f"touch {begun.name}; exec sleep 600", **fields)
        run_id = str(self.ok("run_now", task_id=task_id)["run_id"])
        self.scheduler.watch.wait([run_id], 0.001)
        watch_for(begun.exists)
        return run_id

    def refused(self, number: int, code: str, action: Any = None, **fields: Any) -> dict[str, Any]:
        """Send one action that must be refused so."""
        response = self.post(action, **fields)
        assert (response.status_code, response.json["code"]) == (number, code), response.text
        return dict(response.json)

    def problem(self, code: str, action: Any = None, **fields: Any) -> dict[str, Any]:
        """Send one action that has exactly one fault, and return that."""
        body = self.refused(400, code, action, **fields)
        assert len(body["problems"]) == 1, body
        return dict(body["problems"][0])

    def clear(self) -> None:
        """Stop it, remove all tasks, and empty the workspace."""
        self.ok("stop")
        for task in self.ok("list", limit=10_000)["tasks"]:
            self.ok("remove", task_id=task["id"])
        # The folder itself stays: the sandbox may be tried in it at this moment.
        for path in self.workspace.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()

    def close(self) -> None:
        """End it, and the runs under way."""
        self.service.close()


def check_answer(response: TestResponse) -> None:
    """Check what holds of every answer that there is."""
    assert response.mimetype == "application/json", response.text
    body = response.json
    assert body["status"] in ("success", "info", "error")
    assert (body["status"] == "error") == (response.status_code != 200)
    if "tasks" not in body:
        assert isinstance(body["message"], str)
        assert body["message"].strip()
    if body["status"] == "error":
        assert body["code"]
        assert "Traceback" not in response.text
        assert 'File "' not in response.text
        if response.status_code == 400:
            check_problems(body)


def check_problems(body: dict[str, Any]) -> None:
    """Check what holds of every 400."""
    assert body["problems"]
    for problem in body["problems"]:
        assert set(problem) == PROBLEM_KEYS
        assert isinstance(problem["field"], str)
        assert problem["message"].rstrip(".") in body["message"]
        assert isinstance(problem["accepted"], list)
    assert isinstance(body["example"], dict)
    assert isinstance(body["example"]["action"], str)


def watch_for(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """Look until a condition that nothing announces comes true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)
    return found


@pytest.fixture
def make_api(tmp_path: Path) -> Iterator[Callable[..., Api]]:
    """Return a function that makes an Api; settings are those of the configuration."""
    made: list[Api] = []

    def make(**settings: Any) -> Api:
        made.append(Api(tmp_path / f"api{len(made)}", **settings))
        return made[-1]

    yield make
    for api in made:
        api.close()


@pytest.fixture
def fresh(make_api: Callable[..., Api]) -> Api:
    """Return an Api of the test's own."""
    return make_api()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """Return one Api for all tests of a file that change nothing."""
    api = Api(tmp_path_factory.mktemp("shared"))
    yield api
    api.close()


@pytest.fixture(scope="module")
def _standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Api]]:
    made: dict[str, Api] = {}
    yield made
    for api in made.values():
        api.close()


@pytest.fixture
def standing(_standing: dict[str, Api], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Api]:
    """Return a function like that of `make_api` that makes one Api of the same settings for all tests of a file.

    For tests that change nothing but what they undo. Failed attempts to log in are forgotten.
    """

    def stand(**settings: Any) -> Api:
        key = repr(sorted(settings.items()))
        if key not in _standing:
            _standing[key] = Api(tmp_path_factory.mktemp("standing"), **settings)
        _standing[key].service.guard.access._attempts = Attempts()
        return _standing[key]

    return stand


@pytest.fixture(scope="module")
def _lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api(tmp_path_factory.mktemp("lasting"))
    yield api
    api.close()


@pytest.fixture
def api(_lasting: Api) -> Api:
    """Return the one Api of a file, stopped, without tasks, and with an empty workspace; rows of the ledger stay.

    To make one costs a fifth of a second; `fresh` is for tests that it would show in.
    """
    _lasting.clear()
    return _lasting
