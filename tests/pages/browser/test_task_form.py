"""Making and changing a task in a browser: phrases, corrections, the picker, code, paths, a trial, and two editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Dialog, Locator, Page, Route, expect

from scheduler.phrases import parse_phrase
from tests.owned_time import NOON
from tests.pages.browser.conftest import WIDTHS, fits
from tests.pages.test_task_fields import READINGS
from tests.server import Server

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]
HOSTILE = "<img src=x onerror=alert(1)>"
CODES = [
    "",
    "x",
    'f"""a',
    "''" + "'",
    "'a\nb",
    "0xFFj 1_0.5e-3",
    "@a.b\nclass Ü: pass",
    "#",
    "a\\b",
    "def",
    "\u2028 'x",
]


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    server = make_server()
    for name in ("reports/daily.py", f"reports/{HOSTILE}.py"):
        path = server.workspace / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("print('hello')")
    return server


@pytest.fixture(scope="module")
def telling(make_server: Callable[..., Server]) -> Server:
    """Return a server whose tasks may tell somebody."""
    return make_server(
        SCHEDULER_NOTIFY_TARGETS='{"ops": "mailto:ops@example.com", "hook": {"ping": "https://x.example.com"}}',
        SCHEDULER_NOTIFY_HOSTS="hc-ping.com",
        SCHEDULER_SMTP_URL="smtp://127.0.0.1:1/?from=a@example.com",
    )


def part(page: Page, name: str) -> Locator:
    """Return the field of a part, whose name has a full stop in it."""
    return page.locator(f'[id="f-{name}"]')


def export(server: Server, task_id: str) -> dict[str, Any]:
    """Return the definition of a task."""
    return dict(server.ok("export", tasks=[task_id])["document"]["tasks"][0])


def asked_of(page: Page) -> tuple[str, Any]:
    """Return the request that a page shows: its first line, and what it sends."""
    head, _, body = (page.locator("#as-json").text_content() or "").partition("\n")
    return head, json.loads(body)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_task_is_made(server: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int) -> None:
    page = open_page(server.url + "/new-task", width=width)
    page.fill("#f-task_id", f"made {width}")
    page.fill("#f-command", "echo 'a'\necho b")
    page.fill("#f-interval", "dayly at 10:30")
    page.locator("#preview").get_by_role("button", name="Use ‘daily at 10:30’").click()
    expect(page.locator("#preview strong")).to_have_text("every day at 10:30")
    expect(page.locator("#preview li")).to_have_count(5)
    check_access(page)
    assert fits(page)
    head, sent = asked_of(page)
    page.locator("#save").click()
    page.wait_for_url(f"**/tasks/made%20{width}")
    [task] = server.ok("export", tasks=[f"made {width}"])["document"]["tasks"]
    assert head == "POST /api/tasks"
    assert sent == {
        "task_id": f"made {width}",
        "type": "command",
        "command": "echo 'a'\necho b",
        "interval": "daily at 10:30",
    }
    assert sent.items() <= task.items()


def test_the_request_that_is_shown_does_the_same(server: Server, open_page: OpenPage) -> None:
    given = {"type": "command", "command": "true", "interval": "hourly", "until": "2040-01-01", "tags": ["a"]}
    server.ok("create", task_id="shown", **given)
    page = open_page(server.url + "/tasks/shown/edit")
    expect(page.locator("#as-json")).to_have_text("Nothing is changed yet.")
    planned = server.ok("get", task_id="shown")["task"]["next_runs"]
    times = page.locator("#preview time")
    expect(times.first).to_have_attribute("datetime", planned[0])
    page.fill("#f-interval", "every 3 hours")
    expect(page.locator("#preview strong")).to_have_text("every 3 hours")
    page.fill("#f-interval", "hourly")
    expect(times.first).to_have_attribute("datetime", planned[0])
    page.fill("#f-tags", "")
    page.fill("#f-command", 'echo it\\\'s "quoted"')
    head, sent = asked_of(page)
    assert (head, sent) == ("PATCH /api/tasks/shown", {"command": 'echo it\\\'s "quoted"', "tags": []})
    old = server.http.patch(f"{server.url}/api/tasks/shown", json=sent, headers={"If-Match": '"0"'})
    assert old.status_code == 412
    # What a PATCH cannot say is a PUT.
    page.fill("#f-until", "")
    head, sent = asked_of(page)
    assert head == "PUT /api/tasks/shown"
    page.locator("#save").click()
    page.wait_for_url("**/tasks/shown")
    answer = server.http.put(f"{server.url}/api/tasks/shown", json=sent)
    assert answer.status_code == 200
    assert server.ok("create", task_id="shown", **sent)["status"] == "info"


