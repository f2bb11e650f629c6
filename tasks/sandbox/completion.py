"""Complete a path that somebody begins to write, within the allowed directories."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tasks.sandbox.paths import AllowedDirs

MOST_OFFERED = 50
MOST_LOOKED_AT = 10_000
"""Names of one directory: more are no help to anybody, and reading them holds up whoever asks."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A path as it would be written on; that of a directory ends in a slash."""

    path: str
    is_directory: bool


@dataclass(frozen=True, slots=True)
class Completions:
    """What a beginning may become, directories first; `is_whole` says that there is no more."""

    found: list[Completion]
    is_whole: bool


def complete(allowed: AllowedDirs, begun: str) -> Completions:
    """Return the paths that begin so; raise `TaskRefused` where its directory lies outside.

    A relative path starts at the first allowed directory, as in a task. What a link leads to outside is not offered,
    nor is a hidden name of which nothing is written yet.
    """
    roots = [f"{str(path).rstrip('/')}/" for path in allowed.dirs]
    leading = [Completion(root, True) for root in roots if root.startswith(begun)]
    if begun and leading and not any(begun.startswith(root) for root in roots):
        return Completions(leading, True)
    folder, slash, name = begun.rpartition("/")
    inside = allowed.resolve(folder + slash or ".", "prefix")
    found = list(_entries(allowed, inside, folder + slash, name))
    found.sort(key=lambda each: (not each.is_directory, each.path))
    return Completions(found[:MOST_OFFERED], len(found) <= MOST_OFFERED)


def _entries(allowed: AllowedDirs, folder: Path, written: str, name: str) -> Iterator[Completion]:
    try:
        entries = os.scandir(folder)
    except OSError:  # there is no such directory (yet), or nobody may read it: nothing to offer
        return
    with entries:
        for entry in islice(entries, MOST_LOOKED_AT):
            if not entry.name.startswith(name) or not entry.name.isprintable():
                continue
            if entry.name.startswith(".") and not name:
                continue
            if entry.is_symlink() and not _leads_inside(allowed, entry.path):
                continue
            is_directory = os.path.isdir(entry.path)
            yield Completion(f"{written}{entry.name}{'/' if is_directory else ''}", is_directory)


def _leads_inside(allowed: AllowedDirs, link: str) -> bool:
    return os.path.exists(link) and allowed.holding(Path(os.path.realpath(link))) is not None
