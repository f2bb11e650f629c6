"""`import`: a document of definitions, all or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.http.conftest import COMMAND, Api
from tests.http.test_export import FULL, document

WHENS: list[dict[str, Any]] = [
    {"interval": "every 5 minutes"},
    {"interval": "in 2 hours"},
    {"interval": "daily at 02:00"},
    {"schedule": "*/5 * * * 1-5"},
    {"trigger": {"type": "interval", "minutes": 7}},
    {"schedule_type": "manual"},
    {"interval": "every 2 days at 10:00", "until": "2055-01-01"},
]


def task(task_id: str, **fields: Any) -> dict[str, Any]:
    """Return an entry of a document."""
    return {"task_id": task_id, **COMMAND, **fields}


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    """Return how many tasks an import has created, replaced and left alone."""
    return answer["created"], answer["replaced"], answer["unchanged"]


def test_a_list_is_taken(api: Api) -> None:
    answer = api.ok("import", tasks=[task("a"), task("b")])
    assert answer["message"] == "2 tasks imported: 2 created, 0 replaced, 0 unchanged"
    assert (answer["status"], counts(answer)) == ("success", (2, 0, 0))
    assert "hint" in answer
    api.ok("start")
    assert "hint" not in api.ok("import", tasks=[task("a")])
    assert api.details("a")["next_run"]


def test_the_same_is_left_alone(api: Api) -> None:
    api.create("a")
    before = api.details("a")
    again = api.ok("import", tasks=document(api))
    assert (again["status"], counts(again)) == ("info", (0, 0, 1))
    assert again["message"] == "Nothing new: 0 created, 0 replaced, 1 unchanged"
    assert api.details("a") == before
    assert counts(api.ok("import", tasks=[task("a")])) == (0, 0, 1), "an anchor is no part of the definition"


def test_another_definition_needs_replace(api: Api) -> None:
    for task_id in ("a", "b", "c"):
        api.create(task_id)
    sent = [task("a", command="false"), task("b"), task("c", enabled=False), task("new")]
    body = api.refused(409, "task_exists", "import", tasks=sent)
    assert body["task_ids"] == ["a", "c"]
    assert "'a', 'c'" in body["message"]
    assert api.ok("list")["count"] == 3, "all or nothing"
    answer = api.ok("import", tasks=sent, replace=True)
    assert counts(answer) == (1, 2, 1)
    assert api.details("a")["command"] == "false"
    assert api.details("c")["state"] == "disabled"


def test_a_dry_run_changes_nothing(api: Api) -> None:
    api.create("a")
    before = document(api)
    sent = [task("a", command="false"), task("b")]
    api.refused(409, "task_exists", "import", tasks=sent, dry_run=True)
    answer = api.ok("import", tasks=sent, dry_run=True, replace=True)
    assert answer["message"] == "2 tasks would be imported: 1 created, 1 replaced, 0 unchanged"
    assert answer["task_ids"] == {"created": ["b"], "replaced": ["a"]}
    assert document(api) == before


def test_history_stays_when_replaced(api: Api) -> None:
    api.create("a")
    run_id = api.run("a")["run_id"]
    api.ok("import", tasks=[task("a", command="false")], replace=True)
    assert api.ok("get", task_id="a")["task"]["last_run"]["run_id"] == run_id


def test_a_pause_travels_along(api: Api) -> None:
    api.create("a")
    paused = [task("a", paused=True), task("b", paused=True)]
    assert api.refused(409, "task_exists", "import", tasks=paused)["task_ids"] == ["a"]
    assert counts(api.ok("import", tasks=paused, replace=True)) == (1, 1, 0)
    assert [api.details(task_id)["state"] for task_id in ("a", "b")] == ["paused", "paused"]
    assert api.details("b")["next_run"] is None
    api.ok("resume", task_id="b")
    assert api.details("b")["next_run"]


def test_what_has_passed_comes_back_as_it_was(pair: tuple[Api, Api]) -> None:
    """A task whose only moment has passed meanwhile would be refused as a new one."""
    old = task("old", interval="2020-01-01T10:00:00", timezone="UTC")
    first, second = pair
    body = first.refused(400, "invalid_interval", "import", tasks=[old])
    assert body["problems"][0]["field"] == "tasks.0.interval"
    first.ok("import", tasks=[{**old, "anchor": "2019-12-31T00:00:00+00:00"}])
    assert first.details("old")["state"] == "completed"
    assert counts(first.ok("import", tasks=[old])) == (0, 0, 1)
    second.ok("import", tasks=document(first))
    assert document(second) == document(first)


def test_the_phase_comes_back_as_it_was(pair: tuple[Api, Api]) -> None:
    first, second = pair
    first.ok("import", tasks=[task("t", interval="every 1 week", anchor="2026-01-05T10:00:07+00:00")])
    second.ok("import", tasks=document(first))
    assert second.details("t")["next_run_at"] == first.details("t")["next_run_at"]
    assert second.details("t")["next_run_at"][14:19] == "00:07"


@pytest.mark.parametrize(("fired", "state"), [(0, "pending"), (2, "pending"), (3, "completed"), (7, "completed")])
def test_runs_that_were_started_count(pair: tuple[Api, Api], fired: int, state: str) -> None:
    first, second = pair
    first.ok("import", tasks=[task("t", interval="every 1 hour", max_runs=3, fired=fired), task("other", fired=1)])
    assert first.details("t")["state"] == state
    entries = {entry["task_id"]: entry for entry in document(first, progress=True)["tasks"]}
    assert entries["t"]["fired"] == fired
    assert "fired" not in entries["other"], "nothing limits it"
    assert not any("fired" in entry for entry in document(first)["tasks"]), "it changes by itself"
    second.ok("import", tasks=document(first, progress=True))
    assert document(second, progress=True) == document(first, progress=True)
    assert second.details("t")["state"] == state


ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "ä"]),
        st.sampled_from([{}, {"enabled": False}, {"paused": True}, {"name": "N", "tags": ["x"]}]),
        st.sampled_from(WHENS),
    ),
    unique_by=lambda entry: entry[0],
)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Api]]:
    """Return two servers."""
    apis = Api(tmp_path_factory.mktemp("source")), Api(tmp_path_factory.mktemp("target"))
    yield apis
    for api in apis:
        api.close()


@pytest.fixture
def pair(two: tuple[Api, Api]) -> tuple[Api, Api]:
    """Return the two servers without tasks."""
    for api in two:
        api.clear()
    return two


@pytest.mark.soak
@settings(max_examples=20, deadline=None)
@given(before=ENTRIES, wanted=ENTRIES)
def test_an_import_makes_the_state_that_was_exported(two: tuple[Api, Api], before: Any, wanted: Any) -> None:
    """Whatever two servers hold: after an import the tasks of the document are those of the document."""
    source, target = two
    for api, entries in ((source, wanted), (target, before)):
        for entry in document(api)["tasks"]:
            api.ok("remove", task_id=entry["task_id"])
        sent = [{"task_id": task_id, "type": "command", "command": "true", **e, **w} for task_id, e, w in entries]
        api.ok("import", tasks=sent)
    wished = document(source)
    target.ok("import", tasks=wished, replace=True)
    there = document(target, tasks=[entry["task_id"] for entry in wished["tasks"]])
    assert [{**entry, "anchor": None} for entry in there["tasks"]] == [{**e, "anchor": None} for e in wished["tasks"]]
    assert target.ok("import", tasks=wished)["status"] == "info"


def test_every_problem_of_every_entry_is_told_with_its_path(api: Api) -> None:
    sent = [
        task("good"),
        task("bad", interval="every 5 minuets", command=None, env={"LD_PRELOAD": "x"}),
        "no object",
        task("good"),
        task("odd", pausd=True, priority="hihg"),
        task("odd2", paused="yes", anchor="soon", fired=-1),
        {"task_id": "few"},
        task("when", interval="every 3 huors"),
        task("inner", interval=None, trigger={"type": "interval", "minuets": 5}),
    ]
    body = api.refused(400, "invalid_request", "import", tasks=sent)
    found = {problem["field"]: problem for problem in body["problems"]}
    assert set(found) == {
        *("tasks.1.interval", "tasks.1.command", "tasks.1.env.LD_PRELOAD", "tasks.2", "tasks.3.task_id"),
        *("tasks.4.pausd", "tasks.4.priority", "tasks.5.paused", "tasks.5.anchor", "tasks.5.fired"),
        *("tasks.6.type", "tasks.6.interval"),
        *("tasks.7.interval", "tasks.8.trigger.minuets"),
    }
    assert found["tasks.8.trigger.minuets"]["suggestion"] == "minutes"
    assert found["tasks.1.interval"]["suggestion"] == "every 5 minutes"
    assert found["tasks.4.pausd"]["suggestion"] == "paused"
    assert found["tasks.4.priority"]["accepted"] == ["urgent", "high", "medium", "low"]
    assert found["tasks.6.type"]["accepted"] == ["command", "test", "script", "custom", "function"]
    assert "'tasks.0'" in found["tasks.3.task_id"]["message"]
    assert api.ok("list")["count"] == 0


@pytest.mark.parametrize("form", ["list", "document"])
def test_the_example_is_what_was_sent_put_right(api: Api, form: str) -> None:
    entries = [task("a"), task("b", interval="every 5 minuets", pausd=True)]
    sent = entries if form == "list" else {"format": 1, "tasks": entries}
    body = api.refused(400, "invalid_request", "import", tasks=sent)
    path = "tasks.1" if form == "list" else "tasks.tasks.1"
    assert {problem["field"] for problem in body["problems"]} == {f"{path}.interval", f"{path}.pausd"}
    answer = api.ok(**body["example"])
    assert counts(answer) == (2, 0, 0)
    assert api.details("b")["interval"] == "every 5 minutes"


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        (None, "missing_field", "tasks"),
        ("text", "invalid_field", "tasks"),
        ({"format": 2, "tasks": []}, "invalid_field", "tasks.format"),
        ({"tasks": []}, "invalid_field", "tasks.format"),
        ({"format": 1}, "invalid_field", "tasks.tasks"),
        ({"format": 1, "tasks": [], "taks": 1}, "unknown_field", "tasks.taks"),
    ],
)
def test_no_document(api: Api, sent: Any, code: str, field: str) -> None:
    assert api.problem(code, "import", tasks=sent)["field"] == field


def test_a_document_by_its_other_name(api: Api) -> None:
    body = api.refused(400, "invalid_request", "import", document=document(api))
    assert "tasks" in {problem["suggestion"] for problem in body["problems"]}


def test_equal_ids_in_two_spellings_are_one(api: Api) -> None:
    problem = api.problem("invalid_field", "import", tasks=[task("\u00e4"), task("a\u0308")])
    assert problem["field"] == "tasks.1.task_id"


def test_the_limit_of_tasks_holds(make_api: Callable[..., Api]) -> None:
    api = make_api(max_tasks=2)
    api.create("a")
    api.refused(429, "too_many_tasks", "import", tasks=[task("b"), task("c")])
    assert api.ok("list")["count"] == 1
    assert counts(api.ok("import", tasks=[task("a"), task("b")])) == (1, 0, 1)


def test_the_whole_round(pair: tuple[Api, Api]) -> None:
    first, second = pair
    first.create("full", **FULL)
    first.create("custom", type="custom", custom_script="print('ä')")
    first.create("at", trigger={"type": "date", "run_date": "2055-01-01T00:00:00"})
    second.ok("import", tasks=document(first))
    assert second.raw('{"action": "export"}').data == first.raw('{"action": "export"}').data
