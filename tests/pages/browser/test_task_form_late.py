"""The form of a task in a browser while nobody answers, or nobody is known any more: what is written stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, expect

from tests.pages.browser.conftest import fits
from tests.server import Server
from tests.users import PASSWORD, line, write_users

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def locked(make_server: Callable[..., Server]) -> Server:
    """Return a server with a user."""
    server = make_server()
    write_users(server.data / "users", line())
    return server


def sign_in(page: Page) -> None:
    page.fill("[name=name]", "ann")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


def sign_out_elsewhere(page: Page, url: str) -> None:
    other = page.context.new_page()
    other.goto(url)
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in")


def test_nobody_is_led_away_from_what_they_write(
    locked: Server, open_page: OpenPage, check_access: Callable[[Page], None]
) -> None:
    page = open_page(locked.url + "/new-task", width=390)
    sign_in(page)
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.locator("#f-command").click()
    page.keyboard.type("echo precious")
    sign_out_elsewhere(page, locked.url)
    page.locator("#f-interval").click()
    page.keyboard.type("hourly")
    expect(page.locator("#session")).to_contain_text("Your session is over.")
    expect(page.locator("#preview")).to_contain_text("The session is over")
    check_access(page)
    assert fits(page)
    page.locator("#try").click()
    expect(page.locator("#try-result")).to_have_text("The session is over: sign in again.")
    page.locator("label", has_text="Python script").click()
    page.fill("#f-file_path", "reports/")
    page.locator("label", has_text="Shell command").click()
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Sign in in another tab").click()
    sign_in(opened.value)
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#preview strong")).to_have_text("every 1 hour")
    expect(page.locator("#session")).to_be_empty()
    page.locator("#try").click()
    expect(page.locator(".told")).to_contain_text("Nothing is saved yet")
    expect(page.locator("#f-command")).to_have_value("echo precious")
    page.locator("#try").click()
    expect(page.locator("#try-result pre")).to_have_text("precious\n")
    assert asked == []


def test_a_phrase_is_not_wrong_because_nobody_answers(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task", expected=("net::ERR_FAILED",))
    page.route("**/api/preview**", lambda route: route.abort())
    page.fill("#f-interval", "hourly")
    expect(page.locator("#preview")).to_contain_text("The service cannot be reached.")
    assert page.locator("#f-interval").get_attribute("aria-invalid") is None
    page.unroute("**/api/preview**")
    expect(page.locator("#preview strong")).to_have_text("every 1 hour")


def test_a_form_outlives_the_session(locked: Server, open_page: OpenPage) -> None:
    page = open_page(locked.url + "/new-task")
    sign_in(page)
    for name, text in (("task_id", "kept"), ("command", "true"), ("interval", "hourly"), ("description", "two\nlines")):
        page.fill(f"#f-{name}", text)
    sign_out_elsewhere(page, locked.url)
    page.click("#save")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="sign in in another tab").click()
    sign_in(opened.value)
    page.get_by_role("button", name="Show the form again").click()
    expect(page.locator(".told")).to_contain_text("Nothing is saved yet")
    expect(page.locator("#f-description")).to_have_value("two\nlines")
    page.click("#save")
    page.wait_for_url("**/tasks/kept")
