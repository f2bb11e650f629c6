"""Decide which of many processes on one data directory fires, and wake it.

The lease is a lock on a file (flock(2)), so the kernel takes it back the moment its holder dies,
and a suspended holder keeps it. The doorbell is a datagram socket beside it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import select
import socket
from enum import StrEnum
from pathlib import Path


class Ring(StrEnum):
    """What the holder should look at."""

    JOBS = "j"
    RUNS = "r"
    CANCELS = "c"
    STATE = "s"


EVERYTHING = frozenset(Ring)


class Lease:
    """The right to fire, held by one process at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def try_acquire(self) -> bool:
        """Take the lease if nobody holds it; say whether this process holds it now."""
        if self._file is not None:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return False
        self._file = file
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        return True

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._file is not None

    def is_held(self) -> bool:
        """Whether any process holds it, this one or another."""
        if self.held:
            return True
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A shared lock is refused while somebody holds the exclusive one, and keeps nobody from
            # taking it for longer than this.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(file)
        return False

    def holder(self) -> int | None:
        """Return the process id of the present or last holder, if it is known."""
        try:
            return int(self._path.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def release(self) -> None:
        """Give it up."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


class Doorbell:
    """Wake the holder from any process; a lost ring is made up for by its slow poll."""

    def __init__(self, directory: Path) -> None:
        # A socket's path may have 107 bytes at most; through the open directory it is always short.
        self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._path = f"/proc/self/fd/{self._directory}/doorbell"
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)
        self._listener: socket.socket | None = None

    def ring(self, *what: Ring) -> None:
        """Tell the holder, if there is one, what to look at."""
        # Nobody holds the lease, or so many rings wait that one more says nothing new: the slow poll will see.
        with contextlib.suppress(FileNotFoundError, ConnectionRefusedError, BlockingIOError):
            self._sender.sendto("".join(what).encode(), self._path)

    def listen(self) -> None:
        """Begin to hear rings, in place of whoever did before."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        listener.bind(self._path)
        self._listener = listener

    def wait(self, seconds: float) -> frozenset[Ring]:
        """Wait for a ring and return all that was rung for, or nothing after so many seconds."""
        assert self._listener is not None
        ready, _, _ = select.select([self._listener], [], [], seconds)
        rung: set[Ring] = set()
        while ready:
            try:
                letters = self._listener.recv(64).decode("ascii", "ignore")
                rung.update(what for what in Ring if what.value in letters)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ECONNREFUSED:
                    raise
        return frozenset(rung)

    def close(self) -> None:
        """Hear and ring no more."""
        if self._listener is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._path)
            self._listener.close()
        self._sender.close()
        os.close(self._directory)
