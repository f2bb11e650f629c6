"""Run pytest inside the sandbox and write down what becomes of each test, as it happens.

This file is not imported by the service: its source is handed to the run's interpreter, with the
record's path, the outermost directory that pytest may take its configuration from, and pytest's
own arguments. One JSON line an event, so that a crash of pytest loses nothing of what came before.
"""

from __future__ import annotations

import configparser
import json
import os
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

INI_NAMES = ("pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini")
CONFIG_NAMES = (*INI_NAMES, "pyproject.toml", "tox.ini", "setup.cfg")

NODE_ID_LENGTH = 1000


class Recorder:
    """A pytest plugin that writes one line for each event."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "a", encoding="utf-8")  # noqa: SIM115 - open until the process ends

    def write(self, event: str, node_id: str) -> None:
        text = node_id.encode("utf-8", "backslashreplace").decode()  # of a file whose name is no UTF-8
        if len(text) > NODE_ID_LENGTH:  # a parameter is part of it, however long
            text = f"{text[:NODE_ID_LENGTH]}..."
        self.file.write(json.dumps([event, text], ensure_ascii=False) + "\n")
        self.file.flush()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write("start", nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.write("failed" if report.when == "call" else "error", report.nodeid)
        elif report.skipped:
            self.write("skipped", report.nodeid)
        elif report.when == "call":
            self.write("passed", report.nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self.write("finish", nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.write("error", report.nodeid)
        elif report.skipped:
            self.write("skipped", report.nodeid)


def config_options(top: Path, start: Path, args: list[str]) -> list[str]:
    """Return options that keep pytest from taking its configuration from above `top`.

    What lies above belongs to somebody else, and may not even be readable. Nothing is returned where
    pytest would find nothing there.
    """
    chosen = any(arg.startswith("-c") or arg.split("=")[0] == "--config-file" for arg in args)
    names = (*CONFIG_NAMES, "setup.py")
    above = any((parent / name).exists() for parent in top.parents for name in names)
    if chosen or not above:
        return []
    within = [folder for folder in (start, *start.parents) if folder.is_relative_to(top)]
    for path in (folder / name for folder in within for name in CONFIG_NAMES):
        if path.is_file() and has_section(path):
            return [f"--config-file={path}"]
    common = Path(os.path.commonpath([start, Path.cwd()]))
    root = common if common.is_relative_to(top) else top
    return [f"--config-file={os.devnull}", f"--rootdir={root}", f"--confcutdir={top}"]


def has_section(path: Path) -> bool:
    """Return whether pytest would take this file for its configuration."""
    if path.name in INI_NAMES:
        return True
    try:
        return any(read_sections(path))
    except (OSError, ValueError, configparser.Error):  # pytest itself will complain where it matters
        return False


def read_sections(path: Path) -> Iterator[Any]:
    if path.suffix == ".toml":
        yield tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("pytest")
        return
    parser = configparser.RawConfigParser()
    parser.read_string(path.read_text("utf-8"))
    yield parser.has_section("pytest" if path.name == "tox.ini" else "tool:pytest")


def main(record: str, top: str, start: str, *args: str) -> int:
    """Run pytest with `args`; return its exit code."""
    options = config_options(Path(top), Path(start), list(args))
    return int(pytest.main([*options, *args], plugins=[Recorder(record)]))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
