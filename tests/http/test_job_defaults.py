"""Policies that tasks have which name none: given by the settings, kept with the task, told by `help`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from scheduler.config import SchedulerConfig
from scheduler.errors import InvalidRequest
from scheduler.models import Job
from tests.http.conftest import COMMAND, Api

DEFAULTS = {"max_retries": 3, "priority": "low", "overlap": "queue"}


@pytest.fixture
def api(make_api: Callable[..., Api]) -> Api:
    """Return an Api with defaults of its own."""
    return make_api(job_defaults=DEFAULTS, default_timeout_seconds=60)


def policies(details: dict[str, Any]) -> tuple[Any, ...]:
    """Return what the defaults are about."""
    return tuple(details[name] for name in ("max_retries", "priority", "overlap", "timeout_seconds"))


def test_a_task_that_names_none_has_the_defaults(api: Api) -> None:
    api.create("t")
    assert policies(api.details("t")) == (3, "low", "queue", 60)


def test_a_task_keeps_what_it_names_even_where_that_is_the_models_own(api: Api) -> None:
    api.create("t", max_retries=0, priority="medium", overlap="skip", timeout_seconds=300)
    assert policies(api.details("t")) == (0, "medium", "skip", 300)


def test_an_update_leaves_what_the_task_has(api: Api, make_api: Callable[..., Api]) -> None:
    api.create("t")
    api.close()
    again = make_api(data_dir=api.data, allowed_dirs=(api.workspace,), job_defaults={"max_retries": 9})
    again.ok("update", task_id="t", name="x")
    assert policies(again.details("t")) == (3, "low", "queue", 60)


def test_the_same_definition_is_one_after_defaults(api: Api) -> None:
    api.create("t")
    assert api.ok("create", task_id="t", **COMMAND)["status"] == "info"
    assert api.ok("create", task_id="t", **COMMAND, max_retries=3, timeout_seconds=60.0)["status"] == "info"
    api.refused(409, "task_exists", "create", task_id="t", **COMMAND, max_retries=0)
    assert api.ok("validate", task_id="t", **COMMAND)["would"] == "unchanged"


def test_a_job_of_a_program_has_them_too(api: Api) -> None:
    info = api.scheduler.add_job(Job(task_id="t", **COMMAND)).info
    assert info.stored.definition["max_retries"] == 3


def test_help_tells_what_holds(api: Api) -> None:
    for answer in (api.ok("help"), api.client.get("/schedule", headers={"Host": "localhost"}).json):
        told = answer["actions"]["create"]["fields"]["properties"]
        assert policies({name: spec.get("default") for name, spec in told.items()}) == (3, "low", "queue", 60)


def test_defaults_may_be_json_text_and_are_checked() -> None:
    environ = {"HOME": "/nowhere", "SCHEDULER_CONFIG": "/dev/null", "SCHEDULER_ALLOWED_DIRS": "/srv/w"}
    given = SchedulerConfig.from_environment({**environ, "SCHEDULER_JOB_DEFAULTS": '{"coalesce": false}'})
    assert given.job_defaults == {"coalesce": False}
    for text, hint in (
        ("{", "is no JSON"),
        ("[]", "must be an object of policies"),
        ('{"max_retires": 1}', "did you mean 'max_retries'"),
        ('{"command": "x"}', "unknown field 'command'"),
    ):
        with pytest.raises(InvalidRequest, match=hint) as caught:
            SchedulerConfig.from_environment({**environ, "SCHEDULER_JOB_DEFAULTS": text})
        assert caught.value.problems[0].field == "SCHEDULER_JOB_DEFAULTS"
