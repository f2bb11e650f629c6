"""Choose the user that runs have, and what follows from it."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from tasks.sandbox.landlock import RESOLVE_UNIX, TRUNCATE, Abilities
from tasks.sandbox.paths import AllowedDirs

TASK_USER = 60123
"""The user that runs have where the server is root and so is the workspace's owner."""

CAP_DAC_OVERRIDE = 1


class ConfinementError(ValueError):
    """Settings of the sandbox contradict each other, or cannot hold."""


def choose_user(task_user: str, allowed: AllowedDirs) -> tuple[int, int] | None:
    """Return user and group that runs get, or None for the server's own; ConfinementError if it cannot be."""
    if task_user not in ("auto", "none"):
        return _named_user(task_user)
    if os.geteuid() != 0 or task_user == "none":
        return None
    try:
        owner = os.stat(allowed.first)
    except FileNotFoundError:
        return TASK_USER, TASK_USER
    return (owner.st_uid, owner.st_gid) if owner.st_uid else (TASK_USER, TASK_USER)


def user_of_nothing_else(user: tuple[int, int] | None) -> int | None:
    """Return the number of the runs' user if nothing but runs has it."""
    return TASK_USER if user is not None and user[0] == TASK_USER else None


def _named_user(text: str) -> tuple[int, int]:
    uid, _, gid = text.partition(":")
    if not uid.isdecimal() or (gid and not gid.isdecimal()):
        raise ConfinementError(f"SCHEDULER_TASK_USER is 'auto', 'none' or 'uid[:gid]' in numbers, not {text!r}.")
    if os.geteuid() != 0 and int(uid) != os.geteuid():
        raise ConfinementError(f"SCHEDULER_TASK_USER={text}: only a server that is root can run tasks as another user.")
    if int(uid) == 0:
        raise ConfinementError("SCHEDULER_TASK_USER must not be root; 'none' keeps user 0 without its capabilities.")
    return int(uid), int(gid or _group_of(int(uid)))


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:  # a number without a name
        return uid


def kept_capabilities(
    user: tuple[int, int] | None,
    landlock: Abilities | None,
    allow_unix: bool,
    own: Iterable[Path],
    read: Iterable[Path],
) -> tuple[int, ...]:
    """Return the capabilities that runs keep: to override modes where their user could not use all they are allowed.

    Files of root in the workspace and an interpreter in root's home stay within reach by that. Landlock bounds reading
    and writing to what is allowed; so it is given only where Landlock bounds all of it. `own` are the directories that
    runs may change, `read` is what they must reach beside.
    """
    if user is None or landlock is None or not landlock.files & TRUNCATE:
        return ()
    if (allow_unix and not landlock.files & RESOLVE_UNIX) or _is_at_home(user, own, read):
        return ()
    return (CAP_DAC_OVERRIDE,)


def _is_at_home(user: tuple[int, int], own: Iterable[Path], read: Iterable[Path]) -> bool:
    """Return whether the directories are a user's own, and everything is within his reach."""
    try:
        return all(path.stat().st_uid == user[0] and is_passable(path, *user) for path in own) and all(
            is_passable(path, *user) for path in read
        )
    except FileNotFoundError:
        return False


def is_passable(path: Path, uid: int, gid: int) -> bool:
    """Return whether the modes of a directory and all above let this user through."""
    for folder in (path, *path.parents):
        found = folder.stat()
        shift = 6 if found.st_uid == uid else 3 if found.st_gid == gid else 0
        if not found.st_mode >> shift & 1:
            return False
    return True


def shared_root(tmp_root: Path) -> Path:
    """Return a directory of ours that everybody may pass and nobody may list, the same for the same tmp_root.

    Nobody can know its name beforehand and take it; a link beside tmp_root remembers it. OSError if none can be made.
    """
    link = link_to_shared_root(tmp_root)
    with suppress(FileNotFoundError):
        known = Path(os.readlink(link))
        if _is_ours(known):
            return known
        link.unlink()
    made = Path(tempfile.mkdtemp(prefix="task-scheduler-"))
    made.chmod(0o711)
    try:
        link.symlink_to(made)
    except FileExistsError:  # another process of the server was faster
        made.rmdir()
        return shared_root(tmp_root)
    return made


def link_to_shared_root(tmp_root: Path) -> Path:
    """Return where it is remembered which directory stands in for tmp_root."""
    return tmp_root.with_name(f"{tmp_root.name}-elsewhere")


def _is_ours(path: Path) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:  # whoever tidies up temporary files took it
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
