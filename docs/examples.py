"""Play the examples of a page against a real server and compare what it says with what the page says.

What a fenced block is, its first line tells:

    ```sh                  a shell script, run as it stands
    ```python              a program, run as it stands
    ```json request        a body for POST /schedule
    ```json answer         what the block before must give; `json answer 404` with that HTTP number
    ```text output         what the block before must print
    anything else          is for reading only

They are played in their order, in one folder, against one server. Times, run ids, durations and what depends
on the machine may differ; everything else must be as it stands there. Run ids of a page are those of RUN_IDS, in
the order of their first appearance.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import requests

from tests.server import Server

ROOT = Path(__file__).parents[1]
_PAGES = ("quickstart", "actions", "api", "authentication", "events", "notifications", "operations", "cli")
REPLAYED = [ROOT / "README.md", *(ROOT / f"docs/{name}.md" for name in _PAGES)]
RUN_IDS = [f"01m7yrfsy21ghd4efpxcagn{number:03}" for number in range(1, 100)]
WORKSPACE = "/srv/workspace"
DATA = "/var/lib/task-scheduler"

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_RUN_ID = re.compile(r"\b0[0-9a-hjkmnp-tv-z]{25}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\d([ T])\d\d:\d\d:\d\d(?:\.\d+)?([+-]\d\d:\d\d)?")
# What differs from machine to machine or from run to run; None and a number count as the same.
_VARIES = {
    *("lateness_ms", "duration_ms", "lateness", "holder", "clock", "sandbox", "usage", "version"),
    *("next_cursor", "seconds", "attempts"),
}
_LOOKS = re.compile(r'"action": "(?:runs|output|get|list|deliveries|status)"')
PATIENCE = 20.0
"""On a busy machine what an example waits for may come later than the example looks: it looks again so long."""
_SECONDS = re.compile(r"\bin \d+\.\d+s\b")
_WIDTH = 110
_MANY = 8
"""A list of what is accepted is shown by its first items where it is longer than this."""


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    kind: str
    text: str
    start: int
    end: int
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page."""
    return [
        Block(found[1].strip(), found[2], found.start(2), found.end(2), page.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(page)
    ]


@dataclass(slots=True)
class Result:
    """What came of the last block that did something: a JSON body, or text."""

    text: str
    status: int | None = None


class Replay:
    """Play one page; `differences` tells where the page is wrong."""

    SETTINGS: ClassVar[dict[str, str]] = {
        "SCHEDULER_MAX_WORKERS": "4",
        # A host that no machine can reach: what is told of it is the same everywhere.
        "SCHEDULER_NOTIFY_TARGETS": '{"ops": {"webhook": "http://127.0.0.1:9/hook", "secret": "of no use"}}',
    }

    def __init__(self, server: Server) -> None:
        self.server = server.start()
        _install_command(server.folder / "bin")
        self.differences: list[tuple[Block, str]] = []
        self._ids: dict[str, str] = {}
        self._last: Result | None = None
        self._told = True
        self._asked = Block("", "", 0, 0, 0)
        self._page = ""

    def close(self) -> None:
        """Stop the server."""
        self.server.stop()

    def play(self, page: Path) -> list[str]:
        """Play all blocks; return a line for each that is not true."""
        self._page = page.read_text()
        for block in blocks(self._page):
            self._play(block)
        self._expect_success(0)
        return [f"{page.name}:{block.line}: is now\n{text}" for block, text in self.differences]

    def rewritten(self) -> str:
        """Return the page with what came in place of what was wrong."""
        page = self._page
        for block, text in reversed(self.differences):
            page = page[: block.start] + text.rstrip("\n") + "\n" + page[block.end :]
        return page

    def _play(self, block: Block) -> None:
        kind, _, rest = block.kind.partition(" ")
        if kind in ("sh", "python") or block.kind == "json request":
            self._expect_success(block.line)
            self._told, self._asked = False, block
            self._ask(block)
        elif kind == "json" and rest.startswith("answer"):
            self._compare_answer(block, int(rest.removeprefix("answer").strip() or 200))
        elif block.kind == "text output":
            assert self._last is not None
            self._compare(block, self._documented(self._last.text), shape_of_text)

    def _ask(self, block: Block) -> None:
        if block.kind == "json request":
            self._last = self._post(block)
        else:
            self._last = self._run(["sh", "-eu"] if block.kind == "sh" else [sys.executable, "-"], block)

    def _expect_success(self, line: int) -> None:
        """A request whose answer the page does not show must be answered with 200."""
        if not self._told and self._last is not None:
            assert self._last.status in (None, 200), f"before line {line}: {self._last.text}"

    def _run(self, command: list[str], block: Block) -> Result:
        text = self._actual(block.text)
        folder = self.server.folder
        done = subprocess.run(
            command,
            input=text,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env=_environment(self.server),
        )
        assert done.returncode == 0, f"line {block.line}: ended with {done.returncode}\n{done.stdout}{done.stderr}"
        return Result(done.stdout)

    def _post(self, block: Block) -> Result:
        body = json.loads(self._actual(block.text))
        answer = requests.post(f"{self.server.url}/schedule", json=body, timeout=120)
        return Result(answer.text, answer.status_code)

    def _compare_answer(self, block: Block, status: int) -> None:
        assert self._last is not None
        assert self._last.status in (None, status), f"line {block.line}: HTTP {self._last.status}, {self._last.text}"
        deadline, before = time.monotonic() + PATIENCE, dict(self._ids)
        while time.monotonic() < deadline and _LOOKS.search(self._asked.text) and not self._fits(block):
            time.sleep(0.3)
            self._ids = dict(before)
            self._ask(self._asked)
        self._compare(block, self._as_json(), shape_of_json)

    def _fits(self, block: Block) -> bool:
        return shape_of_json(block.text) == shape_of_json(self._as_json())

    def _as_json(self) -> str:
        assert self._last is not None
        return pretty(json.loads(self._documented(self._last.text)))

    def _compare(self, block: Block, text: str, shape: Any) -> None:
        self._told = True
        if shape(block.text) != shape(text):
            self.differences.append((block, text))

    def _actual(self, text: str) -> str:
        """Turn what the page says into what is true here."""
        text = text.replace("localhost:10800", f"127.0.0.1:{self.server.port}")
        text = text.replace(WORKSPACE, str(self.server.workspace)).replace(DATA, str(self.server.data))
        text = text.replace("task-scheduler ", f"{sys.executable} {ROOT / 'server.py'} ")
        return _RUN_ID.sub(lambda found: self._ids.get(found[0], found[0]), text)

    def _documented(self, text: str) -> str:
        """Turn what came into what the page would say."""
        text = text.replace(str(self.server.workspace.resolve()), WORKSPACE)
        text = text.replace(str(self.server.data.resolve()), DATA)
        for run_id in _RUN_ID.findall(text):
            if run_id not in self._ids.values():
                self._ids[RUN_IDS[len(self._ids)]] = run_id
        known = {actual: documented for documented, actual in self._ids.items()}
        return _RUN_ID.sub(lambda found: known[found[0]], text)


def _install_command(folder: Path) -> None:
    """Put `task-scheduler` where examples find it, as an installation would."""
    folder.mkdir(exist_ok=True)
    command = folder / "task-scheduler"
    command.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
                       "from scheduler.cli import main\nmain()\n")  # fmt: skip
    command.chmod(0o755)


