"""The timeline in a browser: its scale, and what stands on it while runs go on."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.server import Server

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
