"""Keep what need not outlive the program in a private directory, and remove it at the end, whatever the end is."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path

from scheduler import forks
from scheduler.directories import default_data_dir
from scheduler.errors import InvalidRequest, Problem

_PREFIX = "task-scheduler-embedded-"
_LOCK = "alive"


class TemporaryData:
    """A directory that nobody else can read, which is gone with `close` or the program's end.

    A lock on a file in it says that its process lives, so that the next program can remove what one
    that was killed has left.
    """

    def __init__(self, allowed_dirs: Sequence[Path], environ: Mapping[str, str] = os.environ) -> None:
        parent = _parent(allowed_dirs, environ)
        _clear(parent)
        # Locked before it has its name, so that nobody takes it for one that was left.
        draft = Path(tempfile.mkdtemp(prefix=f".{_PREFIX}", dir=parent))
        with forks.held_off:
            lock = FileIO(draft / _LOCK, "x")
            forks.keep(lock)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.path = draft.rename(draft.with_name(draft.name.removeprefix(".")))
        self._finalizer = weakref.finalize(self, _remove, self.path, lock, os.getpid())

    def close(self) -> None:
        """Remove it."""
        self._finalizer()


def _remove(path: Path, lock: FileIO, maker: int) -> None:
    # A process that was forked off inherits this, but not the right to take its parent's data away.
    if os.getpid() == maker:
        shutil.rmtree(path, ignore_errors=True)
        lock.close()


def _parent(allowed_dirs: Sequence[Path], environ: Mapping[str, str]) -> Path:
    """Return the first place that can be written to and that no task can reach."""
    places = []
    for place in _places(environ):
        places.append(place)
        if any(place.is_relative_to(allowed) for allowed in allowed_dirs):
            continue
        with suppress(OSError):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(place, os.W_OK | os.X_OK):
            return place
    text = (
        f"no place is left for the scheduler's data: {', '.join(map(str, places))} can be reached by tasks, or not "
        "be written to. Give allowed_dirs= narrower directories, or data_dir= a place outside of them."
    )
    raise InvalidRequest([Problem("data_dir", text, None, ["a directory outside allowed_dirs"])])


def _places(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where it could be, the best first; the last raises `InvalidRequest` where this user has no home."""
    if runtime := environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime).resolve()
    yield Path(tempfile.gettempdir()).resolve()
    yield default_data_dir(environ).resolve() / "embedded"


def _clear(parent: Path) -> None:
    """Remove the directories of processes that are gone."""
    for path in parent.glob(f"{_PREFIX}*"):
        # Another user's cannot be opened, and one that is being removed has no lock any more.
        with suppress(OSError):
            lock = os.open(path / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(lock)
