"""GET /api/events and a followed log, in process: queries, refusals, and a server whose sockets cannot be taken."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote

import pytest

from scheduler.store import events
from tests.http.conftest import PROBLEM_KEYS, Api
from tests.sse import Message, parse


@pytest.fixture
def api(fresh: Api) -> Api:
    return fresh


class Stream:
    """A reader in this process; what comes is read in the test's thread."""

    def __init__(self, api: Api, path: str, **headers: str) -> None:
        given = {"Host": "localhost:10800", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.response = api.client.get(path, headers=given, buffered=False)
        assert self.response.status_code == 200, self.response.text
        self.parts = iter(self.response.response)
        self.messages = self._messages()

    def _messages(self) -> Iterator[Message]:
        for number, part in enumerate(self.parts):
            assert number == 0 or not part.startswith(b":"), "nothing has come"
            yield from parse(part.decode())

    def until(self, kind: str) -> list[Message]:
        """Return what comes up to the first event of that kind."""
        found = []
        for message in self.messages:
            found.append(message)
            if message.event == kind:
                return found
        raise AssertionError(found)

    def close(self) -> None:
        """Go away."""
        self.response.close()


@pytest.fixture
def stream(api: Api) -> Iterator[Callable[..., Stream]]:
    made: list[Stream] = []

    def make(path: str = "/api/events", **headers: str) -> Stream:
        made.append(Stream(api, path, **headers))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_a_run_from_its_task_to_its_end(api: Api, stream: Callable[..., Stream]) -> None:
    reader = stream("/api/events?output=1")
    assert reader.response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert (reader.response.headers["Cache-Control"], reader.response.headers["X-Accel-Buffering"]) == (
        "no-store",
        "no",
    )
    assert "Content-Length" not in reader.response.headers
    assert next(reader.parts) == b"retry: 1000\n: alive\nid: 0\n\n"
    api.create("a", command="echo hello; exit 3")
    run = api.run("a")
    found = reader.until("run.finished")
    kinds = ["task.created", "run.queued", "run.started", "run.output", "run.finished"]
    assert [message.event for message in found] == [message.data["type"] for message in found] == kinds
    assert [message.id for message in found] == [1, 2, 3, None, 4]
    assert {message.data["task_id"] for message in found} == {"a"}
    assert {message.data["run_id"] for message in found[1:]} == {run["run_id"]}
    assert found[3].data["text"] == "hello\n"
    assert (found[4].data["status"], found[4].data["exit_code"]) == ("failed", 3)


def test_coming_back(api: Api, stream: Callable[..., Stream]) -> None:
    for name in "abc":
        api.create(name)
    for back in (stream(Last_Event_ID="1"), stream("/api/events?last_event_id=1")):
        assert [message.data["task_id"] for message in (next(back.messages), next(back.messages))] == ["b", "c"]
    # A browser that comes back to an address with an id in it has come further since.
    back = stream("/api/events?last_event_id=1", Last_Event_ID="2")
    assert next(back.messages).data["task_id"] == "c"


def test_filters(api: Api, stream: Callable[..., Stream]) -> None:
    api.ok("start")
    for name in "ab":
        api.create(name)
    api.ok("pause", task_id="b")
    api.ok("remove", task_id="b")
    for query, kinds in {
        "types=task.created": ["task.created", "task.created"],
        "types=task.*": ["task.created", "task.created", "task.paused", "task.removed"],
        "types=scheduler.*,%20task.paused": ["scheduler.started", "task.paused"],
        "types=task.paused&types=task.removed": ["task.paused", "task.removed"],
        "types=run.*,task.removed": ["task.removed"],
        "task_id=b": ["task.created", "task.paused", "task.removed"],
        "task_id=b&task_id=a&types=task.created,task.removed": ["task.created", "task.created", "task.removed"],
        "": ["scheduler.started", "task.created", "task.created", "task.paused", "task.removed"],
    }.items():
        found = stream(f"/api/events?last_event_id=0&{query}").messages
        assert [next(found).event for _ in kinds] == kinds, query


def test_what_runs_print_has_to_be_asked_for(api: Api, stream: Callable[..., Stream]) -> None:
    plain, named = stream("/api/events?types=run.*"), stream("/api/events?types=run.output,run.finished&output=0")
    api.create("a", command="echo hello")
    api.run("a")
    assert [message.event for message in plain.until("run.finished")] == ["run.queued", "run.started", "run.finished"]
    assert [message.event for message in named.until("run.finished")] == ["run.output", "run.finished"]


@pytest.mark.parametrize(
    ("path", "field", "suggestion"),
    [
        ("/api/events?types=run.finishd", "types", "run.finished"),
        ("/api/events?types=tasks.*", "types", "task.*"),
        ("/api/events?type=run.finished", "type", "types"),
        ("/api/events?task_id=%20a", "task_id", "a"),
        ("/api/events?output=perhaps", "output", None),
        ("/api/events?last_event_id=-1", "last_event_id", "0"),
        ("/api/events?last_event_id=" + "9" * 30, "last_event_id", "0"),
    ],
)
def test_refusals(shared: Api, path: str, field: str, suggestion: str | None) -> None:
    response = shared.client.get(path, headers={"Host": "localhost"})
    assert response.status_code == 400
    (problem,) = response.json["problems"]
    assert set(problem) == PROBLEM_KEYS
    assert (problem["field"], problem["suggestion"]) == (field, suggestion)
    assert problem["accepted"]
    assert response.json["example"]["path"].startswith("/api/")


def test_the_id_of_the_header_is_named(api: Api) -> None:
    response = api.client.get("/api/events", headers={"Host": "localhost", "Last-Event-ID": "x"})
    assert response.json["problems"][0]["field"] == "Last-Event-ID"


def test_a_task_that_is_not_there(api: Api, stream: Callable[..., Stream]) -> None:
    api.create("backup")
    response = api.client.get("/api/events?task_id=bakup", headers={"Host": "localhost"})
    assert (response.status_code, response.json["code"], response.json["suggestion"]) == (
        404,
        "task_not_found",
        "backup",
    )
    response = api.client.get("/api/events?task_id=other", headers={"Host": "localhost"})
    assert response.json["message"] == "No task 'other' exists. GET /api/tasks tells which exist."
    api.ok("remove", task_id="backup")
    # Who comes back is told of the end of what has gone meanwhile.
    assert stream("/api/events?task_id=backup&last_event_id=1").until("task.removed")


def test_other_paths_and_methods(api: Api) -> None:
    host = {"Host": "localhost"}
    assert api.client.post("/api/events", headers=host).status_code == 405
    assert api.client.get("/api/runs/nobody/log?follow=1", headers=host).json["code"] == "run_not_found"
    head = api.client.head("/api/events", headers=host)
    assert (head.status_code, head.data) == (200, b"")
    assert api.scheduler.feed.readers == 0
    assert api.client.get("/api/events", headers={"Host": "evil.example"}).json["code"] == "forbidden_host"
    evil = {**host, "Origin": "https://evil.example"}
    assert api.client.get("/api/events", headers=evil).json["code"] == "forbidden_origin"


def test_credentials(make_api: Callable[..., Api]) -> None:
    api = make_api(token="secret-of-this-test")
    for path in ("/api/events", "/api/runs/x/log?follow=1"):
        assert api.client.get(path, headers={"Host": "localhost"}).status_code == 401
    shown = {"Host": "localhost", "Authorization": "Bearer secret-of-this-test"}
    assert api.client.get("/api/events", headers=shown, buffered=False).status_code == 200


def test_the_limit_of_readers(make_api: Callable[..., Api]) -> None:
    api = make_api(max_readers=1)
    first = Stream(api, "/api/events")
    response = api.client.get("/api/events", headers={"Host": "localhost"})
    assert (response.status_code, response.json["code"]) == (429, "too_many_readers")
    assert response.headers["Retry-After"] == "5"
    first.close()
    Stream(api, "/api/events").close()


def test_a_gap(api: Api, stream: Callable[..., Stream]) -> None:
    for name in "abcd":
        api.create(name)
    now = api.scheduler.now()
    api.scheduler._store.write(lambda connection: events.trim(connection, 2, now.replace(year=2000), 100))
    found = stream("/api/events?last_event_id=1&types=task.paused").messages
    message = next(found)
    assert (message.event, message.id, message.data["after"], message.data["up_to"]) == ("gap", 2, 1, 2)


def test_a_log_is_followed_to_its_end(api: Api, stream: Callable[..., Stream]) -> None:
    begun = api.workspace / "go"
    api.create("a", command="echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; echo three >&2")
    run_id = api.ok("run_now", task_id="a")["run_id"]
    log = stream(f"/api/runs/{run_id}/log?follow=1&stream=stdout")
    assert log.response.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert next(log.parts) == b"one\n"
    begun.touch()
    assert b"".join(log.parts) == b"two\n"
    again = {"": "one\ntwo\nthree\n", "&stream=stderr": "three\n"}
    for query, text in again.items():
        assert b"".join(stream(f"/api/runs/{run_id}/log?follow=1{query}").parts).decode() == text
    assert api.scheduler.feed.readers >= 1
    log.close()


def test_a_long_log_is_cut_as_the_kept_one_is(api: Api, stream: Callable[..., Stream]) -> None:
    api.create("a", command="yes 0123456789 | head -c 3000000")
    run_id = api.run("a")["run_id"]
    followed = b"".join(stream(f"/api/runs/{run_id}/log?follow=1&stream=stdout").parts)
    assert followed.decode() == api.scheduler.read_output(run_id, "stdout", None, None).text
    assert b"bytes cut]" in followed


def test_a_run_that_never_starts(api: Api, stream: Callable[..., Stream]) -> None:
    api.create("a", command="sleep 600", max_instances=100)
    for _ in range(api.scheduler.config.max_workers):
        api.ok("run_now", task_id="a", force=True)
    waiting = api.ok("run_now", task_id="a", force=True)["run_id"]
    # The test client waits for the first bytes, of which there are none.
    threading.Timer(0.1, api.scheduler.cancel_run, [waiting]).start()
    log = stream(f"/api/runs/{waiting}/log?follow=1")
    assert b"".join(log.parts) == b""
    api.ok("cancel", task_id="a")


def test_the_end_of_the_service_is_told(make_api: Callable[..., Api]) -> None:
    api = make_api()
    reader = Stream(api, "/api/events")
    threading.Timer(0.05, api.close).start()
    assert [message.event for message in reader.messages] == ["scheduler.closing"]


def test_ids_with_any_character(api: Api, stream: Callable[..., Stream]) -> None:
    name = 'tä / "1" ?&'
    reader = stream()
    api.create(name)
    message = next(reader.messages)
    assert message.data["task_id"] == name
    assert next(stream(f"/api/events?last_event_id=0&task_id={quote(name)}").messages) == message
