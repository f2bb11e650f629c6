"""Run the benchmarks: `python -m benchmarks [names...] [--quick]`."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import TypeVar

from benchmarks.table import Row, show

T = TypeVar("T")
TABLES = ("lateness", "idle", "runs", "creates", "events", "rest", "store", "recovery", "scrape")
"""Those that return rows of the one table."""
OTHERS = ("phrases", "sandbox")
"""Those that print what they have found."""


def main() -> None:
    """Measure what was asked for, and print it."""
    asked = _arguments()
    when = f"{datetime.now().astimezone():%Y-%m-%d %H:%M}"
    print(f"{when}, {os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}")
    rows: list[Row] = []
    for name in (name for name in TABLES if name in asked.names):
        rows += _timed(name, partial(_rows, name, asked.quick)) or []
    if rows:
        print(show(rows))
        print("ratio: ours divided by the other. Of times and memory less is better, of rates more.")
    for name in (name for name in OTHERS if name in asked.names):
        print(_timed(name, partial(_printed, name)) or "")


def _rows(name: str, quick: bool) -> list[Row]:
    rows: list[Row] = importlib.import_module(f"benchmarks.{name}").rows(quick)
    return rows


def _arguments() -> argparse.Namespace:
    names = (*TABLES, *OTHERS)
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*names, []], metavar="name", help=f"of {', '.join(names)}")
    parser.add_argument(
        "--quick", action="store_true", help="under a minute: rougher, with 10,000 jobs only, and nothing but the table"
    )
    asked = parser.parse_args()
    asked.names = asked.names or (TABLES if asked.quick else names)
    return asked


def _timed(name: str, call: Callable[[], T]) -> T | None:
    """Make a call, telling on the way that it goes on; one that fails takes nothing with it."""
    print(f"{name} ...", end="", file=sys.stderr, flush=True)
    begun = time.perf_counter()
    try:
        result = call()
    except Exception as error:
        print(f" failed: {type(error).__name__}: {error}", file=sys.stderr)
        return None
    print(f" {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    return result


def _printed(name: str) -> str:
    """Return what a script prints, run in a process of its own."""
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], capture_output=True, text=True)
    return done.stdout + (done.stderr if done.returncode else "")


if __name__ == "__main__":
    main()
