"""Watch files of jobs by what the kernel tells of their directories: the only door to watchdog."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

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

log = logging.getLogger(__name__)

# Not what reading a file gives rise to: whoever is told reads.
_CHANGES: list[type[FileSystemEvent]] = [
    *(FileCreatedEvent, FileModifiedEvent, FileClosedEvent, FileMovedEvent, FileDeletedEvent),
    *(DirCreatedEvent, DirMovedEvent, DirDeletedEvent),
]


class Watcher(FileSystemEventHandler):
    """Call `on_change` when something about the paths may have changed; `trouble` says why that does not work.

    What is watched are directories: that of a file, since editors save by putting another file in its place, and for
    a directory itself and the one around it, since it may appear later or be replaced.
    """

    def __init__(self, paths: Sequence[Path], on_change: Callable[[], None]) -> None:
        self._paths, self._on_change = tuple(paths), on_change
        self._named = self._paths
        self._observer: BaseObserver | None = None
        self._watches: dict[Path, tuple[ObservedWatch, tuple[int, int]]] = {}
        self.trouble: str | None = None

    def refresh(self) -> None:
        """Watch what there is to be watched now; where that fails, `trouble` says why."""
        trouble = None
        try:
            if self._observer is None:
                observer = Observer()
                observer.daemon = True
                observer.start()
                self._observer = observer
            self._watch(self._observer)
        except OSError as error:  # no instances or watches left, or a file system that has none
            trouble = f"changes are not told ({error.strerror or error}); the files are looked at from time to time"
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
        return any(path == wanted or path.parent == wanted or wanted.is_relative_to(path) for wanted in self._named)

    def _watch(self, observer: BaseObserver) -> None:
        # A link to a file is watched at both ends.
        self._named = tuple(dict.fromkeys([*self._paths, *(Path(os.path.realpath(path)) for path in self._paths)]))
        wanted = {folder: found for path in self._named for folder in _folders(path) if (found := _identity(folder))}
        for folder, (watch, identity) in list(self._watches.items()):
            if wanted.get(folder) != identity:
                del self._watches[folder]
                observer.unschedule(watch)
        for folder, identity in wanted.items():
            if folder not in self._watches:
                watch = observer.schedule(self, str(folder), event_filter=_CHANGES)
                self._watches[folder] = (watch, identity)


def _folders(path: Path) -> list[Path]:
    """Return the directories in which a change of a path shows: itself, and the nearest one around it."""
    around = next((folder for folder in path.parents if os.path.isdir(folder)), path.parent)
    return [path, around] if os.path.isdir(path) else [around]


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = folder.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
