"""The dashboard in a browser: live, with a timeline that one can move about in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from docs.demo import Seeding
from docs.demo_tasks import DemoTask
from tests.pages.browser.conftest import until
from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]
HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=1</script>\"'`${window.hit=1}"
DRAWN = "performance.getEntriesByName('timeline').map(entry => [entry.detail.drawn, entry.duration])"


def lanes(page: Page) -> list[str]:
    """Return the names of the lanes in view."""
    return [name.inner_text() for name in page.locator("#plot .names a").all()]


def test_a_run_is_seen_as_it_goes(demo: Server, open_page: OpenPage) -> None:
    demo.ok("create", task_id="counts", type="command", interval="every 5 hours", timezone="UTC",
            command="echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exit 4")  # fmt: skip
    page = open_page(demo.url)
    running, trouble = page.locator("[data-part=running]"), page.locator("[data-part=trouble]")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    demo.ok("run_now", task_id="counts")
    expect(running.get_by_role("link", name="counts")).to_be_visible()
    expect(running.locator("code.line", has_text="one")).to_be_visible()
    (demo.workspace / "go").touch()
    expect(trouble.get_by_role("link", name="counts").first).to_be_visible()
    expect(trouble.get_by_text("exit code 4")).to_be_visible()
    expect(running.get_by_role("link", name="counts")).to_be_hidden()


def test_an_update_shows_soon_after_its_event(demo: Server, open_page: OpenPage) -> None:
    """From the event's arrival to the page that shows it: 0.3 s is the aim, a busy machine has ten times as long."""
    demo.ok("create", task_id="quick", type="command", interval="every 5 hours", command="sleep 4")
    page = open_page(demo.url)
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    page.evaluate("""() => {
        window.waits = [];
        window.source = new EventSource("/api/events?types=run.started");
        source.addEventListener("run.started", () => {
            const began = performance.now(), part = document.querySelector("[data-part=running]");
            const seen = () => part.textContent.includes("quick");
            if (seen()) return waits.push(0);
            const observer = new MutationObserver(() => {
                if (!seen()) return;
                observer.disconnect();
                waits.push(performance.now() - began);
            });
            observer.observe(part, { childList: true, subtree: true });
        });
    }""")
    until(page, "() => source.readyState === EventSource.OPEN")
    for number in range(1, 4):
        demo.ok("run_now", task_id="quick", wait=True)
        until(page, "number => waits.length >= number", number)
        until(page, "!document.querySelector('[data-part=running]').textContent.includes('quick')")
        page.wait_for_timeout(2100)  # as after a quiet moment
    assert min(page.evaluate("waits")) < 3000, page.evaluate("waits")


def test_j_and_r_run_a_task(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    row = page.locator("[data-part=coming] [data-row]").first
    name = row.locator("[data-open]").inner_text()
    expect(page.locator("html[data-live]")).to_be_attached()
    while not row.evaluate("row => row.classList.contains('current')"):
        page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator(".toast")).to_contain_text(f"{name} runs now.")
    assert demo.runs(task_id=name)[-1]["trigger"] == "manual"


