"""Decide which of many processes on one database fires, and wake it.

On SQLite the lease is a lock on a file (flock(2)), so the kernel takes it back the moment its holder
dies, and a suspended holder keeps it; the doorbell is a datagram socket beside it. On PostgreSQL the
lease is a lock that a connection of its own holds, and the doorbell is LISTEN and NOTIFY: the server
takes the lock back when that connection ends, so the lease can be lost by one who is alive.

What a holder forks off has no part in either: it would keep both for as long as it lives.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
from collections.abc import Iterator
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Protocol

from scheduler import forks
from scheduler.locks import lock_file, try_lock, unlock
from scheduler.store import Database
from scheduler.store.postgres import Postgres, Session, SessionLost, holds_lease


class Ring(StrEnum):
    """What the holder should look at."""

    JOBS = "j"
    RUNS = "r"
    CANCELS = "c"
    STATE = "s"


EVERYTHING = frozenset(Ring)
_RINGS = {str(ring): ring for ring in Ring}


def _read_letters(letters: str) -> frozenset[Ring]:
    return frozenset(_RINGS[letter] for letter in letters if letter in _RINGS)


class LeaseLost(Exception):
    """This process held the lease and does no more: another may."""


class Place(NamedTuple):
    """Where a process is."""

    pid: int
    host: str


def here() -> Place:
    """Return where this process is."""
    return Place(os.getpid(), socket.gethostname())


class Lease(Protocol):
    """The right to fire, held by one process at a time."""

    def try_acquire(self) -> bool:
        """Take the lease if nobody holds it; say whether this process holds it now. It may not fire yet."""

    def enter(self) -> None:
        """Let this process fire from now on: what the last holder left has been put right."""

    @property
    def held(self) -> bool:
        """Whether this process holds it."""

    def is_held(self) -> bool:
        """Whether any process holds it, this one or another."""

    def holder(self) -> Place | None:
        """Return the process that holds it, or the last that did, if it is known."""

    def release(self) -> None:
        """Give it up."""


class Doorbell(Protocol):
    """Wake the holder from any process; a lost ring is made up for by its slow poll."""

    def ring(self, *what: Ring) -> None:
        """Tell the holder, if there is one, what to look at."""

    def listen(self) -> None:
        """Begin to hear rings, in place of whoever did before."""

    def wait(self, seconds: float) -> frozenset[Ring]:
        """Wait for a ring and return all that was rung for, or nothing after so many seconds.

        Raise `LeaseLost` where the lease turns out to be gone.
        """

    def close(self) -> None:
        """Hear and ring no more."""


def open_lease(store: Database, data_dir: Path) -> tuple[Lease, Doorbell]:
    """Return the lease and the doorbell of all processes on one database."""
    if isinstance(store.backend, Postgres):
        lease = SessionLease(store, store.backend)
        return lease, NotifyDoorbell(store.backend, lease)
    return FileLease(data_dir / "lease"), SocketDoorbell(data_dir)


class FileLease:
    """A lease for the processes of one machine: a lock on a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: FileIO | None = None

    def try_acquire(self) -> bool:
        """Take the lease if nobody holds it; say whether this process holds it now."""
        if self._file is not None:
            return True
        with forks.held_off:
            file = FileIO(self._path, "r+", opener=_open_or_make)
            forks.keep(file)
        if not try_lock(file.fileno()):
            file.close()
            return False
        self._file = file
        file.truncate(0)
        file.write(str(os.getpid()).encode())
        return True

    def enter(self) -> None:
        """Let this process fire, which nothing keeps it from: the lock cannot be lost."""

    @property
    def held(self) -> bool:
        """Whether this process holds it."""
        return self._file is not None

    def is_held(self) -> bool:
        """Whether any process holds it, this one or another."""
        if self.held:
            return True
        with lock_file(self._path) as file:
            # A shared lock is refused while somebody holds the exclusive one, and keeps nobody from
            # taking it for longer than this.
            return not try_lock(file, shared=True)

    def holder(self) -> Place | None:
        """Return the present or last holder, if it is known."""
        try:
            return Place(int(self._path.read_text()), socket.gethostname())
        except (FileNotFoundError, ValueError):
            return None

    def release(self) -> None:
        """Give it up."""
        if self._file is not None:
            unlock(self._file.fileno())
            self._file.close()
            self._file = None


def _open_or_make(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)


