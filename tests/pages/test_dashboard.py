"""The dashboard: what it says of each state, and figures as shapes."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from scheduler.http.pages.dashboard_view import HEIGHT, days_chart, last_line, lateness_chart
from tests.http.conftest import watch_for
from tests.pages.conftest import Site
from tests.pages.test_serve import HOSTILE

DAY = date(2026, 6, 1)


def test_an_empty_service_teaches_the_first_call(site: Site) -> None:
    page = site.open("/")
    assert "No tasks yet" in page
    assert "curl http://localhost:10800/schedule -H &#39;Content-Type" not in page, "text that people copy"
    command = re.search(r"<code>(curl .*?)</code>", page, re.DOTALL)
    assert command
    assert '"action": "create"' in command[1].replace("&#34;", '"')


def test_state_and_button_go_together(site: Site) -> None:
    assert 'action="/scheduler/start"' in site.open("/")
    site.send("/scheduler/start")
    assert 'action="/scheduler/stop"' in site.open("/")
    assert site.api.ok("status")["state"] == "running"
    site.send("/scheduler/stop")
    assert site.api.ok("status")["state"] == "stopped"
    assert "Scheduler is not running" in (site.send("/scheduler/stop"), site.open("/"))[1]


def test_what_comes_what_runs_and_what_failed(site: Site) -> None:
    site.api.create("soon", interval="every 2 hours")
    site.api.create("bad", command="exit 3", interval="every 3 hours")
    assert "The scheduler is stopped" in site.open("/")
    site.api.ok("start")
    for _ in range(2):
        site.api.run("bad")
    run_id = site.api.running("long", interval="every 4 hours")
    page = site.open("/")
    assert page.index('href="/tasks/soon"') < page.index('href="/tasks/bad"')
    assert re.search(r"data-countdown[^>]*>1:59:\d\d<", page)
    assert f'href="/runs/{run_id}"' in page
    assert "2 times" in page
    assert "exit code 3" in page
    assert "Nothing failed" not in page
    site.api.ok("cancel", run_id=run_id)


def test_the_last_line_of_a_run_is_shown_while_it_goes_on(site: Site) -> None:
    site.api.create("talks", command=f"echo one; echo '{HOSTILE}'; touch said; exec sleep 600".replace("'>", ">"))
    run_id = site.api.ok("run_now", task_id="talks")["run_id"]
    watch_for((site.api.workspace / "said").exists)
    page = site.open("/")
    assert f'data-output="{run_id}"' in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    site.api.ok("cancel", run_id=run_id)


def test_what_people_name_runs_nowhere_and_every_id_has_its_path(site: Site) -> None:
    site.api.create(HOSTILE[:100], command="exit 1", interval="every 2 hours", tags=[HOSTILE[:40]], name=HOSTILE)
    site.api.create("a/b 100%", interval="every 1 hour")
    site.api.ok("start")
    site.api.run(HOSTILE[:100])
    page = site.open("/")
    assert "<script>alert" not in page
    assert 'href="/tasks/a%2Fb%20100%25"' in page


def test_the_part_that_changes_is_served_alone(site: Site) -> None:
    response = site.get("/dashboard/now")
    assert response.status_code == 200
    assert "<html" not in response.text
    assert {"state", "running", "coming", "trouble"} == set(re.findall(r'data-part="(\w+)"', response.text))


def test_what_is_counted_as_trouble_is_what_its_links_show(site: Site) -> None:
    site.api.create("x", command="exit 1")
    site.api.ok("start")
    site.api.run("x")
    links = set(
        re.findall(r'href="(/runs\?[^"]*)"><span class="label">Trouble|href="(/runs\?[^"]*)">All</a>', site.open("/"))
    )
    assert links == {("/runs?status=trouble", ""), ("", "/runs?status=trouble")}


def test_pages_are_open_to_who_may_read(locked: Site) -> None:
    assert locked.get("/dashboard/now").status_code == 303
    locked.sign_in("rob")
    assert '<form method="post" action="/scheduler' not in locked.open("/")


# --- charts --------------------------------------------------------------------------------------


def days(*counts: dict[str, int]) -> tuple[list[date], list[dict[str, int]]]:
    return [DAY + timedelta(days=number) for number in range(len(counts))], list(counts)


def test_days() -> None:
    chart = days_chart(*days({"completed": 9, "failed": 1}, {}, {"completed": 4, "skipped": 5}, {"timeout": 5}))
    assert [(column.good, column.bad) for column in chart.columns] == [
        (HEIGHT * 0.9, HEIGHT * 0.1), (0, 0), (round(HEIGHT * 0.4, 1), 0), (0, HEIGHT * 0.5),
    ]  # fmt: skip
    assert chart.rate == pytest.approx(13 / 19)
    assert chart.columns[0].text == "2026-06-01: 10 runs, 1 failed"
    assert chart.columns[1].text == "2026-06-02: no runs"
    assert chart.text == "19 runs, 6 failed"


def test_one_failure_among_thousands_is_seen() -> None:
    [column] = days_chart(*days({"completed": 5000, "failed": 1})).columns
    assert column.bad == 2
    assert column.good + column.bad <= HEIGHT


def test_no_runs_have_no_rate() -> None:
    chart = days_chart(*days({}, {"skipped": 3}))
    assert (chart.rate, chart.text) == (None, "no runs")


def test_lateness() -> None:
    chart = lateness_chart([1, 2, 3, 50, 5000, 20_000])
    assert [column.text for column in chart.columns] == [
        "3 runs within 10 ms", "1 run within 100 ms", "0 runs within 1 s", "1 run within 10 s", "1 run later than 10 s",
    ]  # fmt: skip
    assert [bool(column.bad) for column in chart.columns] == [False, False, False, True, True]
    assert chart.median_ms == 50
    assert lateness_chart([]).median_ms is None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("one\n", "one"),
        ("one\ntwo", "two"),
        ("one\n\n\n", "one"),
        ("10%\r20%\r30%", "30%"),
        ("x" * 999, "x" * 300),
    ],
)
def test_last_line(text: str, line: str) -> None:
    assert last_line(text) == line
