"""ETags: what has not changed is not sent again, and only what was seen is changed."""

from __future__ import annotations

import pytest

from tests.http.rest.conftest import Rest

PATH = "/api/tasks/nightly"


def tag(rest: Rest, path: str = PATH) -> str:
    return rest("GET", path).headers["ETag"]


@pytest.mark.parametrize("path", [PATH, f"{PATH}/schedule"])
def test_what_the_caller_has_is_not_sent_again(rest: Rest, path: str) -> None:
    rest.create()
    known = tag(rest, path)
    for sent in (known, f"W/{known}", f'"other", {known}'):
        response = rest("GET", path, If_None_Match=sent)
        assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", known)
    rest.ok("PATCH", PATH, {"interval": "daily at 03:00"})
    assert rest("GET", path, If_None_Match=known).status_code == 200


def test_what_is_shown_of_a_run_changes_the_tag_but_keeps_nobody_from_editing(rest: Rest) -> None:
    rest.create()
    known = tag(rest)
    rest.api.run("nightly")
    assert rest("GET", PATH, If_None_Match=known).status_code == 200
    assert rest("PATCH", PATH, {"command": "echo 2"}, If_Match=known).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", PATH, {"type": "command", "command": "echo 2", "interval": "hourly"}),
        ("PATCH", PATH, {"command": "echo 2"}),
        ("PUT", f"{PATH}/schedule", {"interval": "daily at 04:00"}),
        ("DELETE", PATH, None),
    ],
)
def test_only_what_was_seen_is_changed(rest: Rest, method: str, path: str, body: object) -> None:
    rest.create()
    old = tag(rest)
    rest.ok("PATCH", PATH, {"description": "changed by somebody else"})
    before = rest.ok("GET", PATH)
    for wrong in (old, '"0"', '"*"', "nothing", ""):
        error = rest.refused(412, "precondition_failed", method, path, body, If_Match=wrong)
        assert tag(rest).startswith(error["etag"].rstrip('"'))
    assert rest.ok("GET", PATH) == before
    response = rest(method, path, body, If_Match=f'"0", {tag(rest)}')
    assert response.status_code in (200, 204)


def test_the_tag_of_a_change_is_good_for_the_next(rest: Rest) -> None:
    known = rest("PUT", PATH, {"type": "command", "command": "echo 1", "interval": "hourly"}).headers["ETag"]
    for number in range(2, 5):
        response = rest("PATCH", PATH, {"command": f"echo {number}"}, If_Match=known)
        assert response.status_code == 200
        assert response.headers["ETag"] != known
        known = response.headers["ETag"]
    assert rest("POST", f"{PATH}/pause").headers["ETag"] != known


def test_a_task_of_the_same_name_is_another_one(rest: Rest) -> None:
    rest.create()
    known = tag(rest)
    rest.ok("DELETE", PATH)
    rest.refused(404, "task_not_found", "PATCH", PATH, {"command": "x"}, If_Match=known)
    rest.create()
    rest.refused(412, "precondition_failed", "PATCH", PATH, {"command": "x"}, If_Match=known)


@pytest.mark.parametrize("tag", ['""', 'W/""', '"", "0"'])
def test_an_empty_tag_is_that_of_no_task(rest: Rest, tag: str) -> None:
    rest.create()
    rest.refused(412, "precondition_failed", "PATCH", "/api/tasks/nightly", {"name": "x"}, If_Match=tag)
    rest.refused(412, "precondition_failed", "DELETE", "/api/tasks/nightly", If_Match=tag)
