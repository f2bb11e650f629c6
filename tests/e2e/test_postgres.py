"""The same promises on PostgreSQL: servers with a data directory each, and a database that comes and goes."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeServer
from tests.e2e.test_restart import create_counting, fire_times
from tests.postgres import PASSWORD, Cluster, name_of
from tests.server import Server, wait_until

pytestmark = pytest.mark.soak

MakeNode = Callable[[str], Server]
STOPS = [
    pytest.param(signal.SIGINT, id="in order"),
    pytest.param(signal.SIGQUIT, id="crashed", marks=pytest.mark.soak),
]


@pytest.fixture
def url(postgres: Cluster) -> str:
    return postgres.new_database()


@pytest.fixture
def make_node(make_server: MakeServer, url: str, tmp_path: Path) -> MakeNode:
    """Make servers as on machines of their own, but for one folder in which tasks leave their evidence."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()

    def make(name: str) -> Server:
        server = make_server(name, SCHEDULER_DATABASE_URL=url, SCHEDULER_ALLOWED_DIRS=str(workspace))
        server.workspace = workspace
        return server

    return make


@pytest.fixture
def server(make_node: MakeNode) -> Server:
    return make_node("one")


@pytest.fixture
def pair(make_node: MakeNode) -> tuple[Server, Server]:
    """The server that fires, and another."""
    one = make_node("one")
    wait_until(lambda: one.ok("status")["holder"]["here"])
    return one, make_node("two")


def settle(server: Server) -> None:
    """Stop, and wait until nothing runs or waits."""
    server.ok("stop")
    wait_until(lambda: not server.ok("status")["running"] and not server.ok("status")["queue"]["waiting"])


def every_fire_time_once(server: Server, name: str) -> None:
    """Each second has one row, what ran has written one line, and nothing else has."""
    rows = server.runs(task_id=name)
    moments = sorted(datetime.fromisoformat(row["scheduled_for"]).timestamp() for row in rows)
    assert {round(later - earlier, 3) for earlier, later in pairwise(moments)} == {1.0}
    wrote = Counter(fire_times(server, name))
    assert max(wrote.values()) == 1
    started = {row["scheduled_for"] for row in rows if row["started_at"]}
    assert {row["scheduled_for"] for row in rows if row["status"] == "completed"} <= set(wrote) <= started


def test_what_is_created_runs_and_outlives_a_kill(server: Server) -> None:
    create_counting(server, "ticker")
    server.ok("create", task_id="quick", type="command", interval="every 1 hour", command="echo quick")
    server.ok("start")
    assert server.ok("run_now", task_id="quick", wait=True)["run"]["stdout"] == "quick\n"
    wait_until(lambda: len(fire_times(server, "ticker")) >= 2)
    server.kill()
    server.start()
    known = len(fire_times(server, "ticker"))
    wait_until(lambda: len(fire_times(server, "ticker")) >= known + 2)
    status = server.ok("status")
    assert (status["store"]["kind"], status["store"]["state"]) == ("postgresql", "ok")
    settle(server)
    every_fire_time_once(server, "ticker")
    assert PASSWORD not in server.log + str(status)


def test_characters_that_the_database_does_not_take_are_no_fault(server: Server) -> None:
    zero = "a\0b"
    for action, fields in {"get": {"task_id": zero}, "list": {"search": zero}, "runs": {"task_id": zero}}.items():
        assert server.post(action, **fields).status_code in (200, 400, 404), action
    assert server.post("list", tag=zero).status_code in (200, 400)
    assert server.post("cancel", run_id=zero).status_code in (400, 404)


def test_another_machine_takes_over_after_a_kill(pair: tuple[Server, Server]) -> None:
    holder, other = pair
    create_counting(other, "ticker")
    other.ok("create", task_id="long", type="command", interval="every 1 hour", command="sleep 1000")
    other.ok("start")
    run_id = other.ok("run_now", task_id="long")["run_id"]
    wait_until(lambda: len(fire_times(other, "ticker")) >= 2)
    told = other.ok("status")["holder"]
    assert told["pid"] == holder.ok("status")["holder"]["pid"]
    assert told["host"]
    assert not told["here"]
    holder.kill()
    wait_until(lambda: other.ok("status")["holder"]["here"], seconds=30, what="the takeover")
    known = len(fire_times(other, "ticker"))
    wait_until(lambda: len(fire_times(other, "ticker")) >= known + 2)
    assert [row["run_id"] for row in other.runs(run_status="interrupted", task_id="long")] == [run_id]
    settle(other)
    every_fire_time_once(other, "ticker")


