"""What every page has, in a browser: colours, keys, times in the viewer's zone, a lost connection, access for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser.conftest import WIDTHS, fits
from tests.pages.test_words import CLOCKS, DURATIONS, SPANS
from tests.server import Server
from tests.users import PASSWORD, line, write_users

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]

PATHS = [
    "/",
    "/tasks",
    "/new-task",
    "/tasks/backup-database",
    "/tasks/backup-database/edit",
    "/runs",
    "/runs?status=failed",
    "/rehearsal",
    "/rehearsal?span=year",
]
"""Pages that anybody on this server can open: add yours."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PATHS)
def test_everybody_can_use_it(
    demo: Server, open_page: OpenPage, check_access: Callable[[Page], None], path: str, width: int
) -> None:
    page = open_page(demo.url + path, width=width, colours="light")
    check_access(page)
    assert fits(page)
    page.emulate_media(color_scheme="dark")
    check_access(page)


def test_the_switch_of_colours_is_kept(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url, colours="light")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme button")
    page.click("#theme button")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_what_is_told_by_colour_is_told_where_colours_are_forced(
    demo: Server, open_page: OpenPage, colours: str
) -> None:
    page = open_page("about:blank", colours=colours, forced_colors="active")
    page.goto(f"{demo.url}/tasks/backup-database")
    swatches = page.locator(".legend .day").evaluate_all(
        "some => some.map(one => getComputedStyle(one).backgroundColor)"
    )
    assert len(set(swatches)) == len(swatches) == 5
    page.goto(demo.url)
    drawn = page.locator(".legend canvas")
    expect(drawn).to_have_count(9)
    skipped, missed = (drawn.nth(place).evaluate("canvas => canvas.toDataURL()") for place in (6, 7))
    assert skipped != missed


@pytest.mark.parametrize("width", [320, *WIDTHS])
def test_long_names_stay_within_the_page_and_their_cells(
    make_server: Callable[..., Server], open_page: OpenPage, width: int
) -> None:
    server, task_id = make_server(SCHEDULER_AUTOSTART="1"), "W" * 128
    zone = "America/Argentina/Buenos_Aires"
    server.ok("create", task_id=task_id, type="command", command="true", interval="daily at 02:30", timezone=zone,
              tags=["t" * 64])  # fmt: skip
    run_id = server.ok("run_now", task_id=task_id, wait=True)["run"]["run_id"]
    server.ok("update", task_id=task_id, command="false")
    page = open_page(server.url, width=width)
    for path in ("/tasks", f"/tasks/{task_id}", f"/tasks/{task_id}/edit", f"/runs/{run_id}", "/rehearsal"):
        page.goto(server.url + path)
        expect(page.locator("#your-zone")).to_contain_text("UTC")
        assert fits(page), path
        cells = page.locator(".facts dd, .facts > div, .pairs dd, .changes > li")
        assert cells.evaluate_all("some => some.every(one => one.scrollWidth <= one.clientWidth)"), path


def test_on_paper_it_is_dark_on_white_and_whole_and_has_no_buttons(demo: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank", colours="dark")
    page.emulate_media(media="print")
    run_id = demo.ok("runs", limit=1)["runs"][0]["run_id"]
    for path in ("/", "/tasks", "/tasks/backup-database", f"/runs/{run_id}"):
        page.goto(demo.url + path)
        expect(page.locator("h1, #now").first).to_be_visible()
        assert page.locator("button:visible, nav:visible").count() == 0, path
        assert page.evaluate("getComputedStyle(document.body).color") == "rgb(27, 32, 38)"
    assert page.locator(".log").first.evaluate("log => getComputedStyle(log).maxHeight") == "none"


def test_keys(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_signing_in_and_out(make_server: Callable[..., Server], open_page: OpenPage) -> None:
    server = make_server()
    write_users(server.data / "users", line())
    page = open_page(f"{server.url}/?x=1")
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url("**/?x=1")
    answer = page.evaluate("fetch('/api/tasks').then(answer => answer.status)")
    assert answer == 200
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    expect(page.locator(".notice")).to_have_text("You are signed out.")


def test_modules_say_times_as_templates_do(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    said = """([name, values]) => import(document.querySelector('link[href$="/time.js"]').href)
        .then(time => values.map(value => time[name](value)))"""
    for name, table in (("saySpan", SPANS), ("sayClock", CLOCKS), ("sayDuration", DURATIONS)):
        assert page.evaluate(said, [name, [value for value, _ in table]]) == [text for _, text in table]
