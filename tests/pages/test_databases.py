"""Pages open on either database, whatever an address asks for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from urllib.parse import quote

from tests.pages.conftest import Site

PAGES = {
    "/": 200,
    "/dashboard/now": 200,
    "/tasks": 200,
    "/tasks/a%2Fb": 200,
    "/tasks/a%2Fb/edit": 200,
    "/tasks/a%2Fb/strip": 200,
    "/tasks/a%2Fb?year=2000": 200,
    "/tasks/a%2Fb?year=99999999999": 400,
    "/runs": 200,
    "/runs?task=a%2Fb&day=2026-03-29": 200,
    "/runs?task=a%2Fb&day=0001-01-01": 400,
    "/runs?day=9999-12-31": 400,
    "/rehearsal?span=year": 200,
    "/rehearsal?date=9999-12-31&span=week": 400,
    "/tasks/%00": 404,
    "/tasks/%00/strip": 404,
    "/runs/%00": 404,
    "/runs?cursor=%00": 400,
    "/api/tasks?cursor=999999999999999999": 200,
    "/api/tasks/a%2Fb/history?cursor=999999999999999999": 200,
}
TEXTS = ("\0", "\ud800", "😀", "%", "_", "\\", "a'b", '"gone":true')


def test_every_address_is_answered(database_url: str, make_site: Callable[..., Site]) -> None:
    site = make_site(database_url=database_url)
    site.api.create("a/b", tags=["x"])
    run = site.api.run("a/b")["run_id"]
    assert site.get(f"/runs/{run}").status_code == 200
    found = {path: site.get(path).status_code for path in PAGES}
    assert found == PAGES
    for name, text in product(("q", "state", "last", "type", "tag", "sort", "origin", "page"), TEXTS):
        path = f"/tasks?{name}={quote(text, errors='surrogatepass')}"
        assert site.get(path).status_code == 200, path
