"""A task's page: what it is, its year, its durations, what was changed, and why it did not run."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from zoneinfo import ZoneInfo

import pytest

from scheduler.calendar_year import CalendarYear, YearDay, clock_changes
from scheduler.clock_changes import ClockChange
from scheduler.http.pages.chart_view import draw_durations, find_outliers
from scheduler.http.pages.heat_view import Cell, HeatMap, lay_out_heat
from scheduler.models import Priority
from scheduler.run import Origin, Run, RunStatus
from tests.pages.conftest import Site, check_page
from tests.pages.test_runs import NOON, add, ids
from tests.pages.test_serve import HOSTILE

BERLIN = ZoneInfo("Europe/Berlin")


# --- the page -----------------------------------------------------------------------------------


def test_what_a_task_is(site: Site) -> None:
    site.api.create("nightly", interval="daily at 02:30", timezone="America/New_York", command="make backup",
                    name="Back up", description="Everything", tags=["safe"], env={"KEY": "geheim"}, max_retries=2,
                    overlap="queue")  # fmt: skip
    page = site.open("/tasks/nightly")
    assert "<h1>Back up</h1>" in page
    for text in ("daily at 02:30", "America/New_York", "make backup", "Everything", "<dt>Retries<dd>2", "wait in line"):
        assert text in page
    assert "geheim" not in page
    found = re.search(r'<pre class="copy"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found
    shown = json.loads(unescape(found[1]))
    assert (shown["task_id"], shown["env"], shown["max_retries"]) == ("nightly", {"KEY": "(hidden)"}, 2)
    rows = re.search(r'<ol class="rows next">(.*?)</ol>', page, re.DOTALL)
    assert rows
    assert rows[1].count("<li>") == 10
    assert "All else is as it is by default" in page


def test_of_a_task_of_a_file_it_is_asked_whether_it_is_meant_to_change_here(site: Site, filed: str) -> None:
    page = site.open(f"/tasks/{filed}")
    assert "data-remove" not in page
    for did, state in (("pause", "paused"), ("resume", "pending"), ("remove", None)):
        assert f'action="/tasks/{filed}/{did}"' in site.open(f"/tasks/{filed}")
        asked = site.send(f"/tasks/{filed}/{did}")
        check_page(asked)
        assert f"{did.capitalize()} {filed} here all the same?" in asked.text
        assert "<code>/jobs.yaml</code>" in asked.text
        [action] = re.findall(r'<form method="post" action="(/tasks/[^"]*)" class="inline">', asked.text)
        done = site.send(action, override="on")
        assert (done.status_code, done.headers["Location"]) == (303, f"/tasks/{filed}" if state else "/tasks")
        assert state is None or site.api.details(filed)["state"] == state
    assert site.api.ok("list")["count"] == 0


def test_a_task_s_history_is_a_page_at_a_time(site: Site) -> None:
    site.api.create("paged")
    made = [add(site, "paged", ago=number) for number in range(25)]
    page = site.open("/tasks/paged")
    assert ids(page) == made[:20]
    older = re.search(r'href="(/tasks/paged\?[^"]+)#history">Older', page)
    assert older
    second = site.open(unescape(older[1]))
    assert ids(second) == made[20:]
    assert 'href="/tasks/paged#history">Newest' in second


def test_running_pausing_and_resuming(site: Site) -> None:
    site.api.create("turn/1")
    assert site.send("/tasks/turn%2F1/run").headers["Location"].startswith("/runs/")
    assert site.send("/tasks/turn%2F1/pause").headers["Location"] == "/tasks/turn%2F1"
    page = site.open("/tasks/turn%2F1")
    assert "The task is paused" in page
    assert "None is planned" in page
    assert 'action="/tasks/turn%2F1/resume"' in page
    site.send("/tasks/turn%2F1/resume")
    page = site.open("/tasks/turn%2F1")
    assert "None is planned" not in page
    assert re.findall(r"<li><div>(\w+)", page) == ["Resumed", "Paused", "Made"]


def test_removing_leads_to_the_tasks_and_leaves_the_runs(site: Site) -> None:
    site.api.create("past")
    add(site, "past")
    response = site.send("/tasks/past/remove")
    assert response.headers["Location"] == "/tasks"
    page = site.open("/tasks/past", 404)
    assert "This task is removed" in page
    assert 'href="/runs?task=past"' in page
    site.open("/tasks/never-was", 404)


def test_what_was_changed_is_told_without_secrets(site: Site) -> None:
    site.api.create("changing", interval="every 2 hours", env={"A": "geheim"})
    site.api.ok("update", task_id="changing", interval="every 3 hours", env={"A": "anders"}, description=HOSTILE)
    page = site.open("/tasks/changing")
    assert "<del>every 2 hours</del>" in page
    assert "<ins>every 3 hours</ins>" in page
    assert "<code>env.A</code><td><del>(hidden)" in re.sub(r"</?t[hdr][^>]*>(?!<del>)", "", page)
    assert "geheim" not in page
    assert "anders" not in page
    assert "127.0.0.1" in page
    assert "<script>alert" not in page


def test_why_it_did_not_run(site: Site) -> None:
    site.api.create("why", interval="daily at 12:00", timezone="UTC")
    assert "The scheduler is stopped, so nothing runs on schedule." in site.open("/tasks/why")
    page = site.open("/tasks/why?at=2026-05-31T12:34")
    assert "is no fire time of &#39;daily at 12:00&#39;" in page
    assert 'value="2026-05-31T12:34"' in page
    assert '<time datetime="2026-05-31T12:00:00+00:00" data-zone="UTC">2026-05-31 12:00:00</time>' in page
    add(site, "why", "missed", details={"reason": "noticed 312 s late"})
    assert "was missed: noticed 312 s late" in site.open("/tasks/why?at=2026-06-01T12:00:00")
    run_id = add(site, "why", ago=24 * 60)
    page = site.open("/tasks/why?at=2026-05-31T12:00:00")
    assert f'has run as <a href="/runs/{run_id}">{run_id}</a> and is completed' in page
    assert "must be an ISO 8601 date or time" in site.open("/tasks/why?at=yesterday")


def test_the_year_is_there_in_words_too(site: Site) -> None:
    site.api.create("yearly", interval="daily at 12:00", timezone="Europe/Berlin")
    add(site, "yearly", "failed")
    page = site.open("/tasks/yearly?year=2026")
    assert '<a href="/runs?task=yearly&amp;day=2026-06-01" data-day="2026-06-01">' in page
    assert "2026-06-01, Mon: 1 failed, took 3.0 s" in page
    assert "2026-03-29, Sun: not made yet; clocks go forward by 1 h" in page
    year = datetime.now(BERLIN).year + 1
    page = site.open(f"/tasks/yearly?year={year}&shade=duration")
    assert f"{year}-12-31" in page
    assert "1 planned" in page
    assert "<code>year</code>" in site.open("/tasks/yearly?year=never", 400)


def test_what_people_write_runs_nowhere(site: Site) -> None:
    task_id = HOSTILE[:120]
    site.api.create(task_id, name=HOSTILE[:100], description=HOSTILE, command=f"echo '{HOSTILE[:8]}'",
                    tags=[HOSTILE[:60]], args=[HOSTILE], env={"A": HOSTILE})  # fmt: skip
    path = f"/tasks/{site.api.app.jinja_env.globals['task_path'](task_id).removeprefix('/tasks/')}"
    page = site.open(f"{path}?at={HOSTILE}")
    assert "<script>alert" not in page
    assert "<img" not in page
    assert site.send(f"{path}/pause").headers["Location"] == path


# --- the calendar -------------------------------------------------------------------------------


def year(*days: YearDay, number: int = 2026, **more: object) -> HeatMap:
    given = {
        "year": number,
        "zone": BERLIN,
        "today": date(2026, 6, 1),
        "created_at": datetime(2026, 2, 1, tzinfo=UTC),
        "kept_since": datetime(2026, 5, 1, 12, tzinfo=UTC),
        "changes": clock_changes(number, BERLIN),
        **more,
    }
    return lay_out_heat(CalendarYear(days=days, **given))  # type: ignore[arg-type]


def cell(heat: HeatMap, day: str) -> Cell:
    """Return a day; it must stand in the row of its weekday."""
    wanted = date.fromisoformat(day)
    [found] = [one for _, cells in heat.rows for one in cells if one and one.day == wanted]
    assert found in heat.rows[wanted.weekday()][1]
    return found


@pytest.mark.parametrize("number", [2023, 2024, 2026, 2028, 2000])
def test_each_day_has_its_place(number: int) -> None:
    heat = year(number=number)
    found = [one for _, cells in heat.rows for one in cells if one]
    assert len({one.day for one in found}) == len(found) == date(number, 12, 31).timetuple().tm_yday
    [columns] = {len(cells) for _, cells in heat.rows}
    assert sum(month.weeks for month in heat.months) == columns
    for _, cells in heat.rows:
        days = [(one.day - timedelta(days=one.day.weekday())) if one else None for one in cells]
        assert [one for one in days if one] == sorted(one for one in days if one)


@pytest.mark.parametrize(
    ("counts", "kind"),
    [
        ({"completed": 3}, "good"),
        ({"completed": 3, "failed": 1}, "bad"),
        ({"interrupted": 1}, "bad"),
        ({"timeout": 1, "missed": 3}, "bad"),
        ({"missed": 1}, "odd"),
        ({"completed": 1, "skipped": 9}, "good"),
        ({"running": 1}, "going"),
    ],
)
def test_how_a_day_went(counts: dict[str, int], kind: str) -> None:
    found = cell(year(YearDay(date(2026, 5, 20), counts)), "2026-05-20")
    assert (found.kind, found.has_runs) == (kind, True)


def test_days_without_runs_say_why() -> None:
    heat = year(YearDay(date(2026, 7, 1), planned=3), YearDay(date(2026, 7, 2), planned=1, more=True))
    assert cell(heat, "2026-01-31").text == "2026-01-31, Sat: not made yet"
    assert cell(heat, "2026-04-30").text == "2026-04-30, Thu: no longer kept"
    assert heat.says_gone
    assert cell(heat, "2026-05-20").text == "2026-05-20, Wed: nothing"
    assert cell(heat, "2026-07-01").text == "2026-07-01, Wed: 3 planned"
    assert cell(heat, "2026-07-02").text == "2026-07-02, Thu: planned"
    assert cell(heat, "2026-03-29").text.endswith("no longer kept; clocks go forward by 1 h")
    assert cell(heat, "2026-10-25").clock
    assert [one.planned_days for one in heat.months][6] == 2


def test_more_runs_and_longer_ones_are_stronger() -> None:
    days = [YearDay(date(2026, 5, 20), {"completed": 1}, 1, 9_000_000, 9_000_000),
            YearDay(date(2026, 5, 21), {"completed": 40}, 40, 40_000_000, 2_000_000)]  # fmt: skip
    by_count = year(*days)
    assert (cell(by_count, "2026-05-20").level, cell(by_count, "2026-05-21").level) == (1, 4)
    found = CalendarYear(2026, BERLIN, date(2026, 6, 1), NOON, NOON, days, [])
    by_time = lay_out_heat(found, "duration")
    assert (cell(by_time, "2026-05-20").level, cell(by_time, "2026-05-21").level) == (4, 1)
    assert cell(by_time, "2026-05-21").text.endswith("40 completed, took 1.0 s on average, 2.0 s at most")


def test_clock_changes_are_said() -> None:
    moment = datetime(2026, 4, 4, 15, tzinfo=UTC)
    back = ClockChange(ZoneInfo("Australia/Lord_Howe"), moment, timedelta(hours=11), timedelta(hours=10, minutes=30))
    assert year(changes=[back]).clock_texts == ["2026-04-05: clocks go back by 30 min"]


# --- durations ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took", "expected"),
    [
        ([10.0] * 7 + [100.0], [7]),
        ([10.0] * 6 + [100.0], []),  # too few to tell
        ([10.0, 11, 9, 10, 12, 10, 11, 9, 10, 14], []),
        ([10.0, 11, 9, 10, 12, 10, 11, 9, 10, 40, 1], [9, 10]),
        ([0.0] * 20, []),
        ([float(number) for number in range(1, 40)], []),
    ],
)
def test_outliers(took: list[float], expected: list[int]) -> None:
    assert [place for place, is_one in enumerate(find_outliers(took)) if is_one] == expected


def ran(seconds: float, status: str = "completed", number: int = 0) -> Run:
    return Run(f"{number:026}", 1, HOSTILE, NOON, 1, Origin.SCHEDULE, RunStatus(status), Priority.MEDIUM, NOON,
               started_at=NOON, finished_at=NOON + timedelta(seconds=seconds))  # fmt: skip


def test_the_chart_has_a_bar_for_each_run_the_oldest_first() -> None:
    newest_first = [ran(100, "failed", 9), *(ran(2, number=number) for number in range(8, 0, -1)), ran(0, "cancelled")]
    chart = draw_durations(newest_first)
    assert chart
    assert [run.run_id[-1] for run in chart.runs] == list("123456789")
    assert (chart.median, chart.longest, [run.run_id[-1] for run in chart.outliers]) == (2000, 100_000, ["9"])
    bars = re.findall(r'<a href="/runs/(\w+)" tabindex="-1"><rect class="([\w ]+)" x="[\d.]+" y="([\d.]+)"', chart.svg)
    assert [(run_id[-1], kind) for run_id, kind, _ in bars][-2:] == [("8", "completed"), ("9", "failed outlier")]
    assert float(bars[-1][2]) == 0
    assert "style" not in chart.svg


def test_a_single_run_makes_no_chart() -> None:
    assert draw_durations([ran(1)]) is None
    assert draw_durations([]) is None
    assert draw_durations([ran(0), ran(0)]) is not None
