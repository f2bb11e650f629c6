"""`preview`: what a schedule means, for every accepted way to say it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.http.conftest import Api

NOON = "2026-06-01T12:00:00+02:00"
DATA = Path(__file__).parents[1] / "scheduler" / "data"


def samples(kind: str) -> list[Any]:
    """Return the samples of the language of schedules."""
    found = []
    for path in sorted(DATA.glob("*.json")):
        content = json.loads(path.read_text())
        if isinstance(content, dict):
            found += [pytest.param(case, id=str(case.get("id"))) for case in content.get(kind, [])]
    return found


def moments(texts: list[str]) -> list[tuple[datetime, Any]]:
    """Return instants with their offsets, both of which must be right."""
    times = [datetime.fromisoformat(text) for text in texts]
    return [(time, time.utcoffset()) for time in times]


def test_what_it_answers(shared: Api) -> None:
    answer = shared.ok("preview", interval="daily at 10:30", after=NOON, count=2)
    assert answer == {
        "status": "success",
        "message": "every day at 10:30: next run 2026-06-02 10:30:00",
        "next_runs": ["2026-06-02T10:30:00+02:00", "2026-06-03T10:30:00+02:00"],
        "description": "every day at 10:30",
        "kind": "calendar",
        "timezone": "Europe/Berlin",
    }


def test_defaults(shared: Api) -> None:
    answer = shared.ok("preview", interval="hourly")
    assert len(answer["next_runs"]) == 5
    assert datetime.fromisoformat(answer["next_runs"][0]) > datetime.now().astimezone()


@pytest.mark.parametrize(
    ("spelling", "kind", "first"),
    [
        ({"interval": "every 5 minutes"}, "interval", "2026-06-01T12:05:00+02:00"),
        ({"interval": "daily at 2:00"}, "calendar", "2026-06-02T02:00:00+02:00"),
        ({"interval": "monday at 09:00"}, "calendar", "2026-06-08T09:00:00+02:00"),
        ({"interval": "0 2 * * *"}, "cron", "2026-06-02T02:00:00+02:00"),
        ({"interval": "2026-12-24T18:00"}, "once", "2026-12-24T18:00:00+01:00"),
        ({"interval": "in 20 minutes"}, "once", "2026-06-01T12:20:00+02:00"),
        ({"schedule": "0 2 * * *"}, "cron", "2026-06-02T02:00:00+02:00"),
        ({"trigger": {"type": "interval", "minutes": 5}}, "interval", "2026-06-01T12:05:00+02:00"),
        ({"trigger": {"type": "date", "run_date": "2026-12-24T18:00"}}, "once", "2026-12-24T18:00:00+01:00"),
        ({"schedule_type": "daily", "schedule_config": {"hour": 2}}, "calendar", "2026-06-02T02:00:00+02:00"),
        ({"schedule_type": "daily", "schedule_config": '{"hour": 2}'}, "calendar", "2026-06-02T02:00:00+02:00"),
        ({"schedule_type": "manual"}, "manual", None),
    ],
)
def test_each_way_to_say_when(shared: Api, spelling: dict[str, Any], kind: str, first: str | None) -> None:
    answer = shared.ok("preview", after=NOON, count=1, **spelling)
    assert answer["kind"] == kind
    assert answer["next_runs"] == ([first] if first else [])
    assert answer["description"]


def test_fewer_where_the_rule_ends(shared: Api) -> None:
    assert len(shared.ok("preview", interval="in 20 minutes", count=1000)["next_runs"]) == 1


def test_count_up_to_a_thousand(shared: Api) -> None:
    assert len(shared.ok("preview", interval="every 1 second", count=1000)["next_runs"]) == 1000


def test_zone(shared: Api) -> None:
    answer = shared.ok(
        "preview", interval="daily at 09:00", timezone="asia/tokyo", after="2026-06-01T00:00:00", count=1
    )
    assert (answer["timezone"], answer["next_runs"]) == ("Asia/Tokyo", ["2026-06-01T09:00:00+09:00"])


def test_it_changes_nothing(api: Api) -> None:
    api.ok("preview", interval="hourly")
    assert api.ok("list")["count"] == 0


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({}, "missing_field", "interval"),
        ({"interval": None}, "missing_field", "interval"),
        ({"interval": ""}, "invalid_interval", "interval"),
        ({"interval": "every 5 minuets"}, "invalid_interval", "interval"),
        ({"interval": 5}, "invalid_interval", "interval"),
        ({"interval": ["hourly"]}, "invalid_interval", "interval"),
        ({"interval": {"hours": 1}}, "invalid_interval", "interval"),
        ({"interval": True}, "invalid_interval", "interval"),
        ({"interval": "hourly", "schedule": "daily"}, "invalid_field", "schedule"),
        ({"interval": "hourly", "count": 0}, "invalid_field", "count"),
        ({"interval": "hourly", "count": 1001}, "invalid_field", "count"),
        ({"interval": "hourly", "count": "5"}, "invalid_field", "count"),
        ({"interval": "hourly", "count": True}, "invalid_field", "count"),
        ({"interval": "hourly", "timezone": "Mars/Base"}, "invalid_field", "timezone"),
        ({"interval": "hourly", "timezone": "Berlin"}, "invalid_field", "timezone"),
        ({"interval": "hourly", "timezone": 1}, "invalid_field", "timezone"),
        ({"interval": "hourly", "after": "yesterday"}, "invalid_field", "after"),
        ({"interval": "hourly", "after": 1700000000}, "invalid_field", "after"),
        ({"interval": "hourly", "after": "0001-01-01T00:00:00+14:00"}, "invalid_field", "after"),
        ({"interval": "hourly", "after": "9999-12-31T23:59:59"}, "invalid_field", "after"),
        ({"interval": "hourly", "counts": 5}, "unknown_field", "counts"),
        ({"trigger": {"type": "crn"}}, "invalid_field", "trigger.type"),
        ({"trigger": {"type": "cron", "hoour": 1}}, "unknown_field", "trigger.hoour"),
        ({"trigger": {"type": "cron", "hour": 25}}, None, "trigger.hour"),
        ({"trigger": {}}, "missing_field", "trigger.type"),
        (
            {"trigger": {"type": "cron", "hour": 9, "timezone": "Asia/Tokyo"}, "timezone": "UTC"},
            "invalid_field",
            "timezone",
        ),
        ({"trigger": "hourly"}, "invalid_field", "trigger"),
        ({"schedule_type": "yearly"}, "invalid_field", "schedule_type"),
        ({"schedule_config": {"hour": 1}}, "missing_field", "schedule_type"),
        ({"schedule_type": "daily"}, "missing_field", "schedule_config.hour"),
        ({"schedule_type": "daily", "schedule_config": "{"}, "invalid_field", "schedule_config"),
        ({"schedule_type": "daily", "schedule_config": "[" * 5000}, "invalid_field", "schedule_config"),
        ({"schedule_type": "daily", "schedule_config": '{"hour": "\\ud800"}'}, "invalid_field", "schedule_config.hour"),
        ({"schedule_type": "daily", "schedule_config": {"hour": 25}}, "invalid_field", "schedule_config.hour"),
    ],
)
def test_what_is_refused(shared: Api, fields: dict[str, Any], code: str | None, field: str) -> None:
    response = shared.post("preview", **fields)
    body = response.json
    assert response.status_code == 400, body
    assert code in (None, body["code"]), body
    assert field in [problem["field"] for problem in body["problems"]]
    assert body["example"]["action"] == "preview"
    assert shared.ok(**body["example"])["status"] == "success"


def test_every_problem_at_once(shared: Api) -> None:
    body = shared.refused(
        400, "invalid_request", "preview", interval="dayly at 10:30", count=0, timezone="Mars/Base", after="x", foo=1
    )
    assert {problem["field"] for problem in body["problems"]} == {"interval", "count", "timezone", "after", "foo"}
    assert body["example"]["interval"] == "daily at 10:30"


@pytest.mark.parametrize("case", samples("valid"))
def test_samples(shared: Api, case: dict[str, Any]) -> None:
    asked = {name: case[name] for name in ("timezone", "after", "count")}
    answer = shared.ok("preview", interval=case["phrase"], **asked)
    assert answer["status"] == "success"
    assert moments(answer["next_runs"]) == moments(case["expect"])
    assert answer["description"].strip()
    if case.get("roundtrip"):
        again = shared.ok("preview", interval=answer["description"], **asked)
        assert moments(again["next_runs"]) == moments(case["expect"]), answer["description"]


@pytest.mark.parametrize("case", samples("invalid"))
def test_samples_of_what_is_no_schedule(shared: Api, case: dict[str, Any]) -> None:
    phrase = case["phrase"]
    response = shared.post("preview", interval=phrase, timezone=case["timezone"], after=case["after"])
    assert response.status_code == 400, response.text
    message = response.json["message"]
    suggested = any(word.lower() in message.lower() for word in case["suggest"])
    offending = [name.lower() for name in case["names"]]
    if isinstance(phrase, str) and phrase and phrase.lower() not in offending and not suggested:
        message = message.replace(phrase, "")
    assert any(name in message.lower() for name in offending), (message, case["names"])
