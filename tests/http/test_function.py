"""Functions are created, run and told like any task; what they return or raise is in the run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.http.conftest import Api

MODULE = """
def check(endpoint, times=1):
    return {"endpoint": endpoint, "times": times, "nothing": None}

def fails():
    raise LookupError("no answer")
"""
KIND = {"type": "function", "interval": "hourly"}


def test_result_and_exception_are_in_the_run(api: Api) -> None:
    (api.workspace / "monitoring.py").write_text(MODULE)
    api.create("good", **KIND, func="monitoring.check", args=["a"], kwargs={"times": 3})
    details = api.details("good")
    assert (details["func"], details["args"], details["kwargs"]) == ("monitoring.check", ["a"], {"times": 3})
    run = api.run("good")
    assert run["status"] == "completed", run
    assert run["result"] == {"endpoint": "a", "times": 3, "nothing": None}
    assert run["exception"] is None
    api.create("bad", **KIND, func="monitoring.fails")
    run = api.run("bad")
    assert (run["status"], run["reason"], run["result"]) == ("failed", "LookupError: no answer", None)
    assert run["exception"] == {"type": "LookupError", "message": "no answer"}
    assert "Traceback" in run["stderr"]
    [listed] = api.ok("runs", task_id="good")["runs"]
    assert listed["result"]["times"] == 3


def test_package_must_be_named_by_the_operator(api: Api, make_api: Any) -> None:
    problem = api.problem("path_not_allowed", "create", task_id="t", **KIND, func="math.hypot", args=[3, 4])
    assert problem["field"] == "func"
    assert str(api.workspace) in problem["message"]
    assert "SCHEDULER_FUNCTION_PACKAGES: none" in problem["message"]
    other = make_api(function_packages=("math",))
    other.create("t", **KIND, func="math.hypot", args=[3, 4])
    assert other.run("t")["result"] == 5.0


@pytest.mark.parametrize(("func", "part"), [("name", "no dotted path"), ("gone.name", "no module 'gone'")])
def test_all_that_is_wrong_is_told_at_once(shared: Api, func: str, part: str) -> None:
    body = shared.post("create", task_id="t", **KIND, func=func, enabled="yes").json
    told = {problem["field"]: problem["message"] for problem in body["problems"]}
    assert set(told) == {"func", "enabled"}
    assert part in told["func"]


@pytest.mark.parametrize(
    ("fields", "field", "part"),
    [
        ({}, "func", "'func' is required for a task of type 'function'"),
        ({"func": "name"}, "func", "write 'module.function'"),
        ({"func": "monitoring.check", "kwargs": [1]}, "kwargs", "must be an object"),
        ({"func": "monitoring.check", "file_path": "x"}, "file_path", "which takes 'func', 'args', 'kwargs'"),
        ({"type": "command", "command": "true", "kwargs": {"a": 1}}, "kwargs", "does not belong to a task of type"),
    ],
)
def test_what_is_wrong_is_told(api: Api, fields: dict[str, Any], field: str, part: str) -> None:
    (api.workspace / "monitoring.py").write_text(MODULE)
    body = api.post("create", task_id="t", **{**KIND, **fields}).json
    assert body["status"] == "error"
    [problem] = body["problems"]
    assert problem["field"] == field
    assert part in problem["message"]


@pytest.mark.parametrize("number", [2**64, 10**22 + 1, -(2**63) - 1, 10**300])
def test_integers_of_more_than_64_bits_are_refused_as_they_would_lose_digits(api: Api, number: int) -> None:
    (api.workspace / "monitoring.py").write_text(MODULE)
    for given in ({"kwargs": {"n": number}}, {"args": [{"deep": [number]}]}):
        text = json.dumps({"action": "create", **KIND, "func": "monitoring.check", **given})
        response = api.raw(text)
        assert (response.status_code, response.json["code"]) == (400, "invalid_field"), response.text
        assert "64 bits" in response.json["message"]


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 2**63])
def test_integers_of_64_bits_are_kept(api: Api, number: int) -> None:
    (api.workspace / "monitoring.py").write_text(MODULE)
    api.create("exact", **KIND, func="monitoring.check", kwargs={"endpoint": number})
    assert api.details("exact")["kwargs"] == {"endpoint": number}