def test_texts_mean_the_same_in_both_languages(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    path = page.evaluate("[...document.querySelectorAll('link')].find(l => l.href.endsWith('/definition.js')).href")
    read = page.evaluate(
        "([path, texts]) => import(path).then(m => JSON.stringify(texts.map(each => m.readValue(...each))))",
        [path, [[kind, text] for kind, text, _ in READINGS]],
    )
    assert json.loads(read) == [value for _, _, value in READINGS]


PARTS = {
    "sandbox": {"memory_mb": 64, "network": "none", "write": []},
    "notify": {"to": [{"ping": "https://hc-ping.com/1"}], "on": ["late"]},
    "expect": {"every": "1 day", "min_runs": 2},
}


@pytest.mark.parametrize("width", WIDTHS)
def test_parts_of_fields_are_changed_and_the_request_says_so(
    telling: Server, open_page: OpenPage, check_access: Callable[[Page], None], width: int
) -> None:
    task_id = f"parts{width}"
    for name in (task_id, f"twin{width}"):
        telling.ok("create", task_id=name, type="command", command="true", interval="daily at 10:00", **PARTS)
    page = open_page(f"{telling.url}/tasks/{task_id}/edit", width=width)
    expect(page.locator("#as-json")).to_have_text("Nothing is changed yet.")
    expect(page.locator("details.terms[open]")).to_have_count(3)
    part(page, "sandbox.network").select_option("as the server allows")
    part(page, "sandbox.memory_mb").fill("2.5e2")
    part(page, "sandbox.write").fill("out\nmy files")
    part(page, "notify.to").fill('ops\n{"ping": "https://hc-ping.com/2"}')
    page.get_by_label("success", exact=True).check()
    page.get_by_label("late", exact=True).uncheck()
    part(page, "expect.min_runs").fill("")
    # At the end of the page the bar with the buttons lies over no field.
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    check_access(page)
    assert fits(page)
    head, sent = asked_of(page)
    assert head == f"PATCH /api/tasks/{task_id}"
    assert sent == {
        "sandbox": {"memory_mb": 250, "write": ["out", "my files"]},
        "notify": {"to": ["ops", {"ping": "https://hc-ping.com/2"}], "on": ["success"]},
        "expect": {"every": "1 day"},
    }
    page.locator("#save").click()
    page.wait_for_url(f"**/tasks/{task_id}")
    saved = export(telling, task_id)
    assert {name: saved[name] for name in sent} == sent
    assert telling.http.patch(f"{telling.url}/api/tasks/twin{width}", json=sent).status_code == 200
    assert export(telling, f"twin{width}") | {"task_id": task_id} == saved


def test_parts_that_are_all_taken_away_take_their_field_along(telling: Server, open_page: OpenPage) -> None:
    telling.ok("create", task_id="bare", type="command", command="true", interval="hourly", **PARTS)
    page = open_page(telling.url + "/tasks/bare/edit")
    part(page, "sandbox.network").select_option("")
    for name in ("sandbox.memory_mb", "sandbox.write", "expect.every", "expect.min_runs", "notify.to"):
        part(page, name).fill("")
    for box in ("late", "failure", "recovery", "missed"):
        page.get_by_label(box, exact=True).click()
    head, sent = asked_of(page)
    assert head == "PUT /api/tasks/bare"
    assert not set(PARTS) & set(sent)
    page.locator("#save").click()
    page.wait_for_url("**/tasks/bare")
    assert not set(PARTS) & set(export(telling, "bare"))
    assert telling.ok("create", task_id="bare", **sent)["status"] == "info"


def test_a_part_is_tried_and_put_right(telling: Server, open_page: OpenPage) -> None:
    page = open_page(telling.url + "/new-task")
    page.fill("#f-task_id", "wrong")
    page.fill("#f-command", "echo tried")
    page.fill("#f-interval", "hourly")
    page.get_by_text("What it may use").click()
    part(page, "sandbox.memory_mb").fill("99")
    with page.expect_request("**/api/try") as tried:
        page.click("#try")
    assert tried.value.post_data_json["sandbox"] == {"memory_mb": 99}
    expect(page.locator("#try-result pre")).to_have_text("tried\n")
    page.get_by_text("Who is told what").click()
    part(page, "notify.to").fill("hook\nme@example.com\nosp")
    part(page, "sandbox.memory_mb").fill("9")
    page.locator("#save").click()
    expect(part(page, "notify.to")).to_have_attribute("aria-invalid", "true")
    expect(part(page, "sandbox.memory_mb")).to_be_focused()
    page.get_by_role("button", name="Use ‘ops’").click()
    expect(part(page, "notify.to")).to_have_value("hook\nme@example.com\nops")
    part(page, "notify.to").fill("ops")
    part(page, "sandbox.memory_mb").fill("16")
    assert asked_of(page)[1]["notify"] == {"to": ["ops"]}
    page.locator("#save").click()
    page.wait_for_url("**/tasks/wrong")


def test_the_picker_writes_phrases_that_are_understood(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    page.locator("#picker summary").click()
    field = page.locator("#f-interval")
    expect(field).to_have_value("every 15 minutes")
    written = []

    def pick(part: str, value: str) -> None:
        control = page.locator(f'[data-pick="{part}"]')
        if part in ("kind", "unit", "nth", "which"):
            control.select_option(value)
        else:
            control.fill(value)
        written.append(field.input_value())

    pick("number", "1")
    pick("unit", "hours")
    for kind in ("daily", "weekdays", "days", "month", "cron"):
        pick("kind", kind)
    pick("kind", "month")
    pick("which", "day")
    pick("nth", "1st")
    pick("kind", "days")
    for day in ("wednesday", "sunday"):
        page.locator(f'[data-pick="day"][value="{day}"]').check()
        written.append(field.input_value())
    pick("kind", "once")
    pick("moment", "2040-12-24T18:00")
    for phrase in written:
        parse_phrase(phrase, zone=ZoneInfo("UTC"), now=NOON)
    expected = {"every hour", "every monday, wednesday and sunday at 09:00", "last friday of the month at 09:00"}
    assert expected <= set(written)
    assert written[-1] == "2040-12-24 18:00"
    expect(page.locator("#preview li")).to_have_count(1)


def test_the_last_answer_wins(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    held: list[Any] = []
    page.route("**/api/preview?interval=every**", lambda route: held.append(route))
    with page.expect_request("**/api/preview?interval=every**"):
        page.fill("#f-interval", "every 5 minutes")
    page.fill("#f-interval", "daily at 11:00")
    expect(page.locator("#preview strong")).to_have_text("every day at 11:00")
    assert held
    for route in held:
        route.fulfill(json={"description": "late", "next_runs": [], "timezone": "UTC"})
    page.evaluate("fetch('/healthz').then(() => 0)")
    expect(page.locator("#preview strong")).to_have_text("every day at 11:00")


def test_code_is_coloured_and_keys_indent(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    page.locator("label", has_text="Python code").click()
    area = page.locator("#f-custom_script")
    area.click()
    page.keyboard.type("def f():\nreturn 'x'  # why")
    assert area.input_value() == "def f():\n    return 'x'  # why"
    layer = page.locator(".editor pre")
    assert layer.locator(".keyword").all_text_contents() == ["def", "return"]
    assert layer.locator(".string").all_text_contents() == ["'x'"]
    assert layer.locator(".comment").all_text_contents() == ["# why"]
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    assert area.input_value() == "    def f():\n        return 'x'  # why"
    page.keyboard.press("Shift+Tab")
    assert area.input_value() == "def f():\n    return 'x'  # why"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(area).not_to_be_focused()
    area.fill(f"{HOSTILE}\n" * 40)
    assert page.evaluate("document.images.length") == 0
    heights = page.evaluate("[...document.querySelectorAll('.editor > *')].map(each => each.scrollHeight)")
    assert abs(heights[0] - heights[1]) <= 24


def test_every_piece_of_code_is_shown(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    path = page.evaluate("[...document.querySelectorAll('link')].find(l => l.href.endsWith('/code.js')).href")
    told = page.evaluate(
        "([path, codes]) => import(path).then(m => codes.map(code => m.tokens(code).map(t => t[1]).join('')))",
        [path, CODES],
    )
    assert told == CODES


def test_paths_are_completed_within_the_allowed_directories(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    page.locator("label", has_text="Python script").click()
    page.fill("#f-file_path", "rep")
    expect(page.locator("#paths option")).to_have_count(1)
    page.fill("#f-file_path", "reports/")
    expect(page.locator("#paths option")).to_have_count(2)
    assert page.evaluate("document.images.length") == 0
    page.fill("#f-file_path", "/etc/")
    expect(page.locator("#paths option")).to_have_count(0)


def test_it_is_tried_before_it_is_saved(
    server: Server, open_page: OpenPage, check_access: Callable[[Page], None]
) -> None:
    count = server.ok("list")["count"]
    page = open_page(server.url + "/new-task")
    page.click("#try")
    expect(page.locator("#try-result")).to_contain_text("This cannot be tried yet")
    page.fill("#f-command", "echo tried; echo bad >&2; exit 3")
    page.click("#try")
    expect(page.locator("#try-result")).to_contain_text("failed, exit code 3")
    expect(page.locator("#try")).to_be_enabled()
    assert page.locator("#try-result pre").all_text_contents() == ["tried\n", "bad\n"]
    page.fill("#f-command", "seq 1 200")
    page.click("#try")
    expect(page.locator("#try-result pre")).to_contain_text("200")
    check_access(page)
    page.fill("#f-command", "echo begun; exec sleep 600")
    page.click("#try")
    expect(page.locator("#try-result pre")).to_have_text("begun\n")
    page.click("#try-cancel")
    expect(page.locator("#try-result .status.cancelled")).to_be_visible()
    assert server.ok("list")["count"] == count


def test_a_trial_is_shown_to_its_end_whatever_answers_are_lost(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task", expected=("ERR_", "503"))
    lost: list[str] = []

    def lose(route: Route) -> None:
        lost.append(route.request.url)
        if len(lost) == 1:
            route.abort()
        elif len(lost) == 2:
            route.fulfill(status=503, json={"status": "error", "code": "store_unavailable", "message": "not now"})
        else:
            (server.workspace / "go-on").touch()
            route.continue_()

    page.route("**/api/runs/*", lose)
    page.fill("#f-command", "while [ ! -e go-on ]; do sleep 0.05; done; echo done")
    page.click("#try")
    expect(page.locator("#try-result .status.completed")).to_be_visible()
    assert len(lost) > 2
    page.unroute_all(behavior="wait")


@pytest.mark.parametrize("width", WIDTHS)
def test_the_form_fits(server: Server, open_page: OpenPage, width: int) -> None:
    zone = "America/Argentina/ComodRivadavia"
    server.ok("create", task_id="wide", type="command", command="true", interval="daily at 02:30", timezone=zone)
    page = open_page(server.url + "/tasks/wide/edit", width=width)
    expect(page.locator("#preview li")).to_have_count(5)
    assert fits(page)


def test_two_editors(server: Server, open_page: OpenPage) -> None:
    server.ok("create", task_id="both", type="command", command="true", interval="hourly")
    page = open_page("about:blank", width=390)
    page.goto(server.url + "/tasks/both/edit")
    page.fill("#f-name", "mine")
    server.ok("update", task_id="both", interval="daily at 10:00")
    page.locator("#save").click()
    expect(page.locator("#conflict")).to_contain_text("Their changes are taken over: When.")
    expect(page.locator("#f-interval")).to_have_value("daily at 10:00")
    page.locator("#save").click()
    page.wait_for_url("**/tasks/both")
    details = server.ok("get", task_id="both")["task"]["details"]
    assert (details["name"], details["interval"]) == ("mine", "daily at 10:00")


def test_changes_are_not_left_behind_unasked(server: Server, open_page: OpenPage) -> None:
    server.ok("create", task_id="left", type="command", command="true", interval="hourly", notify={"to": []})
    page = open_page(server.url + "/tasks/left/edit")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    cancel = page.get_by_role("link", name="Cancel")
    # A browser asks only where somebody has typed or clicked.
    page.locator("#f-name").click()
    page.keyboard.type("x")
    cancel.click()
    assert asked == ["beforeunload"]
    expect(page).to_have_url(server.url + "/tasks/left/edit")
    page.keyboard.press("Escape")
    page.locator("#f-name").click()
    page.keyboard.press("Backspace")
    page.get_by_label("late", exact=True).check()
    page.get_by_role("link", name="Dashboard").click()
    assert asked == ["beforeunload"] * 2
    page.get_by_label("late", exact=True).uncheck()
    cancel.click()
    page.wait_for_url("**/tasks/left")
    assert asked == ["beforeunload"] * 2


def test_saving_asks_nothing_and_what_was_refused_is_not_saved(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", leave)
    page.locator("#f-command").click()
    page.keyboard.type("true")
    page.fill("#f-interval", "every 5 minuets")
    page.locator("#save").click()
    expect(page.locator("#summary")).to_be_visible()
    assert asked == []
    page.locator("#f-command").click()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/tasks")
    assert asked == ["beforeunload"]
    page.goto(server.url + "/new-task")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/tasks")
    page.goto(server.url + "/new-task")
    page.locator("label", has_text="Python code").click()
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/tasks")
    assert asked == ["beforeunload"] * 2
    page.goto(server.url + "/new-task")
    page.locator("#f-task_id").click()
    page.keyboard.type("kept")
    page.get_by_role("link", name="Cancel").click()
    page.wait_for_url("**/tasks")
    assert asked == ["beforeunload"] * 3
    page.goto(server.url + "/new-task")
    page.locator("#f-task_id").click()
    page.keyboard.type("kept")
    page.fill("#f-command", "true")
    page.fill("#f-interval", "hourly")
    page.press("#f-interval", "Enter")
    page.wait_for_url("**/tasks/kept")
    assert asked == ["beforeunload"] * 3


def test_it_works_without_scripts(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/new-task", java_script_enabled=False)
    page.fill("#f-task_id", "plain")
    page.locator("label", has_text="Python code").click()
    expect(page.locator("#f-command")).to_be_hidden()
    page.fill("#f-custom_script", "print()")
    page.fill("#f-interval", "every 5 minuets")
    page.press("#f-interval", "Enter")
    page.locator("#e-interval").get_by_role("button").click()
    expect(page.locator("#preview li")).to_have_count(5)
    page.locator("#save").click()
    page.wait_for_url("**/tasks/plain")
    assert server.ok("get", task_id="plain")["task"]["details"]["interval"] == "every 5 minutes"
