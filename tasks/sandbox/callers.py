"""Find out which run is at the other end of a connection on this machine."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

from tasks.sandbox import processes
from tasks.sandbox.leftovers import RUN_ID_NAME

Address = tuple[str, int]


def run_of_connection(server: Address, client: Address) -> str | None:
    """Return the id of the run that holds the client's end of a TCP connection; None where that cannot be known.

    A run is known by the id in the environment that its process was started with. None also where
    the client is on another machine, has gone, or cleared its environment.
    """
    inode = _inode_of(client, server)
    if inode is None:
        return None
    wanted = f"socket:[{inode}]"
    for pid in processes.pids():
        run_id = processes.read_variable(pid, RUN_ID_NAME)
        if run_id and wanted in _open_files(pid):
            return run_id.decode("ascii", "replace")
    return None


def _inode_of(local: Address, remote: Address) -> int | None:
    wanted = {(_as_written(*local, six), _as_written(*remote, six)) for six in (False, True)}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _lines(Path(table)):
            fields = line.split()
            if (fields[1], fields[2]) in wanted:
                return int(fields[9])
    return None


def _lines(table: Path) -> list[str]:
    try:
        return table.read_text().splitlines()[1:]
    except FileNotFoundError:  # a kernel without IPv6, or another system
        return []


def _as_written(host: str, port: int, six: bool) -> str | None:
    """Return an address as the kernel's tables write it: words of the machine's own byte order, in hexadecimal."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in host else socket.AF_INET, host)
    except OSError:
        return None
    if six and len(packed) == 4:
        packed = bytes(10) + b"\xff\xff" + packed
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{port:04X}"


def _open_files(pid: int) -> Iterator[str]:
    folder = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(folder)
    except OSError:  # it ended, or is another user's
        return
    for number in numbers:
        try:
            yield os.readlink(f"{folder}/{number}")
        except OSError:
            continue
