"""Remove what runs leave in the folder for shared memory, which is nobody's private directory."""

from __future__ import annotations

import logging
import os
import threading

from tasks.sandbox import processes

log = logging.getLogger(__name__)

FOLDER = "/dev/shm"


class SharedMemory:
    """The files that the user of runs leaves in the folder for shared memory.

    They are memory, and stay when their process has gone. Which run has made one is not known, so they are removed
    when none is under way, here or on another server of this machine. `uid` is a user who has nothing but runs, or
    None: then nothing is removed.
    """

    def __init__(self, uid: int | None) -> None:
        self._uid = uid
        self._runs = 0
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Note that a run begins."""
        with self._lock:
            self._runs += 1

    def leave(self) -> None:
        """Note that a run has ended, all of its processes too, and tidy up after the last one."""
        with self._lock:  # no run begins meanwhile
            self._runs -= 1
            if self._uid is not None and self._runs == 0:
                _remove_files(self._uid)


def _remove_files(uid: int) -> None:
    try:
        with os.scandir(FOLDER) as entries:
            left = [entry.path for entry in entries if entry.stat(follow_symlinks=False).st_uid == uid]
        if left and not _has_processes(uid):
            for path in left:
                os.unlink(path)
    except FileNotFoundError:  # there is no such folder, or another server was faster: the next run's end looks again
        return
    except OSError as error:
        log.warning("what runs have left in %s could not be removed: %s", FOLDER, error)


def _has_processes(uid: int) -> bool:
    return any(processes.read_user(pid) == uid for pid in processes.pids())
