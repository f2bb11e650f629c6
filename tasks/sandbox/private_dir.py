"""Make and remove the private directory of a run."""

from __future__ import annotations

import itertools
import logging
import os
import stat
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

log = logging.getLogger(__name__)

SPARE = 32
"""How many empty directories wait for a run."""
SMALL = 4096
"""A directory that once held much stays large, and slow."""

Owner = tuple[int, int] | None
"""User and group that a run has, or None for the server's own."""

_spare: dict[tuple[str, Owner], deque[str]] = {}
_numbers = itertools.count()


class PrivateDir:
    """A directory, mode 0700, that one run has for itself: its HOME and its TMPDIR.

    Made when first asked for; `remove` takes it away with whatever the run left in it. Most runs
    leave nothing: their directory waits under another name for the next run, since making and
    removing one costs a file system six times what renaming does.
    """

    def __init__(self, tmp_root: Path, run_id: str, owner: Owner = None) -> None:
        self._root = str(tmp_root)
        self._owner = owner
        self._path = f"{tmp_root}/{run_id}"
        self._made = False

    @property
    def path(self) -> str:
        """The directory, which exists from now on; OSError where it cannot be made."""
        if not self._made:
            self._make()
            self._made = True
        return self._path

    def add_file(self, name: str, content: str) -> Path:
        """Write a file of text and return its path."""
        path = Path(self.path, name)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w", encoding="utf-8", newline="") as file:
            if self._owner is not None:
                os.fchown(fd, *self._owner)
            file.write(content)
        return path

    def read_file(self, name: str, limit: int) -> bytes | None:
        """Return up to `limit` bytes of a plain file; None where there is none.

        The run may have put a link or a pipe in the file's place: neither is followed or waited for.
        """
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            fd = os.open(os.path.join(self.path, name), flags)
        except OSError:
            return None
        with os.fdopen(fd, "rb") as file:
            return file.read(limit) if stat.S_ISREG(os.fstat(fd).st_mode) else None

    def remove(self) -> None:
        """Take the directory away; what withstands is told in the log."""
        if not self._made:
            return
        self._made = False
        spare = _spare.setdefault((self._root, self._owner), deque(maxlen=SPARE))
        if len(spare) < SPARE and _is_untouched(self._path, self._owner):
            name = f"{self._root}/spare-{next(_numbers)}"
            os.rename(self._path, name)
            spare.append(name)
        else:
            remove_tree(Path(self._path))

    def _make(self) -> None:
        try:
            os.rename(_spare[self._root, self._owner].pop(), self._path)
        except (KeyError, IndexError, FileNotFoundError):  # none is waiting
            _make_dir(self._path)
            if self._owner is not None:
                os.chown(self._path, *self._owner)


def _make_dir(path: str) -> None:
    try:
        os.mkdir(path, 0o700)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.mkdir(path, 0o700)


def _is_untouched(path: str, owner: Owner) -> bool:
    """Return whether a directory is as it was made: empty, with its mode, owner and no attributes."""
    found = os.lstat(path)
    return (
        found.st_mode == stat.S_IFDIR | 0o700
        and (found.st_uid, found.st_gid) == (owner or (os.geteuid(), os.getegid()))
        and found.st_size <= SMALL
        and not os.listdir(path)
        and not os.listxattr(path)
    )


def clear_private_dirs(tmp_root: Path) -> None:
    """Remove what a server that died left in `tmp_root`; for a start, before any run."""
    _forget_spare(tmp_root)
    with suppress(FileNotFoundError):
        for entry in os.listdir(tmp_root):
            remove_tree(tmp_root / entry)


def drop_spare(tmp_root: Path) -> None:
    """Remove the directories in `tmp_root` that wait for runs of this process."""
    for path in _forget_spare(tmp_root):
        remove_tree(Path(path))


def _forget_spare(tmp_root: Path) -> list[str]:
    keys = [key for key in _spare if key[0] == str(tmp_root)]
    return [path for key in keys for path in _spare.pop(key)]


def remove_tree(path: Path) -> None:
    """Remove a directory and all that is in it, however deep and whatever its modes are.

    Another run may still change what is in it: a folder of the workspace that was moved there. So everything below is
    named by its open folder, and no link is followed.
    """
    try:
        try:
            os.rmdir(path)
        except OSError:
            with _opened(path) as top:
                _empty(top)
            os.rmdir(path)
    except OSError as error:
        log.warning("The directory %s of a run could not be removed: %s", path, error)


def _empty(top: int) -> None:
    """Empty a directory level by level, lifting what is below a folder into it.

    Nothing is ever more than two levels down, so that a tree too deep for recursion or for the longest path goes too.
    """
    names = (f".removed-{number}" for number in itertools.count())
    while entries := _entries(top):
        for name, is_folder in entries:
            if not is_folder:
                os.unlink(name, dir_fd=top)
                continue
            with _opened(name, top) as folder:
                _lift(folder, top, names)
            os.rmdir(name, dir_fd=top)


def _lift(folder: int, top: int, names: Iterator[str]) -> None:
    for name, is_folder in _entries(folder):
        if is_folder:
            with _opened(name, folder):  # an ordinary user may only move a folder that it may write to
                os.rename(name, _free(names, top), src_dir_fd=folder, dst_dir_fd=top)
        else:
            os.unlink(name, dir_fd=folder)


@contextmanager
def _opened(name: str | Path, parent: int | None = None) -> Iterator[int]:
    """Open a directory, never what a link in its place leads to, and let its owner use it whatever its mode was."""
    fd = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        with suppress(PermissionError):  # it is another user's, and this is root, who may do without
            os.chmod(f"/proc/self/fd/{fd}", 0o700)  # fchmod takes only what could be opened with the mode it has
        yield fd
    finally:
        os.close(fd)


def _entries(folder: int) -> list[tuple[str, bool]]:
    """Return the names in an open directory, and which of them are directories."""
    readable = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=folder)
    try:
        with os.scandir(readable) as entries:
            return [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
    finally:
        os.close(readable)


def _free(names: Iterator[str], folder: int) -> str:
    return next(name for name in names if not _is_there(name, folder))


def _is_there(name: str, folder: int) -> bool:
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True
