"""Keep users in a file: read it anew when it changes, and change it without a moment in which it is half written."""

from __future__ import annotations

import fcntl
import logging
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scheduler.auth.users import User, Users, read_users
from scheduler.errors import Conflict, InvalidRequest, NotFound, Problem, nearest
from scheduler.locks import unlock

log = logging.getLogger(__name__)

_MOST_BYTES = 1024 * 1024
_Signature = tuple[int, ...]


class UsersFile:
    """The users of a file. A file that cannot be read has none, and is a reason to let nobody in."""

    def __init__(self, path: Path, needed: bool) -> None:
        self.path, self._needed = path, needed
        self._lock = threading.Lock()
        self._seen: _Signature | None = None
        self._users = Users()

    @property
    def is_there(self) -> bool:
        """Whether there is a file, or should be one: passwords are then asked for, whatever it says."""
        return self._needed or os.path.lexists(self.path)

    def current(self) -> Users:
        """Return the users, by what the file says now; what is newly wrong with it is logged."""
        with self._lock:
            before, found = self._users.faults, self._look()
        for fault in found.faults:
            if fault not in before:
                log.warning("%s", fault)
        return found

    def look(self) -> Users:
        """Return the users, by what the file says now, for whoever tells what is wrong with it."""
        with self._lock:
            return self._look()

    def _look(self) -> Users:
        try:
            if (signature := _signature(os.stat(self.path))) != self._seen:
                self._users, self._seen = read_users(_read(self.path).splitlines(), str(self.path)), signature
        except (OSError, InvalidRequest) as error:
            # Looked at again next time, since what is in the way may leave no trace on the file when it goes.
            self._users, self._seen = Users(faults=self._told(error)), None
        return self._users

    def _told(self, error: OSError | InvalidRequest) -> tuple[str, ...]:
        if isinstance(error, FileNotFoundError) and not self._needed:
            return ()
        why = error.message if isinstance(error, InvalidRequest) else f"{error.strerror or error}."
        return (f"the users file {self.path} cannot be read, so no user of it may log in: {why}",)


def _signature(found: os.stat_result) -> _Signature:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _read(path: Path) -> str:
    # Without waiting, in case it is a pipe that nobody writes into.
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        # What is judged is the very file that is read, not what may have the name a moment later.
        if fault := _fault(os.fstat(file.fileno()), path):
            raise InvalidRequest([Problem("users_file", fault, str(path))])
        try:
            return file.read(_MOST_BYTES).decode("utf-8")
        except UnicodeDecodeError as error:
            raise InvalidRequest([Problem("users_file", f"it is not UTF-8: {error}", str(path))]) from error


def _fault(found: os.stat_result, path: Path) -> str | None:
    if not stat.S_ISREG(found.st_mode):
        return "it is no regular file"
    if stat.S_IMODE(found.st_mode) & 0o077:
        return f"others may read or change it (mode {stat.S_IMODE(found.st_mode):04o}): run 'chmod 600 {path}'"
    if found.st_uid not in (0, os.geteuid()):
        return f"it belongs to user {found.st_uid}, not to the user of the service ({os.geteuid()})"
    if found.st_size > _MOST_BYTES:
        return f"it is over {_MOST_BYTES} bytes"
    return None


# --- changing it -------------------------------------------------------------------------------


def put_user(path: Path, user: User, replace: bool) -> None:
    """Add a user, or put it in the place of the one of that name; raise `Conflict` where `replace` is not said."""
    with _changing(path) as lines:
        mine = [number for number, line in enumerate(lines) if _names(line, user.name)]
        if mine and not replace:
            raise Conflict(f"The user {user.name!r} exists in {path}. Say --replace to give a new password and scopes.")
        lines[:] = [line for number, line in enumerate(lines) if number not in mine[1:]]
        if mine:
            lines[mine[0]] = user.line
        else:
            lines.append(user.line)


def remove_user(path: Path, name: str) -> None:
    """Remove a user; raise `NotFound` naming the nearest."""
    with _changing(path) as lines:
        kept = [line for line in lines if not _names(line, name)]
        if len(kept) == len(lines):
            guess = nearest(name, [line.partition(":")[0] for line in lines if ":" in line])
            raise NotFound(f"There is no user {name!r} in {path}.{f' Did you mean {guess!r}?' if guess else ''}")
        lines[:] = kept


def _names(line: str, name: str) -> bool:
    return line.strip().partition(":")[0] == name


@contextmanager
def _changing(path: Path) -> Iterator[list[str]]:
    """Give the lines to be changed, and write them back; two who do it at once take turns."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        lines = _lines(path)
        yield lines
        _replace(path, "".join(f"{line}\n" for line in lines), os.fstat(folder))
        os.fsync(folder)
    finally:
        unlock(folder)
        os.close(folder)


def _lines(path: Path) -> list[str]:
    try:
        return _read(path).splitlines()
    except FileNotFoundError:
        return []


def _replace(path: Path, text: str, folder: os.stat_result) -> None:
    target = path.resolve()  # of a link, what it leads to is replaced
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    owner = _owner(target, folder)
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), *owner)  # root writes it for the service, which must be able to read it
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def _owner(path: Path, folder: os.stat_result) -> tuple[int, int]:
    found = path.stat() if path.exists() else folder
    return found.st_uid, found.st_gid
