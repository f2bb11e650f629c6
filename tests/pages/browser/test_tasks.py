"""The table of tasks in a browser: choose, act, undo, by mouse and by keys, and rows that are true to what happens."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser.conftest import WIDTHS, fits
from tests.server import Server

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)><script>alert(1)</script>\"'"


def names(page: Page) -> list[str]:
    return page.locator("[data-row] [data-open]").all_text_contents()


def states(server: Server) -> dict[str, str]:
    return {task["id"]: task["details"]["state"] for task in server.ok("list")["tasks"]}


@pytest.mark.parametrize("width", WIDTHS)
def test_pause_resume_and_run(tasks: Server, open_page: OpenPage, width: int) -> None:
    page = open_page(tasks.url + "/tasks", width=width)
    one = page.locator('[data-id="e/f %"]')
    one.locator("summary").click()
    one.get_by_role("button", name="Pause").click()
    expect(one.locator(".status.paused")).to_be_visible()
    assert states(tasks)["e/f %"] == "paused"
    one.locator("summary").click()
    one.get_by_role("button", name="Resume").click()
    expect(one.locator(".status.paused")).to_have_count(0)
    one.get_by_role("button", name="Run e/f % now").click()
    # The end of the run arrives by the stream of events.
    expect(one.locator(".last")).to_contain_text("completed")
    expect(one.locator(".strip[role=img]")).to_have_attribute("aria-label", re.compile("the newest is completed"))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_removal_is_undone(tasks: Server, open_page: OpenPage, width: int) -> None:
    limited = {"task_id": "a", "type": "command", "command": "true", "interval": "every 7 hours", "max_runs": 3}
    tasks.ok("import", tasks=[{**limited, "fired": 2, "paused": True}], replace=True)
    tasks.ok("run_now", task_id="a", wait=True)
    before = tasks.ok("export", tasks=["a"], progress=True)["document"]
    page = open_page(tasks.url + "/tasks", width=width)
    one = page.locator('[data-id="a"]')
    one.locator("summary").click()
    one.get_by_role("button", name="Remove").click()
    expect(one).to_have_count(0)
    expect(page.locator(".toast")).to_contain_text("Past runs stay readable")
    assert "a" not in states(tasks)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(one.locator(".status.paused")).to_be_visible()
    expect(one.locator(".strip[role=img]")).to_have_attribute("aria-label", re.compile("completed"))
    assert tasks.ok("export", tasks=["a"], progress=True)["document"] == before


def test_many_at_once(tasks: Server, open_page: OpenPage) -> None:
    page = open_page(tasks.url + "/tasks")
    boxes = page.locator("[data-row] .pick input")
    boxes.nth(0).click()
    boxes.nth(2).click(modifiers=["Shift"])
    expect(page.locator("#count")).to_have_text("3 selected")
    page.locator("#bulk").get_by_role("button", name="Pause").click()
    expect(page.locator("[data-row] .status.paused")).to_have_count(3)
    expect(page.locator("#count")).to_have_text("3 selected")
    page.locator("#bulk").get_by_role("button", name="Duplicate").click()
    expect(page.locator('[data-id="b-copy"] .status.paused')).to_be_visible()
    page.locator("#pick-all").click()
    expect(page.locator("#count")).to_have_text("8 selected")
    page.locator("#bulk").get_by_role("button", name="Remove").click()
    expect(page.get_by_text("No tasks yet")).to_be_visible()
    page.locator(".toast", has_text="8 tasks removed").get_by_role("button", name="Undo").click()
    expect(page.locator("[data-row]")).to_have_count(8)
    assert sum(state == "paused" for state in states(tasks).values()) == 6


def test_a_copy_of_a_task_with_a_long_id_has_one_that_is_valid(tasks: Server, open_page: OpenPage) -> None:
    long = "\N{FLEXED BICEPS}" * 126
    tasks.ok("create", task_id=long, type="command", command="true", interval="every 7 hours")
    page = open_page(tasks.url + "/tasks")
    page.locator(f'[data-id="{long}"] .pick input').click()
    for copy in (f"{long[:110]}-copy", f"{long[:110]}-copy-2"):
        page.locator("#bulk").get_by_role("button", name="Duplicate").click()
        expect(page.locator(f'[data-id="{copy}"]')).to_be_visible()


def test_keys(tasks: Server, open_page: OpenPage) -> None:
    page = open_page(tasks.url + "/tasks")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator('[data-id="b"] .pick input')).to_be_checked()
    page.keyboard.press("k")
    # Keys go on from a box that was clicked.
    page.locator('[data-id="c"] .pick input').click()
    page.keyboard.press("k")
    page.keyboard.press("x")
    expect(page.locator('[data-id="b"] .pick input')).not_to_be_checked()
    page.keyboard.press("k")
    page.keyboard.press("e")
    page.wait_for_url("**/tasks/a/edit")
    page.go_back()
    page.keyboard.press("n")
    page.wait_for_url("**/new-task")


def test_keys_do_nothing_to_another_row_than_the_one_that_was_chosen(tasks: Server, open_page: OpenPage) -> None:
    page = open_page(tasks.url + "/tasks")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for key in ("r", "e", "j", "j"):
        page.keyboard.press(key)
    expect(page.locator(".current")).to_have_attribute("data-id", "b")
    tasks.ok("remove", task_id="b")
    expect(page.locator('[data-id="b"]')).to_have_count(0)
    for key in ("r", "e", "j"):
        page.keyboard.press(key)
    for _ in range(5):
        page.keyboard.down("r")  # from the second on as one that is held
    expect(page.locator(".toast")).to_contain_text("‘a’ started")
    assert sent == [f"{tasks.url}/api/tasks/a/run"]
    page.goto(tasks.url)
    page.keyboard.press("r")
    page.keyboard.press("j")
    page.keyboard.press("g")
    page.evaluate("const real = performance.now.bind(performance); performance.now = () => real() + 60000")
    page.keyboard.press("r")
    page.wait_for_url("**/runs")
    assert len(sent) == 1


def test_enter_that_is_held_presses_a_button_once(tasks: Server, open_page: OpenPage) -> None:
    page = open_page(tasks.url + "/tasks")
    expect(page.locator("html[data-live]")).to_be_attached()
    button = page.locator('[data-id="a"] [data-does=run]')
    button.evaluate("button => { window.pressed = 0; button.addEventListener('click', () => { pressed += 1; }); }")
    button.focus()
    for _ in range(5):
        page.keyboard.down("Enter")
    assert page.evaluate("pressed") == 1


def test_filters_and_order_are_kept_in_the_address(tasks: Server, open_page: OpenPage) -> None:
    tasks.ok("pause", task_id="c")
    page = open_page(tasks.url + "/tasks")
    page.keyboard.press("/")
    page.keyboard.type("f %")
    expect(page.locator("[data-row]")).to_have_count(1)
    assert page.url.endswith("/tasks?q=f+%25")
    page.fill("[name=q]", "")
    page.select_option("[name=state]", "pending")
    expect(page.locator("[data-row]")).to_have_count(4)
    page.locator("thead").get_by_role("link", name="Task").click()
    expect(page.locator("[data-row] [data-open]").first).to_have_text("e/f %")
    assert page.url.endswith("?state=pending&sort=-name")
    page.reload()
    assert names(page) == ["e/f %", "d", "b", "a"]
    page.go_back()
    expect(page.locator("[data-row] [data-open]").first).to_have_text("a")
    page.locator("thead").get_by_role("link", name="Next run").click()
    expect(page.locator("[name=sort]")).to_have_value("next")
    page.go_back()
    expect(page.locator("[name=sort]")).to_have_value("name")
    expect(page.locator("[name=state]")).to_have_value("pending")
    tasks.ok("create", task_id="0", type="command", command="true", interval="hourly")
    expect(page.locator("[data-row] [data-open]").first).to_have_text("0")


def test_a_task_whose_id_is_dots_has_its_page_and_buttons(tasks: Server, open_page: OpenPage) -> None:
    tasks.ok("create", task_id="..", type="command", command="true", interval="hourly")
    page = open_page(tasks.url + "/tasks?q=..")
    row = page.locator('[data-id=".."]')
    row.locator("[data-does=run]").click()
    expect(page.locator(".toast")).to_contain_text("‘..’ started")
    row.locator("[data-open]").click()
    expect(page.locator("h1")).to_have_text("..")
    page.get_by_role("link", name="Edit").click()
    page.fill("#f-name", "dots")
    page.click("#save")
    expect(page.locator("h1")).to_have_text("dots")
    assert tasks.ok("get", task_id="..")["task"]["details"]["name"] == "dots"


def test_what_people_name_runs_nowhere(tasks: Server, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    tasks.ok("create", task_id=HOSTILE, type="command", command="true", interval="hourly", tags=[HOSTILE], name=HOSTILE)
    page.goto(f"{tasks.url}/tasks")
    one = page.locator("[data-row]", has_text="onerror").first
    for button, did in (("Pause", "paused"), ("Remove", "removed")):
        one.locator("summary").click()
        one.get_by_role("button", name=button, exact=True).click()
        expect(page.locator(".toast", has_text=did)).to_contain_text("onerror")
    assert page.evaluate("document.images.length") == 0


@pytest.mark.parametrize("width", WIDTHS)
def test_it_stays_usable_while_things_are_open(
    tasks: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int
) -> None:
    page = open_page(tasks.url + "/tasks", width=width, colours="dark")
    page.locator("[data-row] .pick input").first.click()
    page.locator("[data-row] summary").last.click()  # below it stands nothing that it would cover
    check_access(page)
    assert fits(page)
