"""Take a picture of each page of the demonstration, wide and narrow, light and dark: python -m docs.screenshots"""

from __future__ import annotations

import base64
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from docs.demo import Seeding
from tests.server import Server

FOLDER = Path(__file__).with_name("screenshots")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SIZES = {"wide": (1280, 900), "narrow": (390, 844)}
PAGES = {
    "dashboard": "/",
    "tasks": "/tasks",
    "new-task": "/new-task",
    "edit-task": "/tasks/backup-database/edit",
    "task": "/tasks/ping-api",
    "runs": "/runs",
    "run": "/runs/{failed}",
    "rehearsal": "/rehearsal?span=week",
}
"""The pages, by the name of their pictures; `{failed}` is the newest run that failed."""
MOST_BYTES = 150_000
_HEIGHT = 1400
"""Of long pages the rest is left out."""


def take(browser: Browser, server: Server, name: str, path: str) -> None:
    """Take four pictures of one page."""
    for size, (width, height) in SIZES.items():
        for colours in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme=colours, reduced_motion="reduce"
            )
            page.goto(server.url + path, wait_until="load")
            page.wait_for_timeout(1500)  # for what the page asks for by itself
            full = min(_HEIGHT, page.evaluate("document.documentElement.scrollHeight"))
            picture = FOLDER / f"{name}-{size}-{colours}.webp"
            clip = {"x": 0, "y": 0, "width": width, "height": full, "scale": 1}
            # Playwright itself writes no WebP, which is half as large.
            taken = page.context.new_cdp_session(page).send(
                "Page.captureScreenshot",
                {"format": "webp", "quality": 82, "captureBeyondViewport": True, "clip": clip},
            )
            picture.write_bytes(base64.b64decode(taken["data"]))
            if picture.stat().st_size > MOST_BYTES:
                print(f"{picture.name} has {picture.stat().st_size} bytes, more than {MOST_BYTES}", file=sys.stderr)
            page.close()


def main() -> None:
    """Seed, serve, and take the pictures of the pages named on the command line, or of all."""
    wanted = {name: PAGES[name] for name in sys.argv[1:]} or PAGES
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), SCHEDULER_AUTOSTART="1")
        Seeding(server.data, server.workspace, datetime.now(UTC)).write()
        server.start()
        try:
            server.ok("run_now", task_id="long-watch")
            server.ok("run_now", task_id="train-model")
            failed = server.ok("runs", run_status="failed", limit=1)["runs"][0]["run_id"]
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                for name, path in wanted.items():
                    take(browser, server, name, path.format(failed=failed))
                browser.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