def test_zoom_and_filters_are_in_the_address_and_back_goes_back(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    expect(page.locator("#plot .names a").first).to_be_visible()
    page.click("[data-zoom=week]")
    expect(page).to_have_url(re.compile(r"zoom=week"))
    page.fill("#timeline-search", "backup")
    expect(page).to_have_url(re.compile(r"q=backup"))
    until(page, "document.querySelectorAll('#plot .names a').length === 3")
    assert lanes(page) == ["backup-database", "backup-documents", "backup-offsite"]
    page.reload()
    until(page, "document.querySelectorAll('#plot .names a').length === 3")
    expect(page.locator("[data-zoom=week]")).to_have_attribute("aria-pressed", "true")
    page.fill("#timeline-search", "")
    page.check("#timeline-group")
    expect(page.locator("#plot .heading").first).to_have_text("backup (4)")
    page.go_back()
    expect(page.locator("#plot .heading").first).to_be_hidden()
    page.select_option("#timeline-tag", "finance")
    page.check("#timeline-trouble")
    assert set(lanes(page)) <= {"report-sales", "report-month-end", "invoices", "exchange-rates"}
    page.click("[data-move='-1']")
    expect(page).to_have_url(re.compile(r"at=20\d\d"))
    page.click("[data-move='0']")
    expect(page).not_to_have_url(re.compile(r"at="))


def test_what_was_earlier_is_drawn_as_it_is_asked_for(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url)
    until(page, f"{DRAWN}.some(([drawn]) => drawn > 20)")
    for button in ("[data-zoom=week]", "[data-move='-1']", "[data-move='0']"):
        with page.expect_response("**/api/timeline/lanes?*"):
            page.click(button)
        until(page, f"{DRAWN}.at(-1)[0] > 20")


def test_pointing_tells_and_a_click_opens_the_run(demo: Server, open_page: OpenPage) -> None:
    page = open_page(f"{demo.url}/?q=ping-website", expected=("404",))
    until(page, "performance.getEntriesByName('timeline').some(entry => entry.detail.drawn > 20)")
    canvas = page.locator("#plot canvas")
    box = canvas.bounding_box()
    assert box
    found = False
    for x in range(230, int(box["width"]) // 2, 2):
        page.mouse.move(box["x"] + x, box["y"] + 26 + 12)
        if found := page.locator(".hover").is_visible():
            break
    assert found
    expect(page.locator(".hover strong")).to_have_text("ping-website")
    expect(page.locator(".hover")).to_contain_text(re.compile(r"completed|failed|skipped|missed"))
    page.mouse.down()
    page.mouse.up()
    page.wait_for_url(re.compile(r"/runs/[0-9a-z]{26}$"))


def test_five_thousand_runs_are_drawn_fast(make_server: Callable[..., Server], open_page: OpenPage) -> None:
    server = make_server()
    server.stop()
    tasks = [DemoTask(f"dense-{n:02}", "every 4 minutes", "true", (), 20, 5) for n in range(20)]
    assert Seeding(server.data, server.workspace, datetime.now(UTC), days=1).write(tasks) > 5000
    server.start()
    page = open_page(server.url, width=2200)
    until(page, f"{DRAWN}.some(([drawn]) => drawn > 5000)")
    page.evaluate("async () => { for (let n = 0; n < 8; n += 1) { dispatchEvent(new Event('themechange'));"
                  " await new Promise(requestAnimationFrame); } }")  # fmt: skip
    took = [milliseconds for drawn, milliseconds in page.evaluate(DRAWN) if drawn > 5000]
    # 200 ms is the aim; what else this machine does is not the page's doing.
    assert min(took) < 2000, took


def test_many_tasks_stay_usable(make_server: Callable[..., Server], open_page: OpenPage, tmp_path: Path) -> None:
    server = make_server()
    server.stop()
    tasks = [DemoTask(f"task-{n:04}", "every 6 hours", "true", (f"team-{n % 12}",), 60, 2) for n in range(1000)]
    Seeding(server.data, server.workspace, datetime.now(UTC), days=1).write(tasks)
    server.start()
    page = open_page(server.url)
    expect(page.locator("#plot .names a").first).to_have_text("task-0000")
    assert page.locator("#plot .lane").count() < 40, "only what can be seen is there"
    page.evaluate("document.getElementById('plot').scrollTop = 24 * 500")
    expect(page.locator("#plot .names a", has_text="task-0505")).to_be_visible()
    until(page, "performance.getEntriesByName('timeline').at(-1).detail.drawn > 20")
    page.keyboard.press("/")
    page.keyboard.type("task-0999")
    until(page, "document.querySelectorAll('#plot .names a').length === 1")
    assert lanes(page) == ["task-0999"]


def test_lanes_of_long_ids_are_asked_for_in_as_many_parts_as_it_takes(
    make_server: Callable[..., Server], open_page: OpenPage
) -> None:
    server = make_server()
    names = [f"{'Ж' * 120} {number:02}" for number in range(30)]
    for name in names:
        server.ok("create", task_id=name, type="command", command="true", interval="every 5 hours")
    page = open_page("about:blank")
    answers: list[tuple[int, list[str]]] = []

    def note(response: Response) -> None:
        asked = parse_qs(urlsplit(response.url).query)
        if "task_ids" in asked:
            answers.append((response.status, json.loads(asked["task_ids"][0])))

    page.on("response", note)
    page.goto(server.url)
    expect(page.locator("#plot .names a").first).to_be_visible()
    wait_until(lambda: set(lanes(page)) <= {name for _, names in answers for name in names}, what="the lanes in view")
    assert len(answers) > 1
    assert {status for status, _ in answers} == {200}
    expect(page.locator("#toasts")).to_be_empty()


def test_what_people_name_and_print_runs_nowhere(make_server: Callable[..., Server], open_page: OpenPage) -> None:
    server = make_server(SCHEDULER_AUTOSTART="1")
    server.ok("create", task_id=HOSTILE, name=HOSTILE, description=HOSTILE, tags=[HOSTILE[:50]], type="command",
              interval="every 2 hours", args=[HOSTILE], command='echo "$1"; exit 1')  # fmt: skip
    server.ok("create", task_id="prints", type="command", interval="every 3 hours", args=[HOSTILE],
              command='while :; do echo "$1"; sleep 0.2; done')  # fmt: skip
    page = open_page(f"{server.url}/?q={HOSTILE[:4]}&tag={HOSTILE}&by=tag")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    server.ok("run_now", task_id=HOSTILE, wait=True)
    server.ok("run_now", task_id="prints")
    expect(page.locator("code.line", has_text="onerror")).to_be_visible()
    page.goto(f"{server.url}/?by=tag")
    expect(page.locator("#plot .names a").first).to_be_visible()
    expect(page.locator("[data-part=trouble] a[data-open]").first).to_have_text(HOSTILE)
    assert page.evaluate("window.hit") is None
    assert json.dumps(page.evaluate("[...document.images].map(image => image.src)")) == "[]"
    server.ok("cancel", task_id="prints")


@pytest.mark.parametrize(
    "query", ["zoom=constructor", "at=+275760-09-13T00:00:00Z", "at=-000200-01-01T00:00:00Z", "at=1899-01-01T00:00:00Z"]
)
def test_an_address_that_means_nothing_shows_the_present(demo: Server, open_page: OpenPage, query: str) -> None:
    page = open_page(f"{demo.url}/?{query.replace('+', '%2B')}")
    until(page, "performance.getEntriesByName('timeline').at(-1)?.detail.drawn > 0")
    expect(page.get_by_role("button", name="Day")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize("at", ["1900-02-02T00:00:00Z", "9000-11-30T00:00:00Z"])
def test_the_furthest_moments_can_be_looked_at(demo: Server, open_page: OpenPage, at: str) -> None:
    page = open_page(f"{demo.url}/?zoom=week&at={at}")
    expect(page.locator("#plot .names a").first).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0)


def test_a_lost_connection_is_told_and_comes_back(make_server: Callable[..., Server], open_page: OpenPage) -> None:
    server = make_server()
    page = open_page(server.url, expected=("ERR_", "503"))
    lost = page.locator("#connection")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    server.stop()
    expect(lost).to_have_text("Connection lost, trying again")
    server.start()
    server.ok("create", task_id="late", type="command", interval="every 5 hours", command="true")
    expect(lost).to_have_text("")
    expect(page.locator("#plot .names a")).to_have_text("late")


def test_times_are_the_viewers_with_the_tasks_beside_them(demo: Server, open_page: OpenPage) -> None:
    page = open_page(demo.url, zone="Asia/Tokyo")
    first = page.locator("[data-part=coming] time").first
    expect(first).to_have_attribute("title", re.compile(r"Asia/Tokyo\n[-0-9: ]+ (UTC|Europe/|America/)"))
    expect(page.locator("#your-zone")).to_contain_text("Asia/Tokyo")
