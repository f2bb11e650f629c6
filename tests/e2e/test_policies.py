"""Policies at work: retries, overlaps, catching up, on a real server with real processes."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

import pytest

from tests.server import Server, wait_until

pytestmark = pytest.mark.soak

FAIL_TWICE = "echo x >> tries; test $(wc -l < tries) -ge 3"


@pytest.fixture
def server(reused: Server) -> Server:
    """Return the one server of this file."""
    return reused


def test_retries_are_rows_of_one_fire_time_and_wait_covers_them(server: Server) -> None:
    server.ok(
        "create", task_id="retried", type="command", interval="every 1 hour", command=FAIL_TWICE,
        max_retries=5, retry_delay_seconds=0.2, retry_backoff=2,
    )  # fmt: skip
    run = server.ok("run_now", task_id="retried", wait=True)["run"]
    assert (run["status"], run["attempt"], run["trigger"]) == ("completed", 3, "retry")
    rows = server.runs(task_id="retried")
    assert [(row["attempt"], row["status"]) for row in rows] == [(1, "failed"), (2, "failed"), (3, "completed")]
    assert len({row["scheduled_for"] for row in rows}) == 1
    ended = [datetime.fromisoformat(row["finished_at"]) for row in rows]
    started = [datetime.fromisoformat(row["started_at"]) for row in rows]
    assert (started[1] - ended[0]).total_seconds() >= 0.2
    assert (started[2] - ended[1]).total_seconds() >= 0.4


def test_a_waiting_retry_outlives_a_restart(server: Server) -> None:
    server.ok(
        "create", task_id="waiting", type="command", interval="every 1 hour", command="false",
        max_retries=1, retry_delay_seconds=2,
    )  # fmt: skip
    server.ok("run_now", task_id="waiting")
    wait_until(lambda: len(server.runs(task_id="waiting")) == 2)
    server.kill()
    server.start()
    rows = wait_until(
        lambda: [row for row in server.runs(task_id="waiting") if row["attempt"] == 2 and row["exit_code"]]
    )
    assert rows[0]["status"] == "failed"
    assert len(server.runs(task_id="waiting")) == 2


def test_stop_ends_waiting_retries(server: Server) -> None:
    server.ok("start")
    server.ok(
        "create", task_id="given-up", type="command", interval="every 1 hour", command="false",
        max_retries=1, retry_delay_seconds=600,
    )  # fmt: skip
    server.ok("run_now", task_id="given-up")
    wait_until(lambda: len(server.runs(task_id="given-up")) == 2)
    server.ok("stop")
    last = server.runs(task_id="given-up")[-1]
    assert (last["status"], last["reason"]) == ("skipped", "scheduler stopped")


def test_overlap_queue_runs_one_after_the_other(server: Server) -> None:
    server.ok(
        "create", task_id="queued", type="command", interval="every 1 second", overlap="queue",
        command="echo start >> log; sleep 1.3; echo end >> log",
    )  # fmt: skip
    server.ok("start")
    wait_until(lambda: len([row for row in server.runs(task_id="queued") if row["status"] == "completed"]) >= 3)
    words = (server.workspace / "log").read_text().split()
    assert words[: len(words) // 2 * 2] == ["start", "end"] * (len(words) // 2)
    assert not server.runs(task_id="queued", run_status="skipped")


@pytest.mark.parametrize("terms", [{"at_least_once": True}, {"max_retries": 1}])
def test_an_interrupted_run_is_run_again_where_the_task_allows(server: Server, terms: dict[str, Any]) -> None:
    name = f"long-{next(iter(terms))}"
    server.ok(
        "create", task_id=name, type="command", interval="every 1 hour", retry_delay_seconds=0.1,
        command="echo x >> began; test $(wc -l < began) -ge 2 || sleep 1000", **terms,
    )  # fmt: skip
    server.ok("run_now", task_id=name)
    wait_until(lambda: (server.workspace / "began").exists())
    server.kill()
    server.start()
    rows = wait_until(lambda: [row for row in server.runs(task_id=name) if row["status"] == "completed"])
    assert rows[0]["attempt"] == 2
    assert [row["status"] for row in server.runs(task_id=name)] == ["interrupted", "completed"]


def test_missed_fire_times_are_caught_up(server: Server) -> None:
    for task_id, terms in {
        "late": {},
        "caught": {"catch_up": True},
        "each": {"catch_up": True, "coalesce": False},
    }.items():
        server.ok(
            "create", task_id=task_id, type="command", interval="every 1 second", command="true",
            misfire_grace_time=0.5, **terms,
        )  # fmt: skip
    server.ok("start")
    wait_until(lambda: server.runs(task_id="each", run_status="completed"))
    server.kill()
    time.sleep(3.2)  # what is tested is what fell into this time
    server.start()
    done = "completed"
    wait_until(
        lambda: len([r for r in server.runs(task_id="each", run_status=done) if r["trigger"] == "catch_up"]) >= 2
    )
    server.ok("stop")
    wait_until(lambda: not server.ok("status")["running"])
    assert server.runs(task_id="late", run_status="missed")
    made_up = [row for row in server.runs(task_id="caught") if row["trigger"] == "catch_up"]
    merged = [row for row in server.runs(task_id="caught") if "coalesced into" in (row["reason"] or "")]
    assert made_up or merged  # the newest may have been on time, and the late ones became part of it
    assert not server.runs(task_id="caught", run_status="missed")
    assert not server.runs(task_id="each", run_status="missed")


def test_remove_when_done(server: Server) -> None:
    server.ok("create", task_id="once", type="command", interval="in 1 second", command="true", remove_when_done=True)
    server.ok("start")
    wait_until(lambda: server.ok("list")["count"] == 0)
    assert [row["status"] for row in server.runs(task_id="once")] == ["completed"]


def test_what_fails_after_a_stop_is_not_tried_again(server: Server) -> None:
    server.ok("start")
    server.ok(
        "create", task_id="slow", type="command", interval="in 1 second", command="sleep 1.5; false",
        max_retries=1, retry_delay_seconds=0,
    )  # fmt: skip
    wait_until(lambda: server.runs(task_id="slow", run_status="running"))
    server.ok("stop")
    rows = wait_until(lambda: (rows := server.runs(task_id="slow")) and len(rows) == 2 and rows)
    assert [(row["status"], row["reason"]) for row in rows] == [
        ("failed", "exit code 1"),
        ("skipped", "scheduler stopped"),
    ]