def _environment(server: Server) -> dict[str, str]:
    """Return what an example sees: this Python and command first, and nothing of the settings of whoever tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SCHEDULER_")}
    return {
        **kept,
        "PATH": f"{server.folder / 'bin'}:{Path(sys.executable).parent}:{kept.get('PATH', '/usr/bin:/bin')}",
        "NO_PROXY": "127.0.0.1",
        "SCHEDULER_PORT": str(server.port),
    }


def shape_of_json(text: str) -> str:
    """Return a JSON text with all that may differ taken out, keys in order."""
    return json.dumps(_shape(json.loads(text)), indent=1, sort_keys=True)


def _shape(value: Any, key: str = "") -> Any:
    if key in _VARIES:
        return "..."
    if isinstance(value, dict):
        return {name: _shape(part, name) for name, part in value.items()}
    if isinstance(value, list):
        return [_shape(part) for part in _shown(value, key)]
    return shape_of_text(value) if isinstance(value, str) else value


def shape_of_text(text: str) -> str:
    """Return a text with the digits of times taken out."""
    return _SECONDS.sub("in 0.1s", _TIME.sub(lambda found: f"TIME{found[1]}{'OFFSET' if found[2] else ''}", text))


def _shown(value: list[Any], key: str) -> list[Any]:
    return [*value[:3], "..."] if key in ("accepted", "topics") and len(value) > _MANY else value


def pretty(value: Any, indent: str = "", key: str = "") -> str:
    """Return JSON for readers: a part that fits into a line stands in one line."""
    if isinstance(value, list):
        value = _shown(value, key)
    line = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(line) <= _WIDTH or not isinstance(value, dict | list) or not value:
        return line
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [f"{inner}{json.dumps(name)}: {pretty(part, inner, name)}" for name, part in value.items()]
        return "{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return "[\n" + ",\n".join(inner + pretty(part, inner) for part in value) + f"\n{indent}]"
