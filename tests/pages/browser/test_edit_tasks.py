"""Editing many tasks in a browser: in a dialog beside the table, with undo, and as pages where no scripts run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.pages.browser.conftest import WIDTHS, fits
from tests.server import Server

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("colours", ["light", "dark"])
def test_many_are_edited_and_it_is_undone(
    tasks: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int, colours: str
) -> None:
    page = open_page(f"{tasks.url}/tasks", width=width, colours=colours)
    for name in ("a", "b", "e/f %"):
        page.locator(f'[data-id="{name}"] .pick input').click()
    page.locator("#bulk").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog", name="Edit 3 tasks")
    expect(dialog.get_by_label("Priority")).to_be_focused()
    dialog.get_by_label("Time zone").fill("Europe/Berlim")
    page.keyboard.press("Enter")
    expect(dialog.locator(".field .bad")).to_contain_text("Europe/Berlin")
    expect(dialog.get_by_label("Time zone")).to_be_focused()
    check_access(page)
    assert fits(page)
    dialog.get_by_label("Time zone").fill("Europe/Berlin")
    dialog.get_by_label("Tags to add").fill("new")
    dialog.get_by_label("Priority").select_option("high")
    tasks.ok("update", task_id="b", tags=["x", "new"])
    dialog.get_by_role("button", name="Show the change").click()
    shown = page.get_by_role("dialog", name="Change 3 tasks?")
    expect(shown.locator("tbody tr")).to_have_count(8)
    expect(shown.locator("tbody")).to_contain_text(re.compile(r"Priority\s*medium\s*high"))
    check_access(page)
    tasks.ok("update", task_id="b", tags=["x"])
    shown.get_by_role("button", name="Back").click()
    expect(dialog.get_by_label("Tags to add")).to_have_value("new")
    dialog.get_by_role("button", name="Show the change").click()
    expect(shown.locator("tbody tr")).to_have_count(9)
    tasks.ok("update", task_id="a", description="theirs")
    before = tasks.ok("export")["document"]
    shown.get_by_role("button", name="Change 3 tasks").click()
    toast = page.locator(".toast", has_text="2 tasks changed.")
    expect(toast).to_contain_text("a: It was changed meanwhile")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator('[data-id="e/f %"] .tag')).to_have_text(["x", "new"])
    expect(page.locator('[data-id="e/f %"] .when')).to_contain_text("Europe/Berlin")
    assert tasks.ok("get", task_id="c")["task"]["details"]["priority"] == "medium"
    toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="2 tasks are as before.")).to_be_visible()
    expect(page.locator('[data-id="e/f %"] .tag')).to_have_text(["x"])
    assert tasks.ok("export")["document"] == before


def test_nothing_happens_to_who_cancels(tasks: Server, open_page: OpenPage) -> None:
    before = tasks.ok("export")["document"]
    page = open_page(f"{tasks.url}/tasks")
    page.locator("#pick-all").click()
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.get_by_role("link", name="Cancel").click()):
        page.locator("#bulk").get_by_role("button", name="Edit").click()
        page.get_by_label("Priority").last.select_option("low")
        page.get_by_role("button", name="Show the change").click()
        expect(page.get_by_role("dialog", name="Change 5 tasks?")).to_be_visible()
        leave()
        expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#count")).to_have_text("5 selected")
    assert tasks.ok("export")["document"] == before


def test_what_fails_is_told_within_the_dialog(
    tasks: Server, open_page: OpenPage, check_access: Callable[[Page], None]
) -> None:
    page = open_page(f"{tasks.url}/tasks", width=390, expected=("net::ERR_FAILED",))
    page.locator('[data-id="a"] .pick input').click()
    page.locator("#bulk").get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Tags to add").fill("new")
    show = dialog.get_by_role("button", name="Show the change")
    page.route("**/tasks", lambda route: route.abort() if route.request.method == "POST" else route.fallback())
    for _ in range(2):
        show.click()
        expect(dialog.get_by_role("alert")).to_have_text("The service cannot be reached. Is it running?")
        expect(dialog.get_by_role("alert")).to_be_in_viewport()
    check_access(page)
    assert fits(page)
    page.unroute("**/tasks")
    show.click()
    expect(page.get_by_role("dialog", name="Change 1 task?")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_it_works_without_scripts(tasks: Server, open_page: OpenPage, width: int) -> None:
    before = tasks.ok("export")["document"]
    page = open_page(f"{tasks.url}/tasks?sort=-name", width=width, java_script_enabled=False)
    page.locator('[data-id="a"] .pick input').click()
    page.locator('[data-id="e/f %"] .pick input').click()
    page.locator("#bulk").get_by_role("button", name="Edit").click()
    assert fits(page)
    page.get_by_label("Retries").fill("3")
    page.get_by_role("button", name="Show the change").click()
    assert fits(page)
    page.get_by_role("button", name="Change 2 tasks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("2 tasks changed")
    assert tasks.ok("get", task_id="e/f %")["task"]["details"]["max_retries"] == 3
    page.get_by_role("button", name="Undo").click()
    page.wait_for_url("**/tasks?sort=-name")
    expect(page.locator(".notice")).to_have_text("2 tasks are as before.")
    assert tasks.ok("export")["document"] == before
