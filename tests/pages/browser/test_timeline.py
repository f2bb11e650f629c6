"""The timeline in a browser: its scale, and what stands on it while runs go on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Page, Route, expect

from tests.server import Server, wait_until

pytestmark = pytest.mark.soak
OpenPage = Callable[..., Page]

SCALES = [
    # The clocks leave 02:00 out, and go on at 02:30.
    ("Australia/Lord_Howe", "day", "2026-10-03T13:00Z", "2026-10-03T19:00Z", "Sun 4 13:30, 04:00 17:00, 06:00 19:00"),
    # They go back from 02:00 to 01:30.
    ("Australia/Lord_Howe", "day", "2026-04-04T13:00Z", "2026-04-04T18:00Z", "Sun 5 13:00, 02:00 15:30, 04:00 17:30"),
    # A day begins at 01:00, one has two midnights, one is left out.
    ("America/Havana", "week", "2026-03-07T04:00Z", "2026-03-09T05:00Z", "Sat 7 05:00, Sun 8 05:00, Mon 9 04:00"),
    ("America/Havana", "week", "2026-10-31T17:00Z", "2026-11-02T17:00Z", "Sun 1 04:00, Mon 2 05:00"),
    ("America/Havana", "day", "2026-11-01T03:00Z", "2026-11-01T07:00Z", "Sun 1 04:00, 00:00 05:00, 02:00 07:00"),
    ("Pacific/Apia", "week", "2011-12-29T00:00Z", "2012-01-01T00:00Z", "Thu 29 10:00, Sat 31 10:00, Sun 1 10:00"),
    ("America/Toronto", "week", "1919-03-31T00:00Z", "1919-04-01T12:00Z", "Mon 31 04:30, Tue 1 04:00"),
]
"""A zone, a zoom, a span, and its labels with the hour of UTC at which each stands."""
TICKS = """async ([since, until, zoom]) => {
    const folder = document.querySelector("link[rel=stylesheet]").href.replace(/[^/]*$/, "");
    const { ticks } = await import(`${folder}timeline_draw.js`);
    const found = ticks(Date.parse(since), Date.parse(until), zoom, 1000);
    return found.map(({ moment, text }) => `${text} ${new Date(moment).toISOString().slice(11, 16)}`).join(", ");
}"""


def test_the_scale_is_labelled_as_the_viewers_clock_shows_it(server: Server, open_page: OpenPage) -> None:
    pages = {zone: open_page(server.url + "/sign-in", zone=zone) for zone, *_ in SCALES}
    said = [pages[zone].evaluate(TICKS, [since, until, zoom]) for zone, zoom, since, until, _ in SCALES]
    assert said == [labels for *_, labels in SCALES]


LANES = "**/api/timeline/lanes?*"


class Going:
    """A run that goes on until it is told to end, the only one of a task of its own."""

    made = 0

    def __init__(self, server: Server) -> None:
        Going.made += 1
        self.task_id, self._server = f"one-{Going.made}", server
        command = f"while [ ! -e {self.task_id} ]; do sleep 0.05; done"
        server.ok("create", task_id=self.task_id, type="command", command=command, schedule_type="manual")
        server.ok("run_now", task_id=self.task_id)

    def end(self) -> None:
        """End it, and wait until that is in the ledger."""
        (self._server.workspace / self.task_id).touch()
        wait_until(lambda: self._server.runs(task_id=self.task_id)[0].get("finished_at"))


@pytest.fixture
def going(server: Server) -> Iterator[Going]:
    """Return a run that goes on, of the only task there is."""
    going = Going(server)
    yield going
    going.end()
    server.ok("remove", task_id=going.task_id)


def follows(page: Page) -> Page:
    """Return a page that follows what happens, with the keys on the newest mark of its first lane."""
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    page.focus("#plot")
    page.keyboard.press("ArrowDown")
    return page


def says(page: Page, text: str) -> None:
    """Wait until the mark that keys have come to is told as a pattern says."""
    expect(page.locator("#plot .framed")).to_have_attribute("aria-label", re.compile(text))


@pytest.mark.parametrize("worst", ["running", "failed"])
def test_of_runs_in_one_bar_the_end_of_one_is_not_that_of_all(
    server: Server, going: Going, open_page: OpenPage, worst: str
) -> None:
    def join(route: Route) -> None:
        answer = route.fetch()
        told: dict[str, Any] = answer.json()
        (bar, *_) = told["lanes"][0]["bars"]
        if worst == "failed":
            bar |= {"status": "failed", "run_id": "another"}
        told["lanes"][0]["bars"] = [bar | {"count": 4}]
        route.fulfill(response=answer, json=told)

    page = open_page("about:blank")
    page.route(LANES, join)
    page.goto(server.url)
    says(follows(page), f"4 runs, the worst {worst}, .* so far")
    going.end()
    says(page, f"4 runs, the worst {'completed' if worst == 'running' else worst}, .* took ")
    page.unroute_all(behavior="wait")


def test_a_run_that_ends_while_its_lane_is_asked_for_has_ended(
    server: Server, going: Going, open_page: OpenPage
) -> None:
    held: list[Route] = []
    answers: list[APIResponse] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
            return
        held.append(route)
        answers.append(route.fetch())

    page = open_page("about:blank")
    page.route(LANES, hold_the_first)
    page.goto(server.url)
    running = page.locator("[data-part=running] a", has_text=going.task_id)
    expect(running).to_be_visible()
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    wait_until(lambda: page.wait_for_timeout(5) or answers, what="the lanes as they are")
    going.end()
    expect(running).to_have_count(0)
    held[0].fulfill(response=answers[0])
    says(follows(page), ", completed, .* took ")


def test_what_happens_now_is_no_part_of_what_was(server: Server, open_page: OpenPage) -> None:
    page = open_page(server.url + "/?at=2020-10-01T00:00:00.000Z")
    expect(page.locator("html[data-connected=true]")).to_be_attached()
    server.ok("create", task_id="bad", type="command", command="false", schedule_type="manual")
    name = page.locator("#plot .names a")
    expect(name).to_have_attribute("aria-label", "bad: 0 runs")
    server.ok("run_now", task_id="bad", wait=True)
    expect(page.locator("[data-part=trouble] [data-open]", has_text="bad")).to_be_visible()
    expect(name).to_have_attribute("aria-label", "bad: 0 runs")
    server.ok("remove", task_id="bad")


@pytest.mark.parametrize("path", ["**/api/timeline?*", LANES])
def test_what_could_not_be_asked_for_is_when_the_connection_is_back(
    server: Server, going: Going, open_page: OpenPage, path: str
) -> None:
    page = open_page(server.url, expected=("ERR_",))
    says(follows(page), ", running, .* so far")
    page.route(path, lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.get_by_role("button", name="Hour", exact=True).click()
    with page.expect_response(LANES):
        page.unroute_all(behavior="wait")
    expect(page.locator(".toast")).to_have_count(0)
