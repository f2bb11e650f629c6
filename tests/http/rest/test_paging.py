"""Pages, their links, and compression."""

from __future__ import annotations

import gzip
import json
import re
from typing import Any

import pytest

from tests.http.rest.conftest import HOST, Rest


@pytest.fixture(scope="module")
def rest(shared_rest: Rest) -> Rest:
    for number in range(7):
        shared_rest.create(f"t{number}", tags=["a b&c"] if number % 2 else [], description="x" * 2000)
        shared_rest.ok("POST", f"/api/tasks/t{number}/run", {"wait": True})
    return shared_rest


def links(response: Any) -> dict[str, str]:
    return {relation: path for path, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["Link"])}


def walk(rest: Rest, path: str, name: str) -> list[Any]:
    found, following = [], path
    while following:
        response = rest("GET", following)
        assert response.status_code == 200
        assert links(response)["first"] == path
        assert ("next" in links(response)) == (response.json["next_cursor"] is not None)
        found += response.json[name]
        following = links(response).get("next")
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
def test_links_lead_through_all_tasks(rest: Rest, limit: int) -> None:
    assert [task["id"] for task in walk(rest, f"/api/tasks?limit={limit}", "tasks")] == [f"t{n}" for n in range(7)]


def test_links_keep_what_was_asked_for(rest: Rest) -> None:
    assert [task["id"] for task in walk(rest, "/api/jobs?limit=2&tag=a+b%26c", "tasks")] == ["t1", "t3", "t5"]


def test_links_lead_through_runs_newest_first(rest: Rest) -> None:
    assert [run["task_id"] for run in walk(rest, "/api/runs?limit=3", "runs")] == [f"t{n}" for n in range(6, -1, -1)]
    assert [run["task_id"] for run in walk(rest, "/api/tasks/t2/runs?limit=1", "runs")] == ["t2"]


def test_a_page_without_a_limit_has_them_all(rest: Rest) -> None:
    response = rest("GET", "/api/tasks")
    assert (len(response.json["tasks"]), response.json["next_cursor"]) == (7, None)
    assert links(response) == {"first": "/api/tasks"}


@pytest.mark.parametrize(
    ("query", "field", "suggestion"),
    [
        ("limit=0", "limit", 1),
        ("limit=ten", "limit", 1000),
        ("limit=", "limit", 1000),
        ("limit=1&limit=2", "limit", None),
        ("cursor=x", "cursor", None),
        ("enabled=maybe", "enabled", None),
        ("type=comand", "type", "command"),
        ("limits=3", "limits", "limit"),
        ("action=remove", "action", None),
    ],
)
def test_what_is_wrong_with_a_query(rest: Rest, query: str, field: str, suggestion: Any) -> None:
    error = rest(*("GET", f"/api/tasks?{query}")).json
    assert [problem["field"] for problem in error["problems"]] == [field]
    assert error["problems"][0]["suggestion"] == suggestion
    rest.works(error["example"])


def test_filters(rest: Rest) -> None:
    for query, count in (("enabled=true", 7), ("enabled=false", 0), ("search=T3", 1), ("type=command", 7)):
        assert rest.ok("GET", f"/api/tasks?{query}")["count"] == count, query
    assert len(rest.ok("GET", "/api/runs?run_status=completed&since=2026-01-01")["runs"]) == 7
    rest.refused(404, "task_not_found", "GET", "/api/runs?task_id=t9")


@pytest.mark.parametrize("accepts", ["gzip", "gzip;q=0.5, br", "*", "deflate, gzip"])
def test_large_answers_are_compressed_for_who_takes_that(rest: Rest, accepts: str) -> None:
    response = rest("GET", "/api/tasks", Accept_Encoding=accepts)
    assert (response.headers["Content-Encoding"], response.headers["Vary"]) == ("gzip", "Accept-Encoding")
    assert int(response.headers["Content-Length"]) == len(response.data)
    assert json.loads(gzip.decompress(response.data)) == rest.ok("GET", "/api/tasks")


def test_small_answers_and_those_with_a_tag_are_not(rest: Rest) -> None:
    for path in ("/api/preview?interval=hourly", "/api/tasks/t1"):
        assert "Content-Encoding" not in rest("GET", path, Accept_Encoding="gzip").headers
    for accepts in ("", "identity", "gzip;q=0", "br"):
        assert "Content-Encoding" not in rest("GET", "/api/tasks", Accept_Encoding=accepts).headers
    head = rest.api.client.head("/api/tasks", headers={**HOST, "Accept-Encoding": "gzip"})
    assert head.data == b""
