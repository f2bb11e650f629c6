"""Read what runs on this machine, and end parts of it.

A process is known by its number and its start time together, and is signalled through a descriptor
opened before the two were compared: a number that was given to another process in the meantime is
never hit.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One line of the process table; `started` is in clock ticks since the machine started."""

    pid: int
    parent: int
    group: int
    session: int
    started: int
    state: str

    @property
    def dead(self) -> bool:
        """Whether it has ended and only waits to be reaped."""
        return self.state in "ZX"


def pids() -> list[int]:
    """Return the numbers of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def read_process(pid: int) -> Process | None:
    """Return the process of that number, or None if there is none."""
    line = _read(f"/proc/{pid}/stat")
    if line is None:
        return None
    fields = line[line.rindex(b")") + 2 :].split()  # the name before it may hold blanks and brackets
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]), fields[0].decode("ascii"))


def read_environ(pid: int) -> dict[bytes, bytes]:
    """Return the environment that a process was started with; empty where it may not be read."""
    block = _read(f"/proc/{pid}/environ") or b""
    pairs = (entry.partition(b"=") for entry in block.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def read_variable(pid: int, name: bytes) -> bytes | None:
    """Return one variable of the environment that a process was started with, empty where it has none of that name.

    None where there is no environment, or it may not be read.
    """
    block = _read(f"/proc/{pid}/environ")
    if not block:
        return None
    _, found, behind = (b"\0" + block).rpartition(b"\0" + name + b"=")
    return behind.partition(b"\0")[0] if found else b""


def read_user(pid: int) -> int | None:
    """Return the user that a process has; None where it has gone."""
    block = _read(f"/proc/{pid}/status")
    return None if block is None else int(block.partition(b"\nUid:")[2].split(maxsplit=1)[0])


def last_pid() -> int:
    """Return the number given to the newest process or thread."""
    return int(os.pread(_loadavg(), 128, 0).split()[-1])


@cache
def _loadavg() -> int:
    return os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)  # kept open: it is read at each run's end


def all_processes() -> dict[int, Process]:
    """Return the whole process table."""
    found = (read_process(pid) for pid in pids())
    return {process.pid: process for process in found if process is not None}


def descendants(roots: Iterable[int], table: Mapping[int, Process]) -> set[int]:
    """Return the numbers of all children of `roots`, their children, and so on; not the roots."""
    children: dict[int, list[int]] = {}
    for process in table.values():
        children.setdefault(process.parent, []).append(process.pid)
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        new = [pid for pid in children.get(waiting.pop(), ()) if pid not in found]
        found.update(new)
        waiting.extend(new)
    return found


def open_process(process: Process) -> int | None:
    """Return a descriptor that stands for exactly this process, or None if it has gone."""
    try:
        fd = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return None
    now = read_process(process.pid)
    if now is not None and now.started == process.started:
        return fd
    os.close(fd)
    return None


def send(process: Process, number: signal.Signals) -> bool:
    """Send a signal to exactly this process; return whether it was there to get it."""
    fd = open_process(process)
    if fd is None:
        return False
    try:
        signal.pidfd_send_signal(fd, number)
    except (ProcessLookupError, PermissionError):  # gone, or made another user's by a set-uid program
        return False
    finally:
        os.close(fd)
    return True


def reap(pid: int) -> None:
    """Collect an ended process if it is a child of ours, and let it be otherwise."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _read(path: str) -> bytes | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    try:
        return _read_all(fd)
    except (ProcessLookupError, PermissionError):
        return None
    finally:
        os.close(fd)


def _read_all(fd: int) -> bytes:
    parts = []
    while part := os.read(fd, 65536):
        parts.append(part)
    return b"".join(parts)
