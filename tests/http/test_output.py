"""`output`: what a run wrote, whole or in parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import Api, watch_for

KEYS = {"status", "message", "run_id", "stdout", "stderr", "truncated", "next_offset"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str]]:
    """Return an Api and a run that wrote ten lines to stdout and one to stderr."""
    api = Api(Path(tmp_path_factory.mktemp("output")))
    api.create("t", command="seq 10; echo öops >&2")
    yield api, api.run("t")["run_id"]
    api.close()


LINES = "".join(f"{number}\n" for number in range(1, 11))


def test_both_streams(written: tuple[Api, str]) -> None:
    api, run_id = written
    answer = api.ok("output", run_id=run_id)
    assert set(answer) == KEYS
    assert (answer["stdout"], answer["stderr"], answer["truncated"]) == (LINES, "öops\n", False)
    assert answer["next_offset"] == {"stdout": 21, "stderr": 6}
    assert answer == api.ok("output", run_id=run_id, stream="both")


def test_one_stream(written: tuple[Api, str]) -> None:
    api, run_id = written
    answer = api.ok("output", run_id=run_id, stream="stderr")
    assert (answer["stdout"], answer["stderr"], answer["next_offset"]) == (None, "öops\n", 6)


def test_tail_counts_lines(written: tuple[Api, str]) -> None:
    api, run_id = written
    assert api.ok("output", run_id=run_id, stream="stdout", tail=2)["stdout"] == "9\n10\n"
    assert api.ok("output", run_id=run_id, tail=100)["stdout"] == LINES


def test_offset_counts_bytes(written: tuple[Api, str]) -> None:
    api, run_id = written
    assert api.ok("output", run_id=run_id, stream="stdout", offset=18)["stdout"] == "10\n"
    assert api.ok("output", run_id=run_id, stream="stdout", offset=0)["stdout"] == LINES
    end = api.ok("output", run_id=run_id, stream="stdout", offset=21)
    assert (end["stdout"], end["next_offset"]) == ("", 21)
    assert api.ok("output", run_id=run_id, stream="stdout", offset=10**15)["stdout"] == ""


def test_a_run_is_followed_while_it_goes_on(api: Api) -> None:
    api.create("t", command="echo one; while [ ! -e go ]; do sleep 0.01; done; echo two")
    run_id = api.ok("run_now", task_id="t")["run_id"]
    first = watch_for(
        lambda: (answer := api.ok("output", run_id=run_id, stream="stdout", offset=0))["stdout"] and answer
    )
    assert first["stdout"] == "one\n"
    (api.workspace / "go").touch()
    assert api.scheduler.watch.wait([run_id], 20)
    rest = api.ok("output", run_id=run_id, stream="stdout", offset=first["next_offset"])
    assert rest["stdout"] == "two\n"


def test_a_character_that_comes_in_halves_is_told_whole(api: Api) -> None:
    api.create("t", command=r"printf 'a\303'; while [ ! -e go ]; do sleep 0.01; done; printf '\251\303'")
    run_id = api.ok("run_now", task_id="t")["run_id"]
    watch_for(lambda: api.scheduler.output_size(run_id, "stdout") == 2)
    for which in ({"offset": 0}, {"tail": 1}, {}):
        answer = api.ok("output", run_id=run_id, stream="stdout", **which)
        assert (answer["stdout"], answer["next_offset"]) == ("a", 1)
    waiting = api.ok("output", run_id=run_id, stream="stdout", offset=1)
    assert (waiting["stdout"], waiting["next_offset"]) == ("", 1)
    (api.workspace / "go").touch()
    assert api.scheduler.watch.wait([run_id], 20)
    assert api.ok("output", run_id=run_id, stream="stdout", offset=1)["stdout"] == "é"
    assert api.ok("output", run_id=run_id, stream="stdout", offset=3)["stdout"] == "\ufffd"


def test_a_cut_is_told(api: Api) -> None:
    api.create("t", command="head -c 3000000 /dev/zero | tr '\\0' 'x'; echo end")
    run = api.run("t")
    assert run["truncated"] is True
    answer = api.ok("output", run_id=run["run_id"], stream="stdout")
    assert answer["truncated"] is True
    assert answer["stdout"].endswith("end\n")
    assert len(answer["stdout"]) < 2_500_000


def test_bytes_that_are_no_text(api: Api) -> None:
    api.create("t", command=r"printf '\377\000ok\n'")
    run = api.run("t")
    assert run["stdout"].endswith("ok\n")
    assert api.ok("output", run_id=run["run_id"])["stdout"].endswith("ok\n")


def test_not_found(api: Api) -> None:
    for run_id in ("nope", "../../etc/passwd", "x" * 64):
        api.refused(404, "run_not_found", "output", run_id=run_id)


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "missing_field", "run_id"),
        ({"run_id": 5}, "invalid_field", "run_id"),
        ({"run_id": ""}, "invalid_field", "run_id"),
        ({"run_id": "x" * 65}, "invalid_field", "run_id"),
        ({"run_id": "r", "stream": "out"}, "invalid_field", "stream"),
        ({"run_id": "r", "tail": 0}, "invalid_field", "tail"),
        ({"run_id": "r", "tail": "5"}, "invalid_field", "tail"),
        ({"run_id": "r", "offset": -1, "stream": "stdout"}, "invalid_field", "offset"),
        ({"run_id": "r", "offset": 1.5, "stream": "stdout"}, "invalid_field", "offset"),
        ({"run_id": "r", "offset": 1}, "invalid_field", "stream"),
        ({"run_id": "r", "offset": 1, "stream": "both"}, "invalid_field", "stream"),
        ({"run_id": "r", "offset": 1, "tail": 1, "stream": "stdout"}, "invalid_field", "tail"),
        ({"run_id": "r", "lines": 5}, "unknown_field", "lines"),
    ],
)
def test_wrong_fields(written: tuple[Api, str], fields: dict[str, Any], code: str, field: str) -> None:
    api, run_id = written
    given = {name: run_id if value == "r" else value for name, value in fields.items()}
    body = api.refused(400, code, "output", **given)
    assert [problem["field"] for problem in body["problems"]] == [field]
    assert body["problems"][0]["accepted"]
    assert api.ok(**body["example"])["run_id"] == run_id


@pytest.mark.parametrize("action", ["output", "cancel", "deliveries"])
def test_an_id_with_nul_is_none(api: Api, action: str) -> None:
    problem = api.problem("invalid_field", action, run_id="a\x00b")
    assert problem["field"] == "run_id"
