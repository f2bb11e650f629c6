"""`GET /metrics`: what monitors are told, in both formats."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from werkzeug.test import TestResponse

from scheduler.metrics.families import COUNTED, LOOKED_UP
from tests.http.conftest import Api, watch_for
from tests.promtool import promtool

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(api: Api, accept: str | None = None, **headers: str) -> TestResponse:
    given = {"Host": "localhost:10800", **({"Accept": accept} if accept else {}), **headers}
    return api.client.get("/metrics", headers=given)


def families(api: Api) -> dict[str, Metric]:
    response = scrape(api)
    assert response.status_code == 200, response.text
    return {family.name: family for family in parse_text(response.text)}


def samples(api: Api) -> Samples:
    return {
        (sample.name.removeprefix("task_scheduler_"), frozenset(sample.labels.items())): sample.value
        for family in families(api).values()
        for sample in family.samples
    }


def value(api: Api, name: str, **labels: str) -> float | None:
    return samples(api).get((name, frozenset(labels.items())))


def test_both_formats_are_valid_and_say_the_same(api: Api) -> None:
    api.create("quick")
    api.run("quick")
    plain, modern = scrape(api), scrape(api, OPENMETRICS)
    assert plain.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert modern.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert modern.text.endswith("# EOF\n")
    old = {family.name: family.type for family in parse_text(plain.text)}
    new = {family.name: family.type for family in parse_openmetrics(modern.text)}
    assert new == {name: kind for name, kind in old.items() if not name.endswith("_info")} | {
        "task_scheduler": "info",
        "task_scheduler_sandbox": "info",
    }


def test_every_family_is_there_with_its_kind_and_labels(make_api: Callable[..., Api]) -> None:
    api = make_api(metrics_per_task=5)
    api.ok("start")
    api.create("soon", interval="in 1 second")
    api.create("later", interval="every 1 hour")
    watch_for(lambda: value(api, "runs_total", status="completed", type="command"))
    api.client.post("/schedule", headers={"Host": "localhost", "Authorization": "Basic Zm9vOmJhcg=="})
    found = {family.name: family for family in parse_openmetrics(scrape(api, OPENMETRICS).text)}
    for family in (*COUNTED, *LOOKED_UP):
        metric = found[family.full_name]
        assert (metric.type, metric.documentation) == (family.kind, family.help)
        assert metric.samples, family.name
        assert {frozenset(set(sample.labels) - {"le"}) for sample in metric.samples} == {frozenset(family.labels)}


def test_a_run_is_counted_once_with_its_duration_and_its_wait(fresh: Api) -> None:
    fresh.create("good")
    fresh.create("bad", command="false")
    for task in ("good", "good", "bad"):
        fresh.run(task)
    found = samples(fresh)
    assert found["runs_total", frozenset({("status", "completed"), ("type", "command")})] == 2
    assert found["runs_total", frozenset({("status", "failed"), ("type", "command")})] == 1
    assert found["run_duration_seconds_count", frozenset({("type", "command")})] == 3
    assert found["queue_wait_seconds_count", frozenset({("priority", "medium")})] == 3
    assert 0 < found["run_duration_seconds_sum", frozenset({("type", "command")})] < 60
    assert ("run_lateness_seconds_count", frozenset()) not in found  # none was due: they were asked for


def test_lateness_is_that_of_scheduled_runs(api: Api) -> None:
    api.ok("start")
    api.create("soon", interval="in 1 second")
    watch_for(lambda: value(api, "run_lateness_seconds_count") == 1)
    late = value(api, "run_lateness_seconds_sum")
    assert late is not None
    assert 0 <= late < 20


def test_runs_that_never_began_are_counted_too(make_api: Callable[..., Api]) -> None:
    api = make_api(max_workers=1)
    api.running("long")
    api.create("waiting")
    waiting = api.ok("run_now", task_id="waiting")["run_id"]
    assert value(api, "queue_depth", priority="medium") == 1
    assert value(api, "running") == 1
    api.ok("cancel", run_id=waiting)
    assert value(api, "runs_total", status="cancelled", type="command") == 1


def test_counters_outlive_rows_and_restarts(make_api: Callable[..., Api]) -> None:
    api = make_api()
    api.create("good")
    api.run("good")
    before = value(api, "runs_total", status="completed", type="command")
    data = api.data
    api.close()
    again = make_api(data_dir=data)
    assert value(again, "runs_total", status="completed", type="command") == before == 1
    again.run("good")
    assert value(again, "runs_total", status="completed", type="command") == 2


def test_tasks_by_state_and_when_the_next_is_due(api: Api) -> None:
    api.scheduler.figures._read_at = float("-inf")  # what the test before has left is not kept any longer
    assert value(api, "scheduling") == 0
    assert value(api, "next_fire_timestamp_seconds") is None
    api.create("one")
    api.create("paused")
    api.ok("pause", task_id="paused")
    api.scheduler.figures._read_at = float("-inf")  # not kept any longer
    assert value(api, "tasks", state="planned") == 1
    assert value(api, "tasks", state="paused") == 1
    api.ok("start")
    due = watch_for(lambda: value(api, "next_fire_timestamp_seconds"))
    assert 0 < due - api.scheduler.now().timestamp() <= 3600


def test_who_fires(api: Api) -> None:
    watch_for(lambda: value(api, "lease_held") == 1)
    watch_for(lambda: value(api, "clock_alive") == 1)
    assert value(api, "lease_held_here") == 1
    assert value(api, "store_up") == 1


def test_a_store_in_trouble_is_told_and_the_counts_with_it(fresh: Api) -> None:
    fresh.create("good")
    fresh.run("good")
    fresh.ok("status")
    assert value(fresh, "store_up") == 1
    fresh.scheduler._store._writer.trouble = "the disk is full"
    found = samples(fresh)
    assert found["store_up", frozenset()] == 0
    assert found["runs_total", frozenset({("status", "completed"), ("type", "command")})] == 1
    assert not [name for name, _ in found if name == "tasks"]


def test_tasks_have_no_metrics_of_their_own_unless_that_is_set(api: Api) -> None:
    api.create("secret-name")
    api.run("secret-name")
    assert "secret-name" not in scrape(api).text
    assert "task_scheduler_task_runs" not in scrape(api).text


def test_only_so_many_tasks_have_metrics_of_their_own(make_api: Callable[..., Api]) -> None:
    api = make_api(metrics_per_task=2)
    for name in ('one "quoted"', "two", "three", "four"):
        api.create(name)
        api.run(name)
    api.run("two")
    found = {
        dict(labels)["task_id"]: number for (name, labels), number in samples(api).items() if name == "task_runs_total"
    }
    assert found == {'one "quoted"': 1, "two": 2, "": 2}


def test_it_asks_for_the_scope_read(make_api: Callable[..., Api]) -> None:
    api = make_api(token="a-long-enough-secret-token")
    assert scrape(api).status_code == 401
    assert scrape(api, Authorization="Bearer a-long-enough-secret-token").status_code == 200
    assert scrape(api, Host="evil.example").status_code == 403
    assert scrape(api, Authorization="Bearer wrong").status_code == 401
    told = scrape(api, Authorization="Bearer a-long-enough-secret-token").text
    assert 'task_scheduler_auth_failures_total{kind="token"} 1.0' in told
    assert 'task_scheduler_http_requests_total{code="401",endpoint="metrics",method="GET"} 2.0' in told


def test_it_can_be_opened_to_all_but_other_hosts(make_api: Callable[..., Api]) -> None:
    api = make_api(token="a-long-enough-secret-token", metrics_public=True)
    assert scrape(api).status_code == 200
    assert scrape(api, Host="evil.example").status_code == 403


def test_labels_of_requests_are_bounded(fresh: Api) -> None:
    fresh.ok("status")
    fresh.client.delete("/no/such/path", headers={"Host": "localhost"})
    fresh.client.open("/also/none", method="BREW", headers={"Host": "localhost"})
    assert value(fresh, "http_requests_total", endpoint="schedule", method="POST", code="200") == 1
    assert value(fresh, "http_requests_total", endpoint="none", method="DELETE", code="404") == 1
    assert value(fresh, "http_requests_total", endpoint="none", method="other", code="404") == 1


def test_prometheus_own_tool_finds_no_fault(api: Api) -> None:
    api.create("quick")
    api.run("quick")
    assert promtool("check", "metrics", text=scrape(api).text) == ""
