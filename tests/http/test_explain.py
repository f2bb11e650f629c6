"""`explain`: why, and a call that helps when it is sent as it stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest

from scheduler.events import RunFinished
from scheduler.moments import iso
from tests.http.conftest import Api

YEAR = datetime.now(UTC).year + 2


@pytest.mark.parametrize("limit", ["max_runs", "until"])
def test_a_limit_that_has_ended_a_task_is_lifted_by_the_next_call(api: Api, limit: str) -> None:
    ended = Event()
    api.scheduler.events.subscribe(lambda event: ended.set() if isinstance(event, RunFinished) else None)
    api.ok("start")
    soon = iso(api.scheduler.now() + timedelta(seconds=1.9), api.scheduler.config.zone)
    api.create("t", interval="every 1 second", **{limit: {"max_runs": 1, "until": soon}[limit]})
    assert ended.wait(10)
    answer = api.ok("explain", task_id="t")
    assert set(answer) == {"status", "message", "explanation", "facts", "next_call"}
    assert answer["message"].startswith("It has ended: ")
    assert answer["facts"]["state"] == "completed"
    assert set(answer["next_call"]) == {"action", "task_id", limit}
    assert api.ok(**answer["next_call"])["next_run"]


def test_a_one_shot_that_ran_is_told_of_by_its_run(api: Api) -> None:
    ended = Event()
    api.scheduler.events.subscribe(lambda event: ended.set() if isinstance(event, RunFinished) else None)
    api.ok("start")
    api.create("t", interval="in 1 second", command="echo no; exit 3")
    assert ended.wait(10)
    answer = api.ok("explain", task_id="t")
    assert "Its one fire time" in answer["message"]
    assert "is failed: exit code 3" in answer["message"]
    assert api.ok(**answer["next_call"])["stdout"] == "no\n"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"until": f"{YEAR}-12-05"}, "is after the end of its rule"),
        ({"start_at": f"{YEAR}-12-28"}, "is before the start of its rule"),
        ({"max_runs": 1}, "will not be reached: 'max_runs' allows 1 run more"),
    ],
)
def test_the_limit_that_keeps_a_moment_out_is_named(api: Api, fields: dict[str, Any], words: str) -> None:
    api.create("t", interval="daily at 10:00", **fields)
    answer = api.ok("explain", task_id="t", at=f"{YEAR}-12-24T10:00:00")
    assert words in answer["message"]
    times = api.ok(**answer["next_call"])["task"]["next_runs"]
    assert datetime.fromisoformat(f"{YEAR}-12-24T10:00:00+01:00") not in map(datetime.fromisoformat, times)