class SocketDoorbell:
    """A doorbell for the processes of one machine: a datagram socket."""

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
        forks.keep(listener)
        listener.setblocking(False)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)
        listener.bind(self._path)
        if self._listener is not None:
            self._listener.close()
        self._listener = listener

    def wait(self, seconds: float) -> frozenset[Ring]:
        """Wait for a ring and return all that was rung for, or nothing after so many seconds."""
        assert self._listener is not None
        poll = select.poll()  # select() knows no descriptors beyond 1,023
        poll.register(self._listener, select.POLLIN)
        ready = poll.poll(seconds * 1000)
        rung: set[Ring] = set()
        while ready:
            try:
                letters = self._listener.recv(64).decode("ascii", "ignore")
                rung |= _read_letters(letters)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ECONNREFUSED:
                    raise
        return frozenset(rung)

    def close(self) -> None:
        """Hear and ring no more."""
        # The name is left: by now it may be that of the next holder.
        if self._listener is not None:
            self._listener.close()
        self._sender.close()
        os.close(self._directory)


class SessionLease:
    """A lease for processes on any machines: a lock held by a connection to PostgreSQL.

    For one thread, but for what asks who holds it. While the lease is not held, or held but not
    entered, the store's fence is closed; and the fence asks the server, which knows it first.
    """

    NAME = "task-scheduler"

    def __init__(self, store: Database, server: Postgres) -> None:
        self._store, self._server = store, server
        self._session: Session | None = None
        self._held = False

    def try_acquire(self) -> bool:
        """Take the lease if nobody holds it; say whether this process holds it now. It may not fire yet."""
        self._store.fence.close()
        if self._session is None:
            self._session = self._server.open_session(f"{self.NAME} {os.getpid()} {socket.gethostname()}")
        with self._noticing_loss():
            self._held = self._session.holds_lease() if self._held else self._session.try_lease()
        return self._held

    def enter(self) -> None:
        """Let this process fire from now on."""
        backend = self.session.backend
        self._store.fence.open(lambda connection: holds_lease(connection, backend))

    @property
    def session(self) -> Session:
        """The connection that holds the lock; raise `LeaseLost` where there is none."""
        if self._session is None:
            raise LeaseLost("the connection that held the lease is gone")
        return self._session

    @property
    def held(self) -> bool:
        """Whether this process holds it, as far as it knows."""
        return self._held

    def is_held(self) -> bool:
        """Whether any process holds it, this one or another."""
        return self._name_of_holder() is not None

    def holder(self) -> Place | None:
        """Return the process that holds it, None where none does or the server does not tell."""
        match (self._name_of_holder() or "").split():
            case [self.NAME, pid, host] if pid.isdecimal():
                return Place(int(pid), host)
        return None

    def release(self) -> None:
        """Give it up."""
        self._store.fence.close()
        self._held = False
        if self._session is not None:
            self._session.close()
            self._session = None

    def listen(self) -> None:
        """Begin to hear rings."""
        with self._noticing_loss():
            self.session.listen()

    def hear(self, seconds: float) -> str:
        """Wait for rings and return their letters; raise `LeaseLost` as soon as it is known."""
        with self._noticing_loss():
            letters = self.session.hear(seconds)
            if not letters and not self.session.holds_lease():
                raise SessionLost("the server does not know of the lock any more")
            return letters

    def _name_of_holder(self) -> str | None:
        return self._store.read(self._server.lease_holder)

    @contextlib.contextmanager
    def _noticing_loss(self) -> Iterator[None]:
        try:
            yield
        except SessionLost as error:
            self.release()
            raise LeaseLost(str(error)) from error


class NotifyDoorbell:
    """A doorbell for processes on any machines: LISTEN on the connection of the lease, NOTIFY from any other."""

    def __init__(self, server: Postgres, lease: SessionLease) -> None:
        self._server, self._lease = server, lease

    def ring(self, *what: Ring) -> None:
        """Tell the holder, if there is one, what to look at."""
        self._server.ring("".join(what))

    def listen(self) -> None:
        """Begin to hear rings."""
        self._lease.listen()

    def wait(self, seconds: float) -> frozenset[Ring]:
        """Wait for a ring and return all that was rung for, or nothing after so many seconds."""
        return _read_letters(self._lease.hear(seconds))

    def close(self) -> None:
        """Hear no more, which ends with the lease."""
