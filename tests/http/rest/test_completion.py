"""GET /api/paths: how a path may go on, and nothing of what lies outside."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tasks.sandbox.completion import MOST_OFFERED
from tests.http.rest.conftest import Rest


@pytest.fixture(scope="module")
def rest(shared_rest: Rest, tmp_path_factory: pytest.TempPathFactory) -> Rest:
    workspace, outside = shared_rest.api.workspace, tmp_path_factory.mktemp("outside")
    (outside / "secret.py").touch()
    for name in ("reports/daily.py", "reports/.hidden", "reports/old/a.py", "run me.py", "grüße.py", ".env"):
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).touch()
    (workspace / "away").symlink_to(outside)
    (workspace / "loop").symlink_to("loop")
    (workspace / "near").symlink_to("reports")
    (workspace / "bell\a.py").touch()
    return shared_rest


def offered(rest: Rest, prefix: str) -> list[str]:
    return [each["path"] for each in rest.ok("GET", f"/api/paths?prefix={prefix}")["paths"]]


@pytest.mark.parametrize(
    ("prefix", "paths"),
    [
        ("", ["near/", "reports/", "grüße.py", "run me.py"]),
        ("r", ["reports/", "run me.py"]),
        ("reports/", ["reports/old/", "reports/daily.py"]),
        ("reports/d", ["reports/daily.py"]),
        ("reports/.", ["reports/.hidden"]),
        ("./reports/d", ["./reports/daily.py"]),
        ("near/d", ["near/daily.py"]),
        ("reports/../g", ["reports/../grüße.py"]),
        ("aw", []),
        ("nothing/here", []),
        ("grüße.py/", []),
        (".e", [".env"]),
    ],
)
def test_relative_paths_start_in_the_first_directory(rest: Rest, prefix: str, paths: list[str]) -> None:
    assert offered(rest, prefix) == paths


def test_absolute_paths_lead_to_the_directory_and_into_it(rest: Rest) -> None:
    workspace = os.path.realpath(rest.api.workspace)
    for length in (1, 3, len(workspace)):
        assert offered(rest, workspace[:length]) == [f"{workspace}/"]
    assert f"{workspace}/reports/" in offered(rest, f"{workspace}/")
    assert offered(rest, f"{workspace}/rep") == [f"{workspace}/reports/"]


@pytest.mark.parametrize("prefix", ["away/", "../", "/etc/", "/etc/pass", "reports/../../", "~/", "~nobody-there/"])
def test_nothing_outside_is_told(rest: Rest, prefix: str) -> None:
    error = rest.refused(400, "path_not_allowed", "GET", f"/api/paths?prefix={prefix}")
    assert error["problems"][0]["field"] == "prefix"
    rest.works(error["example"])


def test_many_are_cut_and_the_answer_says_so(rest: Rest) -> None:
    folder = rest.api.workspace / "many"
    folder.mkdir()
    for number in range(MOST_OFFERED + 1):
        (folder / f"{number:03}").touch()
    answer: Any = rest.ok("GET", "/api/paths?prefix=many/")
    assert (len(answer["paths"]), answer["truncated"]) == (MOST_OFFERED, True)
    assert answer["paths"][0] == {"path": "many/000", "kind": "file"}
    assert rest.ok("GET", "/api/paths?prefix=many/00")["truncated"] is False
    Path(folder / "000").unlink()
