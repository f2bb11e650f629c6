"""A task's year by days, and the changes of its definition."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduler.calendar_year import MOST_A_DAY, clock_changes, first_of, planned_days, stretches
from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from scheduler.spellings import read_schedule
from scheduler.store import Connection, jobs, runs
from scheduler.store.changes import HIDDEN, KEPT, changed_fields
from scheduler.triggers import Trigger
from tests.http.rest.conftest import Rest

BERLIN = ZoneInfo("Europe/Berlin")
YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def rule(text: str, zone: ZoneInfo = BERLIN) -> Trigger:
    return read_schedule({"interval": text}, zone=zone, now=YEAR).trigger


def add(rest: Rest, moment: datetime, status: str, attempt: int = 1, seconds: float = 2, **more: Any) -> None:
    """Put a run of the task into the ledger."""
    stored = rest.api.scheduler.get_job("nightly").stored
    run = Run(
        run_id=f"{moment:%Y%m%d%H%M%S}{attempt:012}",
        job_key=stored.key,
        task_id=stored.task_id,
        scheduled_for=moment,
        attempt=attempt,
        trigger=Origin.SCHEDULE,
        status=RunStatus(status),
        priority=Priority.MEDIUM,
        created_at=moment,
        due_at=moment,
        started_at=None if status in ("missed", "skipped") else moment,
        finished_at=moment + timedelta(seconds=seconds),
        **more,
    )
    rest.api.scheduler._store.write(lambda connection: runs.add_runs(connection, [run]))


# --- the year -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "year", "expected"),
    [
        ("Europe/Berlin", 2026, [("2026-03-29", 60), ("2026-10-25", -60)]),
        ("America/New_York", 2026, [("2026-03-08", 60), ("2026-11-01", -60)]),
        ("Australia/Lord_Howe", 2026, [("2026-04-05", -30), ("2026-10-04", 30)]),
        ("Asia/Beirut", 2024, [("2024-03-31", 60), ("2024-10-26", -60)]),  # at midnight: a day begins at 01:00
        ("UTC", 2026, []),
        ("Pacific/Apia", 2011, [("2011-04-02", -60), ("2011-09-24", 60), ("2011-12-31", 1440)]),  # a day is left out
    ],
)
def test_days_on_which_clocks_are_set(zone: str, year: int, expected: list[tuple[str, int]]) -> None:
    found = clock_changes(year, ZoneInfo(zone))
    assert [(str(one.day), (one.after - one.before) // timedelta(minutes=1)) for one in found] == expected


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Beirut", "Australia/Lord_Howe", "UTC"]),
    st.integers(2000, 2030),
    st.floats(0, 0.999),
)
def test_stretches_know_the_day_of_each_moment(name: str, year: int, where: float) -> None:
    zone = ZoneInfo(name)
    found = stretches(year, zone, clock_changes(year, zone))
    assert all(one.end == two.start for one, two in pairwise(found))
    moment = found[0].start + (found[-1].end - found[0].start) * where
    [mine] = [one for one in found if one.start <= moment < one.end]
    assert (moment + mine.offset).date() == moment.astimezone(zone).date()


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("daily at 02:30", 365, ("2026-01-01", 1, False)),
        ("every friday at 16:00", 52, ("2026-01-02", 1, False)),
        ("every 4 hours", 365, ("2026-01-01", 5, False)),
        ("every 5 minutes", 365, ("2026-01-01", MOST_A_DAY, True)),
        ("last day of the month at 23:00", 12, ("2026-01-31", 1, False)),
    ],
)
def test_what_is_planned(text: str, first: int, expected: tuple[str, int, bool]) -> None:
    trigger = rule(text)
    found = list(planned_days(trigger, trigger.utc_after(YEAR), 2026, BERLIN))
    day, count, more = found[0]
    assert len(found) == first
    assert (str(day), count, more) == expected


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(["daily at 02:30", "every 7 hours", "every 40 minutes", "every 2 days at 09:00"]),
       st.integers(0, 8759), st.one_of(st.none(), st.integers(0, 60)))  # fmt: skip
def test_planned_days_are_those_of_the_rule(text: str, hour: int, left: int | None) -> None:
    trigger = rule(text)
    first = trigger.utc_after(YEAR + timedelta(hours=hour))
    assert first is not None
    found = list(planned_days(trigger, first, 2026, BERLIN, left))
    days: dict[date, int] = {}
    moment: datetime | None = first
    end = first_of(date(2027, 1, 1), BERLIN)
    while moment is not None and moment < end and (left is None or sum(days.values()) < left):
        day = moment.astimezone(BERLIN).date()
        days[day] = days.get(day, 0) + 1
        moment = trigger.utc_after(moment)
    assert [day for day, _, _ in found] == list(days)
    assert all(count == days[day] or (more and count < days[day]) for day, count, more in found)


def test_another_year_has_its_own_plan() -> None:
    trigger = rule("daily at 12:00")
    found = list(planned_days(trigger, trigger.utc_after(YEAR), 2027, BERLIN))
    assert (str(found[0][0]), len(found)) == ("2027-01-01", 365)
    assert not list(planned_days(trigger, trigger.utc_after(YEAR), 2025, BERLIN))


def test_a_year_is_counted_by_the_days_of_the_zone(rest: Rest) -> None:
    rest.create(interval="daily at 00:30", timezone="Europe/Berlin")
    # Half past midnight in Berlin is the day before in UTC, by one hour or two.
    add(rest, datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "completed", seconds=2)
    add(rest, datetime(2026, 3, 29, 22, 30, tzinfo=UTC), "failed")
    add(rest, datetime(2026, 3, 29, 22, 30, tzinfo=UTC), "completed", attempt=2, seconds=5)
    add(rest, datetime(2026, 3, 29, 3, 0, tzinfo=UTC), "failed", seconds=4)
    add(rest, datetime(2026, 5, 1, 3, 0, tzinfo=UTC), "missed", count=7)
    shown = rest.ok("GET", "/api/tasks/nightly/calendar?year=2026")
    days = {day["day"]: day for day in shown["days"] if day["runs"]}
    assert {name: day["by_status"] for name, day in days.items()} == {
        "2026-03-29": {"completed": 1, "failed": 1},
        "2026-03-30": {"completed": 1},  # by the last attempt
        "2026-05-01": {"missed": 7},
    }
    assert days["2026-03-29"]["duration_ms"] == {"mean": 3000, "max": 4000}
    assert [change["day"] for change in shown["clock_changes"]] == ["2026-03-29", "2026-10-25"]
    assert rest.ok("GET", "/api/tasks/nightly/calendar?year=2025")["days"] == []


def test_the_year_tells_how_far_back_it_knows(make_rest: Any) -> None:
    rest = make_rest(keep_runs=2, keep_days=10_000)
    rest.create()
    shown = rest.ok("GET", "/api/tasks/nightly/calendar")
    assert shown["kept_since"] < "2000"
    assert shown["today"].startswith(str(shown["year"]))
    for day in (1, 2, 3):
        add(rest, datetime(2026, 5, day, tzinfo=UTC), "completed")
    assert rest.ok("GET", "/api/tasks/nightly/calendar?year=2026")["kept_since"].startswith("2026-05-01T02:00")


def test_a_paused_task_plans_nothing(rest: Rest) -> None:
    rest.create(interval="daily at 12:00")
    year = rest.ok("GET", "/api/tasks/nightly/calendar")["year"] + 1
    assert len(rest.ok("GET", f"/api/tasks/nightly/calendar?year={year}")["days"]) >= 365
    rest.ok("POST", "/api/tasks/nightly/pause")
    assert rest.ok("GET", f"/api/tasks/nightly/calendar?year={year}")["days"] == []


def test_no_year(rest: Rest) -> None:
    rest.create()
    for text in ("1969", "2200", "soon"):
        error = rest.refused(400, "invalid_field", "GET", f"/api/tasks/nightly/calendar?year={text}")
        assert error["problems"][0]["field"] == "year"
        rest.works(error["example"])
    rest.refused(404, "task_not_found", "GET", "/api/tasks/nothing/calendar")


# --- what was changed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3, "c": [4]}, {"b": (2, 3), "c": (None, [4])}),
        ({"a": 1}, {}, {"a": (1, None)}),
        (
            {"env": {"A": "1", "B": "2"}},
            {"env": {"B": "3", "C": "4"}},
            {"env.A": (HIDDEN, None), "env.B": (HIDDEN, HIDDEN), "env.C": (None, HIDDEN)},
        ),
        ({}, {"env": {"A": "1"}}, {"env.A": (None, HIDDEN)}),
        (
            {"notify": {"to": ["ops"]}},
            {"notify": {"to": ["ops", "https://secret@example.com/x", {"webhook": "https://x/?key=1"}]}},
            {"notify": ({"to": ["ops"]}, {"to": ["ops", HIDDEN, HIDDEN]})},
        ),
        ({"custom_script": "x" * 5000}, {"custom_script": "y"}, {"custom_script": ("x" * 1000 + "…", "y")}),
        ({"args": ["x" * 5000]}, {}, {"args": ('["' + "x" * 998 + "…", None)}),
    ],
)
def test_what_differs(before: Any, after: Any, expected: Any) -> None:
    assert changed_fields(before, after) == expected


def test_changes_are_kept_with_who_made_them(rest: Rest) -> None:
    rest.create("changing")
    assert rest.ok("GET", "/api/tasks/changing/history") == {"changes": [], "next_cursor": None}
    rest.ok("PATCH", "/api/tasks/changing", {"interval": "every 2 hours", "env": {"KEY": "secret"}})
    rest.ok("PATCH", "/api/tasks/changing", {"interval": "every 2 hours"})  # says nothing new
    rest.ok("POST", "/api/tasks/changing/pause")
    rest.api.ok("resume", task_id="changing")
    rest.ok("PUT", "/api/tasks/changing/schedule", {"interval": "every 3 hours"})
    rest.ok("PUT", "/api/tasks/changing", {"type": "command", "command": "false", "interval": "every 3 hours"})
    response = rest("GET", "/api/tasks/changing/history")
    changes = response.json["changes"]
    assert "secret" not in response.text
    assert [change["kind"] for change in changes] == ["updated", "updated", "resumed", "paused", "updated"]
    assert {change["by"] for change in changes} == {"127.0.0.1"}
    assert changes[-1]["fields"] == [
        {"field": "env.KEY", "old": None, "new": HIDDEN},
        {"field": "interval", "old": "every 1 hour", "new": "every 2 hours"},
    ]
    assert changes[0]["fields"] == [
        {"field": "command", "old": "true", "new": "false"},
        {"field": "env.KEY", "old": HIDDEN, "new": None},
    ]
    page = rest.ok("GET", "/api/tasks/changing/history?limit=2")
    assert page["changes"] == changes[:2]
    assert rest.ok("GET", f"/api/tasks/changing/history?cursor={page['next_cursor']}")["changes"] == changes[2:]


def test_a_task_made_again_shows_what_was_before(rest: Rest) -> None:
    rest.create("again")
    rest.ok("DELETE", "/api/tasks/again")
    rest.create("again")
    assert [change["kind"] for change in rest.ok("GET", "/api/tasks/again/history")["changes"]] == ["removed"]
    rest.refused(404, "task_not_found", "GET", "/api/tasks/nothing/history")


def test_changes_are_bounded(rest: Rest) -> None:
    rest.create("beside")
    rest.ok("POST", "/api/tasks/beside/pause")
    rest.create("bounded")

    def change(connection: Connection) -> None:
        for number in range(1, KEPT + 6):
            stored = jobs.get_job(connection, rest.api.scheduler.get_job("bounded").stored.key)
            definition = {**stored.definition, "timeout_seconds": number}
            jobs.change_job(connection, stored, {"definition": definition, "updated_at": YEAR}, "program")

    rest.api.scheduler._store.write(change)
    changes = rest.ok("GET", "/api/tasks/bounded/history")["changes"]
    assert len(changes) == KEPT
    assert changes[0]["fields"][0]["new"] == KEPT + 5
    assert changes[0]["by"] == "program"
    assert len(rest.ok("GET", "/api/tasks/beside/history")["changes"]) == 1


def test_a_change_that_is_not_made_is_not_told(rest: Rest) -> None:
    rest.create("unmade")
    rest.refused(412, "precondition_failed", "PATCH", "/api/tasks/unmade", {"priority": "high"}, If_Match='"x"')
    assert rest.ok("GET", "/api/tasks/unmade/history")["changes"] == []
