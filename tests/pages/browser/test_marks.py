"""Strips of runs in the table of tasks: one stop of Tab each, and each mark leads to its run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser.conftest import WIDTHS, fits
from tests.server import Server

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]


@pytest.fixture
def task(server: Server) -> Server:
    """Return a server with a task that has run three times, of which the second failed."""
    if server.ok("list")["count"]:
        server.ok("remove", task_id="a/b %")
    server.ok("create", task_id="a/b %", type="command", command="exit $(cat code)", interval="every 7 hours")
    for code in "010":
        (server.workspace / "code").write_text(code)
        server.ok("run_now", task_id="a/b %", wait=True)
    return server


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()


def run_ids(server: Server) -> list[str]:
    return [run["run_id"] for run in server.runs(task_id="a/b %")]


@pytest.mark.parametrize("width", WIDTHS)
def test_pointing_tells_and_a_click_opens_the_run(task: Server, open_page: OpenPage, width: int) -> None:
    page = open_page(f"{task.url}/tasks", width=width, zone="Asia/Tokyo")
    page.locator(".to-runs").hover()
    marks = page.locator(".marks a")
    failed = run_ids(task)[-2]
    mark = page.locator(f'.marks a[href="/runs/{failed}"]')
    expect(mark).to_be_attached()
    box = mark.bounding_box()
    assert box
    page.mouse.move(box["x"] + 2, box["y"] + 10)
    expect(mark.locator(".tip")).to_contain_text(re.compile(r"failed, 20\d\d-.* UTC"))
    assert marks.locator(".tip").evaluate_all("tips => tips.filter(tip => tip.clientWidth > 1).length") == 1
    assert fits(page)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(f"**/runs/{failed}")


def test_a_mark_lies_where_it_was_drawn(task: Server, open_page: OpenPage) -> None:
    page = open_page(f"{task.url}/tasks")
    drawn = page.locator(".to-runs path.failed").bounding_box()
    page.locator(".to-runs").hover()
    mark = page.locator(".marks path.failed").last.bounding_box()
    assert drawn
    assert mark
    assert abs(mark["x"] + mark["width"] - drawn["x"] - drawn["width"]) < 1
    assert abs(mark["y"] - drawn["y"]) < 1


def test_keys_go_over_the_marks(task: Server, open_page: OpenPage) -> None:
    page = open_page(f"{task.url}/tasks")
    expect(page.locator("html[data-live]")).to_be_attached()
    page.keyboard.press("j")
    strip, ids = page.locator(".to-runs"), run_ids(task)
    while not strip.evaluate("strip => strip === document.activeElement"):
        page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run a/b % now")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    expect(strip).to_be_focused()
    page.keyboard.press("ArrowLeft")
    focused = page.locator(".marks a:focus")
    expect(focused).to_have_attribute("href", f"/runs/{ids[-1]}")
    steps = {"ArrowLeft": -2, "ArrowRight": -1, "Home": -min(30, len(ids)), "End": -1}
    for key, place in steps.items():
        page.keyboard.press(key)
        expect(focused).to_have_attribute("href", f"/runs/{ids[place]}")
    expect(focused.locator(".tip")).to_be_visible()
    expect(focused).to_have_accessible_name(re.compile(r"^completed, 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d$"))
    page.keyboard.press("Escape")
    expect(strip).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs/{ids[-2]}")


def test_a_run_that_ends_meanwhile_moves_nobody(task: Server, open_page: OpenPage) -> None:
    page = open_page(f"{task.url}/tasks")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    page.locator(".to-runs").focus()
    expect(page.locator(".marks")).to_be_attached()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    focused = page.locator(".marks a:focus")
    before = run_ids(task)[-2]
    expect(focused).to_have_attribute("href", f"/runs/{before}")
    made = task.ok("run_now", task_id="a/b %", wait=True)["run_id"]
    expect(page.locator(f'.marks a[href="/runs/{made}"] path.completed')).to_be_attached()
    expect(focused).to_have_attribute("href", f"/runs/{before}")


def test_the_strip_leads_to_the_list_by_touch_and_without_scripts(task: Server, open_page: OpenPage) -> None:
    without = open_page(f"{task.url}/tasks", width=390, java_script_enabled=False)
    without.locator(".to-runs").click()
    by_touch = open_page(f"{task.url}/tasks", width=390, has_touch=True, is_mobile=True)
    by_touch.locator(".to-runs").focus()
    box = by_touch.locator(".marks a").last.bounding_box()
    assert box
    by_touch.touchscreen.tap(box["x"] + 2, box["y"] + 10)
    for page in (without, by_touch):
        page.wait_for_url("**/runs?task=a/b%20%25")
        expect(page.locator("tbody [data-row]").first).to_be_visible()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_everybody_can_use_it(
    task: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int, colours: str
) -> None:
    page = open_page(f"{task.url}/tasks", width=width, colours=colours)
    page.locator(".to-runs").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".marks a:focus .tip")).to_be_visible()
    check_access(page)
    assert fits(page)
