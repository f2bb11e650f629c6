"""`export`: all definitions as one document, the same bytes for the same state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.http.conftest import Api

FULL: dict[str, Any] = {
    "type": "command",
    "interval": "every monday at 09:00",
    "command": "echo $1",
    "args": ["a"],
    "name": "N",
    "tags": ["x", "y"],
    "enabled": False,
    "timezone": "Europe/Paris",
    "max_runs": 3,
    "priority": "high",
    "max_retries": 2,
    "env": {"A": "b"},
    "sandbox": {"network": "none"},
}


def document(api: Api, **fields: Any) -> dict[str, Any]:
    """Return the document of an export."""
    return dict(api.ok("export", **fields)["document"])


def test_nothing_is_a_document_too(api: Api) -> None:
    assert api.ok("export") == {
        "status": "success",
        "message": "The definitions of 0 tasks",
        "document": {"format": 1, "tasks": []},
        "count": 0,
    }


def test_what_calls_a_function_is_left_out_and_that_is_told(api: Api) -> None:
    api.create("plain")
    api.scheduler.add_callable(print, interval="every 1 hour", task_id="calls")
    for which in ({}, {"tasks": ["plain", "calls"]}):
        answer = api.ok("export", **which)
        assert [entry["task_id"] for entry in answer["document"]["tasks"]] == ["plain"]
        assert (answer["count"], "1 task left out" in answer["hint"]) == (1, True)
        assert api.ok("import", tasks=answer["document"])["unchanged"] == 1
    assert "hint" not in api.ok("export", tasks=["plain", "plain"])
    assert api.scheduler.get_job("calls").stored.job.type == "callable"


def test_an_entry_has_the_fields_of_the_definition_without_defaults(api: Api) -> None:
    api.create("plain", interval="daily at 10:30")
    api.create("full", **FULL)
    full, plain = document(api)["tasks"]
    assert list(full.items()) == [("task_id", "full"), *((name, full[name]) for name in FULL)]
    assert full == {"task_id": "full", **FULL}
    assert plain == {
        "task_id": "plain",
        "type": "command",
        "interval": "daily at 10:30",
        "command": "true",
        "timezone": "Europe/Berlin",
    }


@pytest.mark.parametrize(
    ("when", "anchored"),
    [
        ({"interval": "every 5 minutes"}, True),
        ({"interval": "in 2 hours"}, True),
        ({"interval": "2055-01-01T10:00"}, True),
        ({"interval": "every 2 days at 10:00"}, True),
        ({"interval": "every 5 minutes", "start_at": "2026-01-01T00:00:00+00:00"}, False),
        ({"interval": "Daily at 10:30"}, False),
        ({"interval": "0 2 * * *"}, False),
        ({"trigger": {"type": "cron", "hour": 2}}, False),
        ({"schedule_type": "manual"}, False),
    ],
)
def test_the_moment_it_counts_from_is_told_where_it_matters(api: Api, when: dict[str, Any], anchored: bool) -> None:
    api.create("t", **when)
    entry = document(api)["tasks"][0]
    assert {name: entry[name] for name in when} == when, "the original spelling"
    assert ("anchor" in entry) is anchored


def test_the_order_is_that_of_the_ids(api: Api) -> None:
    for task_id in ("b", "Z", "a", "ä"):
        api.create(task_id)
    assert [entry["task_id"] for entry in document(api)["tasks"]] == ["Z", "a", "b", "ä"]


def test_runs_change_nothing(api: Api) -> None:
    api.ok("start")
    api.create("t")
    before = api.raw('{"action": "export"}').data
    api.run("t")
    api.ok("pause", task_id="t")
    api.ok("resume", task_id="t")
    api.ok("stop")
    assert api.raw('{"action": "export"}').data == before


def test_a_pause_travels_along(api: Api) -> None:
    api.create("t")
    api.ok("pause", task_id="t")
    assert document(api)["tasks"][0]["paused"] is True


def test_some_tasks(api: Api) -> None:
    for task_id in ("a", "b", "c"):
        api.create(task_id)
    answer = api.ok("export", tasks=["c", "a", "c"])
    assert [entry["task_id"] for entry in answer["document"]["tasks"]] == ["a", "c"]
    assert answer["count"] == 2
    body = api.refused(404, "task_not_found", "export", tasks=["x", "a", "y"])
    assert body["task_ids"] == ["x", "y"]
    assert api.ok("export", tasks=[])["count"] == 0


def test_policies_that_the_server_fills_in_are_named(make_api: Callable[..., Api]) -> None:
    """Left out, a policy that is everybody's default and not the server's would come back as the server's."""
    api = make_api(job_defaults={"max_retries": 2})
    api.create("plain")
    api.create("own", max_retries=0)
    own, plain = document(api)["tasks"]
    assert (own["max_retries"], plain["max_retries"]) == (0, 2)
    assert "coalesce" not in plain
    assert api.ok("import", tasks=document(api))["unchanged"] == 2
