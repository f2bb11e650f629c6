"""`notify` and `expect` in tasks, the actions `deliveries` and `test_notification`, and what `status` tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from scheduler.errors import InvalidRequest
from tests.http.conftest import COMMAND, Api, watch_for
from tests.receivers import Receiver, http_receiver

MakeApi = Callable[..., Api]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as found:
        yield found


@pytest.fixture
def api(make_api: MakeApi, receiver: Receiver) -> Api:
    """Return an Api with targets that have names."""
    targets = {
        "hook": {"webhook": f"{receiver.url}/hook", "secret": "a secret that nobody sees"},
        "hc": {"ping": f"{receiver.url}/ping"},
    }
    return make_api(notify_targets=targets, notify_every_minutes=0)


def test_a_failing_run_is_told(api: Api, receiver: Receiver) -> None:
    api.create("job", command="echo why $SECRET_WORD; exit 3", env={"SECRET_WORD": "xyzzy"}, notify={"to": ["hook"]})
    run = api.run("job")
    [got] = receiver.wait_for(1)
    assert (got.json["kind"], got.json["task_id"]) == ("failure", "job")
    assert got.json["run"]["run_id"] == run["run_id"]
    assert (got.json["run"]["exit_code"], got.json["output"]) == (3, "why ***\n")
    rows = watch_for(lambda: api.ok("deliveries", run_id=run["run_id"], state="delivered")["deliveries"])
    [row] = rows
    assert row["delivery_id"] == got.headers["X-Scheduler-Delivery"]
    assert (row["task_id"], row["run_id"], row["kind"], row["target"]) == ("job", run["run_id"], "failure", "hook")
    assert (row["attempts"], row["error"], row["next_attempt_at"]) == (1, None, None)
    assert row["subject"] == got.json["subject"] == "[task-scheduler] 'job' failed"
    api.ok("update", task_id="job", command="true")
    api.run("job")
    assert receiver.wait_for(2)[1].json["kind"] == "recovery"


def test_a_run_is_pinged(api: Api, receiver: Receiver) -> None:
    api.create("job", notify={"to": ["hc"], "on": []})
    api.run("job")
    start, end = receiver.wait_for(2)
    assert start.path.startswith("/ping/start?rid=")
    assert end.path == start.path.replace("/start", "")
    api.ok("update", task_id="job", command="false")
    api.run("job")
    assert receiver.wait_for(4)[3].path.startswith("/ping/fail?rid=")


def test_with_retries_the_last_attempt_decides(api: Api, receiver: Receiver) -> None:
    api.create("job", command="false", max_retries=1, retry_delay_seconds=0, notify={"to": ["hook"]})
    last = api.run("job")
    assert last["attempt"] == 2
    [got] = receiver.wait_for(1)
    assert got.json["run"]["attempt"] == 2
    assert len(api.ok("deliveries")["deliveries"]) == 1


def test_the_default_is_for_tasks_that_say_nothing(make_api: MakeApi, receiver: Receiver) -> None:
    hook = {"hook": {"webhook": receiver.url, "secret": "secret"}}
    api = make_api(notify_targets=hook, notify_default={"to": ["hook"], "on": ["success"]})
    api.create("loud")
    api.create("quiet", notify={"to": []})
    api.run("quiet")
    api.run("loud")
    [got] = receiver.wait_for(1)
    assert (got.json["task_id"], got.json["kind"]) == ("loud", "success")


def test_what_fails_is_in_the_status(api: Api, receiver: Receiver) -> None:
    assert api.ok("status")["notifications"] == {"waiting": 0, "retried": 0, "failed": 0, "last_error": None}
    receiver.status = 503
    api.create("job", command="false", notify={"to": ["hook"]})
    api.run("job")
    found = watch_for(lambda: (told := api.ok("status")["notifications"])["last_error"] and told)
    assert (found["waiting"], found["retried"], found["failed"]) == (1, 1, 0)
    assert found["last_error"]["error"] == "answered with HTTP 503"
    assert found["last_error"]["next_attempt_at"] is not None


def test_a_test_message(api: Api, receiver: Receiver) -> None:
    body = api.ok("test_notification", target="hook")
    assert body["message"] == "The test message was delivered to 'hook': HTTP 200"
    assert (body["delivered"], body["target"], body["answer"]) == (True, "hook", "HTTP 200")
    [got] = receiver.received
    assert got.headers["X-Scheduler-Delivery"] == body["delivery_id"]
    assert got.json["kind"] == "test"
    receiver.status = 404
    body = api.ok("test_notification", target="hook")
    assert (body["delivered"], body["answer"]) == (False, "answered with HTTP 404")


def test_one_test_at_a_time(api: Api, receiver: Receiver) -> None:
    receiver.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(api.ok, "test_notification", target="hook")
        receiver.wait_for(1)
        refused = api.refused(429, "rate_limited", "test_notification", target="hook")
        assert "try again" in refused["message"]
        receiver.gate.set()
        assert first.result()["delivered"]


def test_a_target_of_a_test_is_refused_as_in_a_task(api: Api) -> None:
    problem = api.problem("invalid_field", "test_notification", target={"webhook": "http://169.254.169.254/"})
    assert problem["field"] == "target"
    assert "SCHEDULER_NOTIFY_HOSTS" in problem["message"]
    api.problem("missing_field", "test_notification")


@pytest.mark.parametrize(
    ("notify", "field", "suggestion"),
    [
        ({"to": ["hok"]}, "notify.to.0", "hook"),
        ({"to": ["hook", "http://x.org/y"]}, "notify.to.1", {"webhook": "http://x.org/y"}),
        ({"to": ["hook"], "on": ["failre"]}, "notify.on.0", "failure"),
        ({"to": ["hook"], "every_minutes": -1}, "notify.every_minutes", 0),
    ],
)
def test_what_is_wrong_with_notify(api: Api, notify: dict[str, Any], field: str, suggestion: Any) -> None:
    body = api.refused(400, "invalid_field", "create", task_id="job", **COMMAND, notify=notify)
    [problem] = body["problems"]
    assert (problem["field"], problem["suggestion"]) == (field, suggestion)
    assert body["example"]["task_id"] == "job"
    assert api.ok(**body["example"])["status"] == "success"


def test_all_that_is_wrong_is_told_at_once(api: Api) -> None:
    notify = {"to": ["nobody", "hook"], "on": ["failre"], "subject": "{taskid}"}
    body = api.refused(
        400, "invalid_field", "create", task_id="job", **COMMAND, notify=notify, expect={"every": "1 dya"}
    )
    fields = {problem["field"] for problem in body["problems"]}
    assert fields == {"notify.on.0", "notify.subject", "notify.to.0", "expect.every"}


def test_an_unknown_field_inside_is_named(api: Api) -> None:
    problem = api.problem("unknown_field", "create", task_id="job", **COMMAND, notify={"to": ["hook"], "onn": []})
    assert problem["field"] == "notify.onn"


def test_somebody_must_be_named(api: Api) -> None:
    assert api.problem("missing_field", "create", task_id="a", **COMMAND, notify={})["field"] == "notify.to"
    problem = api.problem("invalid_field", "create", task_id="a", **COMMAND, expect={"every": "1 day"})
    assert "'expect' is of no use without 'notify.to'" in problem["message"]


def test_a_definition_travels(api: Api) -> None:
    notify = {"to": ["hook"], "on": ["late"], "late_after_seconds": 5.0, "every_minutes": 0.0}
    expect = {"every": "1 day", "min_runs": 2, "max_duration_seconds": 600.0}
    api.create("job", notify=notify, expect=expect)
    details = api.details("job")
    assert (details["notify"], details["expect"]) == (notify, expect)
    again = api.ok("create", task_id="job", **COMMAND, notify=notify, expect=expect)
    assert again["status"] == "info"


def test_deliveries_come_in_pages(api: Api, receiver: Receiver) -> None:
    api.create("job", notify={"to": ["hook"], "on": ["success"]})
    for _ in range(3):
        api.run("job")
    first = api.ok("deliveries", task_id="job", limit=2)
    rest = api.ok("deliveries", task_id="job", limit=2, cursor=first["next_cursor"])
    ids = [row["delivery_id"] for row in first["deliveries"] + rest["deliveries"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["next_cursor"]) == (3, None)
    assert api.ok("deliveries", task_id="job", state="failed")["deliveries"] == []
    assert api.refused(404, "task_not_found", "deliveries", task_id="jub")["suggestion"] == "job"


def test_the_default_must_name_targets_that_exist(make_api: MakeApi) -> None:
    with pytest.raises(InvalidRequest, match="no target has the name 'ops'") as caught:
        make_api(notify_default={"to": ["ops"]}).scheduler.is_running()
    assert caught.value.problems[0].field == "SCHEDULER_NOTIFY_DEFAULT"
