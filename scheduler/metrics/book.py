"""Keep the counts of all processes of a machine in one file of the data directory."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from scheduler.locks import lock_file, try_lock
from scheduler.metrics.counts import LAYOUT, Counts

log = logging.getLogger(__name__)

LOCK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Vitals:
    """How the process that fires is, by its own word."""

    pid: int
    host: str
    clock_alive: bool
    next_due: float | None = None
    """When the first task is due, or attempt that is planned, as a POSIX timestamp."""


@dataclass(frozen=True, slots=True)
class Page:
    """What the file says."""

    counts: Counts = field(default_factory=Counts)
    vitals: Vitals | None = None


class BookBusy(Exception):
    """Another process has the file for longer than anybody needs it."""


class Book:
    """A file that each process adds to what it has counted since it last did.

    What was added is never taken back, whichever process comes or goes, so totals that are read from here
    alone only grow. Each change is a new file in place of the old one: readers need no lock, and a crash
    leaves one or the other.
    """

    def __init__(self, data_dir: Path) -> None:
        self._path = data_dir / "metrics.json"
        self._lock_path = data_dir / "metrics.lock"

    def add(self, counts: Counts, vitals: Vitals | None = None) -> Page:
        """Add counts, note the vitals where they are given, and return what the file says then."""
        with self._locked():
            page = self.read()
            page.counts.add(counts)
            page = replace(page, vitals=vitals or page.vitals)
            self._write(page)
            return page

    def read(self) -> Page:
        """Return what the file says; nothing where it is not there, is damaged, or was written by another version."""
        try:
            return _page(orjson.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return Page()
        except (ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be read (%s): metrics count from zero", self._path, error)
            return Page()

    def _write(self, page: Page) -> None:
        kept = {"layout": LAYOUT, "counts": page.counts.to_json(), "vitals": page.vitals}
        new = self._path.with_suffix(".new")
        new.touch(0o600)
        new.write_bytes(orjson.dumps(kept))
        new.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with lock_file(self._lock_path) as file:
            deadline = time.monotonic() + LOCK_SECONDS
            while not try_lock(file):
                if time.monotonic() > deadline:
                    raise BookBusy(f"another process holds {self._lock_path}")
                time.sleep(0.002)
            yield


def _page(kept: dict[str, Any]) -> Page:
    vitals = kept["vitals"] and Vitals(**kept["vitals"])
    if kept["layout"] != LAYOUT:
        return Page(vitals=vitals)
    return Page(Counts.from_json(kept["counts"]), vitals)
