"""Watch files of jobs by what the kernel tells of their directories: the only door to watchdog."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from scheduler.jobsfiles.reading import files_of

log = logging.getLogger(__name__)

_NAMES: list[type[FileSystemEvent]] = [
    *(FileCreatedEvent, FileMovedEvent, FileDeletedEvent),
    *(DirCreatedEvent, DirMovedEvent, DirDeletedEvent),
]
# Not what reading a file gives rise to: whoever is told reads.
_CHANGES: list[type[FileSystemEvent]] = [*_NAMES, FileModifiedEvent, FileClosedEvent]
_MOST_LINKS = 40
"""So many the kernel follows to find one file."""

_FROM_TIME_TO_TIME = "the files are looked at from time to time"


class Watched(NamedTuple):
    """A directory to watch: which one it is, and whether what is written in it matters, or only its names."""

    device: int
    inode: int
    is_end: bool


class Watcher(FileSystemEventHandler):
    """Call `on_change` when something about the paths may have changed; `trouble` says why that does not work.

    What is watched are directories: each in which a name is looked up on the way to a file. Editors save by putting
    another file in its place; a release or a mounted secret puts another folder, or points a link elsewhere.
    """

    def __init__(self, paths: Sequence[Path], on_change: Callable[[], None]) -> None:
        self._paths, self._on_change = tuple(paths), on_change
        self._names: frozenset[Path] = frozenset()
        self._ends: frozenset[Path] = frozenset()
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, tuple[ObservedWatch, Watched]] = {}
        self.trouble: str | None = None

    def refresh(self) -> None:
        """Watch what there is to be watched now; where that fails, `trouble` says why."""
        try:
            if self._observer is None:
                observer = Observer()
                observer.daemon = True
                observer.start()
                self._observer = observer
            trouble = self._watch(self._observer)
        except OSError as error:  # no instances or watches left, or a file system that has none
            trouble = f"changes are not told ({error.strerror or error}); {_FROM_TIME_TO_TIME}"
        if trouble is not None and trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble

    def close(self) -> None:
        """Watch no more."""
        if self._observer is not None:
            self._observer.stop()
            self._observer.join()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Hear of a change; in the thread of the library, so nothing is done here but to pass it on."""
        named = [Path(os.fsdecode(name)) for name in (event.src_path, event.dest_path) if name]
        if any(self._matters(path) for path in named):
            self._on_change()

    def _matters(self, path: Path) -> bool:
        return path in self._names or path.parent in self._ends

    def _watch(self, observer: BaseObserver) -> str | None:
        """Watch until nothing is left to be watched: meanwhile a directory may have come, untold. Return what is
        not told all the same."""
        refused: dict[Path, tuple[Watched, str]] = {}
        while True:
            wanted = self._wanted()
            self._let_go(observer, wanted)
            refused = {folder: refusal for folder, refusal in refused.items() if wanted.get(folder) == refusal[0]}
            new = wanted.keys() - self._watches.keys() - refused.keys()
            if not new:
                return next((reason for _, reason in refused.values()), None)
            for folder in new:
                try:
                    self._watches[folder] = self._scheduled(observer, folder, wanted[folder]), wanted[folder]
                except (FileNotFoundError, PermissionError) as error:
                    if wanted[folder].is_end and isinstance(error, PermissionError):
                        raise
                    reason = f"what is renamed in {folder} is not told ({error.strerror or error})"
                    refused[folder] = wanted[folder], f"{reason}; {_FROM_TIME_TO_TIME}"

    def _let_go(self, observer: BaseObserver, wanted: Mapping[Path, Watched]) -> None:
        for folder, (watch, known) in list(self._watches.items()):
            if wanted.get(folder) != known:
                del self._watches[folder]
                observer.unschedule(watch)

    def _scheduled(self, observer: BaseObserver, folder: Path, wanted: Watched) -> ObservedWatch:
        return observer.schedule(self, str(folder), event_filter=_CHANGES if wanted.is_end else _NAMES)

    def _wanted(self) -> dict[Path, Watched]:
        """Return the directories to watch, and remember what matters of what is told of them."""
        linked = [file for path in self._paths for file in files_of(path) if file.is_symlink()]
        ways = [_way_to(path) for path in (*self._paths, *linked)]
        self._names = frozenset(name for names, _ in ways for name in names)
        self._ends = frozenset(end for _, end in ways)
        ends = {end if os.path.isdir(end) else end.parent for end in self._ends}
        folders = {name.parent for name in self._names} | ends
        found = {folder: _look_at(folder, folder in ends) for folder in folders}
        return {folder: watched for folder, watched in found.items() if watched is not None}


def _way_to(path: Path) -> tuple[list[Path], Path]:
    """Return each name that is looked up on the way to a path, as its place without links, and where the way ends."""
    names: list[Path] = []
    place, left = Path("/"), list(reversed(path.absolute().parts[1:]))
    links = 0
    while left:
        if (part := left.pop()) == "..":
            place = place.parent
            continue
        names.append(place / part)
        target = _target(names[-1])
        if target is None or links == _MOST_LINKS:
            place = names[-1]
            continue
        links += 1
        left += reversed(target.parts[target.is_absolute() :])
        place = Path("/") if target.is_absolute() else place
    return names, place


def _target(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:  # no link, or nothing at all
        return None


def _look_at(folder: Path, is_end: bool) -> Watched | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return Watched(found.st_dev, found.st_ino, is_end) if stat.S_ISDIR(found.st_mode) else None
