"""Keep the README true: its examples run, its table of settings is that of the code."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from docs import tables
from docs.examples import Replay, blocks
from scheduler.config import PREFIX, SchedulerConfig
from scheduler.http.actions import ACTIONS
from scheduler.spellings import SPELLING_FIELDS
from tests.local_server import LocalServer
from tests.server import ROOT

README = ROOT / "README.md"
UPDATE = "the README is not up to date: run `.venv/bin/python -m docs` and look at what it changes"


@pytest.mark.skipif(
    shutil.which("curl") is None and os.environ.get("REQUIRE_ALL") != "1", reason="the examples need curl"
)
def test_examples_give_what_the_page_says(tmp_path: Path) -> None:
    replay = Replay(LocalServer(tmp_path, **Replay.SETTINGS))
    try:
        assert not replay.play(README), UPDATE
    finally:
        replay.close()


def test_tables_are_those_of_the_code() -> None:
    assert README.read_text() == tables.with_tables(README.read_text()), UPDATE


def test_every_setting_is_told() -> None:
    section = README.read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    told = re.findall(rf"^\| `{PREFIX}(\w+)` \|", section, re.MULTILINE)
    assert told == [name.upper() for name in SchedulerConfig.model_fields]


def test_every_setting_has_a_meaning() -> None:
    assert all(len(field.description or "") > 10 for field in SchedulerConfig.model_fields.values())


def test_every_action_is_told() -> None:
    section = README.read_text().partition("\n## Actions\n")[2].partition("\n### ")[0]
    assert re.findall(r"^\| \[`(\w+)`\]", section, re.MULTILINE) == list(ACTIONS)


def test_every_make_target_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^\$ |`)make ([\w-]+)", README.read_text(), re.MULTILINE))
    assert {"run", "test"} <= named <= targets


def test_one_request_shows_every_field() -> None:
    shown = [set(json.loads(block.text)) for block in blocks(README.read_text()) if block.kind == "json request"]
    other_types = {"file_path", "custom_script", "func", "kwargs"}
    # What is for tasks of files, and what needs a target that the operator has named.
    elsewhere = other_types | set(SPELLING_FIELDS) - {"interval"} | {"override", "notify", "expect"}
    wanted = set(ACTIONS["create"].model.model_json_schema()["properties"]) - elsewhere
    assert max(shown, key=len) == wanted


def test_three_python_programs_are_among_the_examples() -> None:
    assert README.read_text().count("```python\n") >= 3
