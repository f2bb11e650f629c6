"""What is pressed twice is done once, and what fails, or is stopped on its way, is not lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Dialog, Locator, Page, Request, Route, expect

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


def removed(page: Page, server: Server, *which: str) -> Locator:
    """Remove tasks by the table, and return the button that undoes it."""
    page.goto(server.url + "/tasks")
    for task_id in which:
        page.locator(f'[data-id="{task_id}"] .pick input').click()
    page.locator("#bulk").get_by_role("button", name="Remove").click()
    undo = page.locator(".toast").get_by_role("button", name="Undo")
    expect(undo).to_have_count(1)
    return undo


def test_an_undo_that_nobody_answers_is_asked_for_again(tasks: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank", expected=("net::ERR_FAILED",))
    undo = removed(page, tasks, "a")
    page.route("**/schedule", lambda route: route.abort())
    undo.click()
    expect(page.locator(".toast.bad")).to_contain_text("The service cannot be reached.")
    page.unroute("**/schedule")
    expect(undo).to_have_count(1)  # the first one goes when all that it began is over
    undo.click()
    expect(page.locator('[data-id="a"]')).to_be_visible()
    expect(undo).to_have_count(0)
    expect(page.locator('[data-id="a"] .pick input')).to_be_enabled()
    page.locator('[data-id="a"] .pick input').click()
    page.locator("#bulk").get_by_role("button", name="Edit").click()
    page.get_by_label("Priority").select_option("low")
    page.get_by_role("button", name="Show the change").click()
    page.get_by_role("button", name="Change 1 task").click()
    expect(undo).to_have_count(1)
    page.route("**/tasks", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    undo.click()
    expect(page.locator(".toast.bad")).to_contain_text("The service cannot be reached.")
    page.unroute("**/tasks")
    expect(undo).to_have_count(1)
    undo.click()
    expect(page.locator(".toast", has_text="1 task is as before.")).to_be_visible()
    expect(undo).to_have_count(0)


def test_an_undo_brings_back_what_it_can(tasks: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    undo = removed(page, tasks, "a", "b", "c")
    tasks.ok("create", task_id="b", type="command", command="theirs", interval="hourly")
    undo.click()
    expect(page.locator(".toast.good", has_text="2 tasks are back")).to_be_visible()
    expect(page.locator(".toast.bad")).to_contain_text("‘b’ could not be brought back:")
    expect(page.locator("[data-row] [data-open]")).to_have_text(["a", "b", "c", "d", "e/f %"])
    tasks.ok("remove", task_id="b")
    undo.click()
    expect(page.locator(".toast.good", has_text="‘b’ is back")).to_be_visible()
    assert tasks.ok("export", tasks=["b"])["document"]["tasks"][0]["command"] == "echo hi"


@pytest.mark.parametrize(("button", "did"), [("Remove", "removed"), ("Duplicate", "made")])
def test_a_task_that_has_gone_keeps_back_no_other(tasks: Server, open_page: OpenPage, button: str, did: str) -> None:
    page = open_page("about:blank")
    page.route("**/api/events**", lambda route: None)  # so that nobody tells
    page.goto(tasks.url + "/tasks")
    for task_id in ("a", "b", "c"):
        page.locator(f'[data-id="{task_id}"] .pick input').click()
    tasks.ok("remove", task_id="b")
    page.locator("#bulk").get_by_role("button", name=button).click()
    expect(page.locator(".toast.good")).to_contain_text(f"2 tasks {did}")
    expect(page.locator(".toast.bad")).to_contain_text("‘b’" if did == "made" else "'b'")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-row] [data-open]")).to_have_text(["a", "c", "d", "e/f %"])


def test_what_is_read_does_not_go(tasks: Server, open_page: OpenPage) -> None:
    page = open_page(tasks.url + "/tasks")
    page.locator('[data-id="a"] .pick input').click()
    page.clock.install()
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    toast = page.locator(".toast")
    toast.get_by_role("button", name="Close").focus()
    toast.hover()
    page.mouse.move(1, 1)
    page.clock.fast_forward(60_000)
    expect(toast).to_be_visible()
    page.locator("#help-button").focus()
    page.clock.fast_forward(60_000)
    expect(toast).to_have_count(0)
