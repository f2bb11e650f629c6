"""The log of a run: bytes as they came, whole or in ranges."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from tasks.sandbox.output import HEAD, TAIL, OutputFile
from tests.http.conftest import watch_for
from tests.http.rest.conftest import Rest

TEXT = b"one\ntwo\nthr\xc3\xa9\xff\nfour"


class Log:
    """The log of one run, asked for in many ways."""

    def __init__(self, rest: Rest, run_id: str) -> None:
        self.rest, self.run_id = rest, run_id

    def __call__(self, query: str = "", **headers: str) -> TestResponse:
        return self.rest("GET", f"/api/runs/{self.run_id}/log{query}", **headers)

    def write(self, data: bytes, stream: str = "stdout") -> OutputFile:
        """Put output where that of the run would be, as the run itself writes it."""
        file = OutputFile(self.rest.api.scheduler._log_dir, self.run_id, stream)  # type: ignore[arg-type]
        for start in range(0, len(data), 60_000):
            file.write(data[start : start + 60_000])
        return file


@pytest.fixture(scope="module")
def log(shared_rest: Rest) -> Log:
    """Return the log of a run that is over and has written to both streams."""
    shared_rest.create("quiet")
    log = Log(shared_rest, shared_rest.ok("POST", "/api/tasks/quiet/run", {"wait": True})["run_id"])
    log.write(TEXT).close()
    log.write(b"oops\n", "stderr").close()
    return log


def test_whole_streams(log: Log) -> None:
    for query, expected in (("?stream=stdout", TEXT), ("?stream=stderr", b"oops\n"), ("", TEXT + b"oops\n")):
        response = log(query)
        assert (response.status_code, response.data) == (200, expected)
        assert response.headers["Content-Type"] == "text/plain; charset=utf-8"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Accept-Ranges"] == "bytes"
    assert f'filename="{log.run_id}.stdout.txt"' in log("?stream=stdout").headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?stream=stdout&tail=1", b"four"),
        ("?stream=stdout&tail=2", b"thr\xc3\xa9\xff\nfour"),
        ("?stream=stdout&tail=99", TEXT),
        ("?stream=stderr&tail=1", b"oops\n"),
        ("?tail=1", b"fouroops\n"),
    ],
)
def test_tail(log: Log, query: str, expected: bytes) -> None:
    assert log(query).data == expected


@pytest.mark.parametrize(
    ("asked", "expected", "span"),
    [
        ("bytes=0-3", TEXT[:4], "0-3"),
        ("bytes=4-", TEXT[4:], f"4-{len(TEXT) - 1}"),
        ("bytes=-4", b"four", f"{len(TEXT) - 4}-{len(TEXT) - 1}"),
        ("bytes=-999", TEXT, f"0-{len(TEXT) - 1}"),
        (f"bytes=2-{10**9}", TEXT[2:], f"2-{len(TEXT) - 1}"),
    ],
)
def test_one_range(log: Log, asked: str, expected: bytes, span: str) -> None:
    response = log("?stream=stdout", Range=asked)
    assert (response.status_code, response.data) == (206, expected)
    assert response.headers["Content-Range"] == f"bytes {span}/{len(TEXT)}"


@pytest.mark.parametrize("asked", ["bytes=0-1,3-4", "lines=0-3", "bytes=", "bytes=5-2", "nonsense", "bytes=a-b"])
def test_what_is_no_single_range_of_bytes_gets_the_whole(log: Log, asked: str) -> None:
    response = log("?stream=stdout", Range=asked)
    assert (response.status_code, response.data) == (200, TEXT)


def test_a_range_that_is_not_there(log: Log) -> None:
    response = log("?stream=stdout", Range=f"bytes={len(TEXT)}-")
    assert (response.status_code, response.json["code"]) == (416, "range_not_satisfiable")
    assert response.headers["Content-Range"] == f"bytes */{len(TEXT)}"


def test_tags(log: Log) -> None:
    known = log("?stream=stdout").headers["ETag"]
    assert log("?stream=stdout", If_None_Match=known).status_code == 304
    assert log("?stream=stderr", If_None_Match=known).status_code == 200
    assert log("?stream=stdout", Range="bytes=0-0", If_Range=known).status_code == 206
    assert log("?stream=stdout", Range="bytes=0-0", If_Range='"other"').status_code == 200


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 30), last=st.integers(0, 30) | st.none())
def test_ranges_are_those_of_the_text(log: Log, first: int, last: int | None) -> None:
    response = log("?stream=stdout", Range=f"bytes={first}-{'' if last is None else last}")
    if last is not None and last < first:
        assert response.data == TEXT
    elif first >= len(TEXT):
        assert response.status_code == 416
    else:
        assert response.data == TEXT[first : None if last is None else last + 1]


def test_a_run_without_output(rest: Rest) -> None:
    rest.create("quiet")
    log = Log(rest, rest.ok("POST", "/api/tasks/quiet/run", {"wait": True})["run_id"])
    assert (log().status_code, log().data) == (200, b"")
    assert log(Range="bytes=0-").status_code == 416


def test_while_a_run_goes_on_ranges_follow_its_growth(rest: Rest) -> None:
    log = Log(rest, rest.api.running("long"))
    with_more = log.write(b"begun\n")
    response = log("?stream=stdout", Range="bytes=2-")
    assert (response.status_code, response.data) == (206, b"gun\n")
    assert response.headers["Content-Range"] == "bytes 2-5/*"
    assert "ETag" not in response.headers
    end = log("?stream=stdout", Range="bytes=6-")
    assert (end.status_code, end.headers["Content-Range"]) == (416, "bytes */6")
    assert "more may follow" in end.json["message"]
    with_more.write(b"more\n")
    assert log("?stream=stdout", Range="bytes=6-").data == b"more\n"
    # Both streams one after the other: what follows the first one moves as that grows.
    whole = log("?stream=both", Range="bytes=6-")
    assert (whole.status_code, whole.headers["Accept-Ranges"], whole.data) == (200, "none", b"begun\nmore\n")
    with_more.close()


def test_a_long_stream_that_lost_its_middle(rest: Rest) -> None:
    log = Log(rest, rest.api.running("long"))
    data = bytes(range(32, 127)) * 30_000
    going = log.write(data)
    response = log("?stream=stdout", Range="bytes=0-9")
    assert (response.status_code, response.headers["Accept-Ranges"]) == (200, "none")
    assert response.data.startswith(data[:HEAD])
    assert response.data.endswith(data[-1000:])
    going.close()
    rest.ok("POST", f"/api/runs/{log.run_id}/cancel")
    watch_for(lambda: rest.ok("GET", f"/api/runs/{log.run_id}")["status"] == "cancelled")
    cut = b"\n[%d bytes cut]\n" % (len(data) - HEAD - TAIL)
    assert log("?stream=stdout").data == data[:HEAD] + cut + data[-TAIL:]
    assert log("?stream=stdout", Range=f"bytes={HEAD}-{HEAD + len(cut) - 1}").data == cut


@pytest.mark.parametrize(
    "query",
    ["?follow=maybe", "?follow=1&tail=3", "?offset=3", "?stream=out", "?tail=0", "?tail=x", "?path=/etc/passwd"],
)
def test_what_is_not_known_is_refused(log: Log, query: str) -> None:
    response = log(query)
    assert response.status_code == 400
    assert len(response.json["problems"]) == 1
    assert log.rest("GET", response.json["example"]["path"]).mimetype == "text/plain"


@pytest.mark.parametrize("word", ["1", "true"])
def test_a_run_that_is_over_is_followed_to_its_end(log: Log, word: str) -> None:
    response = log(f"?stream=stdout&follow={word}")
    assert (response.status_code, response.data) == (200, TEXT)
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "ETag" not in response.headers


def test_a_log_that_is_not_to_be_followed(log: Log) -> None:
    response = log("?stream=stdout&follow=0&tail=1")
    assert (response.data, "ETag" in response.headers) == (b"four", True)
