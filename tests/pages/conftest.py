"""Open pages in this process, as a browser does that runs no scripts: with cookies, and forms as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Connection, update
from werkzeug.test import TestResponse

from scheduler.auth.attempts import Attempts
from scheduler.store.tables import jobs
from tests.http.conftest import Api
from tests.users import PASSWORD, line, write_users

BROWSER = {"Host": "localhost:10800", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


class Site:
    """One application and one browser."""

    def __init__(self, api: Api, client: FlaskClient | None = None) -> None:
        self.api, self.client = api, client or api.client

    def other(self) -> Site:
        """Return another browser."""
        return Site(self.api, self.api.app.test_client())

    def open(self, path: str, status: int = 200, **headers: str) -> str:
        """Open a page that must answer with that number, and return its HTML; all that holds of pages is checked."""
        response = self.get(path, **headers)
        assert response.status_code == status, response.text
        check_page(response)
        return response.text

    def get(self, path: str, **headers: str) -> TestResponse:
        """Send a GET; headers are named with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.get(path, headers={**BROWSER, **given})

    def token(self) -> str:
        """Return what forms of this browser's pages carry."""
        found = re.search(r'<meta name="csrf" content="(\w+)">', self.get("/sign-in").text) or re.search(
            r'<meta name="csrf" content="(\w+)">', self.get("/").text
        )
        assert found
        return found[1]

    def send(self, path: str, **fields: str) -> TestResponse:
        """Send a form, with the token that the page would have."""
        given = {"csrf": self.token(), **fields}
        origin = {"Origin": "http://localhost:10800"}
        return self.client.post(path, data=given, headers={**BROWSER, **origin})

    def send_stale(self, path: str, token: str = "0" * 64, **fields: str) -> TestResponse:
        """Send a form with a token that is not, or not any more, the one of this browser's pages."""
        origin = {"Origin": "http://localhost:10800"}
        return self.client.post(path, data={"csrf": token, **fields}, headers={**BROWSER, **origin})

    def sign_in(self, name: str = "ann", password: str = PASSWORD, following: str = "/") -> TestResponse:
        """Sign in by the form."""
        return self.send("/sign-in", name=name, password=password, next=following)


class _Attributes(HTMLParser):
    """Collect what a page must not have: scripts, styles and handlers within it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "script" and not (given.get("src") or "").startswith("/static/"):
            self.found.append("a script within the page")
        if tag in ("style", "iframe", "object", "embed", "base"):
            self.found.append(f"<{tag}>")
        self.found += [f"{name} of <{tag}>" for name in given if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action"):
            if (given.get(name) or "").strip().lower().startswith(("javascript:", "data:text", "http:", "//")):
                self.found.append(f"{name}={given[name]}")
        if given.get("id"):
            self.ids.append(str(given["id"]))


def check_page(response: TestResponse) -> None:
    """Check what holds of every page: its policy, and that nothing in it would be against that."""
    assert response.mimetype == "text/html"
    assert response.headers["Content-Security-Policy"] == POLICY
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "same-origin"
    text = response.text
    assert text.startswith("<!doctype html>")
    assert text.count("<h1") == 1
    parsed = _Attributes()
    parsed.feed(text)
    assert not parsed.found
    assert len(parsed.ids) == len(set(parsed.ids)), "an id stands there twice"


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Return a function that makes a Site; `users` are lines of a users file, all else is settings."""
    made: list[Api] = []

    def make(users: tuple[str, ...] = (), **settings: Any) -> Site:
        made.append(Api(tmp_path / f"site{len(made)}", **settings))
        if users:
            write_users(made[-1].data / "users", *users)
        return Site(made[-1])

    yield make
    for api in made:
        api.close()


@pytest.fixture(scope="module")
def _open(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api(tmp_path_factory.mktemp("open"))
    yield api
    api.close()


@pytest.fixture(scope="module")
def _locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = Api(tmp_path_factory.mktemp("locked"))
    yield api
    api.close()


@pytest.fixture
def site(_open: Api) -> Site:
    """Return the Site of a file where nobody has to sign in, stopped and without tasks, in a new browser."""
    _open.clear()
    return Site(_open, _open.app.test_client())


@pytest.fixture
def locked(_locked: Api) -> Site:
    """Return the Site of a file with users, in a new browser: ann may do everything, rob may read."""
    write_users(_locked.data / "users", line("ann"), line("rob", "read"))
    _locked.service.guard.access._attempts = Attempts()
    return Site(_locked, _locked.app.test_client())


@pytest.fixture
def filed(site: Site) -> Iterator[str]:
    """Return the id of a task that a file defines."""
    site.api.create("filed")

    def set_origin(connection: Connection, path: str | None) -> None:
        connection.execute(update(jobs).values(origin=path))

    site.api.scheduler._store.write(partial(set_origin, path="/jobs.yaml"))
    yield "filed"
    site.api.scheduler._store.write(partial(set_origin, path=None))
