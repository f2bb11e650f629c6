"""Keep the pages true: links lead somewhere, tables are those of the code, examples give what they say."""

from __future__ import annotations

import os
import re
import shutil
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from docs import examples, tables
from docs.examples import Replay
from scheduler.http.actions import ACTIONS
from scheduler.http.guide import CODES
from scheduler.http.rest.routes import ROUTES
from scheduler.version import VERSION
from tests.server import ROOT, Server

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.glob("*.md"))]
ARCHITECTURE = DOCS / "architecture.md"
ACTIONS_PAGE = DOCS / "actions.md"
UPDATE = "not up to date: run `.venv/bin/python -m docs` and look at what it changes"


def name(path: Path) -> str:
    """Return a page's name for the test report."""
    return path.name


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    found: Counter[str] = Counter()
    names = set()
    for heading in re.findall(r"^#{1,6} (.+)$", prose(page), re.MULTILINE):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        kept = (char for char in text if char in "-_ " or unicodedata.category(char)[0] in "LN")
        slug = "".join(kept).replace(" ", "-")
        names.add(f"{slug}-{found[slug]}" if found[slug] else slug)
        found[slug] += 1
    return names


def section(page: Path, heading: str) -> str:
    """Return what stands under a heading, up to the next one of any level."""
    text = prose(page).partition(f"\n{heading}\n")[2]
    assert text, f"{page.name} has no '{heading}'"
    return re.split(r"^#{1,6} ", text, flags=re.MULTILINE)[0]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            broken.append(target)
    assert not broken


@pytest.mark.parametrize("page", tables.PAGES, ids=name)
def test_tables_are_those_of_the_code(page: Path) -> None:
    assert page.read_text() == tables.with_tables(page.read_text()), UPDATE


SLOW = {"cli.md"}
"""Pages whose examples start many programs."""


@pytest.mark.soak
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.soak] * (page.name in SLOW))
        for page in examples.REPLAYED
        if page.parent == DOCS
    ],
    ids=name,
)
@pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("REQUIRE_ALL") != "1", reason="the examples need curl"
)
def test_examples_give_what_the_page_says(page: Path, tmp_path: Path) -> None:
    replay = Replay(Server(tmp_path, **Replay.SETTINGS))
    try:
        assert not replay.play(page), UPDATE
    finally:
        replay.close()


def test_every_action_has_its_section() -> None:
    headings = re.findall(r"^## ([a-z_]+)$", prose(ACTIONS_PAGE), re.MULTILINE)
    assert headings == list(ACTIONS)


def test_the_table_lists_exactly_the_actions() -> None:
    listed = re.findall(r"^\| \[`(\w+)`\]\(#(\w+)\)", prose(ACTIONS_PAGE), re.MULTILINE)
    assert listed == [(action, action) for action in ACTIONS]


def test_every_field_is_told() -> None:
    for action, spec in ACTIONS.items():
        fields = [field for field in spec.model.model_json_schema()["properties"] if field != "action"]
        told = re.findall(r"^\| `(\w+)` \|", section(ACTIONS_PAGE, f"## {action}"), re.MULTILINE)
        if fields and action not in ("update", "validate"):  # these refer to `create`
            assert told[-len(fields) :] == fields or set(fields) <= set(told), action


def test_the_table_lists_exactly_the_codes() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (\d+) \|", section(ACTIONS_PAGE, "## Errors"), re.MULTILINE)
    assert dict(listed) == {code: text.partition(":")[0] for code, text in CODES.items()}


def test_codes_that_sections_name_exist() -> None:
    named = re.findall(r"^Errors: (.+?)(?:\n\n|\Z)", prose(ACTIONS_PAGE), re.MULTILINE | re.DOTALL)
    codes = {code for text in named for code in re.findall(r"`([a-z]+_[a-z_]+)`", text)}
    assert codes - {"run_ids", "task_ids", "max_instances"} <= set(CODES)


def test_the_table_lists_exactly_the_routes() -> None:
    rows = re.findall(r"^\| (`[A-Z]+ .+?) \| ", section(DOCS / "api.md", "## Routes"), re.MULTILINE)
    listed = [route for row in rows for route in re.findall(r"`([A-Z]+ /.+?)`", row)]
    served = [f"{route.method} /api{route.path}".replace("{task_id}", "{id}") for route in ROUTES]
    assert sorted(listed) == sorted([*served, "GET /api/events"])


def test_the_tree_has_every_file_and_no_other() -> None:
    tree = ARCHITECTURE.read_text().partition("<!-- made: tree -->")[2].partition("<!-- end -->")[0]
    place: list[str] = []
    listed = set()
    for line in tree.splitlines():
        if not (found := re.match(r"( *)([\w.]+)(/?)", line)):
            continue
        depth = len(found[1]) // 2
        place = [*place[:depth], found[2]]
        if not found[3]:
            listed.add("/".join(place))
    packages = [path for package in ("scheduler", "tasks") for path in (ROOT / package).rglob("*.py")]
    wanted = {str(path.relative_to(ROOT)) for path in packages if path.read_text()} | {"server.py"}
    assert listed == wanted, UPDATE


def test_files_that_the_house_names_exist() -> None:
    text = ARCHITECTURE.read_text()
    named = set(re.findall(r"`([\w./]+\.(?:py|md|toml|txt))`", text))
    named |= set(re.findall(r"^  ([a-z_/]+\.py)  ", text.partition("## Two paths")[2], re.MULTILINE))
    assert len(named) > 15
    homes = (ROOT, ROOT / "scheduler", ROOT / "scheduler/http", ROOT / "tasks")
    assert not {path for path in named if not any((home / path).exists() for home in homes)}


def test_folders_that_the_house_names_exist() -> None:
    named = set(re.findall(r"`((?:scheduler|tasks|tests|docs|deploy)[\w/]*)/?`", ARCHITECTURE.read_text()))
    assert not {path for path in named if not (ROOT / path).is_dir()}


def test_the_newest_version_is_in_the_changelog() -> None:
    versions = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert VERSION in versions or versions == ["Unreleased"]
