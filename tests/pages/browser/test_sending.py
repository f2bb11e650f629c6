"""What is pressed twice is done once, and what was stopped on its way is not lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Page, Request, Route, expect

from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]


def held_back(page: Page, path: str, most: int = 1) -> list[Route]:
    """Hold the first of what a page posts there from now on, and return the list that it comes to."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if is_sent(route.request) and len(held) < most:
            held.append(route)
        else:
            route.continue_()

    page.route(path, hold)
    return held


def is_sent(request: Request) -> bool:
    return request.method == "POST"


def come(page: Page, held: list[Route], count: int) -> Route:
    """Wait until so many are held, and return the last of them."""
    wait_until(lambda: page.wait_for_timeout(5) or len(held) >= count, what=f"{count} requests")
    return held[count - 1]


def write(page: Page) -> None:
    """Fill in the form of a task, as somebody does who types."""
    page.fill("#f-command", "true")
    page.fill("#f-interval", "hourly")
    expect(page.locator("#preview strong")).to_have_text("every 1 hour")
    page.locator("#f-description").click()
    page.keyboard.type("precious")


@pytest.mark.parametrize(
    ("path", "selector", "said"),
    [
        ("/new-task", "#save", "is to run hourly"),
        ("/tasks/a/edit", "#save", "it is to run hourly"),
        ("/tasks/a", "[data-does=run]", "is run now"),
    ],
)
def test_a_form_that_is_pressed_twice_is_sent_once(
    tasks: Server, open_page: OpenPage, path: str, selector: str, said: str
) -> None:
    page = open_page(tasks.url + path)
    if selector == "#save":
        write(page)
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if is_sent(request) else None)
    held = held_back(page, "**/*")
    page.locator(selector).click(no_wait_after=True)
    first = come(page, held, 1)
    page.mouse.down()
    page.mouse.up()
    first.continue_()
    expect(page.locator(".notice")).to_contain_text(said)
    assert len(sent) == 1


def test_a_form_that_was_stopped_on_its_way_is_sent_again_and_not_left_unasked(
    tasks: Server, open_page: OpenPage
) -> None:
    page = open_page(tasks.url + "/new-task")
    write(page)
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("addEventListener('stayed', () => console.log('stayed'))")
    held = held_back(page, "**/new-task", 2)
    page.locator("#save").click(no_wait_after=True)
    come(page, held, 1)
    with page.expect_console_message(lambda message: message.text == "stayed"):
        page.context.new_cdp_session(page).send("Page.stopLoading")
    page.get_by_role("link", name="Dashboard").click()
    assert asked == ["beforeunload"]
    page.locator("#save").click(no_wait_after=True)
    come(page, held, 2).continue_()
    page.wait_for_url("**/tasks/command-*")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize(
    ("selector", "path"),
    [
        ('[data-id="a"] [data-does=run]', "**/api/tasks/a/run"),
        ('[data-many="duplicate"]', "**/schedule"),
        ('#bulk [value="remove"]', "**/schedule"),
        ('#bulk [value="edit"]', "**/tasks"),
    ],
)
def test_a_button_of_the_table_does_one_thing_at_a_time(
    tasks: Server, open_page: OpenPage, selector: str, path: str
) -> None:
    page = open_page(tasks.url + "/tasks")
    page.locator('[data-id="a"] .pick input').click()
    sent: list[Request] = []
    page.on("request", lambda request: sent.append(request) if is_sent(request) else None)
    held = held_back(page, path)
    for _ in range(2):
        page.locator(selector).click()
    come(page, held, 1).continue_()
    expect(page.locator(".toast, dialog[open]")).to_have_count(1)
    first = sent[0]
    assert [request.url for request in sent if request.post_data == first.post_data] == [first.url]


@pytest.mark.parametrize("path", ["/tasks", "/"])
def test_the_second_click_of_two_starts_no_run(tasks: Server, open_page: OpenPage, path: str) -> None:
    tasks.ok("start")
    page = open_page(tasks.url + path)
    expect(page.locator("html[data-live]")).to_be_attached()
    count = len(tasks.runs())
    buttons = page.locator("[data-row] [data-does=run]")
    buttons.nth(0).dispatch_event("click", {"detail": 2})
    buttons.nth(1).dispatch_event("click", {"detail": 1})
    expect(page.locator(".toast")).to_have_count(1)
    assert len(tasks.runs()) == count + 1
    tasks.ok("stop")
