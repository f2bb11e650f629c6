"""Run tests with pytest and count how they went."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Literal

import orjson
from pydantic import Field

from tasks.base import Arguments, BaseTask, Sandbox, TaskResult, TestCounts
from tasks.sandbox.paths import AllowedDirs

RECORDER = Path(__file__).with_name("pytest_recorder.py").read_text("utf-8")
"""Read once, so that what a run writes cannot change how the next is counted."""

RECORD_NAME = "tests.jsonl"
RECORD_BYTES = 32 * 1024 * 1024
MOST_LINES = 1_000_000
"""How much of the record is read: what some 100,000 tests write, or 300,000 with short names."""
LINE_BYTES = 8 * 1024
"""The longest line that is read; the recorder writes none as long."""
MOST_AT_ONCE = 100
"""How many tests can be under way: one, or one in each of the processes that pytest has for them."""
FAILING_KEPT = 1000

NOT_ALL_COUNTED = "The record of the tests is too long to be read as a whole: what came last is not counted."

REASONS = {
    2: "pytest was interrupted",
    3: "pytest met an internal error",
    4: "pytest did not accept its arguments",
    5: "no tests were collected",
}


class TestTask(BaseTask):
    """Run pytest in the interpreter that runs the service.

    `file_path` is a file, a folder, or `file::test`; without it pytest looks for tests in the working
    directory. `args` are pytest's options. Configuration above the allowed directory is left alone.
    """

    __test__ = False

    type: Literal["test"] = "test"
    file_path: str | None = None
    args: Arguments = Field(default=[])

    def check(self, allowed: AllowedDirs, working_directory: str | None = None) -> None:
        """Raise TaskRefused if the tests would lie outside the allowed directories."""
        if self.file_path is not None:
            allowed.resolve(_split(self.file_path)[0], "file_path")

    def argv(self, sandbox: Sandbox) -> list[str]:
        """Return the interpreter with the recorder, and pytest's arguments."""
        start, selected = sandbox.working_directory, []
        if self.file_path is not None:
            text, inner = _split(self.file_path)
            start = sandbox.resolve(text, "file_path")
            selected = [f"{start}{inner}"]
        top = sandbox.allowed.holding(start) or start
        record = sandbox.tmpdir / RECORD_NAME
        recorder = [sandbox.python, "-u", "-c", RECORDER, str(record), str(top), str(start)]
        return [*recorder, "-p", "no:cacheprovider", *self.args, *selected]

    def run(self, sandbox: Sandbox) -> TaskResult:
        """Carry the tests out, wait for their end, and count them."""
        result = super().run(sandbox)
        if result.exit_code is None and result.signal is None:
            return result
        record = sandbox.read_file(RECORD_NAME, RECORD_BYTES)
        if record is None:  # pytest is missing, or ended before it began
            return result
        tally = _Tally(record)
        counts = tally.told()
        result = replace(result, tests=counts, reason=_reason(result, counts, list(tally.unfinished)))
        if len(record) < RECORD_BYTES and record.count(b"\n") <= MOST_LINES:
            return result
        return replace(result, hint=f"{result.hint} {NOT_ALL_COUNTED}" if result.hint else NOT_ALL_COUNTED)


def _split(file_path: str) -> tuple[str, str]:
    path, separator, inner = file_path.partition("::")
    return path, separator + inner


class _Tally:
    """What became of the tests of a record. However much a run makes up, what is kept of it stays small."""

    def __init__(self, record: bytes) -> None:
        self.counts = dict.fromkeys(("passed", "failed", "error", "skipped"), 0)
        self.unfinished: dict[str, None] = {}
        """The tests that had begun when pytest died: those of a crash, a timeout, or a cancellation."""
        self.failing: dict[str, None] = {}
        for event, node_id in _events(record):
            self._add(event, node_id)

    def _add(self, event: str, node_id: str) -> None:
        if event in self.counts:
            self.counts[event] += 1
        if event == "start" and len(self.unfinished) < MOST_AT_ONCE:
            self.unfinished[node_id] = None
        elif event == "finish":
            self.unfinished.pop(node_id, None)
        elif event in ("failed", "error") and len(self.failing) < FAILING_KEPT:
            self.failing[node_id] = None

    def told(self) -> TestCounts:
        """Return what the run tells of its tests."""
        return TestCounts(
            passed=self.counts["passed"],
            failed=self.counts["failed"],
            errors=self.counts["error"] + len(self.unfinished),
            skipped=self.counts["skipped"],
            failing=tuple(self.failing | self.unfinished)[:FAILING_KEPT],
        )


def _events(record: bytes) -> Iterator[tuple[str, str]]:
    for line in islice(io.BytesIO(record), MOST_LINES):
        if len(line) > LINE_BYTES:
            continue
        try:
            event, node_id = orjson.loads(line)
        except (ValueError, TypeError):  # the last line of a crash, or something of the run's own
            continue
        if isinstance(event, str) and isinstance(node_id, str):
            yield event, node_id


def _reason(result: TaskResult, counts: TestCounts, unfinished: list[str]) -> str | None:
    if result.status == "completed":
        return None
    if unfinished:
        return f"{result.reason} during {unfinished[0]}"
    numbers = ((counts.failed, "failed"), (counts.errors, "errors"))
    bad = [f"{number} {word}" for number, word in numbers if number]
    if result.exit_code in (1, 2) and bad:
        return f"tests: {', '.join(bad)}, {counts.passed} passed"
    return REASONS.get(result.exit_code or 0, result.reason)
