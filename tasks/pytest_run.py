"""Run tests with pytest and count how they went."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field

from tasks.base import Arguments, BaseTask, Sandbox, TaskResult, TestCounts
from tasks.sandbox.paths import AllowedDirs

RECORDER = Path(__file__).with_name("pytest_recorder.py").read_text("utf-8")
"""Read once, so that what a run writes cannot change how the next is counted."""

RECORD_NAME = "tests.jsonl"
RECORD_BYTES = 64 * 1024 * 1024
FAILING_KEPT = 1000

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
        events = list(_events(record))
        counts = _count(events)
        return replace(result, tests=counts, reason=_reason(result, counts, _unfinished(events)))


def _split(file_path: str) -> tuple[str, str]:
    path, separator, inner = file_path.partition("::")
    return path, separator + inner


def _events(record: bytes) -> Iterator[tuple[str, str]]:
    for line in record.splitlines():
        try:
            event, node_id = json.loads(line)
        except (ValueError, TypeError):  # the last line of a crash, or something of the run's own
            continue
        if isinstance(event, str) and isinstance(node_id, str):
            yield event, node_id.encode("utf-8", "backslashreplace").decode()  # of a file whose name is no UTF-8


def _count(events: list[tuple[str, str]]) -> TestCounts:
    counts = Counter(event for event, _ in events)
    unfinished = _unfinished(events)
    failing = dict.fromkeys(node_id for event, node_id in events if event in ("failed", "error"))
    failing.update(dict.fromkeys(unfinished))
    return TestCounts(
        passed=counts["passed"],
        failed=counts["failed"],
        errors=counts["error"] + len(unfinished),
        skipped=counts["skipped"],
        failing=tuple(failing)[:FAILING_KEPT],
    )


def _unfinished(events: list[tuple[str, str]]) -> list[str]:
    """Return the tests that had begun when pytest died: those of a crash, a timeout, or a cancellation."""
    begun = dict.fromkeys(node_id for event, node_id in events if event == "start")
    for event, node_id in events:
        if event == "finish":
            begun.pop(node_id, None)
    return list(begun)


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
