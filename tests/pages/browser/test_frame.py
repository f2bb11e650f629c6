"""What every page has, in a browser: colours, keys, times in the viewer's zone, a lost connection, access for all."""

from __future__ import annotations

import re
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


@pytest.fixture
def locked(make_server: Callable[..., Server]) -> Server:
    """Return a server with a user."""
    server = make_server()
    write_users(server.data / "users", line())
    return server


def sign_in(page: Page) -> None:
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def test_signing_in_and_out(locked: Server, open_page: OpenPage) -> None:
    page = open_page(f"{locked.url}/?x=1")
    sign_in(page)
    page.wait_for_url("**/?x=1")
    answer = page.evaluate("fetch('/api/tasks').then(answer => answer.status)")
    assert answer == 200
    page.click("text=Sign out")
    page.wait_for_url("**/sign-in")
    expect(page.locator(".notice")).to_have_text("You are signed out.")


def test_a_session_that_is_over_leads_to_sign_in(locked: Server, open_page: OpenPage) -> None:
    page = open_page(f"{locked.url}/tasks")
    sign_in(page)
    page.wait_for_url("**/tasks")
    other = page.context.new_page()
    other.goto(f"{locked.url}/runs")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    page.context.clear_cookies()
    page.fill("[name=q]", "x")
    page.wait_for_url("**/sign-in?next=*")
    # The stream of events is refused when the page is looked at again.
    other.evaluate("""() => {
        dispatchEvent(new PageTransitionEvent("pagehide"));
        dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    }""")
    other.wait_for_url("**/sign-in?next=%2Fruns")


def test_a_service_that_is_gone_is_told_as_that(make_server: Callable[..., Server], open_page: OpenPage) -> None:
    server = make_server()
    page = open_page(f"{server.url}/tasks", expected=("ERR_", "503"))
    server.stop()
    page.fill("[name=q]", "x")
    expect(page.locator(".toast")).to_contain_text("The service cannot be reached. Is it running?")


@pytest.mark.parametrize("is_secure", [True, False])
def test_copying(server: Server, open_page: OpenPage, is_secure: bool) -> None:
    page = open_page("about:blank", permissions=["clipboard-read", "clipboard-write"])
    if not is_secure:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined });")
    page.goto(f"{server.url}/tasks")
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    page.evaluate("document.querySelector('[name=q]').focus()")
    page.keyboard.press("Control+V")
    assert page.locator("[name=q]").input_value().startswith("curl http")


def test_two_times_have_a_space_between(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/runs", zone="Asia/Tokyo")
    expect(page.locator(".when time:has(.theirs)").first).to_have_text(
        re.compile(r"^[-\d]{10} \d\d:\d\d:\d\d ([-\d]{10} )?\d\d:\d\d:\d\d \S+$")
    )


def test_modules_say_times_as_templates_do(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    said = """([name, values]) => import(document.querySelector('link[href$="/time.js"]').href)
        .then(time => values.map(value => time[name](value)))"""
    for name, table in (("saySpan", SPANS), ("sayClock", CLOCKS), ("sayDuration", DURATIONS)):
        assert page.evaluate(said, [name, [value for value, _ in table]]) == [text for _, text in table]
