"""The timeline by keys alone: one stop of Tab, lanes up and down, runs left and right, and what is said of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from docs.demo import Seeding
from docs.demo_tasks import DemoTask
from tests.pages.browser.conftest import WIDTHS, until
from tests.server import Server

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]

TASKS = (
    DemoTask("a-fails", "every 3 hours", "exit 1", ("one", "two"), 200, 100),
    DemoTask("b-works", "every 2 hours", "true", ("two",), 200),
    *(DemoTask(f"lane-{number:02}", "every 8 hours", "true", (), 200) for number in range(38)),
)
CELL = """() => {
    const id = document.getElementById("plot").getAttribute("aria-activedescendant");
    const cell = id && document.getElementById(id), plot = document.getElementById("plot").getBoundingClientRect();
    if (!cell) return null;
    const { top, bottom, left, right } = cell.getBoundingClientRect(), { outlineStyle } = getComputedStyle(cell);
    const inner = cell.querySelector("a") ?? cell, says = inner.getAttribute("aria-label") ?? inner.textContent;
    return { says, role: cell.getAttribute("role"), column: Number(cell.getAttribute("aria-colindex")),
             row: Number(cell.parentElement.getAttribute("aria-rowindex")),
             seen: top >= plot.top && bottom <= Math.min(plot.bottom, innerHeight)
                 && left >= plot.left - 5 && right <= plot.right + 5,
             marked: outlineStyle === "solid" };
}"""


@pytest.fixture(scope="module")
def lanes(make_server: Callable[..., Server]) -> Server:
    """Return a server with forty lanes and a day of runs."""
    server = make_server(SCHEDULER_AUTOSTART="1")
    server.stop()
    Seeding(server.data, server.workspace, datetime.now(UTC), days=2).write(TASKS)
    return server.start()


def come(page: Page) -> None:
    """Go to the timeline by Tab, when its lanes are known."""
    until(page, "performance.getEntriesByName('timeline').some(entry => entry.detail.drawn > 10)")
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "plot":
            return
    pytest.fail("Tab does not lead to the timeline")


def cell(page: Page) -> Any:
    """Return the cell that keys have come to, as it is said and seen."""
    found = page.evaluate(CELL)
    assert found is None or (found["seen"] and found["marked"]), found
    return found


def framed(page: Page) -> Locator:
    """Return the frame around what keys have come to."""
    return page.locator("#plot .framed")


def says(page: Page) -> str:
    return str(cell(page)["says"])


def walk(page: Page, key: str) -> list[str]:
    """Return what is said on the way, until a key leads no further."""
    said = [says(page)]
    for _ in range(100):
        page.keyboard.press(key)
        if says(page) == said[-1]:
            return said
        said.append(says(page))
    pytest.fail(f"{key} leads on without end")


def expected(server: Server, task_id: str) -> list[str]:
    """Return how what is told of each run of the last 18 hours begins, by the ledger."""
    since = datetime.now(UTC) - timedelta(hours=18)
    seen = [run for run in server.runs(task_id=task_id) if datetime.fromisoformat(run["finished_at"]) > since]
    starts = [datetime.fromisoformat(run["started_at"]).astimezone(UTC) for run in seen]
    return [f"{task_id}, {run['status']}, {at:%Y-%m-%d %H:%M:%S}" for run, at in zip(seen, starts, strict=True)]


def test_all_runs_are_reached_and_one_is_opened(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(lanes.url)
    come(page)
    page.keyboard.press("Home")
    said, runs = walk(page, "ArrowRight"), expected(lanes, "a-fails")
    assert [text[: len(run)] for text, run in zip(said, runs, strict=False)] == runs
    assert [text.split(" for ")[0] for text in said[len(runs) :]] == ["a-fails, planned"] * 2
    expect(page.locator(".hover")).to_contain_text(re.compile(r"a-failsplanned for .*in \d h"))
    page.keyboard.press("Home")
    assert says(page) == said[0]
    page.keyboard.press("End")
    assert says(page) == said[-1]
    assert walk(page, "ArrowLeft")[-1].startswith("a-fails: "), "left of the first run is the task's name"
    expect(page.locator(".hover")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    assert says(page) == said[0]
    page.keyboard.press("ArrowRight")
    assert (cell(page)["role"], cell(page)["column"], cell(page)["row"]) == ("gridcell", 3, 1)
    expect(page.locator(".hover strong")).to_have_text("a-fails")
    expect(page.locator(".hover")).to_contain_text(runs[1].rpartition(", ")[2])
    opened = lanes.runs(task_id="a-fails")[-len(runs) + 1]["run_id"]
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{opened}")


def test_up_and_down_keep_to_the_moment(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(lanes.url)
    come(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    first = expected(lanes, "b-works")[:2]
    assert says(page).startswith(tuple(first)), "the run that is nearest to where one came from"
    page.keyboard.press("ArrowUp")
    assert says(page).startswith(expected(lanes, "a-fails")[0])
    page.keyboard.press("ArrowUp")
    assert cell(page)["row"] == 1
    page.keyboard.press("Control+End")
    assert cell(page)["row"] == 40
    expect(framed(page)).to_have_attribute("aria-label", re.compile("^lane-37, completed"))
    assert cell(page)["seen"]
    page.keyboard.press("PageUp")
    assert 20 < cell(page)["row"] < 30
    page.keyboard.press("Control+Home")
    assert says(page).startswith(expected(lanes, "a-fails")[0])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    assert re.fullmatch(r"b-works: \d+ runs", says(page))
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/b-works")


def test_tab_stops_once_and_leaves_no_trace(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(lanes.url)
    come(page)
    assert cell(page)["row"] == 1
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#plot')") is None
    page.evaluate("async () => { dispatchEvent(new Event('themechange')); await new Promise(requestAnimationFrame); }")
    expect(page.locator("#plot .framed, #plot .at")).to_have_count(0)
    expect(page.locator(".hover")).to_be_hidden()
    page.keyboard.press("Shift+Tab")
    assert cell(page)["row"] == 2, "one comes back to where one was"
    expect(page.locator(".hover")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".hover")).to_be_hidden()
    assert cell(page)["row"] == 2
    page.keyboard.press("?")
    expect(page.locator("#help")).to_contain_text("runs and planned runs of a lane")


def test_it_moves_with_the_time_that_is_shown(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(lanes.url)
    come(page)
    page.keyboard.press("End")
    for _ in range(4):
        page.keyboard.press("ArrowLeft")
    before, box = says(page), framed(page).bounding_box()
    page.keyboard.press("Shift+ArrowLeft")
    expect(page).to_have_url(re.compile(r"at=20\d\d"))
    expect(framed(page)).not_to_have_attribute("aria-label", before)
    earlier = framed(page).bounding_box()
    assert box
    assert earlier
    assert abs(earlier["x"] - box["x"]) < 80, "one stays where one was, as far as there is a run"
    page.keyboard.press("Shift+Home")
    expect(page).not_to_have_url(re.compile("at="))
    expect(framed(page)).to_have_attribute("aria-label", before)


def test_headings_are_passed_over(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(f"{lanes.url}/?by=tag")
    come(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    said = [says(page)]
    for _ in range(3):
        page.keyboard.press("ArrowDown")
        said.append(says(page))
    places = [(text.split(":")[0], text.rpartition(", ")[2]) for text in said]
    assert places == [("a-fails", "one"), ("a-fails", "two"), ("b-works", "two"), ("lane-00", "no tag")]


def test_what_happens_meanwhile_moves_nobody(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(f"{lanes.url}/?tag=two")
    come(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    before = cell(page)
    assert (before["says"][:7], before["row"]) == ("b-works", 2)
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    lanes.ok("update", task_id="a-fails", tags=["one"])
    expect(page.locator("#plot .lane")).to_have_count(1)
    expect(framed(page)).to_have_attribute("aria-label", before["says"])
    assert cell(page) == {**before, "row": 1}
    page.select_option("#timeline-tag", "one")
    expect(page.locator("#plot .lane a")).to_have_text("a-fails")
    lanes.ok("update", task_id="a-fails", tags=["one", "two"])
    come(page)
    assert cell(page)["row"] == 1, "where one was is no more: the first in view"
    assert says(page).startswith("a-fails, ")


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_it(
    lanes: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int, colours: str
) -> None:
    page = open_page(lanes.url, width=width, colours=colours)
    come(page)
    assert cell(page)["role"] == "gridcell"
    check_access(page)


def test_the_tip_is_the_one_of_the_pointer(lanes: Server, open_page: OpenPage) -> None:
    page = open_page(lanes.url)
    come(page)
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    tip, box = page.locator(".hover"), framed(page).bounding_box()
    told = tip.inner_text()
    assert box
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + box["height"] / 2)
    assert tip.inner_text() == told
    page.keyboard.press("ArrowRight")
    assert tip.inner_text() == told, "what is pointed at comes first"
    page.mouse.move(5, 5)
    assert tip.inner_text() != told
    assert tip.inner_text().split("\n") == says(page).split(", ")


def test_without_lanes_there_is_no_grid(
    make_server: Callable[..., Server], open_page: OpenPage, check_access: Callable[[Page], None]
) -> None:
    page = open_page(make_server().url)
    expect(page.locator("#plot")).to_contain_text("No tasks yet")
    check_access(page)
    assert page.locator("#plot").get_attribute("role") == "group"
    assert page.locator("[role=grid], [role=rowgroup]").count() == 0
