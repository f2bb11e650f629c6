"""A task's page in a browser: the year by keyboard, changes as they come, removing with a question."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.pages.browser.conftest import WIDTHS, fits
from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]


@pytest.mark.parametrize("width", WIDTHS)
def test_the_year_by_keyboard(demo: Server, open_page: OpenPage, width: int) -> None:
    page = open_page(f"{demo.url}/tasks/check-disk", width=width)
    said = page.locator("#day-said")
    assert page.locator("[data-heat] [tabindex='0']").count() == 1, "one stop for Tab"
    today = datetime.now(UTC).date()
    page.locator("[data-heat] [tabindex='0']").focus()
    expect(said).to_contain_text(str(today))
    for key, days in (("ArrowUp", -1), ("ArrowLeft", -8), ("ArrowRight", -1), ("ArrowDown", 0)):
        page.keyboard.press(key)
        expect(said).to_contain_text(str(today + timedelta(days=days)))
    page.keyboard.press("Home")
    expect(said).to_contain_text(f"{today.year}-01-01")
    page.keyboard.press("End")
    expect(said).to_contain_text(f"{today.year}-12-31")
    expect(page.locator(f"[data-day='{today.year}-12-31']")).to_be_in_viewport()
    page.locator(f"[data-day='{today - timedelta(days=1)}']").focus()
    expect(said).to_contain_text("completed")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/runs?task=check-disk&day={today - timedelta(days=1)}")
    assert page.locator("tr[data-row]").count() > 10
    assert fits(page)


def test_what_changes_shows(demo: Server, open_page: OpenPage) -> None:
    demo.ok("create", task_id="turns", type="command", interval="every 5 hours", command="true")
    page = open_page(f"{demo.url}/tasks/turns")
    expect(page.get_by_text("It has not run yet")).to_be_visible()
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    demo.ok("run_now", task_id="turns")
    expect(page.locator("[data-part=history] .status.completed")).to_be_visible()
    assert page.locator("[data-heat] [tabindex='0']").count() == 1
    demo.ok("pause", task_id="turns")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    expect(page.locator("[data-part=changes]")).to_contain_text("Paused")
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".notice")).to_have_text("The task is planned again.")


def test_why_it_did_not_run(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/tasks/rotate-logs")
    page.fill("#at", "2026-03-05T10:11:12")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator(".explanation")).to_contain_text("is no fire time of 'daily at 00:05'")
    expect(page.locator("#at")).to_have_value("2026-03-05T10:11:12")


def test_removing_asks_first(demo: Server, open_page: OpenPage) -> None:
    demo.ok("create", task_id="unwanted", type="command", interval="every 5 hours", command="true")
    page = open_page(f"{demo.url}/tasks/unwanted", expected=("404",))
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Cancel").click()
    assert demo.post("get", task_id="unwanted").ok
    page.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Remove the task").click()
    page.wait_for_url("**/tasks")
    assert demo.post("get", task_id="unwanted").status_code == 404


def test_who_removes_a_task_gets_to_the_list_though_the_page_is_told_first(demo: Server, open_page: OpenPage) -> None:
    demo.ok("create", task_id="slowly", type="command", interval="every 5 hours", command="true")
    page = open_page(f"{demo.url}/tasks/slowly", expected=("404",))
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    held: list[tuple[Route, APIResponse]] = []
    page.route("**/slowly/remove", lambda route: held.append((route, route.fetch(max_redirects=0))))
    page.get_by_role("button", name="Remove").click()
    with page.expect_response(lambda response: response.status == 404):
        page.get_by_role("button", name="Remove the task").click(no_wait_after=True)
    page.wait_for_timeout(500)  # what a page does that was told comes right after
    wait_until(lambda: page.wait_for_timeout(5) or held, what="the answer")
    ((route, response),) = held
    route.fulfill(response=response)
    page.wait_for_url("**/tasks")