def test_a_create_through_the_other_is_planned_at_once(pair: tuple[Server, Server]) -> None:
    _, other = pair
    other.ok("start")
    for number in range(5):
        other.ok("create", task_id=f"soon-{number}", type="command", interval="in 1 second", command="true")
    latenesses = []
    for number in range(5):
        [row] = wait_until(lambda n=number: other.runs(task_id=f"soon-{n}", run_status="completed"))
        latenesses.append(row["lateness_ms"])
    assert min(latenesses) < 1000  # benchmarks say how quick; here other tests have the processors, too


@pytest.mark.parametrize("how", STOPS)
def test_a_database_that_stops_and_comes_back(server: Server, postgres: Cluster, how: int) -> None:
    create_counting(server, "ticker")
    server.ok("create", task_id="long", type="command", interval="every 1 hour", command="sleep 5; echo done")
    server.ok("start")
    run_id = server.ok("run_now", task_id="long")["run_id"]
    wait_until(lambda: len(fire_times(server, "ticker")) >= 2)
    postgres.stop(how)
    try:
        response = server.post("create", type="command", interval="every 1 hour", command="true")
        assert (response.status_code, response.json()["code"]) == (503, "store_unavailable")
        status = server.ok("status")
        assert (status["store"]["kind"], status["store"]["state"]) == ("postgresql", "degraded")
        assert status["store"]["reason"]
        health = server.http.get(f"{server.url}/healthz")
        assert (health.status_code, health.json()["status"]) == (503, "degraded")
        time.sleep(1.2)  # fire times pass meanwhile
    finally:
        postgres.start()
    wait_until(lambda: server.ok("status")["store"]["state"] == "ok" and server.ok("status")["holder"]["here"])
    known = len(fire_times(server, "ticker"))
    wait_until(lambda: len(fire_times(server, "ticker")) >= known + 2)
    long = wait_until(lambda: server.runs(task_id="long", run_status="completed"), what="the run going on")
    assert [row["run_id"] for row in long] == [run_id]
    settle(server)
    every_fire_time_once(server, "ticker")
    assert server.http.get(f"{server.url}/healthz").ok
    assert PASSWORD not in server.log
    assert "Traceback" not in server.log


def test_connections_that_are_cut_again_and_again(pair: tuple[Server, Server], postgres: Cluster, url: str) -> None:
    _, other = pair
    for number in range(5):
        create_counting(other, f"ticker-{number}")
    other.ok("start")
    wait_until(lambda: fire_times(other, "ticker-0"))
    for number in range(12):
        postgres.cut(name_of(url), f"pid % 2 = {number % 2}")
        time.sleep(0.3)
    known = len(fire_times(other, "ticker-0"))
    wait_until(lambda: len(fire_times(other, "ticker-0")) >= known + 2)
    settle(other)
    for number in range(5):
        every_fire_time_once(other, f"ticker-{number}")


def test_who_loses_the_lease_to_another_ends_his_runs(pair: tuple[Server, Server], postgres: Cluster, url: str) -> None:
    """The first is suspended while its connection is cut, so that the other is sure to be first."""
    holder, other = pair
    other.ok("create", task_id="long", type="command", interval="every 1 hour", command="echo $$ > pid; sleep 1000")
    create_counting(other, "ticker")
    other.ok("start")
    run_id = other.ok("run_now", task_id="long")["run_id"]
    wait_until(lambda: fire_times(other, "ticker"))
    pid = other.ok("status")["holder"]["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        postgres.cut(name_of(url), f"starts_with(application_name, 'task-scheduler {pid} ')")
        wait_until(lambda: other.ok("status")["holder"]["here"])
    finally:
        os.kill(pid, signal.SIGCONT)
    assert other.ok("runs", run_status="interrupted")["runs"][0]["run_id"] == run_id
    wait_until(lambda: not holder.ok("status")["holder"]["here"])
    wait_until(lambda: not sleeps(int((other.workspace / "pid").read_text())), what="the end of the first one's run")
    wait_until(lambda: len(fire_times(other, "ticker")) >= 4)
    settle(other)
    every_fire_time_once(other, "ticker")


def sleeps(pid: int) -> bool:
    """Whether the shell of the long task lives."""
    try:
        return b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
