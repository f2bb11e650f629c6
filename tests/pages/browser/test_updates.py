"""Pages that are brought up to date while somebody uses them: neither the focus nor a click is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.pages.browser.conftest import until
from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]

FOCUSED = [
    ("/", ".state button"),
    ("/", "[data-part=coming] [data-row]:nth-child(2) [data-open]"),
    ("/", "[data-part=coming] [data-row]:nth-child(2) button"),
    ("/", "[data-part=trouble] button[data-task=bad]"),
    ("/tasks", '[data-id="c"] [data-open]'),
    ("/tasks", '[data-id="c"] .pick input'),
    ("/tasks", '[data-id="c"] [data-does=run]'),
    ("/tasks", '[data-id="c"] summary'),
    ("/tasks", "#bulk [value=pause]"),
    ("/tasks", "thead th:first-of-type a"),
    ("/tasks?sort=-last", '[data-id="b"] [data-open]'),
    ("/runs", "[data-row] [data-open]"),
    ("/runs", "[data-row] .task a"),
    ("/tasks/b", "[data-part=history] [data-open]"),
    ("/tasks/b", "[data-part=definition] summary"),
    ("/tasks/b", "[data-part=explanation] button"),
    ("/tasks/b", ".today > [data-day]"),
]
"""Paths, and what has the focus there while a run of `b` and one of `bad` fail."""
REMEMBER = """element => {
    element.focus();
    window.used = element;
    window.told = `${element.textContent} ${element.getAttribute("href")}`;
}"""


@pytest.fixture
def tasks(tasks: Server) -> Server:
    """Return a server with tasks of which two have failed."""
    tasks.ok("create", task_id="bad", type="command", command="false", interval="every 9 hours")
    for task_id in ("b", "bad"):
        tasks.ok("run_now", task_id=task_id, wait=True)
    tasks.ok("start")
    return tasks


def connected(page: Page) -> Page:
    """Return a page once it follows what happens."""
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    return page


def happen(server: Server, page: Page) -> None:
    """Let two runs end, and wait until the page says so."""
    before = page.evaluate("document.querySelector('#list, main').textContent")
    for task_id in ("b", "bad"):
        server.ok("run_now", task_id=task_id, wait=True)
    until(page, "before => document.querySelector('#list, main').textContent !== before", before)
    page.wait_for_timeout(1500)  # the other run may come with a second update


@pytest.mark.parametrize(("path", "selector"), FOCUSED)
def test_what_has_the_focus_keeps_it(tasks: Server, open_page: OpenPage, path: str, selector: str) -> None:
    page = connected(open_page(tasks.url + path))
    if selector.startswith("#bulk"):
        page.locator("#pick-all").click()
    page.locator(selector).first.evaluate(REMEMBER)
    happen(tasks, page)
    assert page.evaluate("document.activeElement === used")
    if "/runs" in path or "[data-row]" in selector:
        assert page.evaluate("`${used.textContent} ${used.getAttribute('href')}` === told")


def pressed(page: Page, target: Locator) -> None:
    """Press the mouse on an element, and hold it."""
    box = target.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()


@pytest.mark.parametrize(
    ("path", "selector", "changing"),
    [
        ("/", "[data-part=coming] button[data-task=c]", "[data-part=trouble] [data-open]"),
        ("/tasks", '[data-id="c"] [data-does=run]', '[data-id="b"] .last a'),
    ],
)
def test_a_click_that_takes_a_while_is_one(
    tasks: Server, open_page: OpenPage, path: str, selector: str, changing: str
) -> None:
    page = connected(open_page(tasks.url + path))
    shown = f"[...document.querySelectorAll('{changing}')].map(link => link.getAttribute('href')).join()"
    before = page.evaluate(shown)
    count = len(tasks.runs(task_id="c"))
    pressed(page, page.locator(selector))
    for task_id in ("b", "bad"):
        tasks.ok("run_now", task_id=task_id, wait=True)
    page.wait_for_timeout(2500)
    assert page.evaluate(shown) == before, "nothing moves below a pointer"
    page.mouse.up()
    expect(page.locator(".toast")).to_be_visible()
    until(page, f"before => {shown} !== before", before)
    assert len(tasks.runs(task_id="c")) == count + 1


def test_what_is_the_same_stays(tasks: Server, open_page: OpenPage) -> None:
    page = connected(open_page(tasks.url + "/tasks"))
    page.evaluate("""() => {
        window.changed = [];
        const said = (records) => {
            const elements = records.map(({ target }) => target.closest ? target : target.parentElement);
            const others = elements.filter((element) => !element.closest("time"));  // time goes on everywhere
            changed.push(...others.map((element) => element.closest("[data-row]")?.dataset.id));
        };
        const all = { childList: true, subtree: true, attributes: true };
        new MutationObserver(said).observe(document.querySelector("tbody"), all);
    }""")
    happen(tasks, page)
    assert {"b", "bad"} <= set(page.evaluate("changed")) <= {"b", "bad", None}


def test_keys_go_on_from_where_they_were(tasks: Server, open_page: OpenPage) -> None:
    page = connected(open_page(tasks.url + "/tasks"))
    for task_id, button in (("a", "Pause"), ("a", "Resume")):
        row = page.locator(f'[data-id="{task_id}"]')
        row.locator("summary").focus()
        page.keyboard.press("Enter")
        row.get_by_role("button", name=button).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".toast", has_text=f"{button.lower()}d")).to_be_visible()
        expect(row.locator("summary")).to_be_focused()
    header = page.locator("thead").get_by_role("link", name="Task")
    header.focus()
    for order in ("descending", "ascending"):
        page.keyboard.press("Enter")
        expect(page.locator(f"th[aria-sort={order}]")).to_be_visible()
        expect(header).to_be_focused()


def test_a_page_that_is_turned_keeps_its_place(server: Server, open_page: OpenPage) -> None:
    many = [{"task_id": f"many {number:03}", "type": "command", "command": "true", "schedule_type": "manual"}
            for number in range(250)]  # fmt: skip
    server.ok("import", tasks=many)
    page = connected(open_page(server.url + "/tasks?q=many"))
    page.get_by_role("link", name="Next", exact=True).focus()
    for number in (2, 3):
        page.keyboard.press("Enter")
        expect(page.get_by_text(f"Page {number} of 3")).to_be_visible()
    assert page.url.endswith("page=3")
    for task in many:
        server.ok("remove", task_id=task["task_id"])


def test_a_narrowed_or_ordered_table_shows_what_happens(tasks: Server, open_page: OpenPage) -> None:
    # Names of their own: runs go by the name of their task, and others on this server have had tasks of these names.
    for task_id in ("narrow one", "narrow two"):
        tasks.ok("create", task_id=task_id, type="command", command="true", schedule_type="manual")
    narrowed = connected(open_page(tasks.url + "/tasks?state=paused&q=narrow"))
    ordered = connected(open_page(tasks.url + "/tasks?sort=-last&q=narrow"))
    ended = connected(open_page(tasks.url + "/tasks?last=completed&q=narrow"))
    for page, shown in ((narrowed, []), (ordered, ["narrow one", "narrow two"]), (ended, [])):
        expect(page.locator("[data-row] [data-open]")).to_have_text(shown)
    tasks.ok("pause", task_id="narrow two")
    expect(narrowed.locator("[data-row] [data-open]")).to_have_text(["narrow two"])
    tasks.ok("run_now", task_id="narrow one", wait=True)
    expect(ended.locator("[data-row] [data-open]")).to_have_text(["narrow one"])
    expect(ordered.locator("[data-row] [data-open]")).to_have_text(["narrow one", "narrow two"])
    tasks.ok("create", task_id="narrow too", type="command", command="true", schedule_type="manual")
    tasks.ok("run_now", task_id="narrow too", wait=True)
    expect(ordered.locator("[data-row] [data-open]")).to_have_text(["narrow too", "narrow one", "narrow two"])


def test_tasks_on_other_pages_are_counted_and_offered(server: Server, open_page: OpenPage) -> None:
    for task in server.ok("list")["tasks"]:
        server.ok("remove", task_id=task["id"])
    many = [
        {"task_id": f"{number:03}", "type": "command", "command": "true", "schedule_type": "manual"}
        for number in range(102)
    ]
    server.ok("import", tasks=many)
    page = connected(open_page(server.url + "/tasks"))
    tag = page.locator("#filters [name=tag]")
    expect(page.locator("#count")).to_have_text("102 tasks")
    expect(tag).to_be_hidden()
    server.ok("remove", task_id="101")
    expect(page.locator("#count")).to_have_text("101 tasks")
    server.ok("update", task_id="100", tags=["new"])
    expect(tag).to_be_visible()
    tag.select_option("new")
    expect(page.locator("[data-row] [data-open]")).to_have_text(["100"])
    server.ok("update", task_id="099", tags=["another"])
    expect(tag.locator("option")).to_have_text(["any", "another", "new"])
    expect(tag).to_have_value("new")
    for task in many[:101]:
        server.ok("remove", task_id=task["task_id"])


def test_the_definition_is_shown_as_it_is_now(tasks: Server, open_page: OpenPage) -> None:
    page = connected(open_page(tasks.url + "/tasks/a"))
    definition, explanation = page.locator("[data-part=definition]"), page.locator("[data-part=explanation]")
    expect(definition).to_contain_text("every 7 hours")
    page.fill("#at", "2026-03-05T10:11:12")
    tasks.ok("update", task_id="a", interval="every 3 hours", command="echo other")
    expect(definition).to_contain_text("every 3 hours")
    expect(definition).to_contain_text("echo other")
    before = explanation.locator(".explanation").inner_text()
    tasks.ok("pause", task_id="a")
    expect(explanation.locator(".explanation")).to_contain_text("paused")
    assert "paused" not in before
    expect(page.locator("#at")).to_have_value("2026-03-05T10:11:12")


def test_a_task_that_is_removed_is_shown_as_that(tasks: Server, open_page: OpenPage) -> None:
    tasks.ok("run_now", task_id="d", wait=True)
    page = connected(open_page(tasks.url + "/tasks/d", expected=("404",)))
    tasks.ok("remove", task_id="d")
    expect(page.get_by_text("This task is removed")).to_be_visible()
    expect(page.get_by_role("button", name="Run now")).to_have_count(0)


@pytest.mark.parametrize("way", ["link", "keys"])
def test_who_is_on_the_way_elsewhere_gets_there_though_the_task_is_removed(
    tasks: Server, open_page: OpenPage, way: str
) -> None:
    tasks.ok("run_now", task_id="d", wait=True)
    page = connected(open_page(tasks.url + "/tasks/d", expected=("404",)))
    # While a page is on its way, the one that it leaves can only speak.
    page.evaluate("""() => new MutationObserver(() => console.log(document.querySelector("h1 + .message").textContent))
        .observe(document.getElementById("main"), { childList: true })""")
    held: list[Route] = []
    page.route(re.compile(r"/runs(\?.*)?$"), lambda route: held.append(route))
    page.keyboard.press("?")
    page.get_by_role("button", name="Close").click()
    if way == "keys":
        page.keyboard.press("g")
        page.keyboard.press("r")
    else:
        page.get_by_role("link", name="All runs").click(no_wait_after=True)
    wait_until(lambda: page.wait_for_timeout(5) or held, what="a request")
    with page.expect_console_message(lambda message: message.text.startswith("This task is removed")):
        tasks.ok("remove", task_id="d")
    held[0].continue_()
    page.wait_for_url("**/runs**")
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs")


@pytest.mark.parametrize("path", ["/tasks", "/tasks/a"])
def test_whether_the_scheduler_runs_is_told_as_it_is_now(tasks: Server, open_page: OpenPage, path: str) -> None:
    page = connected(open_page(tasks.url + path))
    hint = page.get_by_text("The scheduler is stopped: nothing runs")
    expect(hint).to_have_count(0)
    tasks.ok("stop")
    expect(hint).to_be_visible()
    tasks.ok("start")
    expect(hint).to_have_count(0)


def test_that_the_store_takes_nothing_is_told_as_it_is_now(tasks: Server, open_page: OpenPage) -> None:
    told = ['<p role="alert">no space</p>']

    def tell(route: Route) -> None:
        text = route.fetch().text()
        route.fulfill(body=text.replace('<div class="columns">', f'{"".join(told)}<div class="columns">'))

    page = connected(open_page(tasks.url))
    page.route("**/dashboard/now", tell)
    tasks.ok("run_now", task_id="b", wait=True)
    expect(page.get_by_role("alert")).to_have_text("no space")
    told.clear()
    tasks.ok("run_now", task_id="b", wait=True)
    expect(page.get_by_role("alert")).to_have_count(0)
    page.unroute_all(behavior="wait")


def test_the_time_is_that_of_the_service(tasks: Server, open_page: OpenPage) -> None:
    tasks.ok("run_now", task_id="c", wait=True)
    page = open_page("about:blank")
    page.add_init_script("const real = Date.now; Date.now = () => real() + 600000;")
    page.goto(tasks.url + "/tasks")
    expect(page.locator('[data-id="a"] .next time')).to_have_text(re.compile("in (7 h|6 h 59 min)"))
    page.goto(tasks.url + "/runs?task=c")
    expect(page.locator(".ago time").first).not_to_contain_text("min")
