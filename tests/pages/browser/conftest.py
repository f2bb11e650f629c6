"""A headless Chromium, a real server, and axe-core: for what only a browser can tell."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright
from playwright.sync_api import Error as PlaywrightError

from docs.demo import Seeding
from docs.demo_tasks import TASKS
from tasks.sandbox import processes
from tests.server import ROOT, Server, wait_until

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
AXE = "axe-core@4.14.1"
AXE_FOLDER = ROOT / ".cache" / "axe-core-4.14.1"
PATIENCE_MS = 30_000
CLOSE_SECONDS = 30
WIDTHS = (1280, 390)


def _lacks(reason: str) -> None:
    """Skip, saying why; where everything is required, fail."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


class Browsers:
    """The browser of a file. Now and then one hangs when it is to close: it is killed then, and another one started."""

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._mark = f"--of-test={secrets.token_hex(8)}"
        self._browser: Browser | None = None
        self._killed = threading.Event()

    def get(self) -> Browser:
        """Return a browser that lives."""
        if self._browser is None or not self._browser.is_connected():
            # As root, Chromium refuses to start with a sandbox of its own.
            args = ["--no-sandbox", self._mark]
            self._browser = self._playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        return self._browser

    def close(self, what: Browser | BrowserContext) -> None:
        """Close a browser, or what it has open."""
        self._killed.clear()
        late = threading.Timer(CLOSE_SECONDS, self._kill)
        late.start()
        try:
            what.close()
        except PlaywrightError:
            if not self._killed.is_set():
                raise
        finally:
            late.cancel()

    def close_all(self) -> None:
        """Close the browser."""
        if self._browser is not None and self._browser.is_connected():
            self.close(self._browser)

    def _kill(self) -> None:
        self._killed.set()
        print(f"the browser did not close within {CLOSE_SECONDS} s, and was killed", file=sys.stderr)
        for process in processes.all_processes().values():
            with suppress(OSError):  # it has gone by itself
                if self._mark.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes():
                    processes.send(process, signal.SIGKILL)


@pytest.fixture(scope="module")
def browsers() -> Iterator[Browsers]:
    """Return what has the browser of a file."""
    if shutil.which(CHROMIUM) is None:
        _lacks(f"the pages are not tried in a browser: {CHROMIUM} is missing (apt-get install chromium, or CHROMIUM=)")
    with sync_playwright() as playwright:
        browsers = Browsers(playwright)
        yield browsers
        browsers.close_all()


@pytest.fixture(scope="module")
def make_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; `demo` says whether it has the demonstration's tasks and history."""
    made: list[Server] = []

    def make(demo: bool = False, **settings: str) -> Server:
        server = Server(tmp_path_factory.mktemp("server"), **settings)
        if demo:
            Seeding(server.data, server.workspace, datetime.now(UTC), days=4).write(TASKS)
        made.append(server)
        return server.start()

    yield make
    for server in made:
        server.stop()


@pytest.fixture(scope="module")
def demo(make_server: Callable[..., Server]) -> Server:
    """Return a server with the demonstration, running, for all tests of a file."""
    return make_server(demo=True, SCHEDULER_AUTOSTART="1")


@pytest.fixture(scope="module")
def server(make_server: Callable[..., Server]) -> Server:
    """Return a server without tasks, for all tests of a file."""
    return make_server()


@pytest.fixture
def tasks(server: Server) -> Server:
    """Return a server with five tasks."""
    for task in server.ok("list")["tasks"]:
        server.ok("remove", task_id=task["id"])
    for name in ("a", "b", "c", "d", "e/f %"):
        server.ok("create", task_id=name, type="command", command="echo hi", interval="every 7 hours", tags=["x"])
    return server


@pytest.fixture
def open_page(browsers: Browsers) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page: `open_page(server.url + "/tasks", width=390, colours="dark")`.

    A test fails where the page has said anything on its console that is wrong, such as what its policy has refused,
    and that is none of what was `expected`.
    """
    contexts: list[BrowserContext] = []
    said: list[str] = []
    known: list[str] = []

    def open_it(
        url: str,
        *,
        width: int = 1280,
        colours: str = "light",
        zone: str = "UTC",
        expected: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        known.extend(expected)
        context = browsers.get().new_context(
            viewport={"width": width, "height": 900},
            color_scheme=colours,  # type: ignore[arg-type]
            timezone_id=zone,
            reduced_motion="reduce",
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("console", lambda message: said.append(message.text) if _is_wrong(message) else None)
        page.goto(url)
        return page

    yield open_it
    for context in contexts:
        browsers.close(context)
    assert not [text for text in said if not any(words in text for words in known)]


def _is_wrong(message: ConsoleMessage) -> bool:
    """Whether a page said something that is wrong: a refusal, which its visitor is told of, is not."""
    refused = message.text.startswith("Failed to load resource") and "status of 4" in message.text
    is_part = urlsplit(message.location["url"]).path.startswith("/static/")
    return message.type == "error" and (is_part or not refused)


@pytest.fixture(scope="session")
def axe_source() -> str:
    """Return axe-core, fetched once from the npm registry."""
    source = AXE_FOLDER / "package" / "axe.min.js"
    if not source.exists():
        if shutil.which("npm") is None:
            _lacks("accessibility is not checked: npm is missing, which fetches axe-core")
        AXE_FOLDER.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(
            ["npm", "pack", "--silent", AXE], cwd=AXE_FOLDER, capture_output=True, text=True, timeout=120
        )
        if fetched.returncode != 0:
            _lacks(f"accessibility is not checked: npm could not fetch {AXE}: {fetched.stderr.strip()[-300:]}")
        with tarfile.open(AXE_FOLDER / fetched.stdout.strip()) as archive:
            archive.extractall(AXE_FOLDER, filter="data")
    return source.read_text()


@pytest.fixture
def check_access(axe_source: str) -> Callable[[Page], None]:
    """Return a function that fails where axe-core finds what keeps somebody from using a page."""

    def check(page: Page) -> None:
        page.evaluate(axe_source)
        tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
        found = page.evaluate("tags => axe.run(document, { runOnly: tags })", tags)
        wrong = [
            f"{item['id']}: {item['help']}: {[node['html'][:160] for node in item['nodes'][:3]]}"
            for item in found["violations"]
            if item["impact"] in ("serious", "critical")
        ]
        assert not wrong, "\n".join(wrong)

    return check


def until(page: Page, expression: str, argument: Any = None) -> None:
    """Wait until something is true in a page; Playwright's own way would need the policy to allow more."""
    wait_until(lambda: page.evaluate(expression, argument), PATIENCE_MS / 1000, expression)


_STICKS_OUT = """() => {
  const scrolls = (element) => ["auto", "scroll", "hidden", "clip"].includes(getComputedStyle(element).overflowX);
  const out = (card) => [...card.querySelectorAll("*")].some((inner) => {
    for (let around = inner.parentElement; around !== card; around = around.parentElement)
      if (scrolls(around)) return false;
    return inner.getBoundingClientRect().right > card.getBoundingClientRect().right + 1;
  });
  return document.documentElement.scrollWidth > innerWidth
    || [...document.querySelectorAll(".card")].some((card) => !scrolls(card) && out(card));
}"""


def fits(page: Page) -> bool:
    """Whether nothing of a page stands beyond its right edge, nor beyond that of the card it is in."""
    return not page.evaluate(_STICKS_OUT)
