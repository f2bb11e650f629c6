"""Tell which data of time zones this machine has, so that an update of the system is noticed."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path


def zone_data_mark() -> int:
    """Return a number that changes when the data of time zones does.

    It is made of the times of the folders: a package that brings new data renames files in them.
    """
    text = repr(sorted(_entries()))
    return int.from_bytes(blake2b(text.encode(), digest_size=7).digest(), "big")


def _entries() -> Iterator[tuple[str, int, int]]:
    for root in map(Path, zoneinfo.TZPATH):
        for place in (root, root / "tzdata.zi", *_folders(root)):
            try:
                found = place.stat()
            except OSError:
                continue  # that it is not there is as good a mark as any
            yield str(place), found.st_mtime_ns, found.st_ino


def _folders(root: Path) -> list[Path]:
    try:
        with os.scandir(root) as found:
            return [Path(entry.path) for entry in found if entry.is_dir()]
    except OSError:
        return []
